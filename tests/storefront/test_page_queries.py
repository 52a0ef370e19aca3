"""Every page makes the same number of queries in a large shop as in a small one."""

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
from tests.large_shop import LargeShop
from tests.storefront.conftest import cache_empty_site_notices

pytestmark = pytest.mark.django_db
FEW, MANY = {"services": 10, "orders": 20}, {"services": 60, "orders": 80}


def test_every_page_of_the_shop_is_listed() -> None:
    existing = set(pages.url_names())
    listed = set(pages.SHOP) | pages.POSTS | set(pages.ELSEWHERE)
    assert existing - listed == set(), "list these URLs in tests/pages.py"
    assert listed - existing == set(), "these URLs no longer exist"


def test_every_page_of_the_back_office_is_listed() -> None:
    assert pages.models_without_search() == set()
    assert pages.extra_url_names() == set(pages.EXTRA_PAGES) | pages.EXTRA_ACTIONS
    assert pages.report_url_names() == set(pages.REPORTS)


def test_no_column_has_the_name_of_a_to_many_relation() -> None:
    """Django would sort by the relation, so that the list had a row for each related object."""
    wrong = []
    for model, shown in admin.site._registry.items():
        many = {field.name for field in model._meta.get_fields() if field.one_to_many or field.many_to_many}
        wrong += [f"{model._meta.label}: {name}" for name in shown.list_display if name in many]
    assert wrong == []


def count_queries(listed: Iterable[tuple[str, pages.Page]], shop: LargeShop) -> dict[str, int]:
    """Return the number of queries of each page."""
    readers = {pages.VISITOR: Client(), pages.CUSTOMER: Client(), pages.OPERATOR: Client()}
    readers[pages.CUSTOMER].force_login(shop.customer)
    readers[pages.OPERATOR].force_login(shop.operator)
    counts = {}
    for name, page in listed:
        with CaptureQueriesContext(connection) as queries:
            answer = readers[page.reader].get(page.path, headers={"HX-Request": "true"} if page.is_live else {})
            b"".join(answer)
        assert answer.status_code in page.statuses, page
        counts[f"{name} {page.key}"] = len(queries)
    return counts


@pytest.mark.parametrize("list_pages", [pages.shop_pages, pages.sample_back_office_pages], ids=["shop", "back office"])
def test_pages_make_the_same_queries_for_few_and_for_many_rows(list_pages) -> None:
    shop = LargeShop.open()
    shop.grow(**FEW, until=timezone.now() - timedelta(days=700))
    cache.clear()
    cache_empty_site_notices()
    # The first requests fill the caches and create rows on first use, so they are not counted.
    count_queries(list_pages(shop), shop)
    few = count_queries(list_pages(shop), shop)
    shop.grow(**MANY)
    many = count_queries(list_pages(shop), shop)
    if any(few.get(key, count) != count for key, count in many.items()):
        # A cache of a minute that ran out between two pages costs one of them a query more, but not twice in a row.
        again = count_queries(list_pages(shop), shop)
        many = {key: min(count, again.get(key, count)) for key, count in many.items()}
    grown = {key: (few[key], many[key]) for key in many if key in few and few[key] != many[key]}
    assert not grown, "\n".join(map(str, grown.items()))
