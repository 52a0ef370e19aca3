"""Measured delivery times: drawn on one axis, with the sample size, and only for at least ten orders."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from orders.models import DeliveryStats, Service
from storefront.shop import delivery_times
from tests import factories

pytestmark = pytest.mark.django_db

FIGURES = {"start_median": 240, "finish_p10": 2400, "finish_median": 7800, "finish_p90": 25_000}


def measure(service: Service, sample: int = 40, **changes: Any) -> DeliveryStats:
    return DeliveryStats.objects.create(service=service, sample=sample, **{**FIGURES, **changes})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 min"),
        (59, "1 min"),
        (240, "4 min"),
        (7800, "2 h 10 min"),
        (32_400, "9 h"),
        (144_000, "40 h"),
        (345_600, "4 d"),
    ],
)
def test_a_duration_is_rounded_to_a_useful_precision(seconds: int, words: str) -> None:
    assert delivery_times.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "place"), [(1, "4.0"), (60, "4.0"), (7800, "63.1"), (604_800, "116.0"), (10**8, "116.0")]
)
def test_the_axis_is_the_same_for_every_service(seconds: int, place: str) -> None:
    bar = delivery_times.time_bar(DeliveryStats(finish_p10=seconds, finish_median=seconds, finish_p90=seconds))
    assert bar is not None
    assert bar.middle == place


@pytest.mark.parametrize("address", ["/services/", "/services/{pk}/"])
@pytest.mark.parametrize(("sample", "is_shown"), [(None, False), (9, False), (10, True), (200, True)])
def test_times_are_shown_from_ten_orders_on(address: str, sample: int | None, is_shown: bool, client: Client) -> None:
    service = factories.service()
    if sample is not None:
        measure(service, sample)
    text = client.get(address.format(pk=service.pk)).content.decode()
    assert ("2 h 10 min" in text and 'class="range"' in text) == is_shown
    assert ("ot enough" in text) == (not is_shown)


def test_sorting_by_speed_puts_unmeasured_services_last(client: Client) -> None:
    slow, fast, few = factories.service(), factories.service(), factories.service()
    measure(slow, finish_median=9000)
    measure(fast, finish_median=600)
    measure(few, sample=3, finish_median=60)
    text = client.get("/services/?sort=fast").content.decode()
    rows = re.findall(r'class="name" href="/services/(\d+)/"', text)
    assert rows == [str(fast.pk), str(slow.pk), str(few.pk)]


@pytest.mark.parametrize("count", [1, 30])
def test_measured_times_take_no_additional_query(count: int, client: Client, django_assert_num_queries: Any) -> None:
    category = factories.category()
    for number in range(count):
        service = factories.service(category=category)
        if number % 2:
            measure(service)
    with django_assert_num_queries(2):
        client.get("/services/?sort=fast")
