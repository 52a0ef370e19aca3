"""Refills and cancellations on the order page: the buttons, why one is disabled, and the progress of requests."""

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
from tests.storefront.shop.test_orders import INTERNAL, visible_text

BUTTON = r'<button class="btn wide" name="action" value="{}"( aria-disabled="true")?'


def create_order(user: User, status: str = "completed", **details: Any) -> Order:
    service = factories.service(has_refill=True, has_cancel=True)
    order = factories.order(user, service, status=status)
    Order.objects.filter(pk=order.pk).update(**{"remains": 0 if status == "completed" else 60, **details})
    order.refresh_from_db()
    return order


def request_action(page: Client, order: Order, action: str) -> str:
    response = page.post(f"/orders/{order.pk}/ask/", {"action": action}, follow=True)
    assert response.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    return text_of(response)


def is_enabled(text: str, action: str) -> bool:
    found = re.search(BUTTON.format(action), text)
    assert found, text
    return found[1] is None


def test_a_completed_order_can_be_refilled_but_not_canceled(page: Client, nadia: User) -> None:
    text = text_of(page.get(f"/orders/{create_order(nadia).pk}/"))
    assert (is_enabled(text, "refill"), is_enabled(text, "cancel")) == (True, False)
    assert "Free until" in text
    assert "The order is already finished." in text


def test_an_open_order_can_be_canceled_but_not_refilled(page: Client, nadia: User) -> None:
    order = create_order(nadia, "in_progress")
    text = text_of(page.get(f"/orders/{order.pk}/"))
    assert (is_enabled(text, "refill"), is_enabled(text, "cancel")) == (False, True)
    assert "Available once the order is finished" in text


def test_a_service_without_refills_and_cancellations_says_so(page: Client, nadia: User) -> None:
    text = text_of(page.get(f"/orders/{factories.order(nadia).pk}/"))
    assert (is_enabled(text, "refill"), is_enabled(text, "cancel")) == (False, False)
    assert "doesn't include refills" in text
    assert "can't be canceled" in text


def test_the_order_page_follows_a_refill(page: Client, nadia: User) -> None:
    order = create_order(nadia)
    text = request_action(page, order, "refill")
    assert "Refill requested" in text
    assert not is_enabled(text, "refill")
    assert "Already requested" in text
    refill = Refill.objects.get()
    assert refill.actor == nadia
    customer_requests.hand_to_staff(refill, why="AcmePanel: the document has no refill")
    assert "Our team is working on it" in visible_text(page.get(f"/orders/{order.pk}/"))
    customer_requests.reject(refill, reason="AcmePanel says no")
    text = visible_text(page.get(f"/orders/{order.pk}/"))
    assert "This order isn't eligible for a refill" in text
    assert not INTERNAL.search(text)


def test_the_page_updates_for_a_request_after_the_order_has_ended(page: Client, nadia: User) -> None:
    order = create_order(nadia)
    assert "hx-get" not in text_of(page.get(f"/orders/{order.pk}/")).partition('id="order"')[2][:200]
    seen = re.search(r'hx-get="(/orders/\d+/live/\?seen=[^"]+)"', request_action(page, order, "refill"))
    assert seen
    assert page.get(seen[1]).status_code == 204
    customer_requests.mark_sent(Refill.objects.get(), provider=1, upstream_id="77")
    text = text_of(page.get(seen[1]))
    assert "Refill accepted" in text
    assert "77" not in activity_text(text)


def activity_text(text: str) -> str:
    return re.sub(r"<[^>]*>", " ", text.partition("Activity")[2].partition("</ol>")[0])


def test_a_queued_order_is_canceled_at_once(page: Client, nadia: User) -> None:
    order = create_order(nadia, "queued")
    assert "refunded to your balance right away" in text_of(page.get(f"/orders/{order.pk}/"))
    text = request_action(page, order, "cancel")
    assert "Canceled at your request." in text
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)


def test_canceling_an_order_in_progress_is_a_request_with_a_result(page: Client, nadia: User) -> None:
    order = create_order(nadia, "in_progress")
    assert "Cancellation requested" in request_action(page, order, "cancel")
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_progress", 0)
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.COMPLETED))
    assert "Everything was delivered before it could be stopped." in text_of(page.get(f"/orders/{order.pk}/"))
    assert Cancellation.objects.get().status == "rejected"


@pytest.mark.parametrize("action", ["refill", "cancel", "", "delete"])
def test_the_server_refuses_disabled_actions(page: Client, nadia: User, action: str) -> None:
    order = create_order(nadia, "canceled")
    text = request_action(page, order, action)
    assert 'data-tone="danger"' in text
    assert not Refill.objects.exists()
    assert not Cancellation.objects.exists()


def test_after_the_refill_period_the_page_shows_when_it_ended(page: Client, nadia: User) -> None:
    order = create_order(nadia, ended_at=timezone.now() - timedelta(days=31))
    text = request_action(page, order, "refill")
    assert "The refill period ended on" in text
    assert not Refill.objects.exists()


def test_requests_for_another_customers_order_are_not_found(page: Client) -> None:
    foreign = create_order(factories.customer())
    assert page.post(f"/orders/{foreign.pk}/ask/", {"action": "refill"}).status_code == 404
    assert page.get(f"/orders/{foreign.pk}/ask/").status_code == 405
    assert not Refill.objects.exists()


def test_requests_require_signing_in_and_a_csrf_token(nadia: User) -> None:
    order = create_order(nadia)
    assert Client().post(f"/orders/{order.pk}/ask/", {"action": "refill"}).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert strict.post(f"/orders/{order.pk}/ask/", {"action": "refill"}).status_code == 403
    assert not Refill.objects.exists()
