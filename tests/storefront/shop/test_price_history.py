"""The price history of a service: the table, the chart, and a text alternative."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from django.test import Client
from django.utils import timezone

from orders.models import PriceChange, Service
from storefront.shop import price_history
from tests import factories
from tests.storefront.shop.forms import text_of


def create_changes(service: Service, *rates: str) -> None:
    """Create one price change per day, the last one today."""
    for number, (old, new) in enumerate(pairwise(rates)):
        row = PriceChange.objects.create(service=service, old_rate=Decimal(old), new_rate=Decimal(new))
        at = timezone.now() - timedelta(days=len(rates) - 2 - number)
        PriceChange.objects.filter(pk=row.pk).update(created_at=at)


def test_a_price_that_never_changed_has_no_history(client: Client) -> None:
    assert "Price history" not in text_of(client.get(f"/services/{factories.service().pk}/"))


def test_the_table_is_newest_first_and_the_chart_has_a_text(client: Client) -> None:
    service = factories.service(rate="1.10")
    create_changes(service, "1.00", "1.25", "1.10")
    text = text_of(client.get(f"/services/{service.pk}/")).replace("<bdi>", "").replace("</bdi>", "")
    assert "The price ranged from $1.00 to $1.25. It is now $1.10." in text
    assert text.index("\N{MINUS SIGN}12%") < text.index("+25%")
    points = re.findall(r'<polyline class="line" points="([\d., ]+)"', text)
    assert len(points) == 1


def test_the_chart_uses_svg_numbers_in_every_language(client: Client) -> None:
    service = factories.service(rate="1.10")
    create_changes(service, "1.00", "1.25", "1.10")
    for language in ("ar", "ru", "tr"):
        text = client.get(f"/services/{service.pk}/", headers={"accept-language": language}).content.decode()
        assert re.search(r'points="(\d+\.\d,\d+\.\d ?)+"', text), language


def test_the_chart_stays_in_its_box_and_ends_at_the_current_price() -> None:
    service = factories.service(rate="3")
    create_changes(service, "1", "5", "2", "3")
    found = price_history.price_history(service)
    assert found is not None
    points = [tuple(map(float, point.split(","))) for point in found.points.split()]
    assert all(0 <= x <= price_history.WIDTH and 0 <= y <= price_history.HEIGHT for x, y in points)
    assert [x for x, _y in points] == sorted(x for x, _y in points)
    assert points[0][1] == price_history.HEIGHT - price_history.EDGE, "1 was the lowest"
    assert min(y for _x, y in points) == price_history.EDGE, "5 was the highest"
    assert points[-1] == (price_history.WIDTH - price_history.EDGE, 20.0), "3 is halfway"


def test_a_change_from_zero_has_no_percentage() -> None:
    service = factories.service(rate="0")
    create_changes(service, "0", "1", "0")
    found = price_history.price_history(service)
    assert found is not None
    assert [step.percent for step in found.steps] == [-100, None]


def test_a_long_history_takes_one_query_and_shows_the_newest_changes(
    client: Client, django_assert_max_num_queries
) -> None:
    service = factories.service(rate="1")
    create_changes(service, *(str(number % 7 + 1) for number in range(60)))
    with django_assert_max_num_queries(2):
        text = text_of(client.get(f"/services/{service.pk}/"))
    assert text.count('<th scope="row">') == price_history.STEPS_MAX
