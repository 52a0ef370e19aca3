"""Every page asks the database as often in a shop with hundreds of orders as in one with twenty."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import pages
from tests.filled import Filled
from tests.storefront.conftest import cache_empty_site_notices

pytestmark = pytest.mark.django_db
FEW, MANY = {"services": 10, "orders": 20}, {"services": 60, "orders": 80}


def test_every_page_of_the_shop_is_known() -> None:
    named = set(pages.names())
    known = set(pages.SHOP) | pages.POSTS | set(pages.ELSEWHERE)
    assert named - known == set(), "say in tests/pages.py where these are"
    assert known - named == set(), "these are no more"


def test_every_page_of_the_back_office_is_known() -> None:
    assert pages.unsearched() == set()
    assert pages.own_names() == set(pages.OWN_PAGES) | pages.OWN_ACTS


def test_no_column_is_called_like_a_relation_to_many() -> None:
    """Django sorts by the relation then: the list of 60 categories had a row for each of 10,000 services."""
    wrong = []
    for model, shown in admin.site._registry.items():
        many = {field.name for field in model._meta.get_fields() if field.one_to_many or field.many_to_many}
        wrong += [f"{model._meta.label}: {name}" for name in shown.list_display if name in many]
    assert wrong == []


def counted(found: Iterable[tuple[str, pages.Page]], shop: Filled) -> dict[str, int]:
    """Queries of each page."""
    readers = {pages.VISITOR: Client(), pages.CUSTOMER: Client(), pages.BOSS: Client()}
    readers[pages.CUSTOMER].force_login(shop.customer)
    readers[pages.BOSS].force_login(shop.boss)
    asked = {}
    for name, page in found:
        with CaptureQueriesContext(connection) as queries:
            answer = readers[page.reader].get(page.path, headers={"HX-Request": "true"} if page.is_live else {})
            b"".join(answer)
        assert answer.status_code in page.answers, page
        asked[f"{name} {page.key}"] = len(queries)
    return asked


@pytest.mark.parametrize("found", [pages.of_shop, pages.of_part_of_back_office], ids=["shop", "back office"])
def test_a_page_asks_as_often_for_many_rows_as_for_few(found) -> None:
    shop = Filled.open()
    shop.grow(**FEW, until=timezone.now() - timedelta(days=700))
    cache.clear()
    cache_empty_site_notices()
    # What is kept for everybody is kept by now, what the first reader makes is made, what was new has been seen.
    counted(found(shop), shop)
    few = counted(found(shop), shop)
    shop.grow(**MANY)
    many = counted(found(shop), shop)
    grown = {key: (few[key], many[key]) for key in many if key in few and few[key] != many[key]}
    assert not grown, "\n".join(map(str, grown.items()))
