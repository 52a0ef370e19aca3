"""The text of a mass order: from an upload to characters, from characters to one line for each order. No database.

Nothing here judges an order: whatever can be told apart becomes a line, and ``massorder`` asks the shop's own rules.
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
PLAIN = ("service", "link", "quantity")
#: Every column that a header can name.
COLUMNS = (
    *PLAIN,
    *dict.fromkeys(spec.name for kind in SERVICE_TYPES.values() for spec in kind.inputs),
    *("runs", "interval", scheduled_start.NAME),
)
_ALIASES = {"service_id": "service", "id": "service", "url": "link", "qty": "quantity", "comment": "comments"}
_SEPARATOR_LINE = re.compile(r"sep=([|\t;,])\s*", re.IGNORECASE)
_FIRST_CELL = re.compile(r'\s*"?\s*\d+\s*"?\s*([|\t;,])')
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
#: What spreadsheets that know no Unicode write, by the reader's language.
_OLD_PAGES = {"tr": "cp1254", "ar": "cp1256"}
_OLD_PAGE = "cp1251"


class UnreadableMassOrder(Exception):
    """The text as a whole cannot be used; the message says why, in the customer's language."""


@dataclass(frozen=True, slots=True)
class MassOrderLine:
    """One order as it was written: where, its ``raw`` text, its inputs by name. ``problem``: it has no clear parts."""

    number: int
    raw: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class MassOrderText:
    """``head`` is what stands before the first order and must stay there; ``ignored`` the columns nobody knows."""

    lines: list[MassOrderLine]
    head: str = ""
    ignored: tuple[str, ...] = ()

    def text_of(self, lines: Iterable[MassOrderLine]) -> str:
        """Some of the lines as a text that reads the same."""
        return "".join(f"{raw}\n" for raw in (self.head, *(line.raw for line in lines)) if raw)


def decode(content: bytes) -> str:
    """An upload as text. Raises Unreadable for what is too large or no text."""
    if len(content) > FILE_MAX:
        raise UnreadableMassOrder(_("The file is larger than 1 MB. Split it and upload the parts one at a time."))
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _encoding(content)
    text = content.decode(encoding, errors="replace").removeprefix("\ufeff")
    if "\x00" in text or content.startswith(b"PK\x03\x04"):
        raise UnreadableMassOrder(_("This isn't a text file. Save the table as CSV and upload that file."))
    return text


def _encoding(content: bytes) -> str:
    """The encoding of a text without a mark: UTF-8 if it is that, UTF-16 by its zeros, else an old code page."""
    even, odd = content[::2].count(0), content[1::2].count(0)
    if max(even, odd) > len(content) // 8 and min(even, odd) <= max(even, odd) // 8:
        return "utf-16-be" if even > odd else "utf-16-le"
    try:
        content.decode()
    except UnicodeDecodeError:
        return _OLD_PAGES.get(get_language() or "", _OLD_PAGE)
    return "utf-8"


def parse(text: str) -> MassOrderText:
    """The orders of ``text``. Raises Unreadable where it holds none, or too much."""
    if len(text.encode(errors="replace")) > TEXT_MAX:
        raise UnreadableMassOrder(_("The text is too long. Split it and send the parts one at a time."))
    rows = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((index for index, row in enumerate(rows) if not _is_empty(row)), len(rows))
    separator = ""
    if first < len(rows) and (found := _SEPARATOR_LINE.fullmatch(rows[first].strip("\ufeff "))):
        separator, rows[first] = found[1], ""
        first = next((index for index, row in enumerate(rows) if not _is_empty(row)), len(rows))
    header = _header(rows[first], separator) if first < len(rows) else None
    if header:
        written = _table(rows, first, *header)
    else:
        rest = ((index + 1, row) for index, row in enumerate(rows) if not _is_empty(row))
        written = MassOrderText([_plain(number, row) for number, row in rest])
    if not written.lines:
        raise UnreadableMassOrder(
            _("No orders found. Enter one per line, for example 12 | https://example.com/p/1 | 500")
        )
    if len(written.lines) > LINES_MAX:
        count = {"count": formats.number(len(written.lines)), "most": formats.number(LINES_MAX)}
        raise UnreadableMassOrder(
            _("You can place at most %(most)s orders at a time, but the text has %(count)s. Split it into parts.")
            % count
        )
    return written


def _is_empty(row: str) -> bool:
    text = row.strip("\ufeff \t;,|")
    return not text or text.startswith("#")


# ------------------------------------------------------------------------------------------------ without a header
def _plain(number: int, row: str) -> MassOrderLine:
    """A line is parted by what follows the service's number; quotes protect a separator, as in CSV."""
    found = _FIRST_CELL.match(row)
    separator = found[1] if found else next((mark for mark in SEPARATORS if mark in row), "|")
    try:
        cells = [cell.strip() for cell in next(csv.reader([row], delimiter=separator, strict=True))]
    except csv.Error:
        cells = [cell.strip() for cell in row.split(separator)]
    while len(cells) > len(PLAIN) and not cells[-1]:
        cells.pop()
    if len(cells) > len(PLAIN):
        return MassOrderLine(
            number,
            row,
            problem=_(
                "This line has more than three values. Separate them with | and name the columns in the first line."
            ),
        )
    return MassOrderLine(number, row, dict(zip(PLAIN, cells, strict=False)))


# ------------------------------------------------------------------------------------------------ with a header
def _header(row: str, separator: str) -> tuple[str, list[str]] | None:
    """The separator and the columns of a header; None where ``row`` is an order."""
    for mark in separator or SEPARATORS:
        names = [_name(cell) for cell in row.strip("\ufeff").split(mark)]
        if "service" in names and len({*names} & {*COLUMNS}) > 1:
            return mark, names
    return None


def _name(cell: str) -> str:
    name = re.sub(r"[\s-]+", "_", cell.strip(' \t"').lower())
    return _ALIASES.get(name, name)


def _table(rows: list[str], head: int, separator: str, names: list[str]) -> MassOrderText:
    """CSV with named columns; a cell in quotes may hold line breaks."""
    lines = []
    for number, raw, cells in _records(rows[head + 1 :], head + 2, separator):
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


def _records(rows: list[str], start: int, separator: str) -> Iterator[tuple[int, str, list[str] | None]]:
    """Number, text and cells of each record; no cells where a quotation mark is wrong: that is the rest of the text."""
    reader, taken = csv.reader((f"{row}\n" for row in rows), delimiter=separator, strict=True), 0
    while True:
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield start + taken, "\n".join(rows[taken:]).rstrip(), None
            return
        yield start + taken, "\n".join(rows[taken : reader.line_num]), cells
        taken = reader.line_num
