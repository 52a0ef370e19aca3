"""Drip-feed, scheduled starts and subscriptions: placed whole if the panel supports it, split otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.buying import checkout
from orders.ledger import audit
from orders.lifecycle import customer_requests, fulfillment
from orders.models import Order, Run, Service
from orders.rules import charges
from providers.models import Offer, Placement, PlacementState, Provider, Route
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import Panel
from providers.placing import routing, submission
from providers.reconciling import decisions
from providers.tracking import status_sync
from tests.providers.conftest import buy, claim, customer, provider_at

pytestmark = pytest.mark.django_db


def submit(**options: Any) -> None:
    for provider in Provider.objects.order_by("pk"):
        submission.submit_due(provider, **options)


def sync(order: Order) -> Order:
    for provider in Provider.objects.all():
        status_sync.sync_statuses(provider, is_now=True)
    order.refresh_from_db()
    return order


def due(order: Order, *numbers: int) -> None:
    """The time of these runs has come."""
    order.run_rows.filter(number__in=numbers).update(due_at=timezone.now())


def drip_service(panel: Panel, dialect: str) -> Service:
    """Return a service with drip-feed whose only route leads to ``panel``."""
    provider_at(panel, dialect)
    service = Service.objects.filter(service_type="default").order_by("pk")[0]
    Service.objects.filter(pk=service.pk).update(has_dripfeed=True)
    service.refresh_from_db()
    return service


def drip(service: Service, runs: int = 3, **inputs: str) -> Order:
    return buy(customer(), service, quantity="100", runs=str(runs), interval="60", **inputs)


def runs_of(order: Order) -> list[str]:
    return [run.status for run in order.run_rows.order_by("number")]


@pytest.fixture
def tmsmm(start_panel: Callable[..., Panel]) -> Panel:
    return start_panel("tmsmm")


@pytest.fixture
def order(tmsmm: Panel) -> Order:
    """Three runs of 100, one an hour, at a panel that knows nothing of drip-feed."""
    return drip(drip_service(tmsmm, "tmsmm"))


# ------------------------------------------------------------------------------------------------ passed on


@pytest.mark.parametrize("dialect", ["smpanelim", "v2"])
def test_drip_feed_is_passed_on_whole_where_the_document_has_it(
    start_panel: Callable[..., Panel], dialect: str
) -> None:
    panel = start_panel(dialect)
    service = drip_service(panel, dialect)
    Offer.objects.update(has_dripfeed=True)
    order = drip(service)
    submit()

    (request,) = panel.received("add")
    assert {name: request.params[name] for name in ("quantity", "runs", "interval")} == {
        "quantity": "100", "runs": "3", "interval": "60",
    }  # fmt: skip
    assert panel.violations == []
    placement = Placement.objects.get()
    (there,) = panel.orders.values()
    assert (placement.run, placement.quantity, placement.cost) == (0, 300, there.charge)
    assert not Run.objects.exists()
    panel.report(there.id, "Partial", remains=120)
    assert (sync(order).status, order.remains) == ("partial", 120)
    assert order.refunded == charges.refund(order.charge, quantity=300, remains=120)
    assert list(audit.findings()) == []


def test_a_panel_that_documents_runs_and_lists_no_flag_has_them_for_its_plain_type(
    start_panel: Callable[..., Panel],
) -> None:
    provider_at(start_panel("smpanelim"), "smpanelim")
    offers = Offer.objects.filter(problem="").values_list("service_type", "has_dripfeed")
    expected = {("default", True), ("package", False), ("custom_comments", False)}
    assert set(offers) == expected
    assert set(Service.objects.values_list("service_type", "has_dripfeed")) == expected


def test_runs_are_documented_only_for_types_that_a_dialect_sells_by_quantity() -> None:
    assert {name: sorted(dialect.runs) for name, dialect in DIALECTS.items() if dialect.runs} == {
        "smpanelim": ["default"], "v2": ["default", "web_traffic"],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------ split


def test_a_panel_without_drip_feed_gets_one_order_for_each_run_at_its_time(tmsmm: Panel, order: Order) -> None:
    submit()
    assert runs_of(order) == ["pending", "queued", "queued"]
    submit(is_now=True)
    assert len(tmsmm.received("add")) == 1, "not before its time, also with --now"
    assert routing.providers_to_submit() == []

    spaces = [run.due_at - order.run_rows.get(number=1).due_at for run in order.run_rows.order_by("number")]
    assert spaces == [timedelta(0), timedelta(hours=1), timedelta(hours=2)]
    for number in (2, 3):
        tmsmm.report(list(tmsmm.orders)[-1], "Completed")
        assert sync(order).status == "in_progress"
        due(order, number)
        assert routing.providers_to_submit() == [Provider.objects.get().pk]
        submit()
    assert [request.params["quantity"] for request in tmsmm.received("add")] == ["100"] * 3
    assert not any("runs" in request.params for request in tmsmm.received("add"))
    tmsmm.report(list(tmsmm.orders)[-1], "Partial", remains=40)
    assert (sync(order).status, order.remains) == ("partial", 40)
    assert order.refunded == charges.refund(order.charge, quantity=300, remains=40)
    assert sorted(Placement.objects.values_list("run", "quantity", "state")) == [
        (1, 100, "closed"), (2, 100, "closed"), (3, 100, "closed"),
    ]  # fmt: skip
    assert tmsmm.violations == []
    assert list(audit.findings()) == []


def test_all_runs_completed_complete_the_order(tmsmm: Panel, order: Order) -> None:
    submit()
    due(order, 2, 3)
    submit()
    submit()
    for upstream_id in tmsmm.orders:
        tmsmm.report(upstream_id, "Completed")
    assert (sync(order).status, order.refunded, order.remains) == ("completed", 0, 0)


@pytest.mark.usefixtures("quick_calls")
def test_a_run_in_doubt_holds_the_order_open_and_is_not_sent_again(tmsmm: Panel, order: Order) -> None:
    submit()
    tmsmm.report(next(iter(tmsmm.orders)), "Completed")
    tmsmm.fault("add", "execute_then_hang")
    due(order, 2)
    submit()
    assert runs_of(order) == ["pending", "in_doubt", "queued"]
    assert (sync(order).status, order.refunded) == ("in_progress", 0)
    due(order, 3)
    submit(is_now=True)
    assert runs_of(order) == ["completed", "in_doubt", "pending"], "the next run does not wait for it"
    assert len(tmsmm.orders) == 3
    doubted = Placement.objects.get(state=PlacementState.IN_DOUBT)
    decisions.attach(doubted, upstream_id=list(tmsmm.orders)[1])
    submit()
    assert runs_of(order) == ["completed", "pending", "pending"]
    for upstream_id in tmsmm.orders:
        tmsmm.report(upstream_id, "Completed")
    assert sync(order).status == "completed"
    assert len(tmsmm.orders) == 3
    assert list(audit.findings()) == []


@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize("send_again", [True, False])
def test_a_run_in_doubt_that_was_not_placed_is_sent_again_or_paid_back_alone(
    tmsmm: Panel, order: Order, send_again: bool
) -> None:
    tmsmm.fault("add", "hang")
    submit()
    order.refresh_from_db()
    assert order.status == "in_doubt"
    decisions.release(Placement.objects.get(), send_again=send_again, why="not there")
    submit()
    order.refresh_from_db()
    assert runs_of(order)[0] == ("pending" if send_again else "failed")
    owed = 0 if send_again else charges.refund(order.charge, quantity=300, remains=100)
    assert (order.is_open, order.refunded) == (True, owed)


def test_a_refused_run_is_paid_back_and_the_next_goes_on(tmsmm: Panel, order: Order) -> None:
    tmsmm.fault("add", "error", text="Bad link")
    submit()
    order.refresh_from_db()
    assert runs_of(order) == ["failed", "queued", "queued"]
    assert order.refunded == charges.refund(order.charge, quantity=300, remains=100)
    due(order, 2)
    submit()
    assert runs_of(order) == ["failed", "pending", "queued"]
    assert list(audit.findings()) == []


def test_a_refused_run_goes_to_the_next_route(tmsmm: Panel, order: Order, start_panel: Callable[..., Panel]) -> None:
    other = start_panel("smpanelim")
    second = provider_at(other, "smpanelim", name="second")
    offer = Offer.objects.filter(provider=second, service_type="default").order_by("rate")[0]
    Route.objects.create(service=order.service, offer=offer, priority=5)
    Order.objects.update(charge=10_000)  # whatever the other costs
    submission.submit_due(Provider.objects.get(name="at-tmsmm"))
    tmsmm.fault("add", "error", text="Bad link")
    due(order, 2)
    submit()
    submit()
    assert runs_of(order) == ["pending", "pending", "queued"]
    (request,) = other.received("add")
    assert "runs" not in request.params, "what is split stays split"
    assert request.params["quantity"] == "100"


def test_a_panel_that_is_not_there_keeps_the_run_waiting(tmsmm: Panel, order: Order) -> None:
    tmsmm.stop()
    submit()
    order.refresh_from_db()
    assert (order.status, runs_of(order)) == ("queued", ["queued"] * 3)
    assert order.run_rows.get(number=1).due_at > timezone.now()
    assert Placement.objects.get().run == 1


def test_a_worker_killed_between_two_runs_loses_none_and_places_none_twice(tmsmm: Panel, order: Order) -> None:
    submit()
    due(order, 2)
    provider = Provider.objects.get()
    claim(provider, limit=5)  # and then the worker dies
    assert runs_of(order) == ["pending", "submitting", "queued"]
    due(order, 3)
    submit()
    assert runs_of(order) == ["pending", "submitting", "pending"]
    Placement.objects.filter(run=2).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert submission.expire_leases() == 1
    assert runs_of(order) == ["pending", "in_doubt", "pending"]
    submit(is_now=True)
    assert len(tmsmm.orders) == 2


def test_who_cancels_gets_the_runs_to_come_back_at_once(tmsmm: Panel, order: Order) -> None:
    Service.objects.update(has_cancel=True)
    order.refresh_from_db()
    submit()
    order.service.refresh_from_db()
    customer_requests.request_cancellation(order, actor=order.user)
    order.refresh_from_db()
    assert (order.status, runs_of(order)) == ("in_progress", ["pending", "canceled", "canceled"])
    assert order.refunded == charges.refund(order.charge, quantity=300, remains=200)
    due(order, 2, 3)
    submit(is_now=True)
    assert len(tmsmm.orders) == 1
    tmsmm.report(next(iter(tmsmm.orders)), "Partial", remains=50)
    assert (sync(order).status, order.remains) == ("partial", 250)
    assert list(audit.findings()) == []


def test_an_order_that_waits_in_runs_is_paid_back_whole_when_nothing_has_started(tmsmm: Panel, order: Order) -> None:
    tmsmm.stop()
    submit()
    fulfillment.cancel(order.pk)
    order.refresh_from_db()
    assert (order.status, order.refunded, runs_of(order)) == ("canceled", order.charge, ["canceled"] * 3)
    due(order, 1)
    assert not routing.waiting_runs().exists()


# ------------------------------------------------------------------------------------------------ a later start


def test_an_order_is_not_placed_before_its_start(tmsmm: Panel) -> None:
    moment = timezone.now() + timedelta(hours=5)
    order = buy(customer(), drip_service(tmsmm, "tmsmm"), start_at=moment.isoformat())
    submit()
    submit(is_now=True)
    assert tmsmm.received("add") == []
    Order.objects.update(starts_at=timezone.now())
    submit()
    order.refresh_from_db()
    assert order.status == "pending"


def test_the_runs_of_a_later_start_count_from_it(tmsmm: Panel) -> None:
    order = drip(drip_service(tmsmm, "tmsmm"), start_at=(timezone.now() + timedelta(hours=5)).isoformat())
    submit(is_now=True)
    assert runs_of(order) == []
    Order.objects.update(starts_at=timezone.now())
    submit()
    assert runs_of(order) == ["pending", "queued", "queued"]


# ------------------------------------------------------------------------------------------------ subscriptions


@pytest.fixture
def v2(start_panel: Callable[..., Panel]) -> Panel:
    panel = start_panel("v2")
    panel.tells_posts = True  # type: ignore[attr-defined]
    provider_at(panel, "v2")
    return panel


@pytest.fixture
def subscription(v2: Panel) -> Order:
    """Three new posts and one old one, of at most 200."""
    bought = buy(customer(), Service.objects.get(service_type="subscriptions"), posts="3", old_posts="1")
    submit()
    return bought


def test_a_subscription_is_sent_as_documented_and_paid_by_its_posts(v2: Panel, subscription: Order) -> None:
    (request,) = v2.received("add")
    sent = {name: value for name, value in request.params.items() if name not in ("key", "action", "service")}
    assert sent == {
        "username": "nadia", "min": "100", "max": "200", "posts": "3", "old_posts": "1", "delay": "30",
        "expiry": "11/11/2027",
    }  # fmt: skip
    assert v2.violations == []
    assert (subscription.quantity, subscription.charge) == (
        800, charges.charge(subscription.rate, 800, is_flat=False),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "left", "status", "remains"),
    [
        ("In progress", 600, "in_progress", 600),
        ("Completed", 0, "completed", 0),
        ("Expired", 400, "partial", 400),
        ("Expired", 800, "canceled", 800),
        ("Expired", 0, "completed", 0),
        ("Canceled", 200, "partial", 200),
        ("Canceled", 800, "canceled", 800),
    ],
)
def test_a_subscription_ends_with_what_its_posts_did_not_use(
    v2: Panel, subscription: Order, word: str, left: int, status: str, remains: int
) -> None:
    v2.report(next(iter(v2.orders)), word, remains=left)
    assert (sync(subscription).status, subscription.remains) == (status, remains)
    owed = 0 if subscription.is_open else charges.refund(subscription.charge, quantity=800, remains=remains)
    assert subscription.refunded == owed
    assert list(audit.findings()) == []


def test_a_subscription_that_rests_stays_as_it_is(v2: Panel, subscription: Order) -> None:
    number = next(iter(v2.orders))
    v2.report(number, "Paused", remains=800)
    assert sync(subscription).status == "pending"
    v2.report(number, "In progress", remains=600)
    assert sync(subscription).status == "in_progress"
    v2.report(number, "Paused", remains=600)
    assert (sync(subscription).status, subscription.remains) == ("in_progress", 600)
    assert not subscription.events.filter(kind="oddity").exists()


def test_a_subscription_without_an_end_is_refused(v2: Panel) -> None:
    with pytest.raises(checkout.OrderInvalid, match="posts: unlimited"):
        buy(customer(), Service.objects.get(service_type="subscriptions"), posts="0")
