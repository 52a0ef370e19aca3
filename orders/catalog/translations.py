"""Export and import of translated service names and descriptions as a CSV table.

A table with an invalid line is rejected as a whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from orders.db import csv_cells
from orders.models import Service, ServiceText, languages

NUMBER, ORIGINAL, ABOUT = "number", "original name", "original description"
#: The columns that are imported, and the model fields they set.
FIELDS: Mapping[str, str] = {"translated name": "name", "translated description": "description"}
HEAD = (NUMBER, ORIGINAL, ABOUT, *FIELDS)
NAME_MAX = 255
#: Rows per SQL statement.
BATCH = 500


class UnreadableTable(Exception):
    """The table as a whole cannot be read: it has no header or another encoding."""


@dataclass(frozen=True, slots=True)
class TranslationLine:
    """The translation of one service; ``texts`` has only the fields that the table has columns for."""

    number: int
    service: int
    original: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LineError:
    number: int
    why: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    added: int
    changed: int
    removed: int
    same: int


# ------------------------------------------------------------------------------------------------ export
def export_rows(language: str, *, is_missing: bool = False) -> Iterator[list[Any]]:
    """Yield the header and a row for each service, in catalog order. Two queries.

    Args:
        is_missing: Only services that are not fully translated.
    """
    yield [*HEAD]
    services = Service.objects.all()
    if is_missing:
        services = services.filter(~Exists(is_fully_translated(language)))
    texts = {text.service_id: text for text in ServiceText.objects.filter(language=language)}
    for pk, name, description in services.values_list("pk", "name", "description"):
        text = texts.get(pk)
        translated = [text.name, text.description] if text else ["", ""]
        yield [pk, *map(csv_cells.escape, (name, description, *translated))]


def is_fully_translated(language: str) -> Any:
    """Return a subquery for the texts of the outer service in ``language``, if none of them is missing.

    The description may be missing where the service has none.
    """
    described = Q(service__description="") | ~Q(description="")
    return ServiceText.objects.filter(described, service=OuterRef("pk"), language=language).exclude(name="")


# ------------------------------------------------------------------------------------------------ import
def read_table(content: bytes) -> list[TranslationLine | LineError]:
    """Parse a CSV table: UTF-8, with comma, semicolon or tab as separator.

    Raises:
        UnreadableTable: The table has another encoding or no header.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableTable("The file is not UTF-8. Save it as “CSV UTF-8”.") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[TranslationLine | LineError] = []
    start = 1
    try:
        names = [cell.strip().lower() for cell in next(reader, [])]
        if NUMBER not in names or not FIELDS.keys() & {*names}:
            raise UnreadableTable(f"The first line must contain the column names: {', '.join(HEAD)}.")
        start = reader.line_num + 1
        for row in reader:
            if any(map(str.strip, row)):
                found.append(_line(start, names, row))
            start = reader.line_num + 1
    except csv.Error:
        found.append(LineError(start, "a quotation mark is not closed, or a cell is too long"))
    return found


def _line(number: int, names: list[str], row: list[str]) -> TranslationLine | LineError:
    if len(row) != len(names):
        return LineError(number, f"it has {len(row)} cells, but the header has {len(names)}")
    cells = {name: _plain(cell) for name, cell in zip(names, row, strict=True)}
    digits = cells[NUMBER]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        return LineError(number, f"“{digits[:40]}” is not a service ID")
    texts = {field: cells[column] for column, field in FIELDS.items() if column in cells}
    name = texts.get("name", "")
    if "\x00" in "".join(row):
        return LineError(number, "it contains a NUL character")
    if "\n" in name:
        return LineError(number, "the translated name contains a line break")
    if len(name) > NAME_MAX:
        return LineError(number, f"the translated name has {len(name)} characters; the maximum is {NAME_MAX}")
    return TranslationLine(number, int(digits), cells.get(ORIGINAL, ""), texts)


def _plain(text: str) -> str:
    return _normalize_line_ends(csv_cells.unescape(text.strip()))


def import_lines(language: str, lines: Iterable[TranslationLine | LineError]) -> ImportResult | list[LineError]:
    """Import the texts, or return the invalid lines and change nothing.

    A service whose texts are both empty loses its translation, and readers see the original.
    """
    if not languages.lookup_language(language):
        raise ValueError(f"{language} is not a language for translations")
    with transaction.atomic():
        names = dict(Service.objects.order_by().values_list("pk", "name"))
        good, errors = _validate(lines, names)
        return errors or _write(language, good)


def _validate(
    lines: Iterable[TranslationLine | LineError], names: Mapping[int, str]
) -> tuple[list[TranslationLine], list[LineError]]:
    good: dict[int, TranslationLine] = {}
    errors = []
    for line in lines:
        if isinstance(line, LineError):
            errors.append(line)
        elif line.service not in names:
            errors.append(LineError(line.number, f"service {line.service} does not exist"))
        elif line.service in good:
            errors.append(
                LineError(line.number, f"service {line.service} is already in line {good[line.service].number}")
            )
        elif line.original and line.original != _normalize_line_ends(names[line.service]):
            # Sorting only one column in a spreadsheet would give every service the name of another.
            why = f"service {line.service} is named “{names[line.service]}”, not “{line.original}”"
            errors.append(LineError(line.number, why))
        else:
            good[line.service] = line
    return [*good.values()], errors


def _write(language: str, lines: list[TranslationLine]) -> ImportResult:
    stored = {text.service_id: text for text in ServiceText.objects.filter(language=language)}
    new: list[ServiceText] = []
    changed: list[ServiceText] = []
    deleted: list[int] = []
    for line in lines:
        text = stored.get(line.service) or ServiceText(service_id=line.service, language=language)
        before = {field: _normalize_line_ends(getattr(text, field)) for field in FIELDS.values()}
        after = {**before, **line.texts}
        if text.pk and not any(after.values()):
            deleted.append(text.pk)
        elif after != before:
            for field, value in after.items():
                setattr(text, field, value)
            (changed if text.pk else new).append(text)
    ServiceText.objects.bulk_create(new, batch_size=BATCH)
    ServiceText.objects.bulk_update(changed, [*FIELDS.values()], batch_size=BATCH)
    for start in range(0, len(deleted), BATCH):
        ServiceText.objects.filter(pk__in=deleted[start : start + BATCH]).delete()
    same = len(lines) - len(new) - len(changed) - len(deleted)
    return ImportResult(len(new), len(changed), len(deleted), same)


def _normalize_line_ends(text: str) -> str:
    """Convert the line ends of spreadsheets and browsers to a single line feed, and strip the text."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
