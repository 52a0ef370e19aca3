from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests import factories

pytestmark = pytest.mark.django_db


def audit() -> str:
    out = StringIO()
    call_command("audit_ledger", stdout=out)
    return out.getvalue()


def test_a_correct_ledger_prints_one_line() -> None:
    factories.order()
    assert audit() == "The ledger is correct. Accounts: 6, transfers: 2, orders: 1.\n"


def test_discrepancies_are_listed_and_the_exit_code_is_one(capsys: Any) -> None:
    order = factories.order()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_account SET balance = balance + 1 WHERE user_id = %s", [order.user_id])
        cursor.execute("UPDATE orders_order SET charge = charge + 1 WHERE id = %s", [order.pk])
    with pytest.raises(CommandError) as refused:
        call_command("audit_ledger")
    assert refused.value.returncode == 1
    assert str(refused.value).startswith("Discrepancies: 3.")
    assert capsys.readouterr().out.splitlines() == [
        f"account {order.user.wallet.pk}: the balance is 99.910001, but its transfers total 99.91",
        f"account {order.user.wallet.pk}: the amount spent is 0.09, but its orders total 0.090001",
        f"order {order.pk}: the charge is 0.090001, but its transfers total 0.09",
    ]


def test_an_unmigrated_postgresql_database_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with pytest.raises(CommandError, match=r"manage\.py migrate"):
        audit()
