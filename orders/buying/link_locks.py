"""Link locks for the open orders of a service that is switched to one open order per link."""

from __future__ import annotations

from django.db import transaction

from orders.models import Order, Service
from orders.rules import same_link

_BATCH = 500


@transaction.atomic
def hold_links(service: Service) -> int:
    """Set the link lock of the open orders of ``service``, and return how many received one.

    Call it in the transaction that switches ``is_one_per_link`` on, while nobody can place an order that has a lock. Of
    several open orders for one link the newest receives the lock, because it is likely the last to end.
    """
    of_service = Order.objects.open().filter(service=service).exclude(link="")
    held = set(of_service.exclude(link_lock=None).values_list("link_lock", flat=True))
    free = []
    for order in of_service.filter(link_lock=None).order_by("-id").only("id", "link"):
        order.link_lock = same_link.lock(service.pk, order.link)
        if order.link_lock not in held:
            held.add(order.link_lock)
            free.append(order)
    Order.objects.bulk_update(free, ["link_lock"], batch_size=_BATCH)
    return len(free)
