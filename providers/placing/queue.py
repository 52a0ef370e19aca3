"""The waiting orders of one provider, in the order in which they are placed.

Finding them is expensive (routes, earlier attempts, holds), claiming them is cheap. So they are read in pages and kept
for a moment; a claim takes as many as can be sent at once, locks them and checks that they still wait. Orders that
cannot be placed during this pass are read once, not with every claim.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet

from orders.models import Order
from providers.models import Offer, Provider
from providers.placing import routing
from providers.placing.window import SendWindow

#: The number of orders in a page, and the maximum that is kept.
PAGE, KEPT = 200, 2000
#: Seconds for which the choice of a route stays valid, because prices, routes and priorities may change.
FRESH = 2.0
#: Seconds between two queries for new orders while others are under way.
LOOK_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order, or one of its runs (0 for the whole order), and the offer at which it is to be placed."""

    order_id: int
    run: int
    offer: Offer
    quantity: int

    @property
    def cost(self) -> Decimal:
        return self.offer.cost_of(self.quantity)


class Queue:
    """The orders that wait for ``provider``; ``is_now`` ignores waiting times and pauses that we set ourselves."""

    def __init__(self, provider: Provider, *, is_now: bool) -> None:
        self._provider, self._is_now = provider, is_now
        looks: tuple[Callable[..., QuerySet[Order]], ...] = (routing.waiting_runs, routing.waiting)
        self._sources = [_Source(look) for look in looks]
        self._in_vain: set[int] = set()
        self._must_start_over = False

    def take(self, count: int, window: SendWindow) -> list[Candidate]:
        """Remove and return up to ``count`` candidates that ``window`` allows: due runs first, then the oldest."""
        taken: list[Candidate] = []
        for source in self._sources:
            self._take_from(source, count, window, taken)
        if not taken and not window.under_way and self._must_start_over:
            self._must_start_over = False
            for source in self._sources:
                source.start_over()
            return self.take(count, window)
        return taken

    def skip(self, order_id: int) -> None:
        """Leave this order to a later pass, because it was just tried without success."""
        self._in_vain.add(order_id)

    def start_over(self) -> None:
        """Read everything once more before the pass ends, because an order was put back into the queue."""
        self._must_start_over = True

    def forget(self) -> None:
        """Choose routes again, because what the last choice was based on has changed."""
        for source in self._sources:
            source.forget()

    def _take_from(self, source: _Source, count: int, window: SendWindow, taken: list[Candidate]) -> None:
        source.forget_stale()
        going: defaultdict[int, int] = defaultdict(int)
        for earlier in taken:
            going[earlier.offer.pk] += 1
        may_read = source.may_read(is_busy=window.under_way + len(taken) > 0)
        while len(taken) < count:
            first = source.first(lambda offer: window.free_for(offer) > going[offer])
            if first is not None:
                going[first.offer.pk] += 1
                taken.append(first)
            elif may_read:
                may_read = source.read(self._provider, is_now=self._is_now, without=self._in_vain)
            else:
                return


class _Source:
    """One query for waiting orders, read in pages in the order of their ids."""

    def __init__(self, look: Callable[..., QuerySet[Order]]) -> None:
        self._look = look
        self._by_offer: dict[int, deque[Candidate]] = {}
        self._after = 0
        self._read_at = self._ended_at = float("-inf")

    def first(self, has_room: Callable[[int], bool]) -> Candidate | None:
        """Remove and return the oldest candidate whose offer may be sent now."""
        heads = [(waiting[0].order_id, offer) for offer, waiting in self._by_offer.items() if has_room(offer)]
        if not heads:
            return None
        _, offer = min(heads)
        waiting = self._by_offer[offer]
        candidate = waiting.popleft()
        if not waiting:
            del self._by_offer[offer]
        return candidate

    def may_read(self, *, is_busy: bool) -> bool:
        """Return whether to read more; at the end of the queue not after every answer, unless nothing is left."""
        return not is_busy or time.monotonic() - self._ended_at >= LOOK_AGAIN

    def read(self, provider: Provider, *, is_now: bool, without: Collection[int]) -> bool:
        """Read the next page, keep what can be sent to ``provider``, and return whether to read on."""
        if not self._by_offer:
            self._read_at = time.monotonic()
        found = self._look(provider, is_now=is_now).filter(pk__gt=self._after)
        orders = list(found.only("pk", "service_id", "quantity", "charge", "runs", "created_at")[:PAGE])
        for candidate in _choose(provider, orders, is_now=is_now):
            if candidate.order_id not in without:
                self._by_offer.setdefault(candidate.offer.pk, deque()).append(candidate)
        if orders:
            self._after = orders[-1].pk
        if len(orders) < PAGE:
            self._ended_at = time.monotonic()
            return False
        return sum(map(len, self._by_offer.values())) < KEPT

    def forget_stale(self) -> None:
        if self._by_offer and time.monotonic() - self._read_at > FRESH:
            self.forget()

    def forget(self) -> None:
        """Read again from the first candidate that is still kept."""
        if self._by_offer:
            self._after = min(waiting[0].order_id for waiting in self._by_offer.values()) - 1
            self._by_offer.clear()
            self._ended_at = float("-inf")

    def start_over(self) -> None:
        self._by_offer.clear()
        self._after = 0
        self._ended_at = float("-inf")


def _choose(provider: Provider, orders: list[Order], *, is_now: bool) -> Iterable[Candidate]:
    runs = routing.next_runs(orders)
    chosen = routing.choose(orders, is_now=is_now, runs=runs)
    for order in orders:
        offer = chosen.get(order.pk)
        if offer is not None and offer.provider_id == provider.pk:
            run, quantity = routing.part(order, offer, runs.get(order.pk))
            yield Candidate(order.pk, run, offer, quantity)
