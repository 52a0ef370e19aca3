"""Accepted orders are recorded together in one transaction, and an unusual answer does not delay the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.ledger import audit
from orders.lifecycle import fulfillment
from orders.models import Order, OrderEvent, Service
from providers import notes
from providers.http.messages import Answer
from providers.models import PanelCall, Placement, Provider
from providers.notes import Note
from providers.panels.simulators import Panel
from providers.placing import recording
from providers.placing.claiming import PlacementAttempt
from providers.placing.recording import AttemptOutcome
from tests.providers.conftest import buy, claim, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(start_panel: Callable[..., Panel]) -> Provider:
    return provider_at(start_panel("v2"), "v2")


def attempts(provider: Provider, count: int) -> list[PlacementAttempt]:
    buyer, service = customer(), Service.objects.filter(service_type="default")[0]
    for number in range(count):
        buy(buyer, service, link=f"https://x.example.com/p/{number}", quantity=str(100 + number))
    return claim(provider, limit=count)


def answers_to(provider: Provider, claimed: list[PlacementAttempt], first: int = 7001) -> list[AttemptOutcome]:
    return [
        AttemptOutcome.read(provider, one, Answer(status=200, text=f'{{"order":{number}}}'))
        for number, one in enumerate(claimed, start=first)
    ]


def test_plain_answers_are_recorded_as_one_by_one(provider: Provider) -> None:
    claimed = attempts(provider, 6)
    together, alone = answers_to(provider, claimed[:3], 7001), answers_to(provider, claimed[3:], 8001)
    assert recording.record_accepted(provider, together)
    assert [recording.record(provider, one) for one in alone] == ["accepted"] * 3

    def stored_rows(answers: list[AttemptOutcome]) -> list[Any]:
        orders = [one.attempt.placement.order_id for one in answers]
        rows = Placement.objects.filter(order__in=orders).order_by("pk")
        return [
            list(
                rows.values_list(
                    "state", "panel_error", "reason", "next_search_at", "ended_at", "in_doubt_at", "order__status"
                )
            ),
            [row.answered_at is not None and row.sync_at is not None and row.sync_at > row.answered_at for row in rows],
            [event.kind for event in OrderEvent.objects.filter(order__in=orders)],
            list(PanelCall.objects.filter(placement__in=rows).values_list("verb", "outcome", "status", "provider")),
        ]

    assert stored_rows(together) == stored_rows(alone)
    assert list(Placement.objects.order_by("pk").values_list("upstream_id", flat=True)) == [
        "7001", "7002", "7003", "8001", "8002", "8003",
    ]  # fmt: skip
    data = [event.data for event in OrderEvent.objects.filter(kind="accepted").order_by("order_id")]
    assert data == [{"provider": provider.pk, "upstream_id": number} for number in
                    ("7001", "7002", "7003", "8001", "8002", "8003")]  # fmt: skip
    assert list(audit.findings()) == []


def test_the_number_of_statements_does_not_grow_with_the_batch(provider: Provider) -> None:
    claimed = attempts(provider, 22)
    counts = []
    for part in (claimed[:2], claimed[2:]):
        answers = answers_to(provider, part, 7000 + part[0].placement.pk)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert recording.record_accepted(provider, answers)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_number_that_another_order_has_spoils_no_other_of_the_batch(provider: Provider) -> None:
    claimed = attempts(provider, 4)
    answers = [*answers_to(provider, claimed[:3]), *answers_to(provider, claimed[3:], 7001)]
    assert not recording.record_accepted(provider, answers)
    assert Placement.objects.filter(state="submitting").count() == 4, "nothing of it was written"
    assert [recording.record(provider, one) for one in answers] == ["accepted"] * 3 + ["in_doubt"]


def test_an_order_that_was_settled_meanwhile_spoils_no_other_of_the_batch(provider: Provider) -> None:
    claimed = attempts(provider, 3)
    answers = answers_to(provider, claimed)
    Placement.objects.filter(pk=claimed[1].placement.pk).update(state="in_doubt")
    Order.objects.filter(pk=claimed[1].placement.order_id).update(status="in_doubt")
    assert not recording.record_accepted(provider, answers)
    assert [recording.record(provider, one) for one in answers] == ["accepted"] * 3
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}


def test_an_answer_that_comes_twice_is_recorded_once(provider: Provider) -> None:
    """The connection broke after the commit: nobody knows that it came through, and it is recorded again."""
    answers = answers_to(provider, attempts(provider, 2))
    assert recording.record_accepted(provider, answers)
    assert not recording.record_accepted(provider, answers)
    assert [recording.record(provider, one) for one in answers] == ["accepted"] * 2
    assert OrderEvent.objects.filter(kind="accepted").count() == 2
    assert PanelCall.objects.filter(verb="add").count() == 2


def test_an_answer_that_cannot_be_recorded_leaves_its_order_unknown_and_spoils_no_other(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = answers_to(provider, attempts(provider, 3))
    broken, accepted = answers[1].attempt.placement.order_id, fulfillment.accept

    def accept(order_id: int, **facts: Any) -> Order:
        if order_id == broken:
            raise ValueError("a fault of ours")
        return accepted(order_id, **facts)

    monkeypatch.setattr(fulfillment, "accept", accept)
    assert [recording.record(provider, one) for one in answers] == ["accepted", "in_doubt", "accepted"]
    row = Placement.objects.get(order=broken)
    assert (row.state, row.evidence["number"]) == ("in_doubt", "7002")
    assert row.panel_error == notes.encode(Note.ANSWER_NOT_RECORDED)
