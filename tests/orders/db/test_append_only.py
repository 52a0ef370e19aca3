from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from orders.db import append_only
from orders.models import Transfer
from tests import factories

pytestmark = pytest.mark.django_db

CHANGES = {
    "update": "UPDATE orders_transfer SET amount = amount + 1",
    "update of one row": "UPDATE orders_transfer SET note = 'x' WHERE id = {0}",
    "delete": "DELETE FROM orders_transfer WHERE id = {0}",
    "delete all": "DELETE FROM orders_transfer",
}


@pytest.fixture
def transfer() -> Transfer:
    factories.customer("5")
    return Transfer.objects.get()


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_rejects_changes_to_a_transfer(transfer: Transfer, change: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        run(CHANGES[change].format(transfer.pk))
    assert Transfer.objects.values().get() == Transfer.objects.filter(pk=transfer.pk).values()[0]
    transfer.refresh_from_db()
    assert transfer.amount == 5


def test_the_orm_cannot_change_a_transfer(transfer: Transfer) -> None:
    for change in (
        lambda: Transfer.objects.update(note="x"),
        lambda: Transfer.objects.all().delete(),
        lambda: transfer.delete(),
        lambda: transfer.save(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")
def test_the_table_cannot_be_truncated(transfer: Transfer) -> None:
    for statement in ("TRUNCATE orders_transfer", "TRUNCATE orders_order, orders_transfer CASCADE"):
        with pytest.raises(DatabaseError, match="append-only"):
            run(statement)
    assert Transfer.objects.count() == 1


def test_rows_can_be_added() -> None:
    buyer = factories.customer("5")
    factories.wallet(buyer, "1")
    assert Transfer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_triggers_can_be_removed_and_installed_again() -> None:
    factories.customer("5")
    with connection.schema_editor() as editor:
        append_only.remove(editor, "orders_transfer")
    try:
        assert Transfer.objects.update(note="x") == 1
    finally:
        with connection.schema_editor() as editor:
            append_only.install(editor, "orders_transfer")
    with pytest.raises(DatabaseError, match="append-only"):
        Transfer.objects.update(note="y")


@pytest.mark.django_db(transaction=True)
def test_transactional_tests_keep_triggers_and_house_accounts() -> None:
    """Runs after another transactional test of this file, which has flushed the tables."""
    assert Transfer.objects.count() == 0
    buyer = factories.customer("5")
    factories.order(buyer)
    with pytest.raises(DatabaseError, match="append-only"):
        Transfer.objects.update(note="y")
