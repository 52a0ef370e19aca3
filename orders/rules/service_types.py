"""The service types: their inputs, how their quantity is counted, and whether their rate is flat.

The types and their spelling are those of the panel API's ``add`` and ``services`` actions, which all clients know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from orders.errors import InvalidField, OrderInvalid
from orders.rules.invisible import strip_invisible

LINK_MAX = 2048
LINES_MAX = 100_000
TEXT_MAX = 500_000
#: Maximum number of new posts, and of existing posts, of a subscription: far more than any panel accepts.
POSTS_MAX = 10_000
#: The highest answer number of a poll.
ANSWER_MAX = 1000
#: A quantity has at most 15 digits: exact as a JSON number, and far below the limit of a 64-bit column.
QUANTITY_MAX = 10**15 - 1
#: NUL and lone surrogates: no database stores them, and no valid input contains them.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
#: A line break written as the two characters backslash and n, which some clients send.
_LITERAL_BREAK = re.compile(r"(?:\\r)?\\n")
#: Words that clients send for an absent value: PHP sends an empty text, JavaScript the names of its empty values.
ABSENT = frozenset({"", "undefined", "null", "nan", "none", "false"})
DELAYS = (0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 420, 480, 540, 600)
TRAFFIC_KEYWORD, TRAFFIC_REFERRER = 1, 2
#: Limits of drip-feed: number of runs, and minutes between the starts of two runs.
RUNS_MIN, RUNS_MAX = 2, 1000
INTERVAL_MAX = 1440


class Count(StrEnum):
    """How the quantity of an order is determined."""

    GIVEN = "given"  # the customer enters it
    LINES = "lines"  # the number of entries in one input
    ONE = "one"  # always 1, for a package
    POSTS = "posts"  # for a subscription: new and old posts, times the maximum for each


@dataclass(frozen=True, slots=True)
class Input:
    """One input besides link and quantity; ``read`` cleans its text or raises InvalidField."""

    name: str
    read: Callable[[str, str], Any]
    is_required: bool = True
    is_multiline: bool = False
    choices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceType:
    """One service type.

    ``wire`` is its exact spelling in the panel API; ``counted`` names the input whose entries are the quantity.
    """

    code: str
    wire: str
    inputs: tuple[Input, ...] = ()
    count: Count = Count.GIVEN
    counted: str = ""
    has_link: bool = True
    is_flat: bool = False


@dataclass(frozen=True, slots=True)
class Details:
    """The cleaned inputs of an order.

    ``link`` is "" if the type has none. ``quantity`` is the total of all ``runs``. ``interval`` is in minutes, 0 if
    there is one run.
    """

    link: str
    quantity: int
    fields: dict[str, Any]
    runs: int = 1
    interval: int = 0


def text_of(inputs: Mapping[str, Any], name: str) -> str:
    """Return the input ``name`` as text, a list as lines; "" if it is absent or a word that means "absent".

    Inputs are cleaned here only, whether they come from a page, a spreadsheet or an API: white space and invisible
    characters at their ends are removed.
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


def _line(name: str, text: str) -> str:
    line = " ".join(text.split())
    if len(line) > LINK_MAX:
        raise InvalidField(name, "too_long", limit=LINK_MAX)
    return _storable(name, line)


def _lines(name: str, text: str) -> list[str]:
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


def _names(name: str, text: str) -> list[str]:
    """Parse one entry per line; if there is only one line, commas separate the entries."""
    lines = _lines(name, text)
    if len(lines) > 1 or "," not in lines[0]:
        return lines
    return _checked_entries(name, [entry for part in lines[0].split(",") if (entry := part.strip())])


def _counted_names(name: str, text: str) -> list[str]:
    """Parse names that are charged one by one: commas always separate them, because a panel may split by both."""
    return _checked_entries(
        name, [entry for line in _lines(name, text) for part in line.split(",") if (entry := part.strip())]
    )


def _number_between(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        return within(name, whole_number(name, text), least, most)

    return read


def _one_of(*choices: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        number = whole_number(name, text)
        if number not in choices:
            raise InvalidField(name, "invalid_choice", limit=", ".join(map(str, choices)))
        return number

    return read


def _date(name: str, text: str) -> str:
    """Parse a date in the panel API's format d/m/Y, or in ISO format, and return it in ISO format."""
    for form in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            day: date = datetime.strptime(text, form).date()
        except ValueError:
            continue
        return day.isoformat()
    raise InvalidField(name, "invalid_choice", limit="31/12/2030")


_COMMENTS = Input("comments", _lines, is_multiline=True)
_USERNAME = Input("username", _line)
_USERNAMES = Input("usernames", _names, is_multiline=True)
_LIST: tuple[ServiceType, ...] = (
    ServiceType(code="default", wire="Default"),
    ServiceType(code="package", wire="Package", count=Count.ONE, is_flat=True),
    ServiceType(code="seo", wire="SEO", inputs=(Input("keywords", _names, is_multiline=True),)),
    ServiceType(
        code="custom_comments", wire="Custom Comments", inputs=(_COMMENTS,), count=Count.LINES, counted="comments"
    ),
    ServiceType(
        code="custom_comments_package",
        wire="Custom Comments Package",
        inputs=(_COMMENTS,),
        count=Count.ONE,
        is_flat=True,
    ),
    ServiceType(code="mentions", wire="Mentions", inputs=(_USERNAMES,)),
    ServiceType(
        code="mentions_with_hashtags",
        wire="Mentions with Hashtags",
        inputs=(_USERNAMES, Input("hashtags", _names, is_multiline=True)),
    ),
    ServiceType(
        code="mentions_custom_list",
        wire="Mentions Custom List",
        inputs=(Input("usernames", _counted_names, is_multiline=True),),
        count=Count.LINES,
        counted="usernames",
    ),
    ServiceType(code="mentions_hashtag", wire="Mentions Hashtag", inputs=(Input("hashtag", _line),)),
    ServiceType(code="mentions_user_followers", wire="Mentions User Followers", inputs=(_USERNAME,)),
    ServiceType(code="mentions_media_likers", wire="Mentions Media Likers", inputs=(Input("media", _line),)),
    ServiceType(code="comment_likes", wire="Comment Likes", inputs=(_USERNAME,)),
    ServiceType(
        code="comment_replies",
        wire="Comment Replies",
        inputs=(_USERNAME, _COMMENTS),
        count=Count.LINES,
        counted="comments",
    ),
    ServiceType(code="poll", wire="Poll", inputs=(Input("answer_number", _number_between(1, ANSWER_MAX)),)),
    ServiceType(
        code="invites_from_groups", wire="Invites from Groups", inputs=(Input("groups", _names, is_multiline=True),)
    ),
    ServiceType(
        code="subscriptions",
        wire="Subscriptions",
        inputs=(
            _USERNAME,
            Input("min", _number_between(1, QUANTITY_MAX)),
            Input("max", _number_between(1, QUANTITY_MAX)),
            Input("posts", _number_between(0, POSTS_MAX)),
            Input("old_posts", _number_between(0, POSTS_MAX), is_required=False),
            Input("delay", _one_of(*DELAYS), choices=DELAYS),
            Input("expiry", _date, is_required=False),
        ),
        count=Count.POSTS,
        has_link=False,
    ),
    ServiceType(
        code="web_traffic",
        wire="Web Traffic",
        inputs=(
            Input("country", _line),
            Input("device", _one_of(1, 2, 3, 4, 5), choices=(1, 2, 3, 4, 5)),
            Input("type_of_traffic", _one_of(1, 2, 3), choices=(1, 2, 3)),
            Input("google_keyword", _line, is_required=False),
            Input("referring_url", _line, is_required=False),
        ),
    ),
)
SERVICE_TYPES: Mapping[str, ServiceType] = {kind.code: kind for kind in _LIST}
_ALIASES = {"custom_comment": "custom_comments", "custom_comment_package": "custom_comments_package"}


def from_wire(name: str) -> ServiceType | None:
    """Return the service type for a panel's ``name``, or None if there is no such type.

    Case, spaces, dashes and the singular "comment" make no difference.
    """
    code = re.sub(r"[\s_-]+", "_", name.strip().lower())
    return SERVICE_TYPES.get(_ALIASES.get(code, code))


def read(
    kind: ServiceType, inputs: Mapping[str, Any], *, minimum: int, maximum: int, has_dripfeed: bool = False
) -> Details:
    """Clean the customer's inputs for a service of type ``kind``; inputs that the type does not have are ignored.

    With drip-feed the minimum applies to each run and the maximum to the total: a panel treats each run as a separate
    order, and the maximum is what it can deliver in total.

    Raises:
        OrderInvalid: At least one input is invalid; it lists all problems, in form order.
    """
    problems: list[InvalidField] = []
    fields: dict[str, Any] = {}

    def keep(make: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return make(*arguments)
        except InvalidField as problem:
            if problem.field not in {known.field for known in problems}:
                problems.append(problem)
            return None

    link = keep(read_link, text_of(inputs, "link")) if kind.has_link else ""
    for spec in kind.inputs:
        value = keep(_input, spec, text_of(inputs, spec.name))
        if value is not None:
            fields[spec.name] = value
    if kind.code == "web_traffic":
        keep(_check_traffic, fields)
    quantity = 0
    if not any(problem.field in (kind.counted, "min", "max", "posts", "old_posts") for problem in problems):
        quantity = keep(_quantity, kind, inputs, fields, minimum, maximum)
    runs = keep(_runs, inputs, has_dripfeed and has_runs(kind)) or 1
    interval = keep(_interval, inputs) if runs > 1 else 0
    if runs > 1 and quantity and quantity * runs > maximum:
        problems.append(InvalidField("runs", "too_large", limit=maximum // quantity))
    if problems:
        raise OrderInvalid(problems)
    return Details(link=link, quantity=quantity * runs, fields=fields, runs=runs, interval=interval)


def has_runs(kind: ServiceType) -> bool:
    """Return whether an order of ``kind`` can be delivered in runs: only if the customer enters the quantity."""
    return kind.count is Count.GIVEN


def _runs(inputs: Mapping[str, Any], is_offered: bool) -> int:
    """Return the number of runs, 1 for a plain order.

    An interval without a number of runs is an incomplete form rather than a plain order, so it is an error.
    """
    text = text_of(inputs, "runs")
    if not is_offered:
        if text not in ("", "0", "1"):
            raise InvalidField("runs", "unsupported")
        return 1
    if not text:
        if text_of(inputs, "interval") not in ("", "0"):
            raise InvalidField("runs", "missing")
        return 1
    runs = whole_number("runs", text)
    return 1 if runs in (0, 1) else within("runs", runs, RUNS_MIN, RUNS_MAX)


def _interval(inputs: Mapping[str, Any]) -> int:
    """Return the minutes between the starts of two runs; 0 counts as absent, as clients send it with plain orders."""
    text = text_of(inputs, "interval")
    minutes = whole_number("interval", text) if text else 0
    if not minutes:
        raise InvalidField("interval", "missing")
    return within("interval", minutes, 1, INTERVAL_MAX)


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


def _input(spec: Input, text: str) -> Any:
    if text:
        return spec.read(spec.name, text)
    if spec.is_required:
        raise InvalidField(spec.name, "missing")
    return None


def _check_traffic(fields: dict[str, Any]) -> None:
    """Require the keyword for traffic type 1 and the referring URL for type 2, and drop the input that is not used."""
    needs = {TRAFFIC_KEYWORD: "google_keyword", TRAFFIC_REFERRER: "referring_url"}.get(fields.get("type_of_traffic", 0))
    for name in ("google_keyword", "referring_url"):
        if name != needs:
            fields.pop(name, None)
    if needs and needs not in fields:
        raise InvalidField(needs, "missing")


def _quantity(kind: ServiceType, inputs: Mapping[str, Any], fields: dict[str, Any], minimum: int, maximum: int) -> int:
    match kind.count:
        case Count.ONE:
            return 1
        case Count.POSTS:
            if fields["min"] > fields["max"]:
                raise InvalidField("max", "too_small", limit=fields["min"])
            within("min", fields["min"], minimum, maximum)
            most = within("max", fields["max"], minimum, maximum)
            # An unknown number of posts cannot be charged, so "posts=0" without old posts is rejected.
            if not fields["posts"] and not fields.get("old_posts"):
                raise InvalidField("posts", "unlimited")
            within("posts", posts_of(fields), 1, QUANTITY_MAX // most)
            return posts_of(fields) * most
        case Count.LINES:
            return within(kind.counted, len(fields[kind.counted]), minimum, maximum)
        case Count.GIVEN:
            text = text_of(inputs, "quantity")
            if not text:
                raise InvalidField("quantity", "missing")
            return within("quantity", whole_number("quantity", text), minimum, maximum)


def posts_of(fields: Mapping[str, Any]) -> int:
    """Return the number of posts that a subscription serves and charges for: future and existing ones."""
    return int(fields["posts"]) + int(fields.get("old_posts", 0))


def delivers_at_most(kind: ServiceType, fields: Mapping[str, Any], *, quantity: int) -> bool:
    """Return whether a panel that receives ``fields`` delivers no more than the ``quantity`` that was charged.

    Also False if the inputs that determine the quantity are missing, because the order was made for another type.
    """
    try:
        match kind.count:
            case Count.POSTS:
                return 0 < posts_of(fields) * int(fields["max"]) <= quantity
            case Count.LINES:
                return len(fields[kind.counted]) <= quantity
    except KeyError:
        return False
    return True


def within(name: str, number: int, minimum: int, maximum: int) -> int:
    """Return ``number`` if it is within the limits; raise InvalidField otherwise."""
    if number < minimum:
        raise InvalidField(name, "too_small", limit=minimum)
    if number > maximum:
        raise InvalidField(name, "too_large", limit=maximum)
    return number
