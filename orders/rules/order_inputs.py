"""The inputs of an order: for each, its label and hint, how its text is cleaned, and an example.

Inputs are cleaned here only, whether they come from a page, a spreadsheet or an API. A service type declares the inputs
it has (``service_types``); the order form, the API reference and the error texts read everything else from here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from orders.errors import InvalidField
from orders.rules.invisible import strip_invisible

LINK_MAX = 2048
LINES_MAX = 100_000
TEXT_MAX = 500_000
#: A quantity has at most 15 digits: exact as a JSON number, and far below the limit of a 64-bit column.
QUANTITY_MAX = 10**15 - 1
#: NUL and lone surrogates: no database stores them, and no valid input contains them.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
#: A line break written as the two characters backslash and n, which some clients send.
_LITERAL_BREAK = re.compile(r"(?:\\r)?\\n")
#: Words that clients send for an absent value: PHP sends an empty text, JavaScript the names of its empty values.
ABSENT = frozenset({"", "undefined", "null", "nan", "none", "false"})
#: Limits of drip-feed: number of runs, and minutes between the starts of two runs.
RUNS_MIN, RUNS_MAX = 2, 1000
INTERVAL_MAX = 1440


def gettext_noop(text: str) -> str:
    """Mark ``text`` for translation and return it: the rules know no Django, so it is translated where it is shown."""
    return text


class Shape(StrEnum):
    """What a form shows for an input."""

    TEXT = "text"
    LINES = "lines"  # one entry per line
    NUMBER = "number"
    CHOICE = "choice"
    LINK = "link"
    MOMENT = "moment"  # date and time


def keep(name: str, text: str) -> str:
    """Return ``text`` unchanged: the reader of inputs that ``service_types.read`` parses itself."""
    return text


@dataclass(frozen=True, slots=True)
class Input:
    """One input of an order.

    Attributes:
        name: Its parameter in the panel API.
        label: What the order form calls it, in English; marked for translation, like the hint and the choices.
        hint: What to enter, in one sentence.
        example: A value that is accepted, for placeholders, the API reference and the demo.
        read: Clean the text, given the name and the text; raises InvalidField.
        choices: The accepted numbers and their labels, if only these are accepted. A choice without a label is a
            number of minutes.
        is_quantity: Whether the limits of the service apply to it, as to the quantity itself.
        required_if: Another input and its value with which this one is required; with any other value it is dropped.
    """

    name: str
    label: str
    hint: str = ""
    example: str = ""
    shape: Shape = Shape.TEXT
    read: Callable[[str, str], Any] = keep
    choices: Mapping[int, str] = field(default_factory=dict, hash=False)
    is_required: bool = True
    is_quantity: bool = False
    required_if: tuple[str, int] | None = None


def text_of(inputs: Mapping[str, Any], name: str) -> str:
    """Return the input ``name`` as text, a list as lines; "" if it is absent or a word that means "absent".

    White space and invisible characters at its ends are removed.
    """
    value = inputs.get(name)
    if value is None or isinstance(value, bool):
        return ""
    text = "\n".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    text = strip_invisible(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "" if text.lower() in ABSENT else text


def whole_number(name: str, text: str) -> int:
    """Parse a whole number such as "100" or "100.0", in ASCII digits; raise InvalidField for anything else."""
    match = re.fullmatch(r"([+-]?\d{1,15})(?:\.0{1,10})?", text, re.ASCII)
    if not match:
        raise InvalidField(name, "not_a_number")
    return int(match[1])


def read_line(name: str, text: str) -> str:
    line = " ".join(text.split())
    if len(line) > LINK_MAX:
        raise InvalidField(name, "too_long", limit=LINK_MAX)
    return _storable(name, line)


def read_lines(name: str, text: str) -> list[str]:
    """Parse one entry per line, split wherever a panel may split.

    Panels and clients separate entries by any line break, by the two characters backslash-n, or send a JSON list of
    texts. Each entry is charged, so whatever the panel would count as two entries must be two entries here.
    """
    if len(text) > TEXT_MAX:
        raise InvalidField(name, "too_long", limit=TEXT_MAX)
    return _checked_entries(name, _split_lines(text))


def _split_lines(text: str) -> list[str]:
    """Split ``text`` repeatedly until the entries no longer change, because a JSON list can contain another one."""
    entries = [text]
    while True:
        joined = "\n".join(entries)
        listed = _json_list(joined)
        parts = [joined] if listed is None else listed
        divided = [line.strip() for part in parts for line in _LITERAL_BREAK.sub("\n", part).splitlines()]
        divided = [line for line in divided if line]
        if divided == entries or not divided:
            return divided
        entries = divided


def _checked_entries(name: str, lines: list[str]) -> list[str]:
    if not lines:
        raise InvalidField(name, "missing")
    if len(lines) > LINES_MAX:
        raise InvalidField(name, "too_long", limit=LINES_MAX)
    for line in lines:
        _storable(name, line)
    return lines


def _storable(name: str, text: str) -> str:
    if UNSTORABLE.search(text):
        raise InvalidField(name, "unsupported")
    return text


def _json_list(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def read_names(name: str, text: str) -> list[str]:
    """Parse one entry per line; if there is only one line, commas separate the entries."""
    lines = read_lines(name, text)
    if len(lines) > 1 or "," not in lines[0]:
        return lines
    return _checked_entries(name, [entry for part in lines[0].split(",") if (entry := part.strip())])


def read_counted_names(name: str, text: str) -> list[str]:
    """Parse names that are charged one by one: commas always separate them, because a panel may split by both."""
    return _checked_entries(
        name, [entry for line in read_lines(name, text) for part in line.split(",") if (entry := part.strip())]
    )


def number_between(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        return within(name, whole_number(name, text), least, most)

    return read


def one_of(*choices: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        number = whole_number(name, text)
        if number not in choices:
            raise InvalidField(name, "invalid_choice", limit=", ".join(map(str, choices)))
        return number

    return read


def read_date(name: str, text: str) -> str:
    """Parse a date in the panel API's format d/m/Y, or in ISO format, and return it in ISO format."""
    for form in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            day: date = datetime.strptime(text, form).date()
        except ValueError:
            continue
        return day.isoformat()
    raise InvalidField(name, "invalid_choice", limit="31/12/2030")


def within(name: str, number: int, minimum: int, maximum: int) -> int:
    """Return ``number`` if it is within the limits; raise InvalidField otherwise."""
    if number < minimum:
        raise InvalidField(name, "too_small", limit=minimum)
    if number > maximum:
        raise InvalidField(name, "too_large", limit=maximum)
    return number


def read_link(text: str) -> str:
    """Return the link unchanged.

    Raises:
        InvalidField: The link is missing, too long, a script, data or file URL, or has spaces or control characters.
    """
    if not text:
        raise InvalidField("link", "missing")
    if len(text) > LINK_MAX:
        raise InvalidField("link", "too_long", limit=LINK_MAX)
    is_script = re.match(r"(javascript|data|vbscript|file):", text, re.IGNORECASE)
    if is_script or any(character.isspace() or not character.isprintable() for character in text):
        raise InvalidField("link", "bad_link")
    return text


def read_input(spec: Input, text: str) -> Any:
    """Return the cleaned value of ``spec``, None if it is empty and optional; raise InvalidField otherwise."""
    if text:
        return spec.read(spec.name, text)
    if spec.is_required:
        raise InvalidField(spec.name, "missing")
    return None


def number_limits(spec: Input) -> tuple[int, int]:
    """Return the smallest and the largest number that the reader of ``spec`` accepts."""
    limits = []
    for text in ("-1", str(QUANTITY_MAX)):
        try:
            limits.append(int(spec.read(spec.name, text)))
        except InvalidField as problem:
            limits.append(int(str(problem.limit)))
    return limits[0], limits[1]


#: The inputs that do not belong to a service type.
LINK = Input(
    "link",
    gettext_noop("Link"),
    gettext_noop("Must stay public until the order is finished."),
    "https://photos.example.com/nadia",
    Shape.LINK,
)
QUANTITY = Input("quantity", gettext_noop("Quantity"), "", "500", Shape.NUMBER, is_quantity=True)
RUNS = Input(
    "runs",
    gettext_noop("Runs"),
    gettext_noop("Each run delivers the quantity above."),
    "5",
    Shape.NUMBER,
    is_required=False,
)
INTERVAL = Input(
    "interval",
    gettext_noop("Minutes between runs"),
    gettext_noop("From 1 to 1,440."),
    "60",
    Shape.NUMBER,
    is_required=False,
)
START_AT = Input(
    "start_at",
    gettext_noop("Start time"),
    gettext_noop("Leave empty to start now."),
    "",
    Shape.MOMENT,
    is_required=False,
)
