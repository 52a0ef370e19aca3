"""The state of a panel simulator: its money, orders and refills, and how they change. No HTTP; the caller locks."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from providers.panels.simulators.orders import (
    OrderedAmount,
    PanelService,
    SimulatedOrder,
    SimulatedRefill,
    StatusNames,
    standing,
)
from providers.panels.simulators.reading import Refusal

REFILL_SECONDS = 10.0  # how long a refill takes on a live panel


class Book:
    """The state of a panel.

    With ``live``, orders and refills progress with the clock, ``speed`` times as fast. ``lag`` is the number of seconds
    for which statuses do not know a new order.
    """

    def __init__(self, statuses: StatusNames, balance: Decimal, *, live: bool, speed: float) -> None:
        self.statuses = statuses
        self.balance = balance
        self.live = live
        self.speed = speed
        self.lag = 0.0
        self.orders: dict[str, SimulatedOrder] = {}
        self.refills: dict[str, SimulatedRefill] = {}
        self._moving: dict[str, SimulatedOrder] = {}
        self._memory: Path | None = None

    def remember(self, memory: Path) -> None:
        """Restore the state from ``memory``, if it has one, and save it there from now on."""
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
        """Save the whole state atomically."""
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
        self,
        service: PanelService,
        params: dict[str, str],
        asked: OrderedAmount,
        *,
        order_id: str,
        start_count: int,
    ) -> SimulatedOrder:
        """Charge the order and store it."""
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
        """Return the order once status requests can see it, too."""
        order = self.orders.get(order_id)
        return order if order and order.created_at + self.lag <= time.time() else None

    def settle(self, order: SimulatedOrder, status: str, remains: int) -> None:
        """Set the status of an order; the balance changes by the difference to what was returned before."""
        order.status, order.remains = status, remains
        owed = order.undelivered if status in self.statuses.returning else Decimal()
        self.balance += owed - order.returned
        order.returned = owed

    def report(self, order: SimulatedOrder, status: str, remains: int | None) -> None:
        """Set the status of an order; from now on it does not progress with the clock."""
        self._moving.pop(order.id, None)
        if remains is None:
            implied = {self.statuses.completed: 0, self.statuses.canceled: order.quantity}
            remains = implied.get(status, order.remains)
        self.settle(order, status, remains)

    def end_early(self, order: SimulatedOrder) -> Decimal:
        """Cancel the rest of an open order and return the refunded amount."""
        status = self.statuses.canceled if order.remains == order.quantity else self.statuses.partial
        self.report(order, status, order.remains)
        return order.returned

    def request_cancel(self, order_id: str) -> SimulatedOrder:
        """Record a request for cancellation, if the order can still be canceled."""
        order = self.find(order_id)
        if order.status in self.statuses.final:
            raise Refusal("cancel", field="order")
        order.is_cancel_requested = True
        return order

    def open_refill(self, order_id: str, refill_id: str) -> SimulatedRefill:
        """Create a refill; one at a time, and only for a completed order."""
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
        """Let all open orders and refills of a live panel progress."""
        if not self.live:
            return
        now = time.time()
        for order in list(self._moving.values()):
            if order.is_cancel_requested:
                self.end_early(order)
                continue
            age = (now - order.created_at) * self.speed
            self.settle(order, *standing(order.number, order.quantity, age, self.statuses))
            if order.status in self.statuses.final:
                del self._moving[order.id]
        for refill in self.refills.values():
            if refill.status == self.statuses.pending and (now - refill.created_at) * self.speed >= REFILL_SECONDS:
                refill.status = self.statuses.completed
