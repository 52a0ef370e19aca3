"""The books of a pretend panel: its money, orders and refills, and how they change. No HTTP, and no lock of its own."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from providers.panels.simulators.orders import Amount, Service, SimulatedOrder, SimulatedRefill, StatusNames, standing
from providers.panels.simulators.reading import Refusal

REFILL_SECONDS = 10.0  # how long a refill takes on a live panel


class Book:
    """What a panel knows. With ``live`` orders and refills move with the clock, ``pace`` times as fast. A status knows
    nothing of a new order for ``lag`` seconds."""

    def __init__(self, statuses: StatusNames, balance: Decimal, *, live: bool, pace: float) -> None:
        self.statuses = statuses
        self.balance = balance
        self.live = live
        self.pace = pace
        self.lag = 0.0
        self.orders: dict[str, SimulatedOrder] = {}
        self.refills: dict[str, SimulatedRefill] = {}
        self._moving: dict[str, SimulatedOrder] = {}
        self._memory: Path | None = None

    def remember(self, memory: Path) -> None:
        """Go on from what ``memory`` holds, if it holds anything, and write there from now on."""
        if memory.exists():
            kept = json.loads(memory.read_text())
            self.balance = Decimal(kept["balance"])
            for row in kept["orders"]:
                amounts = {name: Decimal(row[name]) for name in ("unit_price", "charge", "returned")}
                order = SimulatedOrder(**{**row, **amounts})
                self.orders[order.id] = order
                if order.status not in self.statuses.final:
                    self._moving[order.id] = order
            self.refills = {row["id"]: SimulatedRefill(**row) for row in kept["refills"]}
        self._memory = memory

    def save(self) -> None:
        """Write everything down, whole or not at all."""
        if self._memory is None:
            return
        kept = {
            "balance": self.balance,
            "orders": [asdict(order) for order in self.orders.values()],
            "refills": [asdict(refill) for refill in self.refills.values()],
        }
        draft = self._memory.with_suffix(".draft")
        draft.write_text(json.dumps(kept, default=str))
        draft.replace(self._memory)

    def place(
        self, service: Service, params: dict[str, str], asked: Amount, *, order_id: str, start_count: int
    ) -> SimulatedOrder:
        """Take the money and write the order down."""
        charge = service.unit_price * asked.total
        if charge > self.balance:
            raise Refusal("funds")
        order = SimulatedOrder(
            id=order_id,
            number=len(self.orders) + 1,
            service=str(service.id),
            params=params,
            quantity=asked.total,
            unit_price=service.unit_price,
            charge=charge,
            start_count=start_count,
            status=self.statuses.pending,
            remains=asked.total,
            created_at=time.time(),
        )
        self.balance -= charge
        self.orders[order.id] = order
        if self.live:
            self._moving[order.id] = order
        self.save()
        return order

    def find(self, order_id: str, *, is_read: bool = False) -> SimulatedOrder:
        order = self.readable(order_id) if is_read else self.orders.get(order_id)
        if order is None:
            raise Refusal("order", field="order")
        return order

    def readable(self, order_id: str) -> SimulatedOrder | None:
        """The order, once it is written down also where statuses are read from."""
        order = self.orders.get(order_id)
        return order if order and order.created_at + self.lag <= time.time() else None

    def settle(self, order: SimulatedOrder, status: str, remains: int) -> None:
        """Set how an order stands; only the difference to what went back before changes the balance."""
        order.status, order.remains = status, remains
        owed = order.undelivered if status in self.statuses.returning else Decimal()
        self.balance += owed - order.returned
        order.returned = owed

    def report(self, order: SimulatedOrder, status: str, remains: int | None) -> None:
        """Set by hand how an order stands; from now on it does not move by itself."""
        self._moving.pop(order.id, None)
        if remains is None:
            implied = {self.statuses.completed: 0, self.statuses.canceled: order.quantity}
            remains = implied.get(status, order.remains)
        self.settle(order, status, remains)

    def end_early(self, order: SimulatedOrder) -> Decimal:
        """Cancel what is left of an open order; the money that went back."""
        status = self.statuses.canceled if order.remains == order.quantity else self.statuses.partial
        self.report(order, status, order.remains)
        return order.returned

    def request_cancel(self, order_id: str) -> SimulatedOrder:
        """Note that a cancellation was asked for, where it still can be."""
        order = self.find(order_id)
        if order.status in self.statuses.final:
            raise Refusal("cancel", field="order")
        order.is_cancel_requested = True
        return order

    def open_refill(self, order_id: str, refill_id: str) -> SimulatedRefill:
        """Write a refill down: one at a time, and only of a completed order."""
        order = self.find(order_id)
        if order.status != self.statuses.completed:
            raise Refusal("not completed", field="order")
        if any(refill.order == order.id and refill.status == self.statuses.pending for refill in self.refills.values()):
            raise Refusal("refilling", field="order")
        refill = SimulatedRefill(id=refill_id, order=order.id, status=self.statuses.pending, created_at=time.time())
        self.refills[refill.id] = refill
        return refill

    def find_refill(self, refill_id: str) -> SimulatedRefill:
        if refill_id not in self.refills:
            raise Refusal("refill", field="refill")
        return self.refills[refill_id]

    def move(self) -> None:
        """Let the clock act on everything that is still open on a live panel."""
        if not self.live:
            return
        now = time.time()
        for order in list(self._moving.values()):
            if order.is_cancel_requested:
                self.end_early(order)
                continue
            age = (now - order.created_at) * self.pace
            self.settle(order, *standing(order.number, order.quantity, age, self.statuses))
            if order.status in self.statuses.final:
                del self._moving[order.id]
        for refill in self.refills.values():
            if refill.status == self.statuses.pending and (now - refill.created_at) * self.pace >= REFILL_SECONDS:
                refill.status = self.statuses.completed
