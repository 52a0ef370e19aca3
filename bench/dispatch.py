"""Measure placing 1,000 orders at a panel that answers in 200 ms, and requesting the statuses of all of them.

Prints each figure beside its limit: calls x latency / parallelism. Run: make bench
"""

from __future__ import annotations

import shop

ORDERS, LATENCY = 1000, 0.2


def main() -> None:
    shop.prepare()
    from django.conf import settings  # imported here: after prepare()
    from django.utils import timezone

    from providers.models import Placement, Provider
    from providers.placing import submission
    from providers.tracking import status_sync

    with shop.database() as name, shop.panel(LATENCY) as url:
        shop.queue_orders(url, ORDERS)
        provider, width = Provider.objects.get(), settings.SUBMIT_PARALLEL
        watch = shop.Stopwatch()
        placed = submission.submit_due(provider, budget=300)
        wall, cpu = watch.read()
        ideal = ORDERS * LATENCY / width
        print(f"database                     {name}")
        print(f"placing {ORDERS} orders         {wall:6.2f} s with {width} at once; {dict(placed)}")
        print(f"  one after the other        {ORDERS * LATENCY:6.2f} s")
        print(f"  the pool's limit           {ideal:6.2f} s    ratio {ideal / wall:.2f}")
        print(f"  CPU an order               {cpu / ORDERS * 1000:6.2f} ms")
        Placement.objects.update(sync_at=timezone.now())
        for label in ("statuses, all changed", "statuses, none changed"):
            watch = shop.Stopwatch()
            seen = status_sync.sync_statuses(provider, is_now=True)
            wall, cpu = watch.read()
            print(f"{label:<28} {wall:6.2f} s    {seen['calls']} calls for {seen['looked_at']} orders")
            print(f"  CPU a call                 {cpu / seen['calls'] * 1000:6.2f} ms")


if __name__ == "__main__":
    main()
