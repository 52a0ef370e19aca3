"""Check the payments against the ledger.

The audit reads everything, writes nothing and shares no code with the modules that write. ``manage.py audit_ledger``
calls it through the setting ORDERS_AUDITS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db import connection

from orders.rules import amounts
from storefront.payments.gateways import GATEWAYS
from storefront.payments.models import REPORTED

#: Payments whose first transfer is missing, double or of another amount. A payment that arrived in parts has further
#: transfers, ``payment:<gateway>:<reference>:<total>``, which ``LATER`` finds.
UNBOOKED = """
    SELECT t.gateway, t.reference, t.credited_amount, COALESCE(b.count, 0), COALESCE(b.amount, 0)
    FROM payments_payment t
    LEFT JOIN (SELECT t.id AS id, COUNT(*) AS count, SUM(m.amount) AS amount
               FROM payments_payment t
               JOIN orders_transfer m ON m.reference = 'payment:' || t.gateway || ':' || t.reference
               JOIN orders_account a ON a.id = m.target_id AND a.id = m.wallet_id AND a.user_id = t.user_id
               WHERE m.kind = 'payment' GROUP BY t.id) b ON b.id = t.id
    WHERE (t.status = 'credited' AND (COALESCE(b.count, 0) <> 1 OR b.amount <> t.credited_amount))
       OR (t.status <> 'credited' AND b.count > 0)"""
LATER = """
    SELECT reference, amount FROM orders_transfer
    WHERE kind = 'payment' AND reference LIKE 'payment:%%:%%:%%'"""
UNKNOWN = """
    SELECT m.id, m.reference FROM orders_transfer m
    LEFT JOIN payments_payment t ON m.reference = 'payment:' || t.gateway || ':' || t.reference
    WHERE m.kind = 'payment' AND m.reference LIKE %s AND t.id IS NULL"""


def findings() -> Iterator[str]:
    """Yield a sentence for each credited payment that was not booked exactly, and each transfer without a payment."""
    with connection.cursor() as cursor:
        cursor.execute(LATER, [])
        later: dict[str, int] = defaultdict(int)
        for reference, amount in cursor.fetchall():
            later[reference.rpartition(":")[0]] += int(amount)
        cursor.execute(UNBOOKED)
        for gateway, reference, credited, count, booked in cursor.fetchall():
            total = int(booked) + later[f"payment:{gateway}:{reference}"]
            if count != 1 or total != int(credited):
                yield (
                    f"payment {reference}: {_amount(credited)} was credited by its row, "
                    f"but the balance received {_amount(total)} in {count} transfers"
                )
        for name in (*GATEWAYS, REPORTED):
            cursor.execute(UNKNOWN, [f"payment:{name}:%"])
            for number, reference in cursor.fetchall():
                if reference not in later and reference.rpartition(":")[0] not in later:
                    yield f"transfer {number}: there is no payment {reference}"


def _amount(units: int) -> str:
    return amounts.plain(amounts.from_units(int(units), amounts.AMOUNT_PLACES))
