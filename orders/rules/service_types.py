"""The service types: their inputs, how their quantity is counted, and whether their rate is flat.

The types and their spelling are those of the panel API's ``add`` and ``services`` actions, which all clients know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from orders.errors import InvalidField, OrderInvalid
from orders.rules import order_inputs
from orders.rules.order_inputs import Input, Shape, gettext_noop, read_input, text_of, whole_number, within

#: Maximum number of new posts, and of existing posts, of a subscription: far more than any panel accepts.
POSTS_MAX = 10_000
#: The highest answer number of a poll.
ANSWER_MAX = 1000
DELAYS = (0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 420, 480, 540, 600)


class Count(StrEnum):
    """How the quantity of an order is determined."""

    GIVEN = "given"  # the customer enters it
    LINES = "lines"  # the number of entries in one input
    ONE = "one"  # always 1, for a package
    POSTS = "posts"  # for a subscription: new and old posts, times the maximum for each


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


COMMENTS = Input(
    "comments",
    gettext_noop("Comments"),
    gettext_noop("One comment per line."),
    "What a view!\nWhere is this?\nSaved for later.",
    Shape.LINES,
    order_inputs.read_lines,
)
USERNAMES = Input(
    "usernames",
    gettext_noop("Usernames"),
    gettext_noop("One username per line, without @."),
    "nadia.kerr\ntom.lindt\nmira.voss",
    Shape.LINES,
    order_inputs.read_names,
)
#: Each name is charged, so commas always separate: a panel may split by lines and by commas.
COUNTED_USERNAMES = replace(USERNAMES, read=order_inputs.read_counted_names)
USERNAME = Input(
    "username", gettext_noop("Username"), gettext_noop("Without @."), "nadia.kerr", read=order_inputs.read_line
)
HASHTAGS = Input(
    "hashtags",
    gettext_noop("Hashtags"),
    gettext_noop("One hashtag per line, without #."),
    "travel\nmountains",
    Shape.LINES,
    order_inputs.read_names,
)
HASHTAG = Input("hashtag", gettext_noop("Hashtag"), gettext_noop("Without #."), "travel", read=order_inputs.read_line)
MEDIA = Input(
    "media",
    gettext_noop("Post link"),
    gettext_noop("Users who liked this post are mentioned."),
    "https://photos.example.com/p/8kd2",
    read=order_inputs.read_line,
)
KEYWORDS = Input(
    "keywords",
    gettext_noop("Keywords"),
    gettext_noop("One keyword per line."),
    "handmade lamps\nreading lamp",
    Shape.LINES,
    order_inputs.read_names,
)
GROUPS = Input(
    "groups",
    gettext_noop("Groups"),
    gettext_noop("One group link per line."),
    "https://groups.example.com/readers\nhttps://groups.example.com/writers",
    Shape.LINES,
    order_inputs.read_names,
)
ANSWER_NUMBER = Input(
    "answer_number",
    gettext_noop("Answer number"),
    gettext_noop("The position of the answer, counted from the top."),
    "2",
    Shape.NUMBER,
    order_inputs.number_between(1, ANSWER_MAX),
)
MIN = Input(
    "min",
    gettext_noop("Minimum per post"),
    "",
    "100",
    Shape.NUMBER,
    order_inputs.number_between(1, order_inputs.QUANTITY_MAX),
    is_quantity=True,
)
MAX = replace(MIN, name="max", label=gettext_noop("Maximum per post"), example="200")
POSTS = Input(
    "posts",
    gettext_noop("New posts"),
    gettext_noop("Number of future posts to include. Enter 0 for existing posts only."),
    "10",
    Shape.NUMBER,
    order_inputs.number_between(0, POSTS_MAX),
)
OLD_POSTS = Input(
    "old_posts",
    gettext_noop("Existing posts"),
    gettext_noop("Number of existing posts to include, newest first."),
    "0",
    Shape.NUMBER,
    order_inputs.number_between(0, POSTS_MAX),
    is_required=False,
)
DELAY = Input(
    "delay",
    gettext_noop("Delay"),
    gettext_noop("Time between a new post and the start of its delivery."),
    "30",
    Shape.CHOICE,
    order_inputs.one_of(*DELAYS),
    {0: gettext_noop("No delay"), **dict.fromkeys(DELAYS[1:], "")},
)
EXPIRY = Input(
    "expiry",
    gettext_noop("End date"),
    gettext_noop("DD/MM/YYYY. Leave empty to end after the last post."),
    "31/12/2030",
    read=order_inputs.read_date,
    is_required=False,
)
COUNTRY = Input(
    "country",
    gettext_noop("Country"),
    gettext_noop("Country name or two-letter code."),
    "US",
    read=order_inputs.read_line,
)
DEVICE = Input(
    "device",
    gettext_noop("Device"),
    "",
    "5",
    Shape.CHOICE,
    order_inputs.one_of(1, 2, 3, 4, 5),
    {
        1: gettext_noop("Desktop"),
        2: gettext_noop("Android phones"),
        3: gettext_noop("iPhones"),
        4: gettext_noop("All phones"),
        5: gettext_noop("All devices"),
    },
)
TYPE_OF_TRAFFIC = Input(
    "type_of_traffic",
    gettext_noop("Traffic source"),
    "",
    "3",
    Shape.CHOICE,
    order_inputs.one_of(1, 2, 3),
    {
        1: gettext_noop("Search engine"),
        2: gettext_noop("Referring page"),
        3: gettext_noop("Direct (no referring page)"),
    },
)
GOOGLE_KEYWORD = Input(
    "google_keyword",
    gettext_noop("Search keyword"),
    gettext_noop("Required for search traffic."),
    "handmade lamps",
    read=order_inputs.read_line,
    is_required=False,
    required_if=("type_of_traffic", 1),
)
REFERRING_URL = Input(
    "referring_url",
    gettext_noop("Referring page"),
    gettext_noop("Required for traffic from a referring page."),
    "https://news.example.com/lamps",
    read=order_inputs.read_line,
    is_required=False,
    required_if=("type_of_traffic", 2),
)


_LIST: tuple[ServiceType, ...] = (
    ServiceType(code="default", wire="Default"),
    ServiceType(code="package", wire="Package", count=Count.ONE, is_flat=True),
    ServiceType(code="seo", wire="SEO", inputs=(KEYWORDS,)),
    ServiceType(
        code="custom_comments", wire="Custom Comments", inputs=(COMMENTS,), count=Count.LINES, counted="comments"
    ),
    ServiceType(
        code="custom_comments_package",
        wire="Custom Comments Package",
        inputs=(COMMENTS,),
        count=Count.ONE,
        is_flat=True,
    ),
    ServiceType(code="mentions", wire="Mentions", inputs=(USERNAMES,)),
    ServiceType(code="mentions_with_hashtags", wire="Mentions with Hashtags", inputs=(USERNAMES, HASHTAGS)),
    ServiceType(
        code="mentions_custom_list",
        wire="Mentions Custom List",
        inputs=(COUNTED_USERNAMES,),
        count=Count.LINES,
        counted="usernames",
    ),
    ServiceType(code="mentions_hashtag", wire="Mentions Hashtag", inputs=(HASHTAG,)),
    ServiceType(code="mentions_user_followers", wire="Mentions User Followers", inputs=(USERNAME,)),
    ServiceType(code="mentions_media_likers", wire="Mentions Media Likers", inputs=(MEDIA,)),
    ServiceType(code="comment_likes", wire="Comment Likes", inputs=(USERNAME,)),
    ServiceType(
        code="comment_replies",
        wire="Comment Replies",
        inputs=(USERNAME, COMMENTS),
        count=Count.LINES,
        counted="comments",
    ),
    ServiceType(code="poll", wire="Poll", inputs=(ANSWER_NUMBER,)),
    ServiceType(code="invites_from_groups", wire="Invites from Groups", inputs=(GROUPS,)),
    ServiceType(
        code="subscriptions",
        wire="Subscriptions",
        inputs=(USERNAME, MIN, MAX, POSTS, OLD_POSTS, DELAY, EXPIRY),
        count=Count.POSTS,
        has_link=False,
    ),
    ServiceType(
        code="web_traffic", wire="Web Traffic", inputs=(COUNTRY, DEVICE, TYPE_OF_TRAFFIC, GOOGLE_KEYWORD, REFERRING_URL)
    ),
)
SERVICE_TYPES: Mapping[str, ServiceType] = {service_type.code: service_type for service_type in _LIST}
#: Every input by its name.
INPUTS: Mapping[str, Input] = {
    spec.name: spec
    for spec in (
        *(order_inputs.LINK, order_inputs.QUANTITY),
        *(spec for service_type in _LIST for spec in service_type.inputs),
        *(order_inputs.RUNS, order_inputs.INTERVAL, order_inputs.START_AT),
    )
}


def choices() -> list[tuple[str, str]]:
    """Return code and name of each service type, for the choices of a field."""
    return [(service_type.code, service_type.wire) for service_type in _LIST]


_ALIASES = {"custom_comment": "custom_comments", "custom_comment_package": "custom_comments_package"}


def from_wire(name: str) -> ServiceType | None:
    """Return the service type for a panel's ``name``, or None if there is no such type.

    Case, spaces, dashes and the singular "comment" make no difference.
    """
    code = re.sub(r"[\s_-]+", "_", name.strip().lower())
    return SERVICE_TYPES.get(_ALIASES.get(code, code))


def read(
    service_type: ServiceType, inputs: Mapping[str, Any], *, minimum: int, maximum: int, has_dripfeed: bool = False
) -> Details:
    """Clean the customer's inputs for a service of this type; inputs that the type does not have are ignored.

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

    link = keep(order_inputs.read_link, text_of(inputs, "link")) if service_type.has_link else ""
    for spec in service_type.inputs:
        value = keep(read_input, spec, _text(spec, inputs))
        if value is not None:
            fields[spec.name] = value
    for spec in service_type.inputs:
        keep(_check_required_if, spec, fields)
    quantity = 0
    if not any(problem.field in (service_type.counted, "min", "max", "posts", "old_posts") for problem in problems):
        quantity = keep(_quantity, service_type, inputs, fields, minimum, maximum)
    runs = keep(_runs, inputs, has_dripfeed and has_runs(service_type)) or 1
    interval = keep(_interval, inputs) if runs > 1 else 0
    if runs > 1 and quantity and quantity * runs > maximum:
        problems.append(InvalidField("runs", "too_large", limit=maximum // quantity))
    if problems:
        raise OrderInvalid(problems)
    return Details(link=link, quantity=quantity * runs, fields=fields, runs=runs, interval=interval)


def _text(spec: Input, inputs: Mapping[str, Any]) -> str:
    """Return the text of the input ``spec``; existing posts without a number of new ones mean no new ones.

    A panel would deliver to every new post then, which has no price. So the finite part is sold, and the 0 is sent.
    """
    text = text_of(inputs, spec.name)
    return "0" if spec is POSTS and not text and text_of(inputs, OLD_POSTS.name) else text


def has_runs(service_type: ServiceType) -> bool:
    """Return whether an order of this type can be delivered in runs: only if the customer enters the quantity."""
    return service_type.count is Count.GIVEN


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
    return 1 if runs in (0, 1) else within("runs", runs, order_inputs.RUNS_MIN, order_inputs.RUNS_MAX)


def _interval(inputs: Mapping[str, Any]) -> int:
    """Return the minutes between the starts of two runs; 0 counts as absent, as clients send it with plain orders."""
    text = text_of(inputs, "interval")
    minutes = whole_number("interval", text) if text else 0
    if not minutes:
        raise InvalidField("interval", "missing")
    return within("interval", minutes, 1, order_inputs.INTERVAL_MAX)


def _check_required_if(spec: Input, fields: dict[str, Any]) -> None:
    """Require an input that the value of another one makes necessary, and drop one that it makes meaningless."""
    if spec.required_if is None:
        return
    other, value = spec.required_if
    if fields.get(other) != value:
        fields.pop(spec.name, None)
    elif spec.name not in fields:
        raise InvalidField(spec.name, "missing")


def _quantity(
    service_type: ServiceType, inputs: Mapping[str, Any], fields: dict[str, Any], minimum: int, maximum: int
) -> int:
    match service_type.count:
        case Count.ONE:
            return 1
        case Count.POSTS:
            if fields["min"] > fields["max"]:
                raise InvalidField("max", "too_small", limit=fields["min"])
            within("min", fields["min"], minimum, maximum)
            most = within("max", fields["max"], minimum, maximum)
            # An unknown number of posts cannot be charged, so a subscription needs new or existing posts.
            if not fields["posts"] and not fields.get("old_posts"):
                raise InvalidField("posts", "unlimited")
            within("posts", posts_of(fields), 1, order_inputs.QUANTITY_MAX // most)
            return posts_of(fields) * most
        case Count.LINES:
            return within(service_type.counted, len(fields[service_type.counted]), minimum, maximum)
        case Count.GIVEN:
            text = text_of(inputs, "quantity")
            if not text:
                raise InvalidField("quantity", "missing")
            return within("quantity", whole_number("quantity", text), minimum, maximum)


def posts_of(fields: Mapping[str, Any]) -> int:
    """Return the number of posts that a subscription serves and charges for: future and existing ones."""
    return int(fields["posts"]) + int(fields.get("old_posts", 0))


def delivers_at_most(service_type: ServiceType, fields: Mapping[str, Any], *, quantity: int) -> bool:
    """Return whether a panel that receives ``fields`` delivers no more than the ``quantity`` that was charged.

    Also False if the inputs that determine the quantity are missing, because the order was made for another type.
    """
    try:
        match service_type.count:
            case Count.POSTS:
                return 0 < posts_of(fields) * int(fields["max"]) <= quantity
            case Count.LINES:
                return len(fields[service_type.counted]) <= quantity
    except KeyError:
        return False
    return True
