"""Check the payments against the ledger.

The audit reads everything, writes nothing and shares no code with the modules that write. ``manage.py audit_ledger``
calls it through the setting ORDERS_AUDITS.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from orders.rules import amounts
from storefront.payments.gateways import GATEWAYS
from storefront.payments.models import REPORTED

UNBOOKED = """
    SELECT t.reference, t.paid_amount, COALESCE(b.count, 0), COALESCE(b.amount, 0) FROM payments_payment t
    LEFT JOIN (SELECT t.id AS id, COUNT(*) AS count, SUM(m.amount) AS amount
               FROM payments_payment t
               JOIN orders_transfer m ON m.reference = 'payment:' || t.gateway || ':' || t.reference
               JOIN orders_account a ON a.id = m.target_id AND a.id = m.wallet_id AND a.user_id = t.user_id
               WHERE m.kind = 'payment' GROUP BY t.id) b ON b.id = t.id
    WHERE (t.status = 'credited' AND (COALESCE(b.count, 0) <> 1 OR b.amount <> t.paid_amount))
       OR (t.status <> 'credited' AND b.count > 0)"""
UNKNOWN = """
    SELECT m.id, m.reference FROM orders_transfer m
    LEFT JOIN payments_payment t ON m.reference = 'payment:' || t.gateway || ':' || t.reference
    WHERE m.kind = 'payment' AND m.reference LIKE %s AND t.id IS NULL"""


def findings() -> Iterator[str]:
    """Yield a sentence for each credited payment without its one transfer, and for each transfer without a payment."""
    with connection.cursor() as cursor:
        cursor.execute(UNBOOKED)
        for reference, paid, count, booked in cursor.fetchall():
            yield (
                f"payment {reference}: {_amount(paid or 0)} was credited by its row, "
                f"but the balance received {_amount(booked)} in {count} transfers"
            )
        for name in (*GATEWAYS, REPORTED):
            cursor.execute(UNKNOWN, [f"payment:{name}:%"])
            for number, reference in cursor.fetchall():
                yield f"transfer {number}: there is no payment {reference}"


def _amount(units: int) -> str:
    return amounts.plain(amounts.from_units(int(units), amounts.AMOUNT_PLACES))
