"""The evidence about an order whose outcome is unknown, and the sentences for the operator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from orders.models import Order, Service
from providers.models import Placement, Provider
from providers.notes import Note
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.pricelists import onboarding
from providers.reconciling import decisions, evidence, id_search
from providers.transport import circuit_breaker
from tests.providers.conftest import buy, customer, provider_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_calls")]


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    panel = start_panel("v2")
    onboarding.test_connection(provider_at(panel, "v2", settle_seconds=0))
    return panel


def provider() -> Provider:
    return Provider.objects.get()


def buy_order(number: int = 1, quantity: int = 100) -> Order:
    user = Order.objects.first().user if Order.objects.exists() else customer()  # type: ignore[union-attr]
    service = Service.objects.filter(service_type="default")[0]
    return buy(user, service, link=f"https://x.example.com/p/{number}", quantity=str(quantity))


def submit() -> None:
    submission.submit_due(provider(), is_now=True)


def lose(panel: Panel, kind: str, number: int = 1, **options: object) -> Placement:
    buy_order(number)
    panel.fault("add", kind, **options)
    submit()
    return Placement.objects.get(state="in_doubt")


def evidence_text(placement: Placement) -> str:
    placement.refresh_from_db()
    with translation.override("en"):
        return " | ".join(evidence.sentences(placement))


@pytest.mark.parametrize(
    ("kind", "speaks", "sentence"),
    [("reset_after", "placed", "suggests that the order was placed"), ("reset_before", "unplaced", "was not placed")],
)
def test_the_balance_is_evidence_and_shows_its_figures(panel: Panel, kind: str, speaks: str, sentence: str) -> None:
    buy_order(7, quantity=500)
    submit()
    lost = lose(panel, kind)
    id_search.search(provider(), is_now=True)
    lost.refresh_from_db()
    balance = lost.evidence["balance"]
    assert balance["speaks"] == speaks
    assert Decimal(balance["before"]) == 100_000
    assert Decimal(balance["explained"]) == Decimal("0.45")
    assert Decimal(balance["now"]) == panel.balance
    assert Decimal(balance["left"]) == (lost.cost if speaks == "placed" else 0)
    assert sentence in evidence_text(lost)
    assert "from 100000.00 to" in evidence_text(lost)
    assert lost.state == "in_doubt", "it supports, it never proves"


def test_the_balance_is_no_evidence_while_two_are_in_doubt(panel: Panel) -> None:
    lost = lose(panel, "reset_after")
    buy_order(2, quantity=150)
    panel.fault("add", "reset_after")
    submit()
    id_search.search(provider(), is_now=True)
    lost.refresh_from_db()
    assert lost.evidence["balance"]["speaks"] == ""
    assert "suggests" not in evidence_text(lost)


def test_a_deposit_makes_the_balance_no_evidence(panel: Panel) -> None:
    lost = lose(panel, "reset_after")
    panel.balance += 50
    id_search.search(provider(), is_now=True)
    lost.refresh_from_db()
    assert lost.evidence["balance"]["speaks"] == ""


def test_the_balance_is_idle_only_while_nothing_is_in_doubt(panel: Panel) -> None:
    before = provider().idle_balance_at
    lost = lose(panel, "reset_after")
    evidence.refresh(provider(), seconds=0)
    assert provider().idle_balance_at == before
    decisions.attach(lost, upstream_id="1")
    evidence.refresh(provider(), seconds=0)
    assert provider().idle_balance == panel.balance
    asked = len(panel.received("balance"))
    evidence.refresh(provider())
    assert len(panel.received("balance")) == asked, "not more often than every ten minutes"


def test_a_later_order_refused_as_a_duplicate_says_that_the_first_is_there(panel: Panel) -> None:
    lost = lose(panel, "reset_after")
    later = buy_order(1, quantity=200)
    panel.fault("add", "error", text="You have active order with this link. Please wait until order being completed.")
    submission.submit_due(provider())
    later.refresh_from_db()
    assert (later.status, later.refunded) == ("queued", 0)
    assert later.due_at is not None
    assert f"Order {later.pk} with the same link was rejected as a duplicate" in evidence_text(lost)
    assert lost.state == "in_doubt"


def test_other_later_refusals_are_shown_and_those_about_other_links_are_not(panel: Panel) -> None:
    lost = lose(panel, "reset_after")
    for number, text in ((1, "Bad link"), (2, "Incorrect service ID")):
        buy_order(number, quantity=200 + number)
        panel.fault("add", "error", text=text)
        submit()
    assert "“Bad link”" in evidence_text(lost)
    assert "Incorrect service ID" not in evidence_text(lost)


def test_what_the_answer_named_is_kept_and_the_provider_is_left_alone(panel: Panel) -> None:
    lost = lose(panel, "text", body='{"order":4711,"error":"Something went wrong"}')
    assert lost.evidence["number"] == "4711"
    assert "4711" in evidence_text(lost)
    assert provider().is_paused


def test_texts_that_could_be_saved_are_offered(panel: Panel) -> None:
    lost = lose(panel, "error", text="Something went wrong")
    assert "“Something went wrong”" in evidence_text(lost)
    assert not provider().is_paused


def test_evidence_is_in_the_readers_language_and_never_fails(panel: Panel) -> None:
    lost = lose(panel, "reset_after")
    assert evidence.sentences(lost) == []
    evidence.add(lost, search={"why": "unheard of", "hits": [], "lower": 5, "upper": None})
    assert "above 5" in evidence_text(lost)


# ------------------------------------------------------------------------------------------------ the breaker


def test_more_than_five_percent_of_the_last_fifty_stop_the_provider_until_one_order_is_clearly_answered(
    panel: Panel,
) -> None:
    for number in range(3):
        assert not provider().is_paused
        buy_order(100 + number, quantity=1000 + number)  # in between it answers, so these are not failures in a row
        submit()
        buy_order(number, quantity=100 + number)
        panel.fault("add", "reset_after")
        submit()
    stopped = provider()
    assert stopped.is_paused
    assert stopped.is_half_open
    assert '"many_unknown", "count": 3, "total": 6' in stopped.pause_reason

    Provider.objects.update(paused_until=None)
    Placement.objects.update(state="accepted", upstream_id="")
    for number in range(3):
        buy_order(500 + number, quantity=500 + number)
    panel.fault("add", "reset_after")
    submission.submit_due(provider())
    assert provider().is_paused, "the first order on trial was lost: it is stopped again"

    Provider.objects.update(paused_until=None)
    submission.submit_due(provider())
    assert (provider().is_half_open, provider().failures, provider().pauses) == (False, 0, 0)
    assert Order.objects.filter(status="queued").count() == 0


def test_unknown_outcomes_of_long_ago_stop_nothing(panel: Panel) -> None:
    for number in range(3):
        buy_order(number, quantity=100 + number)
        panel.fault("add", "reset_after")
        submit()
        Placement.objects.update(created_at=timezone.now() - timedelta(hours=2))
        Provider.objects.update(failures=0)
    assert not provider().is_paused


@pytest.mark.parametrize("kind", ["challenge", "redirect"])
def test_a_proxy_page_in_front_of_the_panel_pauses_the_provider_at_once(panel: Panel, kind: str) -> None:
    lose(panel, kind)
    assert provider().is_paused
    assert Note.NEXT_ORDER_TOO in provider().pause_reason


def test_a_burst_of_failures_counts_as_one(panel: Panel) -> None:
    for number in range(20):
        buy_order(number, quantity=100 + number)
    panel.stop()
    submit()
    paused = provider().paused_until
    assert paused is not None
    assert provider().failures == circuit_breaker.FAILURES
