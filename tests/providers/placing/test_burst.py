"""A panel that suddenly sends unknown errors, or no answers, leaves only few orders with an unknown outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Order, Service
from providers.models import Placement, Provider
from providers.notes import Note
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.transport import circuit_breaker
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    return start_panel("v2", latency=0.02)


def queue(panel: Panel, count: int, *services: Service, **limits: Any) -> list[Order]:
    buyer = customer(f"buyer{Order.objects.count()}@example.com")
    chosen = services or (Service.objects.filter(service_type="default")[0],)
    return [
        buy(buyer, chosen[number % len(chosen)], link=f"https://x.example.com/p/{number}", quantity=str(100 + number))
        for number in range(count)
    ]


def count_unknown() -> int:
    return Placement.objects.filter(state="in_doubt").count()


def submit(**options: Any) -> None:
    submission.submit_due(Provider.objects.get(), **options)


@pytest.mark.usefixtures("quick_calls")
@pytest.mark.parametrize(("kind", "options"), [("error", {"text": "Words that nobody knows"}), ("hang", {})])
def test_a_burst_at_a_panel_that_answers_nothing_clear_leaves_two_unknown(
    panel: Panel, kind: str, options: dict[str, Any]
) -> None:
    provider_at(panel, "v2")
    queue(panel, 30)
    for _ in range(30):
        panel.fault("add", kind, **options)
    submit()
    assert count_unknown() <= 2
    assert Order.objects.filter(status="queued").count() >= 28
    provider = Provider.objects.get()
    assert provider.is_paused
    assert Note.UNCLEAR in provider.pause_reason


def test_two_passes_after_each_other_leave_no_more_than_one(panel: Panel) -> None:
    """A pass applies what the previous one learned."""
    provider_at(panel, "v2")
    queue(panel, 30)
    for _ in range(30):
        panel.fault("add", "error", text="Words that nobody knows")
    submit(budget=0)
    submit()
    Provider.objects.update(paused_until=None)
    submit()
    assert count_unknown() <= 3
    assert Provider.objects.get().is_half_open


def test_pauses_double_until_an_order_is_clearly_answered(panel: Panel) -> None:
    provider_at(panel, "v2")
    queue(panel, 3)
    host, _, port = panel.url.removeprefix("http://").split("/")[0].rpartition(":")
    panel.stop()
    waits = []
    for _ in range(4):
        Provider.objects.update(paused_until=None)
        Order.objects.update(due_at=None)
        submit()
        until = Provider.objects.get().paused_until
        assert until is not None
        waits.append(round((until - timezone.now()).total_seconds()))
    assert waits == [60, 120, 240, 480]
    panel.start(host, int(port))
    Provider.objects.update(paused_until=None)
    Order.objects.update(due_at=None)
    submit()
    provider = Provider.objects.get()
    assert (provider.pauses, provider.is_half_open, count_unknown()) == (0, False, 0)


def test_unfamiliar_words_about_one_service_do_not_take_the_others_along(panel: Panel) -> None:
    provider_at(panel, "v2")
    good, bad = Service.objects.filter(service_type="default").order_by("pk")[:2]
    queue(panel, 20, good)
    queue(panel, 20, bad)
    bad_number, add = bad.routes.get().offer.upstream_id, panel._answers["add"]

    def answer(params: dict[str, str]) -> object:
        return {"error": "Words that nobody knows"} if params["service"] == bad_number else add(params)

    panel._answers["add"] = answer
    submit()
    queue(panel, 20, good)
    for _ in range(3):  # minutes later, again and again
        Provider.objects.update(paused_until=None)
        submit()
    assert count_unknown() <= 3
    assert Order.objects.filter(service=good, status="pending").count() == 40
    assert not Provider.objects.get().is_half_open


def test_many_orders_reach_the_full_width(panel: Panel) -> None:
    provider_at(panel, "v2")
    panel.latency = 0.3
    queue(panel, 150)
    submit()
    assert Order.objects.filter(status="pending").count() == 150
    assert panel.peak_parallel >= 24


@pytest.mark.parametrize("answers", [True, False])
def test_a_rejected_key_pauses_briefly_and_longer_each_time(panel: Panel, answers: bool) -> None:
    provider_at(panel, "v2")
    queue(panel, 2)
    waits = []
    for _ in range(8):
        panel.fault("add", "error", text="Invalid API key")
        if not answers:
            panel.fault("balance", "error", text="Invalid API key")
        Provider.objects.update(paused_until=None)
        submit()
        provider = Provider.objects.get()
        assert provider.paused_until is not None
        assert (Note.KEY_ACCEPTED in provider.pause_reason) == answers
        assert (Note.KEY_REJECTED in provider.pause_reason) != answers
        waits.append(round((provider.paused_until - timezone.now()).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert Order.objects.filter(status="queued").count() == 2
    Provider.objects.update(paused_until=None)
    submit()
    assert Order.objects.filter(status="pending").count() == 2
    assert Provider.objects.get().pauses == 0


def test_no_panel_makes_us_wait_for_longer_than_an_hour(panel: Panel) -> None:
    provider_at(panel, "v2")
    queue(panel, 1)
    panel.fault("add", "http_error", status=429, body="{}", headers={"Retry-After": "86400"})
    submit()
    until = Provider.objects.get().paused_until
    assert until is not None
    assert until - timezone.now() <= timedelta(seconds=circuit_breaker.RETRY_AFTER_LAST)
