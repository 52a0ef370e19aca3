"""The base of all pretend panels: state, record of requests, scripted faults, and the verbs in the family's shapes.

What one panel does differently belongs in its own module; sockets in ``server``, misbehaviour in ``faults``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Self

from providers.simulators.faults import Exchange, Fault
from providers.simulators.orders import Amount, Service, SimulatedOrder, SimulatedRefill, Words, amount, standing
from providers.simulators.reading import Encoding, Fields, Received, Refusal, Violation, decode, manner_faults
from providers.simulators.server import Incoming, Reply, Server

REFILL_SECONDS = 10.0  # how long a refill takes on a live panel

FAMILY_ERRORS: Mapping[str, tuple[int, str]] = {
    "key": (200, "Invalid API key"),
    "request": (200, "Incorrect request"),
    "action": (200, "Incorrect request"),
    "service": (200, "Incorrect service ID"),
    "order": (200, "Incorrect order ID"),
    "funds": (200, "Not enough funds on balance"),
    "minimum": (200, "Quantity less than minimal {}"),
    "maximum": (200, "Quantity more than maximum {}"),
    "no refill": (200, "Refill is disabled for this service"),
    "not completed": (200, "The order is not completed"),
    "refilling": (200, "The order was completed or refill was requested less than 24 hours ago"),
    "refill": (200, "Refill not found"),
    "cancel": (200, "The order cannot be canceled"),
}


def plain(value: Decimal) -> str:
    """A number as panels write it: no exponent, no trailing zeros."""
    return format(value.normalize(), "f")


class Panel:
    """A pretend panel on a real socket of this machine.

    Subclasses declare what their document says in the class attributes and override the answers that differ. Everything a
    test or the demo may touch is public; ``violations`` stays empty as long as the client keeps to the document.
    With ``live`` orders move with the clock, ``pace`` times as fast; otherwise they stand until ``report`` is called.
    """

    path: ClassVar[str] = "/api/v2"
    encodings: ClassVar[Mapping[str, Encoding]] = {"POST": "form"}
    verbs: ClassVar[Mapping[str, Fields]]
    add_fields: ClassVar[Mapping[str, Fields]]
    catalogue: ClassVar[tuple[Service, ...]]
    words: ClassVar[Words] = Words()
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
        services: Iterable[Service] | None = None,
        live: bool = False,
        pace: float = 1.0,
        latency: float = 0.0,
    ) -> None:
        self.key = key
        self.currency = currency or self.currency
        self.balance = Decimal("1000") if balance is None else Decimal(balance)
        self.services = {str(service.id): service for service in (self.catalogue if services is None else services)}
        self.live, self.pace, self.latency = live, pace, latency
        self.requests: list[Received] = []
        self.violations: list[str] = []
        self.refills: dict[str, SimulatedRefill] = {}
        self.peak_parallel = 0
        self._orders: dict[str, SimulatedOrder] = {}
        self._moving: dict[str, SimulatedOrder] = {}
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
        """Stop listening and end every connection, also those a fault keeps hanging."""
        self._stopped.set()
        if self._server:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    # What tests and the demo look at and steer

    @property
    def orders(self) -> dict[str, SimulatedOrder]:
        """The truth: every order ever placed, by id."""
        with self._lock:
            self._move()
            return self._orders

    def received(self, verb: str) -> list[Received]:
        """The requests of this verb, oldest first."""
        with self._lock:
            return [request for request in self.requests if request.verb == verb]

    def fault(self, verb: str, kind: str, times: int = 1, **options: Any) -> None:
        """Misbehave at the next ``times`` requests of ``verb`` ("*" for any); kinds and options are in ``faults``."""
        fault = Fault(verb, kind, times, options)
        with self._lock:
            self._faults.append(fault)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        with self._lock:
            self._faults.clear()

    def report(
        self, order_id: str, status: str, remains: int | None = None, start_count: int | None = None
    ) -> SimulatedOrder:
        """Set by hand how an order stands, in the panel's own words; it no longer moves by itself.

        Without ``remains`` a completed order has none left, a canceled one all. After the words that return money the
        price of the undelivered part is on the balance, whatever was reported before.
        """
        with self._lock:
            order = self._orders[order_id]
            self._moving.pop(order_id, None)
            if start_count is not None:
                order.start_count = start_count
            if remains is None:
                implied = {self.words.completed: 0, self.words.canceled: order.quantity}
                remains = implied.get(status, order.remains)
            self._settle(order, status, remains)
            return order

    def report_refill(self, refill_id: str, status: str) -> None:
        """Set by hand how a refill stands, in the panel's own words."""
        with self._lock:
            self.refills[refill_id].status = status

    # A request, from the socket to the answer

    def _serve(self, incoming: Incoming) -> None:
        with self._lock:
            self._parallel += 1
            self.peak_parallel = max(self.peak_parallel, self._parallel)
            request = self._receive(incoming)
            fault = self._next_fault(request.verb)
            if fault is None or fault.kind != "reset_before":
                self.requests.append(request)
        try:
            if fault:
                fault.run(Exchange(incoming, lambda: self._execute(request), self._stopped.wait, self.url))
            else:
                reply = self._execute(request)
                self._stopped.wait(self.latency)
                incoming.send(reply)
        finally:
            with self._lock:
                self._parallel -= 1

    def _receive(self, incoming: Incoming) -> Received:
        path, query = incoming.target
        method = incoming.command
        params = decode(self.encodings.get(method), query, incoming.body)
        return Received(
            method=method,
            path=path,
            query=decode("query", query, b""),
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
        """Do what is asked; the answer of a healthy panel."""
        with self._lock:
            self._move()
            try:
                self.check(request)
                answer = self._answers[request.verb](dict(request.params))
                return answer if isinstance(answer, Reply) else Reply.of(answer)
            except Refusal as refusal:
                if isinstance(refusal, Violation):
                    self.violations.append(f"{request.method} {request.verb or 'without action'}: {refusal.sentence}")
                return self.refuse(refusal)

    def check(self, request: Received) -> None:
        """Hold the request against the document: place, manner, key, verb and fields, in this order."""
        if request.path != self.path:
            raise Violation(f"the path is {request.path}, not {self.path}")
        encoding = self.encodings.get(request.method)
        if encoding is None:
            raise Violation(f"the method is {request.method}, not {' or '.join(self.encodings)}")
        query = "&".join(request.query)
        for sentence in manner_faults(encoding, query, request.content_type, request.body):
            raise Violation(sentence)
        if self.key_of(request) != self.key:
            raise Refusal("key")
        if request.verb not in self.verbs:
            missing = "action" not in request.params
            raise Violation("the document has no such action", reason="request" if missing else "action", field="action")
        if request.verb != "add":  # what an add needs depends on the service
            self.verbs[request.verb].check(request.params, request.verb)

    def key_of(self, request: Received) -> str:
        """The key the request carries, wherever this panel looks for it."""
        return request.params.get("key", "")

    def refuse(self, refusal: Refusal) -> Reply:
        """The answer to what will not be done."""
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
        if asked.smallest < service.min:
            raise Refusal("minimum", number=service.min, field="quantity")
        if asked.largest > service.max:
            raise Refusal("maximum", number=service.max, field="quantity")
        if asked.total * service.unit_price > self.balance:
            raise Refusal("funds")
        return self.added(self._place(service, params, asked))

    def _place(self, service: Service, params: dict[str, str], asked: Amount) -> SimulatedOrder:
        number = len(self._orders) + 1
        order = SimulatedOrder(
            id=self.order_id(number),
            number=number,
            service=str(service.id),
            params=params,
            quantity=asked.total,
            unit_price=service.unit_price,
            charge=service.unit_price * asked.total,
            start_count=self.start_count(number),
            status=self.words.pending,
            remains=asked.total,
            created_at=time.monotonic(),
        )
        self.balance -= order.charge
        self._orders[order.id] = order
        if self.live:
            self._moving[order.id] = order
        return order

    def status(self, params: dict[str, str]) -> object:
        if "order" in params:
            return self.status_row(self.find(params["order"]))
        found = {asked: self._orders.get(asked) for asked in self.split(params, "orders")}
        return self.status_rows({asked: order and self.status_row(order) for asked, order in found.items()})

    def refill(self, params: dict[str, str]) -> object:
        if "order" in params:
            return {"refill": self._new_refill(params["order"]).id}
        return [
            {"order": self.number(asked), "refill": self._or_error(lambda a: self.number(self._new_refill(a).id), asked)}
            for asked in self.split(params, "orders")
        ]

    def refill_status(self, params: dict[str, str]) -> object:
        if "refill" in params:
            return {"status": self._find_refill(params["refill"]).status}
        return [
            {"refill": self.number(asked), "status": self._or_error(lambda a: self._find_refill(a).status, asked)}
            for asked in self.split(params, "refills")
        ]

    def cancel(self, params: dict[str, str]) -> object:
        """Take the request down. The order itself changes later: by the clock on a live panel, else by ``report``."""
        return [
            {"order": self.number(asked), "cancel": self._or_error(self._request_cancel, asked)}
            for asked in self.split(params, "orders")
        ]

    # The shapes of the family, for the panels to override

    def order_id(self, number: int) -> str:
        return str(self.first_id + number - 1)

    def refill_id(self, order: SimulatedOrder) -> str:
        return str(len(self.refills) + 1)

    def start_count(self, number: int) -> int:
        return 3572 + number * 1371 % 20_000

    def number(self, text: str) -> int | str:
        """An id as it stands inside an answer."""
        return int(text) if text.isascii() and text.isdigit() else text

    def added(self, order: SimulatedOrder) -> object:
        return {"order": self.number(order.id)}

    def service_row(self, service: Service) -> dict[str, object]:
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
        """The answer about many orders; a row is None where the id is not one of ours."""
        return {asked: row or {"error": "Incorrect order ID"} for asked, row in rows.items()}
