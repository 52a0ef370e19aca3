"""Read the services list of a panel. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from orders.rules import amounts, order_inputs, service_types
from orders.rules.service_types import ServiceType
from providers import notes
from providers.errors import Refused, UnreadableAnswer
from providers.http.messages import Answer
from providers.notes import Note
from providers.panels.bodies import one_line, parse, scalar, shorten
from providers.panels.currencies import read_currency
from providers.panels.dialect import Dialect, PriceListRow
from providers.panels.envelopes import find_error
from providers.panels.error_texts import rejection_reason
from providers.panels.numbers import read_amount, read_amount_and_currency, read_flag, read_whole
from providers.panels.texts import clean_description, clean_name, is_garbled, localized

#: The key of the rule for all types that have no other rule and that are not standard types.
ANY_TYPE = "*"
#: The maximum quantity if the panel has none (``max`` is 0). It fits into an integer column of every client.
NO_LIMIT = 10**9
#: Larger maximum quantities count as none, because they are not exact in the JSON of clients.
MAX_QUANTITY = order_inputs.QUANTITY_MAX
#: Rates from here on do not fit into the database column.
MAX_RATE = Decimal(10) ** 10
#: The maximum depth of a list of services; some panels nest lists by category.
MAX_DEPTH = 6

#: The names of each field, the standard one first.
_NUMBER = ("service", "service_id", "id")
_NAME = ("name", "title", "service_name")
_TYPE = ("type", "service_type")
_CATEGORY = ("category", "category_name")
_MIN = ("min", "minimum", "min_quantity")
_MAX = ("max", "maximum", "max_quantity")
_REFILL = ("refill", "refill_is_available", "refilling_is_available", "can_refill")
_CANCEL = ("cancel", "canceling_is_available", "cancelling_is_available", "can_cancel")
_DRIPFEED = ("dripfeed", "drip_feed")
_DESCRIPTION = ("desc", "description", "details")
#: Fields of which a service has at least one; other objects with objects or lists in them are wrappers.
_SERVICE_FIELDS = frozenset({"rate", "min", "max", "service"})
#: Keys whose value is the list itself, not a category.
_WRAPPERS = ("services", "data", "result", "results", "response", "items", "list", "categories")
#: How the problems begin that an operator can solve by assigning a type.
_TYPE_PROBLEMS = (notes.beginning(Note.UNKNOWN_TYPE), notes.beginning(Note.UNSUPPORTED_TYPE))
#: Panels close a service by a price of only nines. One of seven digits is a price in dong or rial.
_NOT_FOR_SALE = re.compile(r"9{8,}(?:\.[09]*)?")
_UNLIMITED = frozenset({"", "0", "-1", "unlimited", "no limit", "infinity", "∞"})


@dataclass(frozen=True, slots=True)
class TypeRules:
    """The service types that operators assigned to the panel's type names (see ``type_key``) and to single offers.

    They have priority over the type in the price list.
    """

    by_name: Mapping[str, str] = field(default_factory=dict)
    by_offer: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, type_name: str, upstream_id: str) -> ServiceType | None:
        """Return the service type of an offer; None where nobody knows it."""
        code = self.by_offer.get(upstream_id) or self.by_name.get(type_key(type_name))
        if code:
            return service_types.SERVICE_TYPES.get(code)
        return service_types.from_wire(type_name) or service_types.SERVICE_TYPES.get(self.by_name.get(ANY_TYPE, ""))


NO_RULES = TypeRules()


def type_key(type_name: str) -> str:
    """Return a panel's type name as rules compare it: case, blanks, dashes and underscores do not matter."""
    return "_".join(type_name.casefold().replace("-", " ").replace("_", " ").split())


def read_services(answer: Answer, dialect: Dialect, rules: TypeRules = NO_RULES) -> list[PriceListRow]:
    """Return the price list, one PriceListRow for every row; ``problem`` is a note that says why a row cannot be sold.

    A row without a usable number has ``upstream_id`` "".

    Raises:
        Refused: the panel refused to send the list.
        UnreadableAnswer: the answer is not a price list.
    """
    reader = _RowReader(dialect, rules)
    seen: set[str] = set()
    rows = []
    for number, category, raw in _find_rows(_body(answer, dialect), answer):
        row = reader.read(raw, number, category)
        if row.upstream_id in seen:
            row = replace(row, problem=notes.encode(Note.DUPLICATE_NUMBER))
        elif row.upstream_id:
            seen.add(row.upstream_id)
        rows.append(row)
    return rows


def raw_rows(answer: Answer, dialect: Dialect) -> list[Mapping[str, Any]]:
    """Return the rows of a price list as they came. Raises Refused or UnreadableAnswer."""
    return [row for _, _, row in _find_rows(_body(answer, dialect), answer)]


def is_type_problem(problem: str) -> bool:
    """Return whether ``problem`` is all that is wrong with an offer, and is about its type (see ``type_problem``)."""
    return problem.startswith(_TYPE_PROBLEMS)


def type_problem(service_type: ServiceType | None, dialect: Dialect, type_name: str) -> str:
    """Return why an offer of ``service_type`` cannot be ordered from a panel of ``dialect``, "" if it can."""
    if service_type is None:
        return notes.encode(Note.UNKNOWN_TYPE, type=type_name)
    if service_type.code not in dialect.service_types:
        return notes.encode(Note.UNSUPPORTED_TYPE, type=service_type.wire)
    return ""


def assumes_dripfeed(service_type: ServiceType | None, dialect: Dialect) -> bool:
    """Return whether an offer of ``service_type`` has drip-feed where the list does not say."""
    return dialect.assumes_dripfeed and service_type is not None and service_type.code in dialect.runs


# ------------------------------------------------------------------------------------------------ finding the rows


def _body(answer: Answer, dialect: Dialect) -> Any:
    body = parse(answer, dialect, is_lenient=True)
    is_list = isinstance(body, list) or (isinstance(body, dict) and _is_service(body))
    if not is_list and (words := find_error(body, answer.status)):
        raise Refused(words, reason=rejection_reason(words) or "other")
    return body


def _find_rows(body: Any, answer: Answer) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(number, category, row) of every row; number and category are "" where only the row itself can say them."""
    if isinstance(body, dict) and body and not _is_service(body) and not _is_wrapper(body):
        raise UnreadableAnswer(f"not a list of services: {shorten(answer.text)}")
    if not isinstance(body, (dict, list)):
        raise UnreadableAnswer(f"not a list of services: {shorten(answer.text)}")
    return _walk(body, "", "", MAX_DEPTH)


def _walk(node: Any, number: str, category: str, depth: int) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    if isinstance(node, dict) and not _is_wrapper(node):
        if node or number:
            yield number, category, node
    elif not depth:
        yield "", category, {}
    elif isinstance(node, list):
        for item in node:
            is_nested = item and (isinstance(item, list) or (isinstance(item, dict) and _is_wrapper(item)))
            if is_nested:
                yield from _walk(item, "", category, depth - 1)
            else:
                yield "", category, item if isinstance(item, dict) else {}
    elif isinstance(node, dict):
        yield from _walk_object(node, category, depth)


def _walk_object(node: Mapping[str, Any], category: str, depth: int) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """An object of services by number, of lists by category, or one that wraps its list and says what it is about."""
    heading = clean_name(localized(_first(node, (*_CATEGORY, *_NAME))), 200) or category
    wrapped = [node[key] for key in _WRAPPERS if isinstance(node.get(key), (dict, list))]
    if wrapped:
        for value in wrapped:
            yield from _walk(value, "", heading, depth - 1)
        return
    for key, value in node.items():
        if isinstance(value, list) or (isinstance(value, dict) and _is_wrapper(value)):
            within = category if key.isdigit() else " – ".join(filter(None, (category, clean_name(key, 200))))
            yield from _walk(value, "", within, depth - 1)
        elif isinstance(value, dict):
            yield key, category, value


def _is_service(node: Mapping[str, Any]) -> bool:
    return not _SERVICE_FIELDS.isdisjoint(node)


def _is_wrapper(node: Mapping[str, Any]) -> bool:
    """Return whether ``node`` holds services and is none itself; a service may hold texts by language."""
    return not _is_service(node) and any(isinstance(value, (dict, list)) for value in node.values())


# ------------------------------------------------------------------------------------------------ reading a row


class _RowReader:
    """Reads the rows of one list. Types and categories come again and again, so each is looked at once."""

    def __init__(self, dialect: Dialect, rules: TypeRules) -> None:
        self.dialect, self.rules = dialect, rules
        self._types: dict[str, tuple[str, ServiceType | None]] = {}
        self._categories: dict[str, str] = {}

    def read(self, row: Mapping[str, Any], number: str, category: str) -> PriceListRow:
        """One row, cleaned, with the first reason why it cannot be sold."""
        if "service" not in row:
            row = {key.lower(): value for key, value in row.items()}
        upstream_id, raw_name = _number_and_name(row, number)
        name = clean_name(localized(raw_name), 255)
        type_name, service_type = self._type(_first(row, _TYPE), upstream_id)
        rate, currency = _rate(row.get("rate"))
        low, high = _limits(_first(row, _MIN), _first(row, _MAX))
        problem = (
            _not_a_service(upstream_id, name)
            or _rate_problem(rate)
            or _limits_problem(service_type, low, high)
            or type_problem(service_type, self.dialect, type_name)
        )
        low = max(low or 1, 1)
        is_priced = rate is not None and 0 < rate < MAX_RATE
        return PriceListRow(
            upstream_id=upstream_id,
            name=name.replace("\ufffd", ""),
            category=self._category(_first(row, _CATEGORY)) or category,
            type_name=type_name,
            service_type=service_type.code if service_type else "",
            rate=amounts.round_up(rate, amounts.RATE_QUANTUM) if rate is not None and is_priced else Decimal(0),
            is_flat=bool(service_type and service_type.is_flat),
            min_quantity=low,
            max_quantity=max(high or low, low),
            has_refill=read_flag(_first(row, _REFILL)),
            has_cancel=read_flag(_first(row, _CANCEL)),
            has_dripfeed=_has_dripfeed(_first(row, _DRIPFEED), service_type, self.dialect),
            description=clean_description(localized(_first(row, _DESCRIPTION)), 5000),
            currency=read_currency(row.get("currency")) or currency,
            problem=problem,
        )

    def _type(self, raw: Any, upstream_id: str) -> tuple[str, ServiceType | None]:
        """Return the type's name and what it means for this offer."""
        text = localized(raw)
        if text not in self._types:
            type_name = one_line(text, 64) or "Default"
            self._types[text] = type_name, self.rules.type_of(type_name, "")
        type_name, service_type = self._types[text]
        return type_name, self.rules.type_of(
            type_name, upstream_id
        ) if upstream_id in self.rules.by_offer else service_type

    def _category(self, raw: Any) -> str:
        text = localized(raw)
        if text not in self._categories:
            self._categories[text] = clean_name(text, 200).replace("\ufffd", "")
        return self._categories[text]


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first of the fields ``names`` that says something."""
    for name in names:
        if name in row and (value := row[name]) is not None and value != "":
            return value
    return None


def _number_and_name(row: Mapping[str, Any], key: str) -> tuple[str, Any]:
    """Return the number of a service, "" for none, and its name as it came. Some panels call the name ``service``."""
    name = _first(row, _NAME)
    if name is None and "id" in row and isinstance(row.get("service"), str):
        return _service_number(row["id"]), row["service"]
    return _service_number(_first(row, _NUMBER)) or _service_number(key), name


def _service_number(value: Any) -> str:
    """Return a number as text; one with zeros behind a point ("12.0") is read as a whole number."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and value[0] != "0" and len(value) < 19:
        return value  # nearly always
    text = str(value).strip() if isinstance(value, (str, Decimal)) else value
    if isinstance(text, str) and "." in text:
        whole, _, fraction = text.partition(".")
        if whole.isascii() and whole.isdigit() and fraction and not fraction.strip("0"):
            text = whole
    return scalar(text)


def _rate(value: Any) -> tuple[Decimal | None, str]:
    """Return the rate, None where it cannot be read, and the code of a currency that is written beside it."""
    rate = read_amount(value)
    if rate is None or not isinstance(value, str) or value.replace(".", "", 1).isdigit():
        return rate, ""
    return rate, read_amount_and_currency(value).currency


def _limits(low: Any, high: Any) -> tuple[int | None, int | None]:
    """The minimum and maximum quantity, None where a panel says something unreadable. It may leave out either."""
    if low is None:
        least: int | None = 1
    else:
        least = _quantity(low)
    if high is None or str(high).strip().lower() in _UNLIMITED:
        return least, None if least is None else max(NO_LIMIT, least)
    greatest = _quantity(high)
    if greatest == 0:  # "0.00"
        greatest = max(NO_LIMIT, least or 1)
    return least, greatest


def _quantity(value: Any) -> int | None:
    if isinstance(value, str) and len(value) < 16 and value.isascii() and value.isdigit():
        return int(value)  # nearly always
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        text = str(value).strip()
        if len(text) > 15 and text.isascii() and text.isdigit():
            return min(int(text[:40]), MAX_QUANTITY)
    number = read_whole(value)
    return None if number is None else min(number, MAX_QUANTITY)


def _has_dripfeed(value: Any, service_type: ServiceType | None, dialect: Dialect) -> bool:
    return assumes_dripfeed(service_type, dialect) if value is None else read_flag(value)


def _not_a_service(upstream_id: str, name: str) -> str:
    if not upstream_id:
        return notes.encode(Note.NO_NUMBER)
    if not name:
        return notes.encode(Note.NO_NAME)
    if is_garbled(name):
        return notes.encode(Note.UNREADABLE_NAME)
    if not name[0].isalnum() and not any(character.isalnum() for character in name):
        return notes.encode(Note.SEPARATOR)
    return ""


def _rate_problem(rate: Decimal | None) -> str:
    if rate is None:
        return notes.encode(Note.UNREADABLE_RATE)
    if rate <= 0:
        return notes.encode(Note.ZERO_RATE)
    if rate >= MAX_RATE or (rate >= 10**7 and _NOT_FOR_SALE.fullmatch(str(rate))):
        return notes.encode(Note.NOT_FOR_SALE)
    return ""


def _limits_problem(service_type: ServiceType | None, low: int | None, high: int | None) -> str:
    if low is None or high is None:
        return (
            ""
            if service_type is not None and service_type.count is service_types.Count.ONE
            else notes.encode(Note.UNREADABLE_LIMITS)
        )
    return notes.encode(Note.LIMITS_REVERSED) if high < max(low, 1) else ""
