"""Asking for the statuses of 100,000 open orders at a panel in a process of its own that answers in 300 ms.

Prints the wall time beside its limit, calls x latency / parallelism, CPU a call, and the most memory that was used.
Twice: every order has moved since the last look, and none has. Run: python bench/sync.py [orders] [parallel]
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import shop

LATENCY = 0.3


def main(orders: int = 100_000, parallel: int = 32) -> None:
    shop.prepare()
    from django.utils import timezone  # imported here: after prepare()

    from providers.models import Placement, Provider
    from providers.tracking import status_sync  # imported here: after prepare()

    with shop.database() as name, panel(orders) as url:
        in_a_child(lambda: follow(url, orders))
        Provider.objects.update(parallel=parallel)
        provider = Provider.objects.get()
        print(f"{name}: {orders} open orders, {parallel} calls at once, {LATENCY * 1000:.0f} ms an answer")
        for label in ("all moved", "none moved"):
            Placement.objects.update(sync_at=timezone.now())
            before, watch = memory(), shop.Stopwatch()
            seen = status_sync.sync_statuses(provider, budget=300)
            wall, cpu = watch.read()
            ideal = seen["calls"] * LATENCY / parallel
            print(f"{label:<12} {seen['calls']} calls, {seen['looked_at']} looked at, {seen['changed']} changed")
            print(f"  wall       {wall:7.2f} s   the panel's limit {ideal:.2f} s, ratio {ideal / wall:.2f}")
            print(f"  CPU a call {cpu / seen['calls'] * 1000:7.2f} ms")
            print(f"  memory     {memory():7.1f} MB  at most; {before:.1f} before")


@contextmanager
def panel(orders: int) -> Iterator[str]:
    """A panel that has so many orders under way, numbered from 1; gives its address."""
    process = subprocess.Popen(
        [sys.executable, __file__, "panel", str(orders)], stdout=subprocess.PIPE, text=True, cwd=shop.ROOT
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)


def serve(orders: int) -> None:
    """What ``panel`` runs in a process of its own."""
    sys.path.insert(0, str(shop.ROOT))
    from providers.panels import simulators  # imported here: the path must be set first
    from providers.panels.simulators.orders import SimulatedOrder

    running = simulators.start("v2", latency=LATENCY)
    amounts = {"unit_price": Decimal("0.0009"), "charge": Decimal("0.09")}
    there = SimulatedOrder(
        id="1", number=1, service="1", params={}, quantity=100, start_count=7, status="In progress", remains=40,
        created_at=time.time(), **amounts,
    )  # fmt: skip
    running.orders.update({str(number): there for number in range(1, orders + 1)})
    print(running.url, flush=True)
    signal.pause()


def in_a_child(work: Callable[[], None]) -> None:
    """Runs ``work`` in a process of its own: what it takes is not counted as ours."""
    from django.db import connections  # imported here: after prepare()

    connections.close_all()
    child = os.fork()
    if not child:
        work()
        connections.close_all()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the orders could not be made")


def follow(url: str, orders: int) -> None:
    """As if every order had been placed: the panel numbers its orders from 1."""
    from django.utils import timezone  # imported here: after prepare()

    from orders.models import Order  # imported here: after prepare()
    from providers.models import Offer, Placement, Provider

    shop.queue_orders(url, orders)
    Order.objects.update(status="pending")
    now, offer = timezone.now(), Offer.objects.filter(kind="default")[0]
    common: dict[str, object] = {
        "provider": Provider.objects.get(),
        "offer": offer,
        "state": "accepted",
        "quantity": 100,
        "cost": Decimal("0.09"),
    }
    common |= {"currency": "USD", "exchange_rate": Decimal(1), "lease_until": now, "sync_at": now}
    placements = (
        Placement(order_id=pk, upstream_id=str(number), **common)
        for number, pk in enumerate(Order.objects.order_by("pk").values_list("pk", flat=True), 1)
    )
    Placement.objects.bulk_create(placements, batch_size=2000)


def memory() -> float:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["panel"] else main(*map(int, sys.argv[1:]))
