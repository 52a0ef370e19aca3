"""The two buttons on an order's page, why one is not possible, and what customers read of their requests."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.lifecycle import customer_requests, fulfillment
from orders.models import Cancellation, Order, Refill
from orders.rules.state_machine import Progress, Status
from storefront.accounts.models import User
from tests import factories
from tests.storefront.shop.forms import text_of
from tests.storefront.shop.test_orders import SECRET, words_of

BUTTON = r'<button class="btn wide" name="action" value="{}"( aria-disabled="true")?'


def bought(user: User, status: str = "completed", **details: Any) -> Order:
    service = factories.service(has_refill=True, has_cancel=True)
    order = factories.order(user, service, status=status)
    Order.objects.filter(pk=order.pk).update(**{"remains": 0 if status == "completed" else 60, **details})
    order.refresh_from_db()
    return order


def ask(page: Client, order: Order, action: str) -> str:
    response = page.post(f"/orders/{order.pk}/ask/", {"action": action}, follow=True)
    assert response.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    return text_of(response)


def is_open(text: str, action: str) -> bool:
    found = re.search(BUTTON.format(action), text)
    assert found, text
    return found[1] is None


def test_a_completed_order_offers_a_refill_and_says_why_it_cannot_be_canceled(page: Client, nadia: User) -> None:
    text = text_of(page.get(f"/orders/{bought(nadia).pk}/"))
    assert (is_open(text, "refill"), is_open(text, "cancel")) == (True, False)
    assert "Free until" in text
    assert "The order is already finished." in text


def test_an_open_order_can_be_canceled_and_a_refill_comes_later(page: Client, nadia: User) -> None:
    order = bought(nadia, "in_progress")
    text = text_of(page.get(f"/orders/{order.pk}/"))
    assert (is_open(text, "refill"), is_open(text, "cancel")) == (False, True)
    assert "Available once the order is finished" in text


def test_a_service_without_either_says_so_without_a_query(page: Client, nadia: User) -> None:
    text = text_of(page.get(f"/orders/{factories.order(nadia).pk}/"))
    assert (is_open(text, "refill"), is_open(text, "cancel")) == (False, False)
    assert "doesn't include refills" in text
    assert "can't be canceled" in text


def test_a_refill_is_asked_for_and_told_step_by_step(page: Client, nadia: User) -> None:
    order = bought(nadia)
    text = ask(page, order, "refill")
    assert "Refill requested" in text
    assert not is_open(text, "refill")
    assert "Already requested" in text
    refill = Refill.objects.get()
    assert refill.actor == nadia
    customer_requests.hand_to_staff(refill, why="AcmePanel: the document has no refill")
    assert "Our team is working on it" in words_of(page.get(f"/orders/{order.pk}/"))
    customer_requests.reject(refill, reason="AcmePanel says no")
    told = words_of(page.get(f"/orders/{order.pk}/"))
    assert "This order isn't eligible for a refill" in told
    assert not SECRET.search(told)


def test_the_page_follows_a_request_though_the_order_has_ended(page: Client, nadia: User) -> None:
    order = bought(nadia)
    assert "hx-get" not in text_of(page.get(f"/orders/{order.pk}/")).partition('id="order"')[2][:200]
    seen = re.search(r'hx-get="(/orders/\d+/live/\?seen=[^"]+)"', ask(page, order, "refill"))
    assert seen
    assert page.get(seen[1]).status_code == 204
    customer_requests.mark_sent(Refill.objects.get(), provider=1, upstream_id="77")
    text = text_of(page.get(seen[1]))
    assert "Refill accepted" in text
    assert "77" not in words_of_part(text)


def words_of_part(text: str) -> str:
    return re.sub(r"<[^>]*>", " ", text.partition("Activity")[2].partition("</ol>")[0])


def test_an_order_that_has_not_started_is_canceled_at_once(page: Client, nadia: User) -> None:
    order = bought(nadia, "queued")
    assert "refunded to your balance right away" in text_of(page.get(f"/orders/{order.pk}/"))
    text = ask(page, order, "cancel")
    assert "Canceled at your request." in text
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)


def test_a_cancel_under_way_is_a_request_and_its_end_is_told(page: Client, nadia: User) -> None:
    order = bought(nadia, "in_progress")
    assert "Cancellation requested" in ask(page, order, "cancel")
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_progress", 0)
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.COMPLETED))
    assert "Everything was delivered before it could be stopped." in text_of(page.get(f"/orders/{order.pk}/"))
    assert Cancellation.objects.get().status == "rejected"


@pytest.mark.parametrize("action", ["refill", "cancel", "", "delete"])
def test_the_server_refuses_what_the_page_says_is_not_possible(page: Client, nadia: User, action: str) -> None:
    order = bought(nadia, "canceled")
    text = ask(page, order, action)
    assert 'data-tone="danger"' in text
    assert not Refill.objects.exists()
    assert not Cancellation.objects.exists()


def test_after_the_window_the_page_says_until_when(page: Client, nadia: User) -> None:
    order = bought(nadia, ended_at=timezone.now() - timedelta(days=31))
    text = ask(page, order, "refill")
    assert "The refill period ended on" in text
    assert not Refill.objects.exists()


def test_nobody_asks_for_another_customers_order(page: Client) -> None:
    foreign = bought(factories.customer())
    assert page.post(f"/orders/{foreign.pk}/ask/", {"action": "refill"}).status_code == 404
    assert page.get(f"/orders/{foreign.pk}/ask/").status_code == 405
    assert not Refill.objects.exists()


def test_asking_needs_a_log_in_and_a_token(nadia: User) -> None:
    order = bought(nadia)
    assert Client().post(f"/orders/{order.pk}/ask/", {"action": "refill"}).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert strict.post(f"/orders/{order.pk}/ask/", {"action": "refill"}).status_code == 403
    assert not Refill.objects.exists()
