"""Refills and cancellations at real panels: sent by each document, and never sent twice automatically."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders.errors import RequestClosed
from orders.ledger import audit, transfers
from orders.lifecycle import customer_requests
from orders.models import Account, Cancellation, Order, OrderEvent, Refill, Service
from orders.models.order import EventKind
from providers.models import PanelCall, Placement, Provider, Route, UpstreamRequest
from providers.notes import Note
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import Panel
from providers.panels.simulators.orders import OrderedAmount
from providers.placing import submission
from providers.reconciling import decisions
from providers.tracking import apply_reports, status_sync, upstream_requests
from providers.worker import turns
from providers.worker.leases import Lease, database_now
from providers.worker.models import Turn
from tests.orders.parallel import together
from tests.providers.conftest import ALL_DIALECTS, buy, customer, provider_at
from tests.providers.conftest import claim as claim_orders

pytestmark = pytest.mark.django_db
Start = Callable[..., Panel]

WITH_REFILL = pytest.mark.parametrize("dialect", [name for name in DIALECTS if "refill" in DIALECTS[name].verbs])
WITH_CANCEL = pytest.mark.parametrize("dialect", [name for name in DIALECTS if "cancel" in DIALECTS[name].verbs])


class Shop:
    """A provider at a panel, and orders there."""

    def __init__(self, panel: Panel, dialect: str, **details: Any) -> None:
        self.panel = panel
        self.provider = provider_at(panel, dialect, **details)
        Service.objects.update(has_refill=True, has_cancel=True)
        self.user = customer()
        self.bought = 0

    def order(self, flag: str = "") -> Order:
        """Return an order that the panel has, of a service with the ``flag`` at the panel where it has one."""
        offers = Service.objects.filter(routes__offer__provider=self.provider).order_by("is_flat", "pk")
        service = (offers.filter(**{f"routes__offer__{flag}": True}).first() if flag else None) or offers[0]
        self.bought += 1
        link = service.link_example or f"https://x.example.com/p/{self.bought}"
        order = buy(self.user, service, link=link)
        submission.submit_due(self.provider)
        order.refresh_from_db()
        assert order.status == "pending"
        return order

    def number(self, order: Order) -> str:
        return Placement.objects.get(order=order, state__in=upstream_requests.HAD).upstream_id

    def report(self, order: Order, status: str, **values: int) -> Order:
        self.panel.report(self.number(order), getattr(self.panel.statuses, status), **values)
        status_sync.sync_statuses(self.provider, is_now=True)
        order.refresh_from_db()
        return order

    def completed(self) -> Order:
        order = self.report(self.order("has_refill"), "completed", remains=0)
        assert order.status == "completed"
        return order

    def tick(self, *, is_now: bool = False) -> Counter[str]:
        counts: Counter[str] = Counter()
        for provider_id in upstream_requests.triage(is_now=is_now):
            counts += upstream_requests.run(Provider.objects.get(pk=provider_id), is_now=is_now)
        return counts

    def follow(self) -> Counter[str]:
        return upstream_requests.run(Provider.objects.get(pk=self.provider.pk), is_now=True)


@pytest.fixture
def shop(start_panel: Start) -> Shop:
    return Shop(start_panel("v2"), "v2")


def steps(order: Order) -> list[str]:
    kinds = (EventKind.REFILL, EventKind.CANCELLATION)
    return [event.data["step"] for event in OrderEvent.objects.filter(order=order, kind__in=kinds).order_by("id")]


def refreshed(request: Any) -> Any:
    request.refresh_from_db()
    return request


# ------------------------------------------------------------------------------------------------ at every panel
@WITH_REFILL
def test_a_refill_is_asked_for_followed_and_done(dialect: str, start_panel: Start) -> None:
    shop = Shop(start_panel(dialect), dialect)
    order = shop.completed()
    refill = customer_requests.request_refill(order)
    assert shop.tick() == {"refill_accepted": 1}
    (upstream_id,) = shop.panel.refills
    assert UpstreamRequest.objects.get().upstream_id == upstream_id
    assert (refreshed(refill).status, steps(order)) == ("sent", ["requested", "sent"])
    assert shop.panel.received("refill")[-1].params["order"] == shop.number(order)

    shop.panel.report_refill(upstream_id, shop.panel.statuses.running)
    assert shop.follow()["refills_changed"] == 1
    assert refreshed(refill).status == "in_progress"
    shop.panel.report_refill(upstream_id, shop.panel.statuses.completed)
    shop.follow()
    assert (refreshed(refill).status, UpstreamRequest.objects.get().state) == ("completed", "closed")
    assert shop.tick() == {}
    assert shop.panel.violations == []
    assert len(shop.panel.received("refill")) == 1


@WITH_REFILL
def test_many_refills_go_the_way_the_document_has(dialect: str, start_panel: Start) -> None:
    shop = Shop(start_panel(dialect), dialect)
    orders = [shop.order("has_refill") for _ in range(3)]
    for order in orders:
        customer_requests.request_refill(shop.report(order, "completed", remains=0))
    assert shop.tick() == {"refill_accepted": 3}
    for upstream_id, status in zip(shop.panel.refills, ["Completed", "Rejected", "Sleeping"], strict=True):
        shop.panel.report_refill(upstream_id, status)
    counts = shop.follow()
    calls = 1 if "refill" in DIALECTS[dialect].many else 3
    assert (len(shop.panel.received("refill")), counts["refill_calls"]) == (calls, calls)
    assert list(Refill.objects.order_by("pk").values_list("status", flat=True)) == ["completed", "rejected", "sent"]
    assert shop.panel.violations == []


@WITH_CANCEL
def test_a_cancellation_is_a_request_and_the_status_moves_the_money(dialect: str, start_panel: Start) -> None:
    shop = Shop(start_panel(dialect), dialect)
    order, other = shop.order("has_cancel"), shop.order("has_cancel")
    before = Account.objects.get(user=shop.user).balance
    request = customer_requests.request_cancellation(order)
    customer_requests.request_cancellation(other)
    assert shop.tick() == {"cancel_accepted": 2}
    assert len(shop.panel.received("cancel")) == 1
    order.refresh_from_db()
    assert (order.status, order.refunded, refreshed(request).status) == ("pending", 0, "sent")
    assert Account.objects.get(user=shop.user).balance == before

    shop.report(order, "canceled", remains=order.quantity)
    assert (order.status, order.refunded, refreshed(request).status) == ("canceled", order.charge, "completed")
    shop.tick()
    assert UpstreamRequest.objects.get(cancellation=request).state == "closed"
    assert list(audit.findings()) == []
    assert shop.panel.violations == []


@ALL_DIALECTS
def test_a_verb_that_the_document_lacks_goes_to_an_operator_and_nothing_is_sent(
    dialect: str, start_panel: Start
) -> None:
    shop = Shop(start_panel(dialect), dialect)
    lacking = {"refill", "cancel"} - DIALECTS[dialect].verbs
    requests: list[Any] = []
    if "cancel" in lacking:
        requests.append(customer_requests.request_cancellation(shop.order()))
    if "refill" in lacking:
        requests.append(customer_requests.request_refill(shop.completed()))
    assert shop.tick() == shop.tick() == {}
    for request in requests:
        assert (refreshed(request).status, request.needs_operator) == ("waiting", True)
        assert Note.NO_REFILLS in request.reason or Note.NO_CANCELLATIONS in request.reason
        assert steps(request.order) == ["requested", "staff"]
    assert not [call for verb in lacking for call in shop.panel.received(verb)]
    assert not UpstreamRequest.objects.exists()
    assert shop.panel.violations == []


# ------------------------------------------------------------------------------------------------ answers
@pytest.mark.parametrize(
    ("kind", "options", "state", "status", "needs_operator"),
    [
        ("error", {"text": "Refill days are over"}, "refused", "rejected", False),
        ("error", {"text": "Too many requests"}, "refused", "waiting", False),
        ("error", {"text": "Invalid API key"}, "refused", "waiting", False),
        ("error", {"text": "refill was requested less than 24 hours ago"}, "refused", "waiting", False),
        ("error", {"text": "Incorrect request"}, "refused", "waiting", True),
        ("error", {"text": "Something odd"}, "in_doubt", "waiting", True),
        ("text", {"body": '{"refill":{"error":"Something odd"}}'}, "refused", "waiting", True),
        ("text", {"body": '{"success":true,"refill":12345}'}, "accepted", "sent", False),
        ("text", {"body": '{"success":true}'}, "in_doubt", "waiting", True),
        ("html", {}, "in_doubt", "waiting", True),
        ("empty", {}, "in_doubt", "waiting", True),
        ("http_500", {}, "in_doubt", "waiting", True),
        ("reset_after", {}, "in_doubt", "waiting", True),
        ("hang", {}, "in_doubt", "waiting", True),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.usefixtures("quick_calls")
def test_what_an_answer_means(
    shop: Shop, kind: str, options: dict[str, Any], state: str, status: str, needs_operator: bool
) -> None:
    refill = customer_requests.request_refill(shop.completed())
    shop.panel.fault("refill", kind, **options)
    shop.tick()
    assert UpstreamRequest.objects.get().state == state
    assert (refreshed(refill).status, refill.needs_operator) == (status, needs_operator)
    shop.tick()
    assert len(shop.panel.received("refill")) == 1, "nothing is sent again at once, or by itself"


def test_a_panel_that_is_not_reached_is_asked_again_later(shop: Shop) -> None:
    refill = customer_requests.request_refill(shop.completed())
    shop.panel.stop()
    assert shop.tick() == {"refill_not_sent": 1}
    assert refreshed(refill).due_at > timezone.now()
    port = int(shop.panel.url.rpartition(":")[2].partition("/")[0])
    shop.panel.start(port=port)
    assert shop.tick() == {}
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert shop.tick() == {"refill_accepted": 1}
    assert list(UpstreamRequest.objects.values_list("state", flat=True)) == ["not_sent", "accepted"]
    assert refreshed(refill).status == "sent"


def test_an_early_refill_is_asked_for_again_until_patience_ends(shop: Shop) -> None:
    refill = customer_requests.request_refill(shop.completed())
    shop.panel.fault("refill", "error", times=99, text="refill was requested less than 24 hours ago")
    now = timezone.now()
    for hours in (0, 7, 14):
        with time_machine.travel(now + timedelta(hours=hours)):
            shop.tick()
    assert len(shop.panel.received("refill")) == 3
    with time_machine.travel(now + timedelta(days=4)):
        shop.tick()
    assert refreshed(refill).needs_operator
    assert len(shop.panel.received("refill")) == 3


def claim(shop: Shop) -> tuple[list[UpstreamRequest], turns.HeldTurn]:
    """Claim the waiting requests as a worker that dies afterwards."""
    turn = turns.take(f"requests:{shop.provider.pk}", seconds=60)
    assert turn
    lease = Lease.begin(longest_call=30)
    return upstream_requests._claim(shop.provider, Refill, turn, lease, after=0, limit=1, is_now=False), turn


def let_leases_end() -> None:
    UpstreamRequest.objects.update(lease_until=database_now() - timedelta(seconds=1))
    Turn.objects.update(until=database_now() - timedelta(seconds=1))


def test_a_claim_whose_worker_died_is_in_doubt_and_an_operator_may_send_it_again(shop: Shop) -> None:
    refill = customer_requests.request_refill(shop.completed())
    claimed, _turn = claim(shop)
    assert len(claimed) == 1
    assert shop.tick() == {}
    with pytest.raises(RequestClosed):
        upstream_requests.send_again(refill, actor=None)
    let_leases_end()
    assert shop.tick() == {}
    assert (UpstreamRequest.objects.get().state, refreshed(refill).needs_operator) == ("in_doubt", True)
    upstream_requests.send_again(refill, actor=shop.user)
    assert shop.tick() == {"refill_accepted": 1}
    assert (refreshed(refill).status, refill.needs_operator) == ("sent", False)
    assert list(UpstreamRequest.objects.values_list("state", flat=True)) == ["closed", "accepted"]


def test_a_worker_that_lost_its_turn_claims_nothing(shop: Shop) -> None:
    customer_requests.request_refill(shop.completed())
    turn = turns.take(f"requests:{shop.provider.pk}", seconds=60)
    let_leases_end()
    assert turns.take(f"requests:{shop.provider.pk}", seconds=60)
    assert turn
    lease = Lease.begin(longest_call=30)
    assert upstream_requests._claim(shop.provider, Refill, turn, lease, after=0, limit=1, is_now=False) == []
    assert not UpstreamRequest.objects.exists()


@pytest.mark.parametrize("skew", [-120, 120])
def test_a_clock_that_is_wrong_ends_nobodys_lease(shop: Shop, skew: int) -> None:
    refill = customer_requests.request_refill(shop.completed())
    claim(shop)
    with time_machine.travel(timezone.now() + timedelta(seconds=skew)):
        assert shop.tick() == {}
        with pytest.raises(RequestClosed):
            upstream_requests.send_again(refill, actor=None)
    assert UpstreamRequest.objects.get().state == "submitting"


def test_an_unclear_refill_is_for_an_operator_and_still_tracked(shop: Shop) -> None:
    refill = customer_requests.request_refill(shop.completed())
    shop.tick()
    shop.panel.report_refill("1", "Error")
    shop.follow()
    assert (refreshed(refill).status, refill.needs_operator) == ("sent", True)
    shop.panel.report_refill("1", "Completed")
    shop.follow()
    assert (refreshed(refill).status, refill.needs_operator) == ("completed", False)


@pytest.mark.parametrize("kind", ["html", "empty", "http_500", "truncated"])
def test_a_status_that_says_nothing_changes_nothing(shop: Shop, kind: str) -> None:
    for order in [shop.completed(), shop.completed()]:
        customer_requests.request_refill(order)
    shop.tick()
    shop.panel.report_refill("1", "Completed")
    shop.panel.fault("refill_status", kind)
    counts = shop.follow()
    assert counts["refill_calls"] == 3, "one alone answers, and so the other is asked for"
    assert list(Refill.objects.order_by("pk").values_list("status", flat=True)) == ["completed", "sent"]


def test_one_message_to_every_refill_status_ends_the_pass(shop: Shop) -> None:
    order = shop.completed()
    refill = customer_requests.request_refill(order)
    shop.tick()
    placement = Placement.objects.get(order=order)
    for number in range(50):
        other = Order.objects.create(
            user=shop.user, service=order.service, status="completed", quantity=100, rate=1, charge=0, link=f"x{number}"
        )
        follow_up = Refill.objects.create(order=other, status="sent")
        values = {"placement": placement, "refill": follow_up, "state": "accepted", "upstream_id": str(900 + number)}
        UpstreamRequest.objects.create(**values, lease_until=timezone.now(), sync_at=timezone.now())
    for body in ("<html>", '{"error":"We are down, come back later"}'):
        shop.panel.fault("refill_status", "text", times=99, body=body)
        assert shop.follow()["refill_calls"] == 2, "the list, and one of it"
        shop.panel.clear_faults()
    assert (refreshed(refill).status, refill.needs_operator) == ("sent", False)
    assert not UpstreamRequest.objects.exclude(state="closed").filter(sync_at__lte=timezone.now()).exists()


def test_a_refund_in_the_answer_to_cancel_reduces_the_cost_of_the_order(start_panel: Start) -> None:
    shop = Shop(start_panel("toplistbot"), "toplistbot")
    order = shop.order("has_cancel")
    number = shop.number(order)
    balance = transfers.open_wallet(shop.user).balance
    customer_requests.request_cancellation(order)
    placement = Placement.objects.get(order=order)
    Placement.objects.update(charged=Decimal("12.5"))
    shop.panel.fault("cancel", "text", body=f'[{{"order":"{number}","cancel":1,"refund":10.0}}]')
    assert shop.tick() == {"cancel_accepted": 1}
    placement.refresh_from_db()
    assert (placement.refunded, placement.charged, placement.first_charged) == (10, Decimal("2.5"), Decimal("12.5"))
    assert transfers.open_wallet(shop.user).balance == balance, "the customer's money moves with the order's status"
    shop.panel.fault("status", "text", body=f'{{"{number}":{{"status":"canceled","charge":0,"remains":50}}}}')
    status_sync.sync_statuses(shop.provider, is_now=True)
    placement.refresh_from_db()
    order.refresh_from_db()
    assert (order.status, placement.charged) == ("canceled", Decimal("2.5")), "a charge of nothing hides no cost"


def test_a_status_check_on_its_way_during_a_cancellation_keeps_the_refund(
    start_panel: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the two writes what it knows: the status check must not write back the cost from before the refund."""
    shop = Shop(start_panel("toplistbot"), "toplistbot")
    order = shop.order("has_cancel")
    placement = Placement.objects.get(order=order)
    shop.panel.report(placement.upstream_id, "in progress", remains=60)
    customer_requests.request_cancellation(order)
    apply = apply_reports.apply

    def cancel_before_applying(*args: Any) -> None:
        monkeypatch.setattr(apply_reports, "apply", apply)
        assert shop.tick() == {"cancel_accepted": 1}
        apply(*args)

    monkeypatch.setattr(apply_reports, "apply", cancel_before_applying)
    status_sync.sync_statuses(shop.provider, is_now=True)
    status_sync.sync_statuses(shop.provider, is_now=True)
    placement.refresh_from_db()
    order.refresh_from_db()
    assert (order.status, order.remains, placement.cost, placement.refunded) == ("partial", 60, 1, Decimal("0.6"))
    assert (placement.charged, placement.first_charged) == (Decimal("0.4"), 1)


def test_a_charge_reported_from_before_a_refund_does_not_replace_the_cost_after_it(
    start_panel: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(start_panel("toplistbot"), "toplistbot")
    order = shop.order("has_cancel")
    placement = Placement.objects.get(order=order)
    customer_requests.request_cancellation(order)
    text = f'{{"{placement.upstream_id}":{{"status":"in progress","charge":1.0,"remains":100}}}}'
    shop.panel.fault("status", "text", body=text)
    apply = apply_reports.apply

    def cancel_before_applying(*args: Any) -> None:
        monkeypatch.setattr(apply_reports, "apply", apply)
        shop.tick()
        apply(*args)

    monkeypatch.setattr(apply_reports, "apply", cancel_before_applying)
    for _ in range(2):
        status_sync.sync_statuses(shop.provider, is_now=True)
    placement.refresh_from_db()
    assert (placement.refunded, placement.charged, placement.panel_status) == (1, 0, "canceled")


def test_a_refill_that_the_panel_does_not_know_finally_goes_to_an_operator(shop: Shop) -> None:
    refill = customer_requests.request_refill(shop.completed())
    shop.tick()
    UpstreamRequest.objects.update(upstream_id="77")
    shop.follow()
    assert not refreshed(refill).needs_operator
    with time_machine.travel(timezone.now() + timedelta(days=4)):
        shop.follow()
    assert (refreshed(refill).needs_operator, refill.reason) == (True, "Refill not found")


# ------------------------------------------------------------------------------------------------ cancellations
def test_a_panel_that_will_not_cancel_says_so_and_the_order_goes_on(shop: Shop) -> None:
    order = shop.order("has_cancel")
    request = customer_requests.request_cancellation(order)
    shop.panel.report(shop.number(order), "Completed", remains=0)
    assert shop.tick() == {"cancel_refused": 1}
    assert (refreshed(request).status, steps(order)) == ("rejected", ["requested", "rejected"])
    assert shop.report(order, "completed").status == "completed"


def test_canceled_by_the_panel_at_once_is_seen_by_the_next_look(start_panel: Start) -> None:
    shop = Shop(start_panel("toplistbot"), "toplistbot")
    order = shop.order("has_cancel")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        status_sync.sync_statuses(shop.provider)  # an old order is looked at rarely ...
        customer_requests.request_cancellation(order)
        shop.tick()
        assert Placement.objects.get().sync_at <= timezone.now() + timedelta(minutes=2)  # ... but now soon
        status_sync.sync_statuses(shop.provider, is_now=True)
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)


def test_one_asked_for_while_it_was_being_sent_follows_when_the_panel_has_it(shop: Shop) -> None:
    order = buy(shop.user, Service.objects.filter(routes__offer__has_cancel=True, is_flat=False)[0])
    claim_orders(shop.provider, limit=1, is_now=True)
    order.refresh_from_db()
    assert order.status == "submitting"
    request = customer_requests.request_cancellation(order)
    assert shop.tick() == {}
    assert (refreshed(request).status, request.needs_operator) == ("waiting", False)
    Placement.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    submission.expire_leases()
    order.refresh_from_db()
    assert order.status == "in_doubt"
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        panel_order = shop.panel.book.place(
            shop.panel.services["1"], {}, OrderedAmount(100, 100, 100), order_id="23501", start_count=0
        )
        decisions.attach(Placement.objects.get(order=order), upstream_id=panel_order.id)
        assert shop.tick() == {"cancel_accepted": 1}


def test_the_provider_that_took_the_order_is_asked_not_the_one_that_refused(start_panel: Start) -> None:
    first = Shop(start_panel("v2"), "v2", name="first")
    order = first.order("has_cancel")
    second = provider_at(start_panel("v2"), "v2", name="second")
    refusing = Route.objects.filter(offer__provider=second).first()
    assert refusing
    taken = Placement.objects.get()
    Placement.objects.create(
        order=order, provider=second, offer=refusing.offer, state="refused", quantity=1, cost=1, currency="USD",
        exchange_rate=1, lease_until=timezone.now(),
    )  # fmt: skip
    customer_requests.request_cancellation(order)
    assert first.tick() == {"cancel_accepted": 1}
    assert UpstreamRequest.objects.get().placement == taken


def test_requests_at_an_inactive_provider_go_to_an_operator(shop: Shop) -> None:
    request = customer_requests.request_cancellation(shop.order("has_cancel"))
    Provider.objects.update(is_active=False)
    assert shop.tick() == {}
    assert refreshed(request).needs_operator
    assert Note.PROVIDER_OFF in request.reason


def test_requests_for_an_order_without_a_provider_go_to_an_operator(shop: Shop) -> None:
    order = shop.completed()
    Placement.objects.update(state="refused", order=order)
    refill = customer_requests.request_refill(order)
    shop.tick()
    assert refreshed(refill).needs_operator


def test_a_paused_provider_is_left_alone_until_then(shop: Shop) -> None:
    customer_requests.request_cancellation(shop.order("has_cancel"))
    Provider.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert shop.tick() == {}
    assert shop.tick(is_now=True) == {"cancel_accepted": 1}


def test_the_key_is_kept_out_of_what_is_stored(shop: Shop) -> None:
    refill = customer_requests.request_refill(shop.completed())
    shop.panel.fault("refill", "error", text=f"Something odd about key {shop.panel.key}")
    shop.tick()
    rows = [
        *PanelCall.objects.values(),
        *UpstreamRequest.objects.values(),
        *Refill.objects.values(),
        *OrderEvent.objects.values(),
    ]
    assert not [row for row in map(str, rows) if shop.panel.key in row]
    assert "Something odd" in refreshed(refill).reason


# ------------------------------------------------------------------------------------------------ at the same moment
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", [0, 1, 2, 4])
def test_a_cancel_and_a_claim_at_once_never_both(start_panel: Start, round_number: int) -> None:
    """Either it ends with all of its money and is never sent, or it is sent and the panel is asked to cancel it."""
    shop = Shop(start_panel("v2"), "v2")
    service = Service.objects.filter(routes__offer__has_cancel=True, is_flat=False)[0]
    orders = [buy(shop.user, service, link=f"https://x.example.com/{number}") for number in range(12)]

    def cancel(number: int) -> Cancellation:
        time.sleep(round_number * number * 0.002)  # so that some come before the claim and some after
        return customer_requests.request_cancellation(orders[number])

    cancels = [partial(cancel, number) for number in range(len(orders))]
    outcome = together([lambda: submission.submit_due(shop.provider), *cancels])
    assert [found for found in outcome[1:] if not isinstance(found, Cancellation)] == []

    shop.tick(is_now=True)
    sent = {received.params["link"] for received in shop.panel.received("add")}
    asked = {number for received in shop.panel.received("cancel") for number in received.params["orders"].split(",")}
    for order in orders:
        order.refresh_from_db()
        if order.link in sent:
            assert (order.status, order.refunded) == ("pending", 0)
            assert shop.number(order) in asked
        else:
            assert (order.status, order.refunded) == ("canceled", order.charge)
    assert len(shop.panel.orders) == len(sent)
    assert list(audit.findings()) == []


@pytest.mark.django_db(transaction=True)
def test_two_passes_at_once_send_once(start_panel: Start) -> None:
    shop = Shop(start_panel("v2"), "v2")
    for _ in range(5):
        customer_requests.request_cancellation(shop.order("has_cancel"))
    together([lambda: upstream_requests.run(Provider.objects.get(), is_now=True)] * 4)
    shop.tick(is_now=True)
    asked = [number for received in shop.panel.received("cancel") for number in received.params["orders"].split(",")]
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == 5
