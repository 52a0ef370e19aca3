"""Holds: orders that wait briefly because they cannot be distinguished from one whose outcome is unknown.

The search recognizes a lost order by its cost. Two lost orders of the same offer and quantity may be indistinguishable,
so no other one is sent to the same provider until the panel has settled. Holds are a convenience, not a safety rule:
ambiguous cases are never decided automatically. So they end soon, and exist only where the search is on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from orders.models import Order
from providers.models import Offer, Placement, PlacementState
from providers.models.provider import SEARCH_CHECK_VALIDITY
from providers.worker import leases

#: The longest hold, since the outcome of the other order became unknown and since the waiting order was bought, so that
#: it does not depend on how many outcomes become unknown. It is the time in which a panel settles, plus a few seconds
#: for other orders to close the id window of the lost one. After a hold all waiting orders are sent at once, and if one
#: of them were lost, its number would otherwise lie in the same window.
HOLD = timedelta(seconds=130)
#: If more outcomes than this are unknown, nothing is held, because holds do not solve the provider's problem.
MOST = 50

#: Offer and quantity.
Held = frozenset[tuple[int, int]]


def held_requests(now: datetime | None = None) -> Held:
    """Return the offers and quantities with an order whose outcome became unknown recently."""
    now = now or leases.database_now()
    unknown = Placement.objects.filter(
        state=PlacementState.IN_DOUBT,
        ended_at=None,
        in_doubt_at__gt=now - HOLD,
        provider__is_search_allowed=True,
        provider__search_checked_at__gt=now - SEARCH_CHECK_VALIDITY,
    )
    found = frozenset(unknown.order_by().values_list("offer_id", "quantity").distinct()[: MOST + 1])
    return found if len(found) <= MOST else frozenset()


def is_order_held(order: Order, offer: Offer, quantity: int, held: Held) -> bool:
    """Return whether ``order`` must not be sent to ``offer`` now. ``held`` is what ``held_requests`` returned."""
    return (offer.pk, quantity) in held and order.created_at > timezone.now() - HOLD
