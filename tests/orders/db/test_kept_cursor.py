"""The kept cursor: it behaves like a new one, also after its connection was lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction

from orders.db.kept_cursor import fetch_rows

TWO_ROWS = "SELECT 7, 'seven' UNION ALL SELECT %s, 'eight' ORDER BY 1"


@pytest.mark.django_db
def test_all_rows_are_returned() -> None:
    assert fetch_rows(TWO_ROWS, [8]) == [(7, "seven"), (8, "eight")]
    assert fetch_rows("SELECT 1 WHERE 1 = %s", [2]) == []


@pytest.mark.django_db
def test_the_cursor_is_kept_for_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_rows("SELECT 1", ())
    monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "create_cursor", pytest.fail)
    assert fetch_rows("SELECT 2", ()) == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_gets_a_new_cursor() -> None:
    fetch_rows("SELECT 1", ())
    connection.close()
    assert fetch_rows("SELECT 2", ()) == [(2,)]


@pytest.mark.django_db
def test_queries_are_logged(django_assert_num_queries: Any) -> None:
    fetch_rows("SELECT 1", ())
    with django_assert_num_queries(2):
        fetch_rows("SELECT 1", ())
        fetch_rows("SELECT 2", ())


@pytest.mark.django_db
def test_errors_are_those_of_django_and_the_cursor_stays_usable() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        fetch_rows("SELECT nothing FROM nowhere", ())
    assert fetch_rows("SELECT 3", ()) == [(3,)]


@pytest.mark.django_db(transaction=True)
def test_threads_do_not_get_the_rows_of_each_other() -> None:
    def ask(number: int) -> bool:
        found = [fetch_rows("SELECT %s", (number,)) == [(number,)] for _ in range(50)]
        connection.close()
        return all(found)

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(4)))
