"""An audit of the ledger that reads all of it, writes nothing, and shares no code with the modules that write it."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from orders.models import Account
from orders.rules import amounts

#: (message, query for rows that must not exist). Each query reads whole tables once and runs on both databases.
CHECKS: tuple[tuple[str, str], ...] = (
    (
        "account {0}: the balance is {1:money}, but its transfers total {2:money}",
        # UNION ALL splits each transfer into its two ends: a join on either end would read all transfers per wallet.
        """SELECT a.id, a.balance, COALESCE(moved, 0) FROM orders_account a
           LEFT JOIN (SELECT account_id, SUM(amount) AS moved FROM (
                        SELECT target_id AS account_id, amount FROM orders_transfer
                        UNION ALL SELECT source_id, -amount FROM orders_transfer) ends
                      GROUP BY account_id) sums ON account_id = a.id
           WHERE a.kind = 'wallet' AND a.balance <> COALESCE(moved, 0)""",
    ),
    (
        "transfer {0}: the balance after it is {1:money}, expected {2:money}",
        """SELECT id, wallet_after, expected FROM (
             SELECT id, wallet_after,
                    COALESCE(LAG(wallet_after) OVER (PARTITION BY wallet_id ORDER BY id), 0)
                    + CASE WHEN target_id = wallet_id THEN amount ELSE -amount END AS expected
             FROM orders_transfer WHERE wallet_id IS NOT NULL) chain
           WHERE wallet_after <> expected""",
    ),
    (
        "transfer {0}: it changes customer account {1} but does not record that account and its balance",
        """SELECT t.id, a.id FROM orders_transfer t JOIN orders_account a ON a.id IN (t.source_id, t.target_id)
           WHERE a.kind = 'wallet' AND (t.wallet_id IS NULL OR t.wallet_id <> a.id OR t.wallet_after IS NULL)""",
    ),
    (
        "account {0}: the amount spent is {1:money}, but its orders total {2:money}",
        """SELECT a.id, a.spent, COALESCE(moved, 0) FROM orders_account a
           LEFT JOIN (SELECT user_id, SUM(charge - refunded) AS moved FROM orders_order GROUP BY user_id) sums
             ON sums.user_id = a.user_id
           WHERE a.kind = 'wallet' AND a.spent <> COALESCE(moved, 0)""",
    ),
    (
        "order {0}: the charge is {1:money}, but its transfers total {2:money}",
        """SELECT id, charge, moved FROM (
             SELECT o.id, o.charge,
                    COALESCE(SUM(CASE WHEN t.source_id = t.wallet_id THEN t.amount ELSE -t.amount END), 0) AS moved
             FROM orders_order o LEFT JOIN orders_transfer t ON t.order_id = o.id AND t.kind = 'charge'
             GROUP BY o.id, o.charge) orders
           WHERE charge <> moved""",
    ),
    (
        "order {0}: {1:money} was refunded, but its transfers total {2:money}",
        """SELECT id, refunded, moved FROM (
             SELECT o.id, o.refunded,
                    COALESCE(SUM(CASE WHEN t.target_id = t.wallet_id THEN t.amount ELSE -t.amount END), 0) AS moved
             FROM orders_order o LEFT JOIN orders_transfer t ON t.order_id = o.id AND t.kind = 'refund'
             GROUP BY o.id, o.refunded) orders
           WHERE refunded <> moved""",
    ),
    (
        "order {0}: its status is {1}, but only {3:money} of {2:money} was refunded",
        """SELECT id, status, charge, refunded FROM orders_order
           WHERE status IN ('canceled', 'failed') AND refunded <> charge""",
    ),
    (
        "transfer {0}: its kind is {1}, but it has no order",
        "SELECT id, kind FROM orders_transfer WHERE kind IN ('charge', 'refund') AND order_id IS NULL",
    ),
    (
        "transfer {0}: its kind is {1}, but it is not between a customer's balance and the account of bonuses",
        """SELECT t.id, t.kind FROM orders_transfer t JOIN orders_account a
             ON a.id = CASE WHEN t.source_id = t.wallet_id THEN t.target_id ELSE t.source_id END
           WHERE (t.kind = 'bonus') <> (a.kind = 'bonuses')""",
    ),
    (
        "debts: the customers' accounts say {0:money}, but the transfers total {1:money}",
        """SELECT owed, booked FROM
             (SELECT COALESCE(SUM(debt), 0) AS owed FROM orders_account WHERE kind = 'wallet') accounts,
             (SELECT COALESCE(SUM(CASE WHEN s.kind = 'debts' THEN t.amount ELSE -t.amount END), 0) AS booked
              FROM orders_transfer t JOIN orders_account s ON s.id = t.source_id
              JOIN orders_account g ON g.id = t.target_id
              WHERE s.kind = 'debts' OR g.kind = 'debts') transfers
           WHERE owed <> booked""",
    ),
    (
        "transfer {0}: its account does not belong to the customer of order {1}",
        """SELECT t.id, o.id FROM orders_transfer t JOIN orders_order o ON o.id = t.order_id
           JOIN orders_account a ON a.id = t.wallet_id WHERE a.user_id <> o.user_id""",
    ),
)


class _Units(int):
    def __format__(self, spec: str) -> str:
        return amounts.plain(amounts.from_units(self, amounts.AMOUNT_PLACES)) if spec == "money" else str(int(self))


def findings() -> Iterator[str]:
    """Yield one sentence for each discrepancy; yield nothing if the ledger is correct."""
    with connection.cursor() as cursor:
        for message, query in CHECKS:
            cursor.execute(query)
            for row in cursor.fetchall():
                yield message.format(*(value if isinstance(value, str) else _Units(value) for value in row))
    for account in Account.objects.exclude(currency=settings.STORE_CURRENCY):
        yield f"account {account.pk}: its currency is {account.currency}, the store uses {settings.STORE_CURRENCY}"
    for path in settings.ORDERS_AUDITS:  # the packages above this one audit their own tables
        yield from import_string(path)()
