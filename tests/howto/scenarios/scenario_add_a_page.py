"""After docs/how-to/add-a-page.md: visitors can open the page, and it is in the lists of pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from tests import pages
from tests.browser import screens
from tests.storefront import test_page_queries

pytestmark = pytest.mark.django_db


def test_a_visitor_reads_it() -> None:
    answer = Client().get("/order-statuses/")
    assert answer.status_code == 200
    assert "Under review" in answer.content.decode()


def test_it_is_in_the_lists_of_pages() -> None:
    test_page_queries.test_every_page_of_the_shop_is_listed()
    assert "shop:order_statuses" in pages.SHOP
    assert "order-statuses" in Path(screens.__file__).read_text()
