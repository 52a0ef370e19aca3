"""Orders that wait a moment because they cannot be told apart from one whose outcome is unknown.

The search finds a lost order by what it costs. Two lost orders of the same offer and quantity may be impossible to tell
apart; that is why no other one is sent to the same provider until the panel has settled. This is a convenience, not a
rule of safety: what is ambiguous is never decided by itself. So it ends soon, and is made only where the search is on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from orders.models import Order
from providers.models import Offer, Placement, PlacementState
from providers.models.provider import SEARCH_CHECK_VALIDITY
from providers.worker import leases

#: An order no longer waits when so much time has passed since the other one became unknown, or since it was bought
#: itself: the longest wait does not depend on how many orders become unknown. That is the time in which a panel
#: settles, and a few seconds for other orders to close the window of the lost one: all that waited goes out at once
#: then, and what is lost of it would otherwise lie in that window as well.
HOLD = timedelta(seconds=130)
#: Where more are unknown than this, nothing waits: then the provider has a problem that holding does not solve.
MOST = 50

#: Offer and quantity.
Held = frozenset[tuple[int, int]]


def held_requests(now: datetime | None = None) -> Held:
    """Return the offers and quantities with an order whose outcome became unknown a moment ago."""
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
