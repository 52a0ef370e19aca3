"""Check what submissions cost. The audit reads everything, writes nothing and shares no code with what writes.

``manage.py audit_ledger`` calls it through the setting ORDERS_AUDITS.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection
from django.db.models import Exists, OuterRef

from orders.models import OrderEvent
from orders.models.order import EventKind
from orders.rules import amounts
from providers.models import BILLED, Placement

#: A charge of more than so many times the cost by the price list is an error of the panel or of ours.
CHARGE_FACTOR = 10
#: (message, query for rows that must not exist): id, order, and two amounts in the provider's currency.
CHECKS: tuple[tuple[str, str], ...] = (
    (
        "submission {0} of order {1}: the provider returned {2}, more than the {3} that the order cost",
        """SELECT id, order_id, refunded, COALESCE(first_charged, cost) FROM providers_placement
           WHERE refunded > COALESCE(first_charged, cost)""",
    ),
    (
        "submission {0} of order {1}: it costs {2} after the provider's refund, expected {3}",
        """SELECT id, order_id, charged, first_charged - refunded FROM providers_placement
           WHERE refunded IS NOT NULL AND refunded <= first_charged
             AND (charged IS NULL OR charged <> first_charged - refunded)""",
    ),
    (
        "submission {0} of order {1}: the provider charged {2}, the cost by its price list was {3}",
        f"""SELECT id, order_id, charged, cost FROM providers_placement
           WHERE cost > 0 AND charged > {CHARGE_FACTOR} * cost""",  # noqa: S608  # a constant
    ),
    (
        # A service that is free at the provider costs nothing, which its price list says.
        "submission {0} of order {1}: it cost {2}, but the provider service costs {3} per 1,000",
        """SELECT p.id, p.order_id, p.cost, o.rate / 100 FROM providers_placement p
           JOIN providers_offer o ON o.id = p.offer_id
           WHERE p.cost = 0 AND p.first_charged IS NULL AND o.rate > 0 AND p.state IN ('accepted', 'closed')""",
    ),
)


def findings() -> Iterator[str]:
    """Yield a sentence for each cost that is missing or cannot be true."""
    with connection.cursor() as cursor:
        for message, query in CHECKS:
            cursor.execute(query)
            for key, order, *units in cursor.fetchall():
                yield message.format(key, order, *map(_amount, units))
    billed = Placement.objects.filter(order=OuterRef("order"), state__in=BILLED)
    # An order that staff deliver has no cost, and no event that names a provider.
    accepted = OrderEvent.objects.filter(~Exists(billed), kind=EventKind.ACCEPTED, data__provider__isnull=False)
    for order in accepted.order_by("order").values_list("order", flat=True).distinct():
        yield f"order {order}: a provider accepted it, but no submission has its cost"


def _amount(units: int | None) -> str:
    return "nothing" if units is None else amounts.plain(amounts.from_units(int(units), amounts.AMOUNT_PLACES))
