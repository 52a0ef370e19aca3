"""Statistics of providers and services: measured on ended orders, and empty if the sample is too small."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.catalog import delivery_stats
from orders.models import DeliveryStats, Order, Service
from providers import tasks
from providers.errors import OutcomeUnknown, Refused
from providers.models import CallStats, Placement, Provider, ProviderStats
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import status_sync
from providers.transport import call_stats, retention
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


def deliver_orders(panel: Panel, provider: Provider, count: int, word: str = "Completed") -> list[Order]:
    """Orders that were placed, moved, and ended with ``word``."""
    user, service = (
        customer(f"{word}@example.com"),
        Service.objects.filter(service_type="default", max_quantity__gte=100)[0],
    )
    orders = [buy(user, service, link=f"https://x.example.com/{word}/{number}") for number in range(count)]
    submission.submit_due(provider)
    numbers = list(Placement.objects.filter(order__in=orders).values_list("upstream_id", flat=True))
    for step, remains in (("In progress", 60), (word, 40 if word == "Partial" else None)):
        for number in numbers:
            panel.report(number, step, remains=remains)
        status_sync.sync_statuses(provider, is_now=True)
    return list(Order.objects.filter(pk__in=[order.pk for order in orders]))


def test_an_order_has_started_when_it_first_moves_or_is_delivered(panel: Panel, provider: Provider) -> None:
    (slow,) = deliver_orders(panel, provider, 1)
    assert slow.started_at is not None
    assert slow.ended_at is not None
    assert slow.created_at < slow.started_at < slow.ended_at
    at_once, lost = (
        buy(slow.user, slow.service, link=f"https://x.example.com/{name}") for name in ("at-once", "never")
    )
    submission.submit_due(provider)
    for order, word in ((at_once, "Completed"), (lost, "Canceled")):
        panel.report(Placement.objects.get(order=order).upstream_id, word)
    status_sync.sync_statuses(provider, is_now=True)
    at_once.refresh_from_db()
    lost.refresh_from_db()
    assert at_once.started_at is not None
    assert (lost.status, lost.started_at) == ("canceled", None)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert [delivery_stats.percentile(range(1, 11), share) for share in (0.1, 0.5, 0.9)] == [1, 5, 9]
    assert [delivery_stats.percentile([7], share) for share in (0.1, 0.5, 0.9)] == [7, 7, 7]
    assert delivery_stats.percentile([], 0.5) is None


def test_a_service_is_measured_on_its_newest_delivered_orders(panel: Panel, provider: Provider) -> None:
    orders = deliver_orders(panel, provider, 10) + deliver_orders(panel, provider, 2, "Partial")
    deliver_orders(panel, provider, 3, "Canceled")
    now = timezone.now()
    for minutes, order in enumerate(orders, 1):
        Order.objects.filter(pk=order.pk).update(
            created_at=now - timedelta(minutes=60), started_at=now - timedelta(minutes=60 - minutes), ended_at=now
        )
    assert delivery_stats.update_delivery_stats() == 1
    measure = DeliveryStats.objects.get()
    assert (measure.sample, measure.completed, measure.partial, measure.canceled) == (12, 10, 2, 3)
    assert (measure.start_median, measure.start_p90) == (6 * 60, 11 * 60)
    assert (measure.finish_p10, measure.finish_median, measure.finish_p90) == (3600, 3600, 3600)
    assert measure.is_enough


def test_only_services_with_new_endings_are_measured_again(
    panel: Panel, provider: Provider, django_assert_max_num_queries: Any
) -> None:
    deliver_orders(panel, provider, 1)
    tasks.measure()
    later = timezone.now() + delivery_stats.OVERLAP * 2
    DeliveryStats.objects.update(measured_at=later)
    ProviderStats.objects.update(measured_at=later)
    with django_assert_max_num_queries(4):
        assert (delivery_stats.update_delivery_stats(), call_stats.measure_due()) == (0, 0)


def test_drip_feed_is_no_measure_of_speed(panel: Panel, provider: Provider) -> None:
    deliver_orders(panel, provider, 2)
    Order.objects.update(runs=5)
    delivery_stats.update_delivery_stats()
    assert (DeliveryStats.objects.get().sample, DeliveryStats.objects.get().completed) == (0, 2)


def test_calls_are_counted_by_the_hour_in_one_row_a_verb(panel: Panel, provider: Provider) -> None:
    CallStats.objects.all().delete()
    deliver_orders(panel, provider, 3)
    panel.fault("status", "html")
    status_sync.sync_statuses(provider, is_now=True)
    tallies = dict(CallStats.objects.values_list("verb", "calls"))
    assert tallies["add"] == 3
    assert CallStats.objects.get(verb="status").failures == 1
    assert CallStats.objects.count() == len(tallies)


def test_a_pass_writes_its_tally_in_one_statement(provider: Provider, django_assert_num_queries: Any) -> None:
    CallStats.objects.all().delete()
    for _ in range(2):
        tally = call_stats.Tally()
        for _ in range(50):
            tally.add("status", OutcomeUnknown("late"), OutcomeUnknown("late"))
            tally.add("add", Refused("no", reason="link"), Refused("no", reason="link"))
            tally.add("add", Refused("no", reason="key"), Refused("no", reason="key"))
        with django_assert_num_queries(1):
            tally.write(provider)
    assert dict(CallStats.objects.values_list("verb", "failures")) == {"status": 100, "add": 100}
    assert CallStats.objects.get(verb="add").calls == 200


def test_too_few_calls_and_orders_give_no_figures(provider: Provider) -> None:
    CallStats.objects.all().delete()
    found = call_stats.of([provider])[provider.pk]
    assert (found.error_rate, found.latency_ms, found.success_rate, found.partial_rate) == (None, None, None, None)


def test_old_tallies_are_pruned(provider: Provider) -> None:
    CallStats.objects.update(hour=timezone.now() - timedelta(days=retention.KEPT_DAYS + 1))
    retention.prune()
    assert not CallStats.objects.exists()


@pytest.mark.parametrize("count", [1, 4])
def test_the_list_of_providers_reads_their_health_at_once(
    count: int, panel: Panel, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(count):
        provider_at(panel, "v2", name=f"p{number}")
    with django_assert_max_num_queries(9):
        page = admin_client.get("/admin/providers/provider/").content.decode()
    assert "Not enough data" in page


def test_the_page_of_a_provider_tells_what_was_measured(panel: Panel, provider: Provider, admin_client: Client) -> None:
    deliver_orders(panel, provider, 11)
    call_stats.measure_due()
    page = admin_client.get(f"/admin/providers/provider/{provider.pk}/change/").content.decode()
    assert "100.0% completed, 0.0% partial" in page
    assert "90% within" in page
    assert "11 orders" in page
