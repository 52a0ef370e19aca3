"""Measure placing orders while others are held because a similar order has an unknown outcome.

Prints the CPU time for each placed order, with no order held and with 2,000. Run: python bench/held.py
"""

from __future__ import annotations

import copy

import shop

PLACED, HELD = 64, 2000


def main() -> None:
    shop.prepare()
    from django.utils import timezone  # imported here: after prepare()

    from orders.models import Order
    from providers.models import Offer, Placement, Provider
    from providers.placing import submission

    with shop.database() as name, shop.panel(0.05) as url:
        print(f"database                     {name}")
        shop.queue_orders(url, 1)
        first, provider = Order.objects.get(), Provider.objects.get()
        offer = Offer.objects.get(routes__service=first.service)
        now = timezone.now()
        Provider.objects.update(is_search_allowed=True, search_checked_at=now)
        Order.objects.update(status="in_doubt")
        Placement.objects.create(
            order=first,
            provider=provider,
            offer=offer,
            state="in_doubt",
            quantity=first.quantity,
            cost=offer.cost_of(first.quantity),
            currency=provider.currency,
            exchange_rate=provider.exchange_rate,
            lease_until=now,
            answered_at=now,
            in_doubt_at=now,
        )

        def line_up(count: int, quantity: int) -> None:
            orders = [copy.copy(first) for _ in range(count)]
            for number, order in enumerate(orders):
                order.pk, order.status, order.quantity = None, "queued", quantity
                order.link, order.created_at = f"https://x.example.com/{quantity}/{number}", timezone.now()
                order.charge = first.charge * quantity
            Order.objects.bulk_create(orders)

        for held in (0, HELD):
            line_up(held, first.quantity)
            line_up(PLACED, first.quantity + 1 + held)
            watch = shop.Stopwatch()
            placed = submission.submit_due(provider, budget=300)
            _wall, cpu = watch.read()
            print(f"{held:>5} held                   {cpu / PLACED * 1000:8.2f} ms CPU an order; {dict(placed)}")


if __name__ == "__main__":
    main()
