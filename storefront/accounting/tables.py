"""Tables of the books as CSV and as Excel workbooks: exact amounts, and no cell that would run as a formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter
from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from orders.db import csv_cells
from orders.rules import amounts
from storefront.web import csv_export

#: A cell: text, a number, an amount, a date or a time; None is empty.
Cell = str | int | Decimal | date | datetime | None
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Excel refuses longer names of sheets, and these characters in them.
_SHEET_NAME_MAX, _NOT_IN_SHEET_NAMES = 31, "[]:*?/\\'"
_FORMATS = {
    "amount": {"num_format": "#,##0.00####"},
    "date": {"num_format": "yyyy-mm-dd"},
    "time": {"num_format": "yyyy-mm-dd hh:mm:ss"},
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table for a download; ``name`` is the beginning of the file's name, ``title`` that of the sheet."""

    name: str
    title: str
    head: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def download(table: Table, form: str) -> HttpResponseBase:
    """Return ``table`` as a download; ``form`` is "csv" or "xlsx"."""
    if form == "csv":
        return csv_export.response(table.name, csv_lines(table))
    name = f"{table.name}-{timezone.localdate().isoformat()}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(workbook(table), content_type=XLSX, headers=headers)


def csv_lines(table: Table) -> Iterator[str]:
    return csv_export.lines(table.head, (map(_csv_cell, row) for row in table.rows))


def _csv_cell(cell: Cell) -> Any:
    match cell:
        case None:
            return ""
        case Decimal():
            return amounts.plain(cell)
        case datetime():
            return timezone.localtime(cell).isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case str():
            return csv_cells.escape_formula(cell)
    return cell


def workbook(table: Table) -> bytes:
    """Return ``table`` as the bytes of an Excel workbook with one sheet.

    Excel computes with 15 digits, so amounts are numbers there; texts are always texts, whatever they begin with.
    """
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "constant_memory": True}) as book:
        formats = {name: book.add_format(options) for name, options in _FORMATS.items()}
        sheet = book.add_worksheet(_sheet_name(table.title))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 32)
        sheet.set_column(1, max(len(table.head) - 1, 1), 14)
        bold = book.add_format({"bold": True})
        for column, text in enumerate(table.head):
            sheet.write_string(0, column, text, bold)
        for number, row in enumerate(table.rows, 1):
            for column, cell in enumerate(row):
                _write(sheet, number, column, cell, formats)
    return file.getvalue()


def _write(sheet: Any, row: int, column: int, cell: Cell, formats: dict[str, Any]) -> None:
    match cell:
        case None:
            return
        case Decimal():
            sheet.write_number(row, column, float(cell), formats["amount"])
        case datetime():
            local = timezone.localtime(cell).replace(tzinfo=None)  # Excel knows no time zones
            sheet.write_datetime(row, column, local, formats["time"])
        case date():
            sheet.write_datetime(row, column, cell, formats["date"])
        case int():
            sheet.write_number(row, column, cell)
        case _:
            sheet.write_string(row, column, cell)


def _sheet_name(title: str) -> str:
    return "".join(" " if letter in _NOT_IN_SHEET_NAMES else letter for letter in title)[:_SHEET_NAME_MAX]
