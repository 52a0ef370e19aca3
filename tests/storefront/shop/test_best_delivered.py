"""The landing page shows the services with the best delivery, with their figures."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from orders.models import DeliveryStats, Service
from storefront.shop import best_delivered
from tests import factories
from tests.storefront.shop.forms import text_of

TIMES = {"start_median": 240, "finish_p10": 2400, "finish_median": 7800, "finish_p90": 25_000}


def create_service(completed: int, partial: int = 0, canceled: int = 0, sample: int = 40, **details: Any) -> Service:
    service = factories.service(**details)
    counts = {"completed": completed, "partial": partial, "canceled": canceled}
    times = {**TIMES, "finish_median": details.get("position", 0) * 60 + 7800}
    DeliveryStats.objects.create(service=service, sample=sample, **counts, **times)
    return service


def rows(client: Client) -> list[int]:
    return [int(pk) for pk in re.findall(r'class="name" href="/services/(\d+)/"', text_of(client.get("/")))]


def test_services_are_ranked_by_full_deliveries_and_then_by_speed(client: Client) -> None:
    half = create_service(20, 20)
    slower = create_service(999, 1, position=5)
    faster = create_service(999, 1, position=4)
    few = create_service(10)
    assert rows(client) == [faster.pk, slower.pk, few.pk, half.pk], "10 of 10 is weaker evidence than 999 of 1,000"
    text = text_of(client.get("/"))
    for expected in (
        "99% delivered in full",
        "100% delivered in full",
        "50% delivered in full",
        "completes in 2 h 10 min (40 orders)",
        'class="range"',
    ):
        assert expected in text


def test_services_with_too_few_orders_are_not_ranked(client: Client) -> None:
    create_service(9)
    create_service(40, sample=9)
    assert rows(client) == []
    assert "delivered in full" not in text_of(client.get("/"))


def test_six_services_are_shown_and_at_most_two_of_a_category(client: Client) -> None:
    category = factories.category()
    crowded = [create_service(100 - n, n, category=category) for n in range(4)]
    others = [create_service(50, 50) for _ in range(6)]
    found = rows(client)
    assert found[:2] == [service.pk for service in crowded[:2]]
    assert len(found) == 6
    assert {*found[2:]} <= {service.pk for service in others}


def test_the_cached_ranking_shows_current_prices_and_only_services_on_sale(
    client: Client, django_assert_num_queries: Any
) -> None:
    on_sale, off_sale = create_service(40), create_service(40)
    assert {*rows(client)} == {on_sale.pk, off_sale.pk}
    Service.objects.filter(pk=on_sale.pk).update(rate="7.77")
    Service.objects.filter(pk=off_sale.pk).update(is_active=False)
    with django_assert_num_queries(2):
        text = text_of(client.get("/"))
    assert rows(client) == [on_sale.pk]
    assert "$7.77" in text


@pytest.mark.parametrize("count", [1, 40])
def test_the_ranking_takes_two_queries(count: int, django_assert_num_queries: Any, nadia: Any) -> None:
    for _ in range(count):
        create_service(40)
    cache.clear()
    with django_assert_num_queries(2):
        assert best_delivered.best_services(nadia)
