"""The services on the landing page: those delivered best, with the figures that say so."""

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


def sold(completed: int, partial: int = 0, canceled: int = 0, sample: int = 40, **details: Any) -> Service:
    service = factories.service(**details)
    counts = {"completed": completed, "partial": partial, "canceled": canceled}
    times = {**TIMES, "finish_median": details.get("position", 0) * 60 + 7800}
    DeliveryStats.objects.create(service=service, sample=sample, **counts, **times)
    return service


def rows(client: Client) -> list[int]:
    return [int(pk) for pk in re.findall(r'class="name" href="/services/(\d+)/"', text_of(client.get("/")))]


def test_who_delivers_more_in_full_comes_first_and_then_who_is_faster(client: Client) -> None:
    half = sold(20, 20)
    slower = sold(999, 1, position=5)
    faster = sold(999, 1, position=4)
    few = sold(10)
    assert rows(client) == [faster.pk, slower.pk, few.pk, half.pk], "ten of ten say less than 999 of 1,000"
    text = text_of(client.get("/"))
    for said in (
        "99% delivered in full",
        "100% delivered in full",
        "50% delivered in full",
        "completes in 2 h 10 min (40 orders)",
        'class="range"',
    ):
        assert said in text


def test_nothing_is_said_of_what_too_few_bought(client: Client) -> None:
    sold(9)
    sold(40, sample=9)
    assert rows(client) == []
    assert "delivered in full" not in text_of(client.get("/"))


def test_six_are_shown_and_two_of_a_category(client: Client) -> None:
    category = factories.category()
    crowded = [sold(100 - n, n, category=category) for n in range(4)]
    others = [sold(50, 50) for _ in range(6)]
    found = rows(client)
    assert found[:2] == [service.pk for service in crowded[:2]]
    assert len(found) == 6
    assert {*found[2:]} <= {service.pk for service in others}


def test_a_ranking_that_is_kept_shows_no_old_price_and_nothing_off_sale(
    client: Client, django_assert_num_queries: Any
) -> None:
    kept, gone = sold(40), sold(40)
    assert {*rows(client)} == {kept.pk, gone.pk}
    Service.objects.filter(pk=kept.pk).update(rate="7.77")
    Service.objects.filter(pk=gone.pk).update(is_active=False)
    with django_assert_num_queries(2):
        text = text_of(client.get("/"))
    assert rows(client) == [kept.pk]
    assert "$7.77" in text


@pytest.mark.parametrize("count", [1, 40])
def test_the_ranking_costs_two_queries(count: int, django_assert_num_queries: Any, nadia: Any) -> None:
    for _ in range(count):
        sold(40)
    cache.clear()
    with django_assert_num_queries(2):
        assert best_delivered.best_services(nadia)
