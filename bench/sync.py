"""Measure requesting the statuses of 100,000 open orders at a panel that answers in 300 ms.

Prints the wall time with its limit (calls x latency / parallelism), the CPU time per call and the peak memory: first
when every order has changed, then when none has. Run: python bench/sync.py [orders] [parallel]
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
        in_a_child(lambda: create_open_orders(url, orders))
        Provider.objects.update(parallel=parallel)
        provider = Provider.objects.get()
        print(f"{name}: {orders} open orders, {parallel} calls at once, {LATENCY * 1000:.0f} ms an answer")
        for label in ("all changed", "none changed"):
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
    """Run a panel with this number of orders in progress, with ids from 1; yield its address."""
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
    """Run the simulated panel; this is the process that ``panel`` starts."""
    sys.path.insert(0, str(shop.ROOT))
    from providers.panels import simulators  # imported here: the path must be set first
    from providers.panels.simulators.orders import SimulatedOrder

    running = simulators.start("v2", latency=LATENCY)
    amounts = {"unit_price": Decimal("0.0009"), "charge": Decimal("0.09")}
    order = SimulatedOrder(
        id="1", number=1, service="1", params={}, quantity=100, start_count=7, status="In progress", remains=40,
        created_at=time.time(), **amounts,
    )  # fmt: skip
    running.orders.update({str(number): order for number in range(1, orders + 1)})
    print(running.url, flush=True)
    signal.pause()


def in_a_child(work: Callable[[], None]) -> None:
    """Run ``work`` in another process, so that its time and memory are not measured."""
    from django.db import connections  # imported here: after prepare()

    connections.close_all()
    child = os.fork()
    if not child:
        work()
        connections.close_all()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the orders could not be created")


def create_open_orders(url: str, orders: int) -> None:
    """Create orders that the panel has already accepted, under its ids from 1."""
    from django.utils import timezone  # imported here: after prepare()

    from orders.models import Order  # imported here: after prepare()
    from providers.models import Offer, Placement, Provider

    shop.queue_orders(url, orders)
    Order.objects.update(status="pending")
    now, offer = timezone.now(), Offer.objects.filter(service_type="default")[0]
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
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    serve(int(sys.argv[2])) if sys.argv[1:2] == ["panel"] else main(*map(int, sys.argv[1:]))
