"""Many rows in one statement, on either database: what price lists of tens of thousands of rows are written with.

No model instances, no signals, no defaults: the caller names every column. PostgreSQL copies new rows in and takes
changes as one array for each column; SQLite runs one prepared statement over new rows, and takes changes as VALUES: a
statement for each row lets go of the interpreter as often, and waits for it where other threads are busy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, models

Rows = Sequence[Sequence[Any]]
#: Rows in one VALUES: far fewer parameters than SQLite takes.
_CHUNK = 500


def select(rows: models.QuerySet[Any], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The fields ``names`` of ``rows``, as ``values_list`` gives them, converted once for each distinct value."""
    sql, params = rows.values_list(*names).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = cursor.fetchall()
    columns = zip(names, zip(*found, strict=True), strict=bool(found))
    return zip(*(_read(_field(rows.model, name), column) for name, column in columns), strict=True)


def insert(model: type[models.Model], names: Sequence[str], rows: Rows) -> None:
    """Inserts ``rows``; each holds the values of the fields ``names``, in that order."""
    if not rows:
        return
    fields = [_field(model, name) for name in names]
    columns = ", ".join(_quoted(field.column) for field in fields)
    target = f"{_quoted(model._meta.db_table)} ({columns})"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
            for row in _prepared(fields, rows):
                copy.write_row(row)
    else:
        _run_each(f"INSERT INTO {target} VALUES ({', '.join(['%s'] * len(fields))})", _prepared(fields, rows))  # noqa: S608


def update(model: type[models.Model], names: Sequence[str], rows: Rows) -> None:
    """Sets the fields ``names`` row by row; each row holds the primary key and then their values, in that order."""
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
    prepared = _prepared(fields, rows)
    row = f"({', '.join(['%s'] * len(fields))})"
    for start in range(0, len(prepared), _CHUNK):
        chunk = prepared[start : start + _CHUNK]
        # SQLite names the columns of VALUES so.
        names_there = [f"column{number}" for number in range(1, len(fields) + 1)]
        values = f"(VALUES {', '.join([row] * len(chunk))}) AS v"
        _run(_setting(table, columns, names_there, values), [value for row_values in chunk for value in row_values])


# Table and column names are Django's own; every value is a parameter.


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _setting(table: str, columns: Sequence[str], there: Sequence[str], values: str) -> str:
    """The UPDATE that sets ``columns`` from the columns ``there`` of ``values``; the first is the key."""
    pairs = list(zip(columns, there, strict=True))
    setting = ", ".join(f"{column} = v.{name}" for column, name in pairs[1:])
    return f"UPDATE {table} SET {setting} FROM {values} WHERE {table}.{columns[0]} = v.{there[0]}"  # noqa: S608


def _arrays(fields: Sequence[Any]) -> str:
    """A typed placeholder for each column. Without the length: a text that is too long must fail, not be cut."""
    return ", ".join(f"%s::{field.rel_db_type(connection).partition('(')[0]}[]" for field in fields)


def _columns(fields: Sequence[Any], rows: Rows) -> list[list[Any]]:
    return [_column(field, column) for field, column in zip(fields, zip(*rows, strict=True), strict=True)]


def _column(field: Any, values: Sequence[Any]) -> list[Any]:
    """``values`` as the driver takes them; texts and flags are so already, and of the others many are the same."""
    if isinstance(field, (models.CharField, models.TextField, models.BooleanField)):
        return list(values)
    prepared = {value: field.get_db_prep_save(value, connection) for value in set(values)}
    return [prepared[value] for value in values]


def _prepared(fields: Sequence[Any], rows: Rows) -> list[tuple[Any, ...]]:
    return list(zip(*_columns(fields, rows), strict=True))


def _read(field: Any, values: Sequence[Any]) -> Sequence[Any]:
    """``values`` from the driver as the field gives them; only flags (on SQLite) and amounts are kept otherwise."""
    if isinstance(field, models.BooleanField):
        return [bool(value) for value in values]
    if not hasattr(field, "from_db_value"):
        return values
    read = {value: field.from_db_value(value, None, connection) for value in set(values)}
    return [read[value] for value in values]


def _run(sql: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _run_each(sql: str, rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(sql, rows)
