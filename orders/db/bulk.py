"""Bulk reads and writes, for price lists and status reports of tens of thousands of rows.

There are no model instances, signals or defaults: the caller names every column. On PostgreSQL new rows are written
with COPY, and changes are passed as one array for each column. On SQLite new rows use one prepared statement, and
changes are passed as VALUES: a statement for each row would release the interpreter lock for each row, and wait for it
while other threads are busy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL

Rows = Sequence[Sequence[Any]]
#: Rows in one VALUES list: keeps the number of parameters far below SQLite's limit.
_CHUNK = 500


def keys(values: Iterable[int]) -> RawSQL:
    """Return ``values`` as one parameter for an ``__in`` lookup; Django would make a placeholder for each value.

    Args:
        values: Primary keys, as many as needed.
    """
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(values)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(values))])


def select(rows: models.QuerySet[Any], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the fields ``names`` of ``rows`` as ``values_list`` does, converting each distinct value only once.

    A name may follow foreign keys, as in ``order__status``.
    """
    sql, params = rows.values_list(*names).query.sql_with_params()
    found = _fetch(sql, params, len(names))
    readers: list[tuple[int, Callable[[Any], Any], dict[Any, Any]]] = []
    for index, name in enumerate(names):
        reader = _reader(_field(rows.model, name))
        if reader:
            readers.append((index, reader, {}))
    for row in found:
        values = list(row)
        for index, read, known in readers:
            value = values[index]
            if value is not None:
                if value not in known:
                    known[value] = read(value)
                values[index] = known[value]
        yield tuple(values)


def insert(model: type[models.Model], names: Sequence[str], rows: Rows) -> None:
    """Insert ``rows``; each holds the values of the fields ``names``, in that order."""
    if not rows:
        return
    fields = [_field(model, name) for name in names]
    columns = ", ".join(_quoted(field.column) for field in fields)
    target = f"{_quoted(model._meta.db_table)} ({columns})"
    if connection.vendor == "postgresql":
        # Django translates the errors of execute(), but not those of COPY: callers wait out an OperationalError.
        statement = f"COPY {target} FROM STDIN"
        with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
            for row in _prepared(fields, rows):
                copy.write_row(row)
        return
    places = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {target} VALUES ({places})", _prepared(fields, rows))  # noqa: S608


def update(model: type[models.Model], names: Sequence[str], rows: Rows) -> None:
    """Update the fields ``names``; each row holds the primary key and then the values, in that order."""
    if not rows:
        return
    key = model._meta.pk
    assert key is not None
    fields = [key, *(_field(model, name) for name in names)]
    table, columns = _quoted(model._meta.db_table), [_quoted(field.column) for field in fields]
    if connection.vendor == "postgresql":
        values = f"unnest({_arrays(fields)}) AS v({', '.join(columns)})"
        _run(_setting(table, columns, columns, values), _columns(fields, rows))
        return
    for values, params in _chunks(fields, rows):
        _run(_setting(table, columns, _there(len(fields)), f"({values}) AS v"), params)


def update_unchanged(
    model: type[models.Model], names: Sequence[str], rows: Rows, *, expected: Sequence[str], fill: Sequence[str] = ()
) -> set[int]:
    """Update the fields ``names`` of the rows that are unchanged since they were read.

    Rows that another process has changed in the meantime are left alone. Call it in a transaction. Locks are taken in
    the order of the primary keys, as everywhere, so that two such writers cannot deadlock.

    Args:
        rows: For each row the primary key, the new values of ``names``, then the values that ``expected`` must have.
        fill: Those of ``names`` that are set only where they are NULL.

    Returns:
        The primary keys of the rows that were written.
    """
    if not rows:
        return set()
    assert connection.in_atomic_block
    key = model._meta.pk
    assert key is not None
    fields = [key, *(_field(model, name) for name in (*names, *expected))]
    table, columns = _quoted(model._meta.db_table), [_quoted(field.column) for field in fields]
    is_filled = [name in fill for name in names]
    first_old = 1 + len(names)
    if connection.vendor == "postgresql":
        there = [f"v{number}" for number in range(len(fields))]
        same = " AND ".join(
            f"{table}.{column} IS NOT DISTINCT FROM v.{name}"
            for column, name in zip(columns[first_old:], there[first_old:], strict=True)
        )
        values = (
            f"(SELECT v.* FROM unnest({_arrays(fields)}) AS v({', '.join(there)})"  # noqa: S608
            f" JOIN {table} ON {table}.{columns[0]} = v.{there[0]} AND {same}"
            f" ORDER BY {table}.{columns[0]} FOR UPDATE OF {table}) AS v"
        )
        sql = _setting(table, columns[:first_old], there[:first_old], values, is_filled)
        return _run_returning(f"{sql} RETURNING {table}.{columns[0]}", _columns(fields, rows))
    there = _there(len(fields))
    same = " AND ".join(
        f"{table}.{column} IS v.{name}" for column, name in zip(columns[first_old:], there[first_old:], strict=True)
    )
    written: set[int] = set()
    for values, params in _chunks(fields, rows):
        # No other connection writes during our transaction, and SELECT costs less per row than UPDATE ... RETURNING.
        match = f"SELECT {table}.{columns[0]} FROM ({values}) AS v JOIN {table} ON {table}.{columns[0]} = v.{there[0]}"  # noqa: S608
        same_keys = {row[0] for row in _fetch(f"{match} AND {same}", params, 1)}
        written |= same_keys
    changes = [row[:first_old] for row in rows if row[0] in written]
    if not changes:
        return written
    for values, params in _chunks(fields[:first_old], changes):
        _run(_setting(table, columns[:first_old], there[:first_old], f"({values}) AS v", is_filled), params)
    return written


# Table and column names below come from Django's models; every value is a parameter.


def _field(model: type[models.Model], name: str) -> Any:
    *path, last = name.split("__")
    for step in path:
        related = model._meta.get_field(step).related_model
        assert isinstance(related, type)  # only foreign keys can be followed
        model = related
    return model._meta.pk if last == "pk" else model._meta.get_field(last)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _there(count: int) -> list[str]:
    """Return the names that SQLite gives the columns of VALUES."""
    return [f"column{number}" for number in range(1, count + 1)]


def _chunks(fields: Sequence[Any], rows: Rows) -> Iterator[tuple[str, list[Any]]]:
    """Yield ``rows`` as VALUES clauses with their parameters, for SQLite."""
    prepared = _prepared(fields, rows)
    row = f"({', '.join(['%s'] * len(fields))})"
    for start in range(0, len(prepared), _CHUNK):
        chunk = prepared[start : start + _CHUNK]
        yield f"VALUES {', '.join([row] * len(chunk))}", [value for values in chunk for value in values]


def _setting(
    table: str, columns: Sequence[str], there: Sequence[str], values: str, is_filled: Sequence[bool] = ()
) -> str:
    """Return the UPDATE that sets ``columns`` from the columns ``there`` of ``values``; the first column is the key."""
    filled = is_filled or [False] * (len(columns) - 1)
    setting = ", ".join(
        f"{column} = COALESCE({table}.{column}, v.{name})" if is_kept else f"{column} = v.{name}"
        for column, name, is_kept in zip(columns[1:], there[1:], filled, strict=True)
    )
    return f"UPDATE {table} SET {setting} FROM {values} WHERE {table}.{columns[0]} = v.{there[0]}"  # noqa: S608


def _arrays(fields: Sequence[Any]) -> str:
    """Return a typed array placeholder for each column.

    The type has no length: with one, the cast would cut a text that is too long instead of raising an error.
    """
    return ", ".join(f"%s::{field.rel_db_type(connection).partition('(')[0]}[]" for field in fields)


def _columns(fields: Sequence[Any], rows: Rows) -> list[list[Any]]:
    return [_column(field, column) for field, column in zip(fields, zip(*rows, strict=True), strict=True)]


def _column(field: Any, values: Sequence[Any]) -> list[Any]:
    """Return ``values`` in the form that the driver takes.

    The values of many field types need no conversion. For the others each distinct value is converted once, because
    many are equal.
    """
    stored = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(stored, (models.CharField, models.TextField, models.BooleanField, models.IntegerField)):
        return list(values)
    if isinstance(field, models.JSONField):
        return [json.dumps(value, cls=field.encoder) for value in values]
    prepared = {value: field.get_db_prep_save(value, connection) for value in set(values)}
    return [prepared[value] for value in values]


def _prepared(fields: Sequence[Any], rows: Rows) -> list[tuple[Any, ...]]:
    return list(zip(*_columns(fields, rows), strict=True))


def _reader(field: Any) -> Callable[[Any], Any] | None:
    """Return the function that converts a value from the driver for ``field``; None if no conversion is needed."""
    if isinstance(field, models.BooleanField):
        return bool
    if isinstance(field, models.DateTimeField) and connection.vendor == "sqlite":
        operations: Any = connection.ops  # Django's stubs do not declare the methods of the SQLite operations
        return lambda value: operations.convert_datetimefield_value(value, None, connection)
    if hasattr(field, "from_db_value"):
        return lambda value: field.from_db_value(value, None, connection)
    return None


def _run(sql: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _fetch(sql: str, params: Any, width: int) -> list[Any]:
    """Return the rows of a SELECT with ``width`` columns.

    SQLite returns them as one JSON text: fetching a row releases the interpreter lock, and waits for it again while
    other threads are busy.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(sql, params)
            return list(cursor.fetchall())
        names = [f"c{number}" for number in range(width)]
        cursor.execute(
            f"WITH found({', '.join(names)}) AS ({sql})"  # noqa: S608
            f" SELECT json_group_array(json_array({', '.join(names)})) FROM found",
            params,
        )
        rows: list[Any] = json.loads(cursor.fetchone()[0])
        return rows


def _run_returning(sql: str, values: list[Any]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {row[0] for row in cursor.fetchall()}
