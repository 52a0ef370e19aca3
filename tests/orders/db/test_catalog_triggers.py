"""The catalog version changes with every change of prices, and no writer has to wait for it."""

from __future__ import annotations

import time
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from orders.models import Category, Service
from orders.models.catalog import CatalogVersion
from tests import factories
from tests.orders.parallel import together


def catalog_version() -> int:
    return CatalogVersion.objects.get().version


@pytest.mark.django_db
def test_a_statement_that_ignores_conflicts_changes_the_catalog_version() -> None:
    """In SQLite the conflict clause of a statement also applies inside its triggers."""
    factories.service()
    before = catalog_version()
    Category.objects.bulk_create([Category(name="New")], ignore_conflicts=True)
    assert catalog_version() != before


@pytest.mark.django_db(transaction=True)
def test_concurrent_catalog_changes_do_not_deadlock() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    first, second, both = factories.service(), factories.service(), Barrier(2)

    def change_both() -> None:
        with transaction.atomic():
            Service.objects.filter(pk=first.pk).update(name="a")
            both.wait(10)
            time.sleep(0.5)
            Service.objects.filter(pk=second.pk).update(name="a")

    def change_second() -> None:
        both.wait(10)
        Service.objects.filter(pk=second.pk).update(name="b")

    assert together([partial(change_both), partial(change_second)]) == [None, None]
