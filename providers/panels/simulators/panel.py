"""The base of all panel simulators: state, record of requests, scripted faults, and the verbs in the family's shapes.

What one panel does differently belongs in its own module; sockets in ``server``, misbehaviour in ``faults``, orders and
money in ``book``.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

from providers.panels.simulators.book import Book
from providers.panels.simulators.faults import Exchange, Fault
from providers.panels.simulators.orders import (
    COUNTED_BY_LINES,
    PanelService,
    SimulatedOrder,
    SimulatedRefill,
    StatusNames,
    amount,
    plain,
)
from providers.panels.simulators.reading import (
    FAMILY_ERRORS,
    Encoding,
    Fields,
    Received,
    Refusal,
    Violation,
    decode,
    manner_faults,
)
from providers.panels.simulators.server import Incoming, Reply, Server


class Panel:
    """A panel simulator on a real socket of this machine.

    Subclasses declare in class attributes what their document says, and override the answers that differ.
    ``violations`` stays empty as long as the client follows the document. With ``live``, orders progress with the
    clock, ``speed`` times as fast; otherwise only ``report`` changes them. ``latency`` is the seconds an answer takes.
    """

    path: ClassVar[str] = "/api/v2"
    encodings: ClassVar[Mapping[str, Encoding]] = {"POST": "form"}
    verbs: ClassVar[Mapping[str, Fields]]
    add_fields: ClassVar[Mapping[str, Fields]]
    catalog: ClassVar[tuple[PanelService, ...]]
    statuses: ClassVar[StatusNames] = StatusNames()
    errors: ClassVar[Mapping[str, tuple[int, str]]] = FAMILY_ERRORS
    first_id: ClassVar[int] = 23501
    most_ids: ClassVar[int | None] = None
    currency: str = "USD"

    def __init__(
        self,
        *,
        key: str = "simulator-key",
        currency: str | None = None,
        balance: Decimal | str | int | None = None,
        services: Iterable[PanelService] | None = None,
        live: bool = False,
        speed: float = 1.0,
        latency: float = 0.0,
    ) -> None:
        self.key = key
        self.currency = currency or self.currency
        self.services = {str(service.id): service for service in (self.catalog if services is None else services)}
        self.latency = latency
        self.requests: list[Received] = []
        self.violations: list[str] = []
        self.peak_parallel = 0
        self.book = Book(self.statuses, Decimal(1000 if balance is None else balance), live=live, speed=speed)
        self._faults: list[Fault] = []
        self._parallel = 0
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._server: Server | None = None
        self._address = ("127.0.0.1", 0)
        self._answers: Mapping[str, Callable[[dict[str, str]], object]] = {
            "services": self.price_list,
            "balance": self.funds,
            "add": self.add,
            "status": self.status,
            "refill": self.refill,
            "refill_status": self.refill_status,
            "cancel": self.cancel,
        }

    # Running it

    @property
    def url(self) -> str:
        """The full API address, as an operator would enter it."""
        host, port = self._address
        return f"http://{host}:{port}{self.path}"

    def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen, in a daemon thread. A stopped panel may be started again and remembers everything."""
        self._stopped.clear()
        self._server = Server((host, port), self._serve)
        self._address = (host, self._server.server_port)
        return self

    def stop(self) -> None:
        """Stop listening and close every connection, including those that a fault keeps open."""
        self._stopped.set()
        if self._server:
            self._server.stop()
            self._server = None
        self.book.save()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    # What tests and the demo look at and steer

    @property
    def orders(self) -> dict[str, SimulatedOrder]:
        """Every order that was placed, by id."""
        with self._lock:
            self.book.move()
            return self.book.orders

    @property
    def refills(self) -> dict[str, SimulatedRefill]:
        """Every refill that was requested, by id."""
        with self._lock:
            self.book.move()
            return self.book.refills

    @property
    def balance(self) -> Decimal:
        """The balance of the client's account, in ``currency``."""
        with self._lock:
            self.book.move()
            return self.book.balance

    @balance.setter
    def balance(self, amount: Decimal) -> None:
        with self._lock:
            self.book.balance = amount

    def received(self, verb: str) -> list[Received]:
        """Return the requests of this verb, oldest first."""
        with self._lock:
            return [request for request in self.requests if request.verb == verb]

    def fault(self, verb: str, kind: str, times: int = 1, **options: Any) -> None:
        """Apply a fault to the next ``times`` requests of ``verb`` ("*" for any); its kinds are in ``faults``."""
        fault = Fault(verb, kind, times, options)
        with self._lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        """Remove the faults that have not happened yet."""
        with self._lock:
            self._faults.clear()

    def report(
        self, order_id: str, status: str, remains: int | None = None, start_count: int | None = None
    ) -> SimulatedOrder:
        """Set the status of an order, in the panel's own words; it no longer progresses with the clock.

        ``remains`` defaults to 0 for a completed order and to the quantity for a canceled one. After a status that
        returns money, the price of the undelivered part is on the balance, whatever was reported before.
        """
        with self._lock:
            order = self.book.orders[order_id]
            if start_count is not None:
                order.start_count = start_count
            self.book.report(order, status, remains)
            return order

    def report_refill(self, refill_id: str, status: str) -> None:
        """Set the status of a refill, in the panel's own words."""
        with self._lock:
            self.book.refills[refill_id].status = status

    # A request, from the socket to the answer

    def _serve(self, incoming: Incoming) -> None:
        with self._lock:
            self._parallel += 1
            self.peak_parallel = max(self.peak_parallel, self._parallel)
            request = self._receive(incoming)
            fault = self._next_fault(request.verb)
            if fault is None or fault.kind != "reset_before":
                self.requests.append(request)
        reply: Reply | None = None
        try:
            if fault:
                fault.run(Exchange(incoming, lambda: self._execute(request), self._stopped.wait, self.url))
            else:
                reply = self._execute(request)
                self._stopped.wait(self.latency)
        finally:
            with self._lock:
                self._parallel -= 1
        # Counted out before it is sent: whoever has the answer may ask again before this thread runs on.
        if reply is not None:
            incoming.send(reply)

    def _receive(self, incoming: Incoming) -> Received:
        path, query = incoming.target
        method = incoming.command
        params = decode(self.encodings.get(method), query, incoming.body)
        return Received(
            method=method,
            path=path,
            query=decode("query", query, b""),
            query_string=query,
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=incoming.body,
            content_type=incoming.headers.get("Content-Type", ""),
            params=params,
            verb=params.get("action", ""),
            at=time.monotonic(),
        )

    def _next_fault(self, verb: str) -> Fault | None:
        for fault in self._faults:
            if fault.verb in ("*", verb):
                fault.times -= 1
                if not fault.times:
                    self._faults.remove(fault)
                return fault
        return None

    def _execute(self, request: Received) -> Reply:
        """Execute the request and return the answer of a healthy panel."""
        with self._lock:
            self.book.move()
            try:
                self.check(request)
                answer = self._answers[request.verb](dict(request.params))
                return answer if isinstance(answer, Reply) else Reply.of(answer)
            except Refusal as refusal:
                if isinstance(refusal, Violation):
                    self.violations.append(f"{request.method} {request.verb or 'without action'}: {refusal.sentence}")
                return self.refuse(refusal)

    def check(self, request: Received) -> None:
        """Compare the request with the document: address, format, key, verb and fields, in this order."""
        if request.path != self.path:
            raise Violation(f"the path is {request.path}, not {self.path}")
        encoding = self.encodings.get(request.method)
        if encoding is None:
            raise Violation(f"the method is {request.method}, not {' or '.join(self.encodings)}")
        for sentence in manner_faults(encoding, request.query_string, request.content_type, request.body):
            raise Violation(sentence)
        if self.key_of(request) != self.key:
            raise Refusal("key")
        if request.verb not in self.verbs:
            is_missing = "action" not in request.params
            reason = "request" if is_missing else "action"
            raise Violation("the document has no such action", reason=reason, field="action", is_missing=is_missing)
        if request.verb != "add":  # what an add needs depends on the service
            self.verbs[request.verb].check(request.params, request.verb)

    def key_of(self, request: Received) -> str:
        """Return the key the request carries, wherever this panel looks for it."""
        return request.params.get("key", "")

    def refuse(self, refusal: Refusal) -> Reply:
        """Return the answer to a rejected request."""
        status, text = self.errors[refusal.reason]
        return Reply.of({"error": text.format(refusal.number)}, status)

    # The verbs

    def price_list(self, params: dict[str, str]) -> object:
        return [self.service_row(service) for service in self.services.values()]

    def funds(self, params: dict[str, str]) -> object:
        return {"balance": plain(self.balance), "currency": self.currency}

    def add(self, params: dict[str, str]) -> object:
        if not params.get("service"):
            raise Violation("add lacks service", field="service", is_missing=True)
        service = self.services.get(params["service"])
        if service is None:
            raise Refusal("service", field="service")
        if service.type not in self.add_fields:
            raise Violation(f"the document has no way to order {service.type}", field="service")
        self.add_fields[service.type].check(params, f"add of {service.type}")
        asked = amount(service, params)
        if service.type in COUNTED_BY_LINES and params.get("quantity", str(asked.total)) != str(asked.total):
            raise Violation(f"add has quantity {params['quantity']} for {asked.total} lines", field="quantity")
        if asked.smallest < service.min:
            raise Refusal("minimum", number=service.min, field="quantity")
        if asked.largest > service.max:
            raise Refusal("maximum", number=service.max, field="quantity")
        number = len(self.book.orders) + 1
        start_count = self.start_count(number)
        return self.added(
            self.book.place(service, params, asked, order_id=self.order_id(number), start_count=start_count)
        )

    def status(self, params: dict[str, str]) -> object:
        if "order" in params:
            return self.status_row(self.book.find(params["order"], is_read=True))
        found = {asked: self.book.readable(asked) for asked in self.split(params, "orders")}
        return self.status_rows({asked: self.status_row(order) if order else None for asked, order in found.items()})

    def refill(self, params: dict[str, str]) -> object:
        if "order" in params:
            return {"refill": self.new_refill(params["order"])}
        return self.rows(params, "orders", "refill", lambda asked: self.number(self.new_refill(asked)))

    def refill_status(self, params: dict[str, str]) -> object:
        if "refill" in params:
            return {"status": self.book.find_refill(params["refill"]).status}
        return self.rows(params, "refills", "status", lambda asked: self.book.find_refill(asked).status)

    def cancel(self, params: dict[str, str]) -> object:
        """Record the requests. The orders change later: with the clock on a live panel, otherwise by ``report``."""
        return self.rows(params, "orders", "cancel", self.request_cancel)

    def request_cancel(self, order_id: str) -> int:
        """Record the request if the service allows it; return ``1``, as the answer has it."""
        service = self.services.get(self.book.find(order_id).service)
        if service is None or not service.cancel:
            raise Refusal("cancel", field="order")
        self.book.request_cancel(order_id)
        return 1

    def new_refill(self, order_id: str) -> str:
        """Open a refill if the service has refills; return its id."""
        order = self.book.find(order_id)
        service = self.services.get(order.service)
        if service is None or not service.refill:
            raise Refusal("no refill", field="order")
        return self.book.open_refill(order_id, self.refill_id(order)).id

    def split(self, params: Mapping[str, str], field: str) -> list[str]:
        """Return the ids of a comma-separated list, each once, in the order asked."""
        ids = params[field].split(",")
        if not all(re.fullmatch(r"[0-9A-Za-z_-]+", asked) for asked in ids):
            raise Violation(f"{field} is not a list of ids separated by commas: {params[field]!r}", field=field)
        if self.most_ids is not None and len(ids) > self.most_ids:
            raise Violation(f"{field} has {len(ids)} ids, more than {self.most_ids}", field=field)
        return list(dict.fromkeys(ids))

    def rows(self, params: dict[str, str], field: str, result: str, act: Callable[[str], object]) -> object:
        """Return one row for each requested id: the result of ``act``, or the error."""
        answer = []
        for asked in self.split(params, field):
            try:
                value = act(asked)
            except Refusal as refusal:
                value = {"error": self.errors[refusal.reason][1]}
            answer.append({field.removesuffix("s"): self.number(asked), result: value})
        return answer

    # The shapes of the family, for the panels to override

    def order_id(self, number: int) -> str:
        return str(self.first_id + number - 1)

    def refill_id(self, order: SimulatedOrder) -> str:
        return str(len(self.refills) + 1)

    def start_count(self, number: int) -> int:
        return 3572 + number * 1371 % 20_000

    def number(self, text: str) -> int | str:
        """Return an id as answers write it."""
        return int(text) if text.isascii() and text.isdigit() else text

    def added(self, order: SimulatedOrder) -> object:
        return {"order": self.number(order.id)}

    def service_row(self, service: PanelService) -> dict[str, object]:
        return {
            "service": service.id,
            "name": service.name,
            "type": service.type,
            "category": service.category,
            "rate": str(service.rate),
            "min": str(service.min),
            "max": str(service.max),
            "refill": service.refill,
            "cancel": service.cancel,
        }

    def status_row(self, order: SimulatedOrder) -> dict[str, object]:
        return {
            "charge": plain(order.charge - order.returned),
            "start_count": str(order.start_count),
            "status": order.status,
            "remains": str(order.remains),
            "currency": self.currency,
        }

    def status_rows(self, rows: dict[str, dict[str, object] | None]) -> object:
        """Return the answer about many orders; a row is None where the id is not one of ours."""
        return {asked: row or {"error": "Incorrect order ID"} for asked, row in rows.items()}
