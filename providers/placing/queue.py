"""Which orders wait for one provider, in the order in which they go out.

Looking for them is expensive (which route, what was tried, what is held back), claiming them is cheap. So they are
looked for a page at a time and kept for a moment; a claim then takes as many as can be sent at once, locks them and
checks that they still wait. What cannot go out during this pass is read once, not with every claim.
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

#: Orders that are read at once, and that are kept at most.
PAGE, KEPT = 200, 2000
#: Seconds for which a choice is good: prices, routes and priorities may change.
FRESH = 2.0
#: Seconds between two looks for new orders while others are on their way.
LOOK_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order, or one of its runs (0: the whole order), and what it is to be bought as."""

    order_id: int
    run: int
    offer: Offer
    quantity: int

    @property
    def cost(self) -> Decimal:
        return self.offer.cost_of(self.quantity)


class Queue:
    """What waits for ``provider``. ``is_now`` goes past waiting times and pauses that we set ourselves."""

    def __init__(self, provider: Provider, *, is_now: bool) -> None:
        self._provider, self._is_now = provider, is_now
        looks: tuple[Callable[..., QuerySet[Order]], ...] = (routing.waiting_runs, routing.waiting)
        self._sources = [_Source(look) for look in looks]
        self._in_vain: set[int] = set()
        self._must_start_over = False

    def take(self, count: int, window: SendWindow) -> list[Candidate]:
        """Up to ``count`` that ``window`` lets go out, runs that are due first, then the oldest."""
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
        """Leave this order to a later pass: it was just sent in vain."""
        self._in_vain.add(order_id)

    def start_over(self) -> None:
        """Before the pass ends, look through everything once more: something was put back into the queue."""
        self._must_start_over = True

    def forget(self) -> None:
        """Choose anew: what the last choice rested on has changed."""
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
    """One kind of waiting orders, read in the order of their numbers."""

    def __init__(self, look: Callable[..., QuerySet[Order]]) -> None:
        self._look = look
        self._by_offer: dict[int, deque[Candidate]] = {}
        self._after = 0
        self._read_at = self._ended_at = float("-inf")

    def first(self, has_room: Callable[[int], bool]) -> Candidate | None:
        """Remove and return the oldest one whose offer has room."""
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
        """Whether to look for more. At the end of the queue not with every answer, unless nothing else is left."""
        return not is_busy or time.monotonic() - self._ended_at >= LOOK_AGAIN

    def read(self, provider: Provider, *, is_now: bool, without: Collection[int]) -> bool:
        """Read the next page, and keep what can be sent to ``provider``. Returns whether to read on."""
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
        """Read again from the first one that is still here."""
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
