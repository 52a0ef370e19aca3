"""Drip-feed, scheduled starts and subscriptions in the panel API."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from orders.ledger import audit
from orders.lifecycle import fulfillment
from orders.models import Order, Service
from orders.rules.state_machine import Progress, Status
from providers.panels.dialect import OrderToSend
from providers.panels.dialects import DIALECTS
from tests.factories import INPUTS, service
from tests.storefront.api.reseller import Reseller


def add(reseller: Reseller, what: Service, **inputs: str) -> dict[str, str]:
    return reseller.call(**{**INPUTS, "action": "add", "service": str(what.pk), **inputs})


@pytest.mark.parametrize(
    ("service_type", "has_dripfeed", "told"),
    [("default", True, True), ("web_traffic", True, True), ("default", False, False), ("package", True, False)],
)
def test_services_shows_which_types_support_drip_feed(
    reseller: Reseller, service_type: str, has_dripfeed: bool, told: bool
) -> None:
    service(service_type, has_dripfeed=has_dripfeed, is_flat=service_type == "package")
    assert [row["dripfeed"] for row in reseller.call(action="services")] == [told]


@pytest.mark.parametrize("service_type", ["default", "web_traffic"])
def test_all_runs_are_charged_and_status_sums_them_up(reseller: Reseller, service_type: str) -> None:
    placed = add(reseller, service(service_type, has_dripfeed=True), runs="5", interval="60")
    order = Order.objects.get(pk=placed["order"])
    assert (order.runs, order.interval, order.quantity, order.charge) == (5, 60, 500, Decimal("0.45"))
    status = reseller.call(action="status", order=str(order.pk))
    assert (status["status"], status["charge"], status["remains"]) == ("Pending", "0.45", "500")

    fulfillment.split_into_runs(order)
    fulfillment.mark_run_submitting(order, 1)
    fulfillment.accept(order.pk, run=1)
    fulfillment.apply_progress(order.pk, run=1, progress=Progress(status=Status.PARTIAL, remains=40))
    status = reseller.call(action="status", order=str(order.pk))
    assert (status["status"], status["charge"], status["remains"]) == ("In progress", "0.414", "440")
    assert list(audit.findings()) == []


@pytest.mark.parametrize(
    ("inputs", "error"),
    [
        ({"runs": "5"}, "Drip-feed interval field is required"),
        ({"interval": "60"}, "Drip-feed runs field is required"),
        ({"runs": "5", "interval": "9999"}, "Drip-feed interval more than maximum 1440"),
        ({"runs": "200", "interval": "5"}, "Drip-feed runs more than maximum 100"),
        ({"runs": "-1", "interval": "5"}, "Drip-feed runs less than minimal 2"),
    ],
)
def test_an_incomplete_drip_feed_is_refused_without_a_charge(
    reseller: Reseller, inputs: dict[str, str], error: str
) -> None:
    assert add(reseller, service(has_dripfeed=True), **inputs) == {"error": error}
    assert not Order.objects.exists()


@pytest.mark.parametrize("inputs", [{"runs": "0", "interval": "0"}, {"runs": "1"}, {"runs": "", "interval": "null"}])
def test_runs_without_effect_place_a_plain_order(reseller: Reseller, inputs: dict[str, str]) -> None:
    placed = add(reseller, service(has_dripfeed=True), **inputs)
    assert Order.objects.get(pk=placed["order"]).runs == 1


def test_an_order_can_be_scheduled(reseller: Reseller) -> None:
    moment = (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    placed = add(reseller, service(), start_at=moment.isoformat())
    assert Order.objects.get(pk=placed["order"]).starts_at == moment
    assert reseller.call(action="status", order=str(placed["order"]))["status"] == "Pending"
    assert reseller.call(action="cancel", orders=str(placed["order"])) == [{"order": placed["order"], "cancel": 1}]
    assert reseller.balance == Decimal("100.84292")
    far = (timezone.now() + timedelta(days=31)).isoformat()
    assert add(reseller, service(), start_at=far) == {"error": "Start at is more than 30 days ahead"}


def test_a_subscription_is_charged_by_its_posts_and_must_be_limited(reseller: Reseller) -> None:
    what = service("subscriptions")
    placed = add(reseller, what, posts="3", expiry="")
    order = Order.objects.get(pk=placed["order"])
    assert (order.quantity, order.charge, order.link) == (60, Decimal("0.054"), "")
    unlimited = {"error": "Posts field is required: subscriptions without a limit are not available"}
    assert add(reseller, what, posts="0") == unlimited
    assert add(reseller, what, posts="") == unlimited
    assert add(reseller, what, posts="", old_posts="0") == unlimited
    too_many = add(reseller, what, posts="1", old_posts="999999999")
    assert too_many == {"error": "Old posts more than maximum 10000"}
    assert Order.objects.count() == 1


def test_old_posts_are_charged_like_new_ones(reseller: Reseller) -> None:
    placed = add(reseller, service("subscriptions"), posts="0", old_posts="3")
    order = Order.objects.get(pk=placed["order"])
    assert (order.quantity, order.charge) == (60, Decimal("0.054"))
    assert (order.fields["posts"], order.fields["old_posts"]) == (0, 3)


def test_old_posts_without_new_ones_are_charged_alone(reseller: Reseller) -> None:
    placed = add(reseller, service("subscriptions"), posts="", old_posts="5")
    order = Order.objects.get(pk=placed["order"])
    assert (order.quantity, order.charge) == (100, Decimal("0.09"))
    # A panel that gets no number of new posts delivers to all of them, so the 0 is sent.
    wanted = OrderToSend(
        upstream_id="7", service_type="subscriptions", link="", quantity=order.quantity, fields=order.fields
    )
    params = DIALECTS["v2"].add_params(wanted)
    assert (params["posts"], params["old_posts"]) == ("0", "5")
