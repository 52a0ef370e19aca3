"""Streaming of CSV tables for spreadsheets: UTF-8 with a byte order mark, and no cell that would run as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from orders.db import csv_cells


class _Echo:
    """A file object whose ``write`` returns the text, so that the csv module can be used for a stream."""

    def write(self, text: str) -> str:
        return text


def lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the table line by line.

    The caller must pass users' texts through ``csv_cells.escape_formula``; numbers stay numbers.
    """
    writer: Any = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow([csv_cells.escape_formula(text) for text in head])
    for row in rows:
        yield writer.writerow(row)


def response(name: str, made: Iterator[str]) -> StreamingHttpResponse:
    """Return a streamed download whose file name is ``name`` and today's date."""
    headers = {"Content-Disposition": f'attachment; filename="{name}-{timezone.localdate().isoformat()}.csv"'}
    return StreamingHttpResponse(made, content_type="text/csv; charset=utf-8", headers=headers)
