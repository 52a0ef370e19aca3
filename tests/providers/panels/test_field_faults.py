"""Every fault of panels seen in the field, applied to every dialect over a real socket, and the rule for it.

``ROWS`` lists each fault with the tests of its rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, OrderEvent, Service
from orders.rules import charges
from providers.errors import ProviderError
from providers.models import Offer, PanelCall, Placement, Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.pricelists import importer
from providers.tracking import apply_reports, status_sync
from tests.providers.conftest import ALL_DIALECTS, buy, customer, provider_at
from tests.providers.panels.test_conformance import statuses_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_calls")]


@dataclass
class Scene:
    """One order at one panel."""

    panel: Panel
    provider: Provider
    order: Order
    statuses: tuple[str, ...]

    def submit(self) -> Order:
        submission.submit_due(self.provider, is_now=True)
        self.order.refresh_from_db()
        return self.order

    def look(self) -> Order:
        Provider.objects.update(sync_paused_until=None)
        status_sync.sync_statuses(self.provider, is_now=True)
        self.order.refresh_from_db()
        return self.order

    @property
    def placement(self) -> Placement:
        return Placement.objects.filter(order=self.order).latest("pk")

    @property
    def number(self) -> str:
        return self.placement.upstream_id

    def oddities(self) -> list[str]:
        found = OrderEvent.objects.filter(order=self.order, kind="oddity").order_by("pk")
        return [event.data["oddity"] for event in found]


def scene_at(dialect: str, start_panel: Callable[..., Panel]) -> Scene:
    """Return an order that waits to be placed."""
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    order = buy(customer(), Service.objects.order_by("is_flat", "-max_quantity")[0])
    return Scene(panel, provider, order, statuses_of(dialect))


@pytest.fixture
def waiting(dialect: str, start_panel: Callable[..., Panel]) -> Scene:
    return scene_at(dialect, start_panel)


@pytest.fixture
def moving(waiting: Scene) -> Scene:
    """An order that the panel has and that has moved: half of it is left."""
    waiting.submit()
    waiting.panel.report(waiting.number, waiting.statuses[1], remains=waiting.order.quantity // 2)
    assert waiting.look().status == "in_progress"
    return waiting


def is_ledger_balanced() -> bool:
    return list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ placing

UNCLEAR = [
    ("execute_then_hang", {}),
    ("reset_after", {}),
    ("html", {}),
    ("challenge", {}),
    *(("http_error", {"status": status, "body": "<html>", "executed": True}) for status in (502, 503, 504, 520, 524)),
    ("empty", {}),
    ("text", {"body": "null"}),
    ("list", {}),
    ("text", {"body": '{"status":"success"}'}),
    ("wrong_types", {}),
    ("drip", {}),
    ("huge", {"mb": 64}),
    ("redirect", {"status": 302}),
]


@ALL_DIALECTS
@pytest.mark.parametrize(("kind", "options"), UNCLEAR, ids=lambda value: str(value)[:30])
def test_an_add_without_a_clear_answer_is_in_doubt(waiting: Scene, kind: str, options: dict[str, Any]) -> None:
    waiting.panel.fault("add", kind, **options)
    assert (waiting.submit().status, waiting.order.refunded) == ("in_doubt", 0)
    waiting.submit()
    assert len(waiting.panel.received("add")) == 1, "never sent again by itself"
    assert is_ledger_balanced()


@ALL_DIALECTS
def test_an_order_that_was_not_sent_waits_and_is_sent_later(waiting: Scene) -> None:
    waiting.panel.stop()
    assert (waiting.submit().status, waiting.placement.state) == ("queued", "not_sent")


REFUSED = [(200, "Incorrect service ID"), (422, "Quantity less than minimal 500"), (400, "Bad link")]


@ALL_DIALECTS
@pytest.mark.parametrize(("status", "text"), REFUSED)
def test_a_clear_rejection_at_any_http_status_fails_the_order_and_refunds(
    waiting: Scene, status: int, text: str
) -> None:
    waiting.panel.fault("add", "http_error", status=status, body=f'{{"error":"{text}"}}')
    assert (waiting.submit().status, waiting.order.refunded) == ("failed", waiting.order.charge)
    assert waiting.placement.panel_error == text
    assert is_ledger_balanced()


NUMBERS = [(201, '{"order":777}', "777"), (200, '{"order":"65ae5538afdd1"}', "65ae5538afdd1")]
NUMBERS += [(200, '{"order":"23501"}', "23501"), (200, '{"status":"success","order":99999999999}', "99999999999")]


@ALL_DIALECTS
@pytest.mark.parametrize(("status", "body", "number"), NUMBERS)
def test_a_number_in_any_form_is_kept_as_text(waiting: Scene, status: int, body: str, number: str) -> None:
    waiting.panel.fault("add", "http_error", status=status, body=body)
    assert (waiting.submit().status, waiting.number) == ("pending", number)


PAUSING = [
    (401, '{"error":"Invalid API key"}'),
    (429, "Too many requests"),
]


@ALL_DIALECTS
@pytest.mark.parametrize(("status", "body"), PAUSING)
def test_a_problem_with_our_account_pauses_the_provider_and_keeps_the_order(
    waiting: Scene, status: int, body: str
) -> None:
    waiting.panel.fault("add", "http_error", status=status, body=body)
    assert (waiting.submit().status, waiting.order.refunded) == ("queued", 0)
    assert Provider.objects.get().is_paused


@ALL_DIALECTS
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"error":"Not enough funds on balance"}'),
        (402, '{"error":"You don\'t have sufficient balance"}'),
        (402, '{"error":"Words that nobody knows"}'),
    ],
)
def test_an_order_that_our_balance_cannot_pay_for_waits_and_pauses_nothing(
    waiting: Scene, status: int, body: str
) -> None:
    waiting.panel.fault("add", "http_error", status=status, body=body)
    assert (waiting.submit().status, waiting.order.refunded) == ("queued", 0)
    provider = Provider.objects.get()
    assert not provider.is_paused
    assert provider.funds_limit is not None
    assert provider.funds_limit < Placement.objects.get().cost


@ALL_DIALECTS
def test_a_duplicate_link_waits(waiting: Scene) -> None:
    waiting.panel.fault("add", "error", text="You have active order with this link. Please wait until it is completed.")
    assert (waiting.submit().status, waiting.order.refunded) == ("queued", 0)
    assert waiting.order.due_at is not None
    assert waiting.order.due_at > timezone.now()


# ------------------------------------------------------------------------------------------------ following

MUTE = [
    ("html", {}),
    ("challenge", {}),
    ("http_500", {}),
    ("http_error", {"status": 520, "body": "<html>"}),
    ("empty", {}),
    ("truncated", {}),
    ("wrong_types", {}),
    ("drip", {}),
    ("huge", {"mb": 64}),
    ("reset_after", {}),
    ("redirect", {"status": 301}),
    ("error", {"text": "Invalid API key"}),
    ("http_error", {"status": 429, "body": "{}", "headers": {"Retry-After": "17"}}),
    ("twins", {"status": "Canceled"}),
    ("rows", {"status": "Sleeping"}),
    ("rows", {"status": ""}),
    ("rows", {"status": None, "remains": None}),
]


@ALL_DIALECTS
@pytest.mark.parametrize(("kind", "options"), MUTE, ids=lambda value: str(value)[:40])
def test_a_status_that_says_nothing_changes_nothing(moving: Scene, kind: str, options: dict[str, Any]) -> None:
    before = (moving.order.status, moving.order.remains, moving.order.refunded)
    moving.panel.fault("status", kind, times=3, **options)
    for _ in range(2):
        moving.look()
        assert (moving.order.status, moving.order.remains, moving.order.refunded) == before
    moving.panel.clear_faults()
    moving.panel.report(moving.number, moving.statuses[2], remains=0)
    assert moving.look().status == "completed", "the next good answer counts"


@ALL_DIALECTS
@pytest.mark.parametrize("word", ["Cancelled", "CANCELED", "canelled", "Refunded"])
def test_a_status_word_is_understood_in_every_spelling(moving: Scene, word: str) -> None:
    moving.panel.fault("status", "rows", status=word, remains=str(moving.order.quantity))
    assert (moving.look().status, moving.order.refunded) == ("canceled", moving.order.charge)
    assert is_ledger_balanced()


@ALL_DIALECTS
def test_an_unknown_status_word_is_reported_once(moving: Scene) -> None:
    moving.panel.fault("status", "rows", times=3, status="Sleeping")
    for _ in range(3):
        moving.look()
    assert moving.oddities() == ["unknown_status"]


@ALL_DIALECTS
def test_an_order_that_the_panel_does_not_know_yet_is_left_alone_for_an_hour_and_three_looks(waiting: Scene) -> None:
    waiting.panel.book.lag = 1e6
    waiting.submit()
    for _ in range(4):
        assert (waiting.look().status, waiting.order.refunded, waiting.oddities()) == ("pending", 0, [])
    assert waiting.placement.missed_checks == 4
    Placement.objects.update(first_missed_at=timezone.now() - apply_reports.MISSING_FOR)
    for _ in range(2):
        waiting.look()
    assert (waiting.order.status, waiting.oddities()) == ("pending", ["unknown_there"]), "reported once, canceled never"
    waiting.panel.book.lag = 0
    waiting.look()
    assert (waiting.placement.missed_checks, waiting.placement.first_missed_at) == (0, None)


@ALL_DIALECTS
def test_an_hour_without_three_looks_is_not_enough(waiting: Scene) -> None:
    waiting.panel.book.lag = 1e6
    waiting.submit()
    waiting.look()
    Placement.objects.update(first_missed_at=timezone.now() - timedelta(days=1))
    waiting.look()
    assert waiting.oddities() == []


@ALL_DIALECTS
def test_a_row_that_vanishes_changes_nothing(moving: Scene) -> None:
    second = buy(
        moving.order.user, moving.order.service, link=moving.order.service.link_example or "https://x.example/2"
    )
    moving.submit()
    there = Placement.objects.get(order=second).upstream_id
    moving.panel.report(there, moving.statuses[2], remains=0)
    moving.panel.fault("status", "left_out", ids=[moving.number])
    moving.look()
    second.refresh_from_db()
    assert (moving.order.status, second.status, moving.placement.missed_checks) == ("in_progress", "completed", 1)


@ALL_DIALECTS
@pytest.mark.parametrize(("remains", "share"), [(-5, 0), (10**9, 1), ("0", 0)])
def test_remains_are_clamped_before_they_move_money(moving: Scene, remains: Any, share: int) -> None:
    moving.panel.fault("status", "rows", status=moving.statuses[3], remains=remains)
    assert (moving.look().status, moving.order.refunded) == ("partial", moving.order.charge * share)
    assert 0 <= (moving.order.remains or 0) <= moving.order.quantity
    assert is_ledger_balanced()


@ALL_DIALECTS
@pytest.mark.parametrize("remains", ["Unknown", "", None, [], 1.5])
def test_a_partial_without_remains_is_for_an_operator(moving: Scene, remains: Any) -> None:
    moving.panel.fault("status", "rows", times=2, status=moving.statuses[3], remains=remains)
    for _ in range(2):
        moving.look()
    assert (moving.order.status, moving.order.refunded, moving.oddities()) == ("in_progress", 0, ["remains_missing"])


@ALL_DIALECTS
@pytest.mark.parametrize("start_count", ["", None, "many"])
def test_a_start_count_that_is_none_keeps_what_is_known(moving: Scene, start_count: Any) -> None:
    moving.panel.fault("status", "rows", start_count=7)
    assert moving.look().start_count == 7
    moving.panel.fault("status", "rows", start_count=start_count)
    assert moving.look().start_count == 7


@ALL_DIALECTS
def test_charges_are_kept_the_first_and_the_last_and_none_is_no_charge(moving: Scene) -> None:
    Placement.objects.update(charged=None, first_charged=None)
    for charge in (0, "", None, "free"):
        moving.panel.fault("status", "rows", charge=charge)
        moving.look()
        assert (moving.placement.charged, moving.placement.first_charged) == (None, None)
    for charge in ("1.50", 0.75, "0.123456789123"):
        moving.panel.fault("status", "rows", charge=charge)
        moving.look()
    assert (str(moving.placement.first_charged), str(moving.placement.charged)) == ("1.500000", "0.123457")
    assert moving.placement.cost > 0


@ALL_DIALECTS
def test_a_canceled_order_that_the_panel_charges_nothing_for_costs_nothing(moving: Scene) -> None:
    Placement.objects.update(charged="1.5", first_charged="1.5")
    moving.panel.fault("status", "rows", charge=0, status=moving.panel.statuses.canceled)
    moving.look()
    assert (moving.placement.first_charged, moving.placement.charged) == (Decimal("1.5"), 0)


@ALL_DIALECTS
def test_reports_of_an_earlier_status_change_nothing(moving: Scene) -> None:
    moving.panel.report(moving.number, moving.statuses[0], remains=moving.order.quantity)
    assert moving.look().status == "in_progress"
    moving.panel.report(moving.number, moving.statuses[2], remains=0)
    assert moving.look().status == "completed"
    for word in moving.statuses[:2]:
        moving.panel.report(moving.number, word, remains=moving.order.quantity)
        assert (moving.look().status, moving.order.refunded) == ("completed", 0)


@ALL_DIALECTS
def test_late_changes_only_refund_the_difference(moving: Scene) -> None:
    quantity, charge = moving.order.quantity, moving.order.charge
    _, _, completed, partial, canceled = moving.statuses
    left = quantity // 3
    part = charges.refund(charge, quantity=quantity, remains=left)
    for word, remains, refunded in (
        (completed, 0, 0),
        (partial, left, part),
        (completed, 0, part),
        (canceled, quantity, charge),
        (partial, left, charge),
    ):
        moving.panel.report(moving.number, word, remains=remains)
        assert moving.look().refunded == refunded, word
    assert is_ledger_balanced()


@ALL_DIALECTS
def test_another_currency_stops_the_provider_and_not_the_order(moving: Scene) -> None:
    Placement.objects.update(charged=None)
    moving.panel.fault("status", "rows", currency="KZT", charge="500")
    moving.look()
    provider = Provider.objects.get()
    assert provider.is_paused
    assert "KZT" in provider.pause_reason
    assert (moving.order.status, moving.placement.charged) == ("in_progress", None)


@ALL_DIALECTS
def test_a_wrong_key_or_a_rate_limit_stops_the_status_sync_at_once(moving: Scene) -> None:
    moving.panel.fault("status", "error", times=9, text="Invalid API key")
    Placement.objects.update(sync_at=timezone.now())
    status_sync.sync_statuses(moving.provider)
    Placement.objects.update(sync_at=timezone.now())
    assert status_sync.providers_to_sync() == []
    Provider.objects.update(sync_paused_until=None, paused_until=None)
    Placement.objects.update(sync_at=timezone.now())
    moving.panel.clear_faults()
    moving.panel.fault("status", "http_error", status=429, body="{}", headers={"Retry-After": "900"})
    status_sync.sync_statuses(moving.provider)
    paused = Provider.objects.get().sync_paused_until
    assert paused is not None
    assert 890 < (paused - timezone.now()).total_seconds() < 910


# ------------------------------------------------------------------------------------------------ price lists

BROKEN = [
    ("html", {}),
    ("challenge", {}),
    ("http_500", {}),
    ("empty", {}),
    ("list", {}),
    ("truncated", {}),
    ("huge", {"mb": 64}),
    ("reset_after", {}),
    ("redirect", {"status": 302}),
    ("error", {"text": "API is Disable for this user or User Not Found! Contact the Support"}),
    ("text", {"body": '{"status":"success","data":"Empty Data"}'}),
    ("text", {"body": '[{"service":1,"name":"Only one","type":"Package","rate":"1","min":"1","max":"1"}]'}),
]


@ALL_DIALECTS
@pytest.mark.parametrize(("kind", "options"), BROKEN, ids=lambda value: str(value)[:40])
def test_a_price_list_that_cannot_be_whole_changes_nothing(waiting: Scene, kind: str, options: dict[str, Any]) -> None:
    before = list(Offer.objects.order_by("pk").values())
    waiting.panel.fault("services", kind, **options)
    with pytest.raises(ProviderError):
        importer.import_offers(waiting.provider)
    assert list(Offer.objects.order_by("pk").values()) == before
    assert Provider.objects.get().price_list_error


@ALL_DIALECTS
@pytest.mark.parametrize("text", ["1,234.50", "1234.5 USD", "$1234.50"])
def test_a_balance_is_read_as_people_write_it(waiting: Scene, text: str) -> None:
    waiting.panel.fault("balance", "text", body=f'{{"balance":"{text}","currency":"{waiting.panel.currency}"}}')
    importer.import_offers(waiting.provider)
    assert str(Provider.objects.get().balance) == "1234.500000"


@ALL_DIALECTS
def test_the_key_is_in_no_record_of_what_went_wrong(waiting: Scene) -> None:
    for kind in ("html", "reset_after", "redirect"):
        waiting.panel.fault("services", kind)
        with pytest.raises(ProviderError) as failure:
            importer.import_offers(waiting.provider)
        assert waiting.panel.key not in str(failure.value)
    assert waiting.panel.key not in str(list(PanelCall.objects.values())) + str(list(Provider.objects.values()))


# ------------------------------------------------------------------------------------------------ the list

#: (what panels do, the test of the rule: one of the above, or module::name below tests/providers).
ROWS: list[tuple[str, str | Callable[..., None]]] = [
    ("time-out after the panel placed the order", test_an_add_without_a_clear_answer_is_in_doubt),
    ("never sent: refused, DNS, TLS", test_an_order_that_was_not_sent_waits_and_is_sent_later),
    ("phases of a call are distinguished", "http/test_client::test_a_refused_connection_is_not_sent"),
    ("HTML page, 5xx, Cloudflare, to an add", test_an_add_without_a_clear_answer_is_in_doubt),
    ("HTML page, 5xx, Cloudflare, to a read", test_a_status_that_says_nothing_changes_nothing),
    ("200 with an error", test_a_clear_rejection_at_any_http_status_fails_the_order_and_refunds),
    ("4xx with an error", test_a_clear_rejection_at_any_http_status_fails_the_order_and_refunds),
    ("201 with a number", test_a_number_in_any_form_is_kept_as_text),
    ("empty body, null or list to an add", test_an_add_without_a_clear_answer_is_in_doubt),
    ("neither number nor error", test_an_add_without_a_clear_answer_is_in_doubt),
    ("duplicate link", test_a_duplicate_link_waits),
    ("the panel is out of our money", test_a_problem_with_our_account_pauses_the_provider_and_keeps_the_order),
    (
        "a status knows nothing of a new order",
        test_an_order_that_the_panel_does_not_know_yet_is_left_alone_for_an_hour_and_three_looks,
    ),
    ("numbers as text, hex, beyond 2^31", test_a_number_in_any_form_is_kept_as_text),
    ("spellings of canceled", test_a_status_word_is_understood_in_every_spelling),
    ("unknown words", test_an_unknown_status_word_is_reported_once),
    ("a row vanishes from an answer to many", test_a_row_that_vanishes_changes_nothing),
    ("an error in one row passes", test_an_hour_without_three_looks_is_not_enough),
    ("remains negative or above the quantity", test_remains_are_clamped_before_they_move_money),
    ("remains not a number", test_a_partial_without_remains_is_for_an_operator),
    ("start count null, empty, missing", test_a_start_count_that_is_none_keeps_what_is_known),
    ("charge 0, missing, changed", test_charges_are_kept_the_first_and_the_last_and_none_is_no_charge),
    ("Partial and Completed in any order, late refunds", test_late_changes_only_refund_the_difference),
    ("status goes backwards", test_reports_of_an_earlier_status_change_nothing),
    ("numbers twice in one answer", test_a_status_that_says_nothing_changes_nothing),
    (
        "a service vanishes",
        "pricelists/test_importer::test_an_offer_goes_off_sale_when_it_is_missing_twice_and_its_service_with_it",
    ),
    ("the list is empty, short or broken", test_a_price_list_that_cannot_be_whole_changes_nothing),
    (
        "least and greatest quantity change before an add",
        test_a_clear_rejection_at_any_http_status_fails_the_order_and_refunds,
    ),
    (
        "prices change before an add",
        "pricelists/test_importer::test_a_cost_that_jumps_up_or_down_waits_for_approval_and_a_small_step_does_not",
    ),
    (
        "type or name changes, numbers are used again",
        "pricelists/test_importer::test_a_number_that_is_another_service_now_waits_for_approval",
    ),
    (
        "the list names other currencies",
        "pricelists/test_importer::test_a_list_in_another_currency_stops_the_provider_and_one_row_in_it_is_not_sold",
    ),
    (
        "a refill's error is nested, an object is a list",
        "panels/test_refills_and_cancellations::test_refills_are_read_in_every_form",
    ),
    (
        "cancel says 1 and the order goes on",
        "tracking/test_upstream_requests::test_a_cancellation_is_a_request_and_the_status_moves_the_money",
    ),
    ("mistaken prices", "panels/test_documented_forms::test_a_price_list_row_is_cleaned_or_says_why_it_cannot_be_sold"),
    ("the currency changes", test_another_currency_stops_the_provider_and_not_the_order),
    ("a balance as people write it", test_a_balance_is_read_as_people_write_it),
    ("a list in a wrapper or in pages", "pricelists/test_importer::test_a_list_is_found_in_every_wrapping"),
    ("429, limits, blocks after a bad key", test_a_wrong_key_or_a_rate_limit_stops_the_status_sync_at_once),
    ("redirects", test_an_add_without_a_clear_answer_is_in_doubt),
    ("the key in an address", test_the_key_is_in_no_record_of_what_went_wrong),
]


@pytest.mark.parametrize(("happens", "held_by"), ROWS, ids=lambda value: str(value)[:40])
def test_every_row_of_the_list_has_a_test(happens: str, held_by: str | Callable[..., None]) -> None:
    if isinstance(held_by, str):
        module, name = held_by.split("::")
        assert f"def {name}(" in (Path(__file__).parents[1] / f"{module}.py").read_text(), happens
