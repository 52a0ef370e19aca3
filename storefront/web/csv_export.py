"""Tables as CSV for spreadsheets, line by line: UTF-8 with its mark, and no cell that a spreadsheet would execute."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from orders.db import csv_cells


class _Echo:
    """A file that hands back what is written, so that the CSV module can be used on a stream."""

    def write(self, text: str) -> str:
        return text


def lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The table line by line. Texts of people must have passed ``cells.safe``; numbers stay numbers."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow([csv_cells.escape_formula(text) for text in head])
    for row in rows:
        yield writer.writerow(row)


def response(name: str, made: Iterator[str]) -> StreamingHttpResponse:
    """A download called ``name`` and today's date, sent as it is made."""
    headers = {"Content-Disposition": f'attachment; filename="{name}-{timezone.localdate().isoformat()}.csv"'}
    return StreamingHttpResponse(made, content_type="text/csv; charset=utf-8", headers=headers)
