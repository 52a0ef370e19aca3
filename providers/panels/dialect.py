"""Dialect, the declaration of how a panel words requests and answers, and the types of parsed answers. Pure.

Facts about the wire come from the panels' own documents; each dialect names its document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from orders.rules.service_types import SERVICE_TYPES, Count, ServiceType, delivers_at_most
from orders.rules.state_machine import Status
from providers.errors import Unsupported
from providers.http.messages import Call

Encoding = Literal["form", "query", "json"]
Auth = tuple[Literal["key", "bearer"], ...]
#: Every verb of the standard panel, in the order in which documents and lists show them.
ALL_VERBS = ("services", "balance", "add", "status", "refill", "refill_status", "cancel")
VERBS = frozenset(ALL_VERBS)
_WRITES = frozenset({"add", "refill", "cancel"})
_JSON_NUMBERS = frozenset({"service", "quantity", "runs", "interval"})
#: The HTTP method of each request format. Operators may choose the format of a provider; "" means the documented one.
METHODS: Mapping[Encoding, Literal["GET", "POST"]] = {"form": "POST", "json": "POST", "query": "GET"}
#: Where the API key may go. Operators may choose this for a provider; "" means as in the dialect's document.
AUTHS: Mapping[str, Auth] = {"key": ("key",), "bearer": ("bearer",), "both": ("bearer", "key")}


@dataclass(frozen=True, slots=True)
class Balance:
    """Our balance at the panel; ``currency`` is "" if the panel does not name it."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListRow:
    """One row of a panel's price list, cleaned. ``problem`` says why it cannot be sold, "" if it can.

    ``rate`` is in the panel's currency, per 1,000, or for one where ``is_flat``.
    """

    upstream_id: str
    name: str
    category: str
    type_name: str
    service_type: str
    rate: Decimal
    is_flat: bool
    min_quantity: int
    max_quantity: int
    has_refill: bool
    has_cancel: bool
    has_dripfeed: bool
    description: str = ""
    currency: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderToSend:
    """An order in the form that a dialect needs: the offer's number, and the inputs of the customer."""

    upstream_id: str
    service_type: str
    link: str
    quantity: int
    fields: Mapping[str, Any]
    #: Drip-feed: the number of deliveries of ``quantity``, ``interval`` minutes apart.
    runs: int = 1
    interval: int = 0
    #: The id of this attempt, for panels that accept request ids; "" for all others.
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class DetectionAnswers:
    """The answers of a panel during detection: the raw rows of its price list, and its answers about orders that cannot
    exist: two orders, one order and two refills ("" for what the dialect cannot request)."""

    rows: list[Mapping[str, Any]]
    unknown: str
    unknown_one: str = ""
    unknown_refills: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The declaration of a dialect. A verb that is not in ``verbs`` raises Unsupported."""

    name: str
    title: str
    document: str
    encoding: Encoding = "form"
    auth: Auth = ("key",)
    verbs: frozenset[str] = VERBS
    #: The verbs that take several ids in one call.
    many: frozenset[str] = frozenset({"status", "refill", "refill_status", "cancel"})
    #: The service types that ``add`` can express.
    service_types: frozenset[str] = frozenset(SERVICE_TYPES)
    #: The service types for which ``add`` documents ``runs`` and ``interval``, and whether all offers of these types
    #: have drip-feed where the price list does not say.
    runs: frozenset[str] = frozenset()
    assumes_dripfeed: bool = False
    #: Whether ``quantity`` is sent for types whose quantity is a number of lines.
    counts_lines_itself: bool = True
    #: The parameter of ``add`` for request ids. It is only sent to providers for which an operator turned it on.
    request_id: str = ""
    #: The parameter for the status of a single order; some panels only document the plural.
    status_one: Literal["order", "orders"] = "order"
    batch_size: int = 100
    #: A pattern for links at this panel ("" for any link), and an example.
    link_pattern: str = ""
    link_example: str = ""
    #: Turns a body that is documented in another form into JSON.
    repair: Callable[[str], str] | None = None
    #: Returns why a panel that answers does not speak this dialect, or "" if it does. None: any panel may speak it.
    differs: Callable[[DetectionAnswers], str] | None = None
    #: Status words of this panel in addition to those of ``panels.status.STATUS_WORDS``.
    statuses: Mapping[str, Status] = field(default_factory=dict)

    def encoded_as(self, encoding: str) -> Dialect:
        """Return the same dialect with its parameters in another ``encoding`` (see METHODS); "" changes nothing."""
        if encoding in ("", self.encoding):
            return self
        return next(replace(self, encoding=known) for known in METHODS if known == encoding)

    def call(self, verb: str, url: str, key: str, *, auth: str = "", **params: str) -> Call:
        """Return the request for ``verb`` with ``params``.

        Args:
            url: The panel's full API address, which is never changed.
            auth: Where the key goes (see AUTHS).

        Raises:
            Unsupported: the document does not have this verb.
        """
        if verb not in self.verbs:
            raise Unsupported(f"the {self.title} document has no {verb}")
        pairs = [("action", verb), *((name, value) for name, value in params.items())]
        places = AUTHS.get(auth, self.auth)
        if "key" in places:
            pairs.insert(0, ("key", key))
        headers = (("Authorization", f"Bearer {key}"),) if "bearer" in places else ()
        return Call(
            verb=verb,
            method=METHODS[self.encoding],
            url=url,
            query=tuple(pairs) if self.encoding == "query" else (),
            form=tuple(pairs) if self.encoding == "form" else (),
            json={name: _json_value(name, value) for name, value in pairs} if self.encoding == "json" else None,
            headers=headers,
            is_write=verb in _WRITES,
            secrets=(key,),
        )

    def add_params(self, wanted: OrderToSend) -> dict[str, str]:
        """Return what ``add`` sends for ``wanted``: what the type needs, nothing more.

        Raises:
            Unsupported: the document cannot express this type, or the panel would deliver more than
                ``wanted.quantity`` for these inputs, because the type of the offer has changed since the purchase.
        """
        if wanted.service_type not in self.service_types:
            raise Unsupported(
                f"the {self.title} document has no parameters for {SERVICE_TYPES[wanted.service_type].wire}"
            )
        service_type: ServiceType = SERVICE_TYPES[wanted.service_type]
        if not delivers_at_most(service_type, wanted.fields, quantity=wanted.quantity):
            raise Unsupported(f"the inputs of the order are for another type than {service_type.wire}")
        params = {"service": wanted.upstream_id}
        if service_type.has_link:
            params["link"] = wanted.link
        if service_type.count is Count.GIVEN or (service_type.count is Count.LINES and not self.counts_lines_itself):
            params["quantity"] = str(wanted.quantity)
        for spec in service_type.inputs:
            if spec.name in wanted.fields:
                params[spec.name] = _text(spec.name, wanted.fields[spec.name])
        if wanted.runs > 1:
            if wanted.service_type not in self.runs:
                raise Unsupported(f"the {self.title} document has no drip-feed for {service_type.wire}")
            params |= {"runs": str(wanted.runs), "interval": str(wanted.interval)}
        if self.request_id and wanted.request_id:
            params[self.request_id] = wanted.request_id
        return params

    def status_params(self, ids: list[str]) -> dict[str, str]:
        """Return what ``status`` sends for ``ids``."""
        return {self.status_one: ids[0]} if len(ids) == 1 else {"orders": ",".join(ids)}

    def request_params(self, verb: str, ids: list[str]) -> dict[str, str]:
        """Return what ``refill``, ``refill_status`` or ``cancel`` sends for ``ids``; cancel always sends a list."""
        name = "refill" if verb == "refill_status" else "order"
        is_one = len(ids) == 1 and verb != "cancel"
        return {name: ids[0]} if is_one else {f"{name}s": ",".join(ids)}

    def ids_a_call(self, verb: str) -> int:
        """Return how many ids one call of ``verb`` may carry."""
        return self.batch_size if verb in self.many else 1


def _text(name: str, value: Any) -> str:
    if name == "expiry":
        year, month, day = str(value).split("-")
        return f"{day}/{month}/{year}"
    return "\n".join(value) if isinstance(value, list) else str(value)


def _json_value(name: str, value: str) -> str | int:
    """Numbers go as numbers where a document's JSON example shows them so."""
    return int(value) if name in _JSON_NUMBERS and value.isascii() and value.isdigit() else value
