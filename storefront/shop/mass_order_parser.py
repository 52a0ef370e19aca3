"""Parse the text or file of a mass order into one line for each order.

Nothing here validates an order: ``mass_orders`` checks each line by the rules of the order form.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orders.buying import scheduled_start
from orders.rules.service_types import SERVICE_TYPES
from storefront.web import formats

FILE_MAX = 1024 * 1024  # bytes
TEXT_MAX = 2 * FILE_MAX  # bytes of UTF-8: what a file of FILE_MAX in another encoding can grow to
LINES_MAX = 1000
SEPARATORS = "|\t;,"
#: The columns of an order without a header.
DEFAULT_COLUMNS = ("service", "link", "quantity")
#: Every column that a header can name.
COLUMNS = (
    *DEFAULT_COLUMNS,
    *dict.fromkeys(spec.name for service_type in SERVICE_TYPES.values() for spec in service_type.inputs),
    *("runs", "interval", scheduled_start.NAME),
)
_ALIASES = {"service_id": "service", "id": "service", "url": "link", "qty": "quantity", "comment": "comments"}
_SEPARATOR_LINE = re.compile(r"sep=([|\t;,])\s*", re.IGNORECASE)
_FIRST_CELL = re.compile(r'\s*"?\s*\d+\s*"?\s*([|\t;,])')
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
#: Encodings that old spreadsheets write, by the language of the customer.
_LEGACY_ENCODINGS = {"tr": "cp1254", "ar": "cp1256"}
_DEFAULT_LEGACY_ENCODING = "cp1251"


class UnreadableMassOrder(Exception):
    """The text as a whole cannot be used; the message says why in the customer's language."""


@dataclass(frozen=True, slots=True)
class MassOrderLine:
    """One order of the text: its line number, raw text, and inputs by name; ``problem`` if it cannot be parsed."""

    number: int
    raw: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MassOrderText:
    """The parsed text. ``head`` is the header line, if any; ``ignored`` are the unknown columns."""

    lines: list[MassOrderLine]
    head: str = ""
    ignored: tuple[str, ...] = ()

    def text_of(self, lines: Iterable[MassOrderLine]) -> str:
        """Return some of the lines as a text that parses to the same lines."""
        return "".join(f"{raw}\n" for raw in (self.head, *(line.raw for line in lines)) if raw)


def decode(content: bytes) -> str:
    """Decode an uploaded file.

    Raises:
        UnreadableMassOrder: The file is too large or is not text.
    """
    if len(content) > FILE_MAX:
        raise UnreadableMassOrder(_("The file is larger than 1 MB. Split it and upload the parts one at a time."))
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "") or _guess_encoding(
        content
    )
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    if "\x00" in text or content.startswith(b"PK\x03\x04"):
        raise UnreadableMassOrder(_("This isn't a text file. Save the table as CSV and upload that file."))
    return text


def _guess_encoding(content: bytes) -> str:
    """Guess the encoding of a text without a byte order mark: UTF-8, UTF-16 by its zero bytes, or a legacy one."""
    even, odd = content[::2].count(0), content[1::2].count(0)
    if max(even, odd) > len(content) // 8 and min(even, odd) <= max(even, odd) // 8:
        return "utf-16-be" if even > odd else "utf-16-le"
    try:
        content.decode()
    except UnicodeDecodeError:
        return _LEGACY_ENCODINGS.get(get_language() or "", _DEFAULT_LEGACY_ENCODING)
    return "utf-8"


def parse(text: str) -> MassOrderText:
    """Parse the orders of ``text``.

    Raises:
        UnreadableMassOrder: The text is too long, or holds no orders or too many.
    """
    if len(text.encode(errors="replace")) > TEXT_MAX:
        raise UnreadableMassOrder(_("The text is too long. Split it and send the parts one at a time."))
    rows = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((index for index, row in enumerate(rows) if not _is_empty(row)), len(rows))
    separator = ""
    if first < len(rows) and (found := _SEPARATOR_LINE.fullmatch(rows[first].strip("\ufeff "))):
        separator, rows[first] = found[1], ""
        first = next((index for index, row in enumerate(rows) if not _is_empty(row)), len(rows))
    header = _parse_header(rows[first], separator) if first < len(rows) else None
    if header:
        parsed = _parse_table(rows, first, *header)
    else:
        rest = ((index + 1, row) for index, row in enumerate(rows) if not _is_empty(row))
        parsed = MassOrderText([_parse_plain_line(number, row) for number, row in rest])
    if not parsed.lines:
        raise UnreadableMassOrder(
            _("No orders found. Enter one per line, for example 12 | https://example.com/p/1 | 500")
        )
    if len(parsed.lines) > LINES_MAX:
        count = {"count": formats.number(len(parsed.lines)), "most": formats.number(LINES_MAX)}
        raise UnreadableMassOrder(
            _("You can place at most %(most)s orders at a time, but the text has %(count)s. Split it into parts.")
            % count
        )
    return parsed


def _is_empty(row: str) -> bool:
    text = row.strip("\ufeff \t;,|")
    return not text or text.startswith("#")


def _parse_plain_line(number: int, row: str) -> MassOrderLine:
    """Split a line by the separator that follows the service ID; quotes protect a separator, as in CSV."""
    found = _FIRST_CELL.match(row)
    separator = found[1] if found else next((mark for mark in SEPARATORS if mark in row), "|")
    try:
        cells = [cell.strip() for cell in next(csv.reader([row], delimiter=separator, strict=True))]
    except csv.Error:
        cells = [cell.strip() for cell in row.split(separator)]
    while len(cells) > len(DEFAULT_COLUMNS) and not cells[-1]:
        cells.pop()
    if len(cells) > len(DEFAULT_COLUMNS):
        return MassOrderLine(
            number,
            row,
            problem=_(
                "This line has more than three values. Separate them with | and name the columns in the first line."
            ),
        )
    return MassOrderLine(number, row, dict(zip(DEFAULT_COLUMNS, cells, strict=False)))


def _parse_header(row: str, separator: str) -> tuple[str, list[str]] | None:
    """Return the separator and the columns if ``row`` is a header, else None."""
    for mark in separator or SEPARATORS:
        names = [_column_name(cell) for cell in row.strip("\ufeff").split(mark)]
        if "service" in names and len({*names} & {*COLUMNS}) > 1:
            return mark, names
    return None


def _column_name(cell: str) -> str:
    name = re.sub(r"[\s-]+", "_", cell.strip(' \t"').lower())
    return _ALIASES.get(name, name)


def _parse_table(rows: list[str], head: int, separator: str, names: list[str]) -> MassOrderText:
    """Parse CSV with named columns; a quoted cell may hold line breaks."""
    lines = []
    for number, raw, cells in _read_records(rows[head + 1 :], head + 2, separator):
        if cells is None:
            lines.append(
                MassOrderLine(number, raw, problem=_("A quotation mark isn't closed. Close it and check again."))
            )
        elif not _is_empty(separator.join(cells)):
            texts = dict(zip(names, (cell.strip() for cell in cells), strict=False))
            lines.append(
                MassOrderLine(number, raw, {name: text for name, text in texts.items() if name in COLUMNS and text})
            )
    ignored = tuple(name for name in names if name and name not in COLUMNS)
    return MassOrderText(lines, rows[head], ignored)


def _read_records(rows: list[str], start: int, separator: str) -> Iterator[tuple[int, str, list[str] | None]]:
    """Yield the number, text, and cells of each record; None as cells if a quotation mark is not closed."""
    reader, consumed = csv.reader((f"{row}\n" for row in rows), delimiter=separator, strict=True), 0
    while True:
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield start + consumed, "\n".join(rows[consumed:]).rstrip(), None
            return
        yield start + consumed, "\n".join(rows[consumed : reader.line_num]), cells
        consumed = reader.line_num
