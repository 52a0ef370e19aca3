"""Drip-feed and scheduled starts on the pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orders.lifecycle import fulfillment
from orders.models import Order
from orders.rules.state_machine import Progress, Status
from storefront.accounts.models import User
from tests import factories
from tests.storefront.shop.forms import ADDRESS, form_data, inputs_on, send, text_of


def test_the_form_has_runs_only_for_services_with_drip_feed(page: Client) -> None:
    with_runs = form_data(page, factories.service(has_dripfeed=True))
    assert {"runs", "interval"} <= set(with_runs)
    for service in (factories.service(), factories.service("package", is_flat=True, has_dripfeed=True)):
        assert not {"runs", "interval"} & set(form_data(page, service))


def test_runs_can_be_ordered_on_the_page(page: Client) -> None:
    data = form_data(page, factories.service(has_dripfeed=True), runs="5", interval="60")
    response = send(page, data)
    order = Order.objects.get()
    assert (response.status_code, order.runs, order.interval, order.quantity) == (302, 5, 60, 500)
    assert send(page, data).headers["Location"] == f"/orders/{order.pk}/"
    assert "already placed" in text_of(send(page, {**data, "runs": "4"}))
    assert Order.objects.count() == 1


def test_without_runs_a_plain_order_is_placed(page: Client) -> None:
    send(page, form_data(page, factories.service(has_dripfeed=True)))
    assert Order.objects.get().runs == 1


def test_errors_in_runs_are_shown_at_their_fields(page: Client) -> None:
    data = form_data(page, factories.service(has_dripfeed=True), runs="2000", interval="")
    text = text_of(send(page, data))
    assert "The maximum is 1,000." in text
    text = text_of(send(page, {**data, "runs": "200", "interval": "0"}))
    assert 'id="runs-e"' in text
    assert 'id="interval-e"' in text
    assert not Order.objects.exists()


@pytest.mark.parametrize("interval", ["60", ""])
def test_the_live_price_counts_the_runs(page: Client, interval: str) -> None:
    service = factories.service(has_dripfeed=True)
    data = {"service": service.pk, "quantity": "100", "runs": "5", "interval": interval}
    text = text_of(page.post("/orders/price/", data))
    assert "5 × 100 = 500" in text
    assert "$0.45" in text


def test_an_order_can_be_scheduled(page: Client, nadia: User) -> None:
    moment = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    data = form_data(page, factories.service(), start_at=timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M"))
    send(page, data)
    order = Order.objects.get()
    assert order.starts_at == moment
    assert "Scheduled start</dt>" in text_of(page.get(f"/orders/{order.pk}/"))
    wrong = send(page, form_data(page, factories.service(), start_at="soon"))
    assert "Enter the date and time in this format:" in text_of(wrong)


def test_the_order_page_shows_its_runs(page: Client, nadia: User) -> None:
    order = factories.order(nadia, factories.service(has_dripfeed=True), runs="3", interval="60")
    assert "3, every 60 minutes" in text_of(page.get(f"/orders/{order.pk}/"))
    fulfillment.split_into_runs(order)
    fulfillment.mark_run_submitting(order, 1)
    fulfillment.accept(order.pk, run=1, provider=1, panel_error="AcmePanel")
    fulfillment.apply_progress(order.pk, run=1, progress=Progress(status=Status.COMPLETED))
    text = text_of(page.get(f"/orders/{order.pk}/"))
    assert "1 / 3" in text
    assert "Next run" in text
    assert "AcmePanel" not in text


def test_order_again_fills_in_one_run(page: Client, nadia: User) -> None:
    order = factories.order(nadia, factories.service(has_dripfeed=True), runs="3", interval="60")
    shown = inputs_on(page.get(ADDRESS, {"again": order.pk}))
    assert (shown["quantity"], shown["runs"], shown["interval"]) == ("100", "3", "60")
