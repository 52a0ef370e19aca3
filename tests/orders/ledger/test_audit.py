from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from orders.db import append_only
from orders.ledger import audit
from orders.lifecycle import fulfillment
from orders.models import Account, Order, Transfer
from orders.rules.state_machine import Progress, Status
from tests import factories

pytestmark = pytest.mark.django_db


def run(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def run_without_triggers(statement: str, *values: Any) -> None:
    """Run SQL with the triggers removed, as someone with full access to the database could."""
    for part in append_only._remove(connection.vendor, "orders_transfer"):
        run(part)
    run(statement, *values)
    for part in append_only._install(connection.vendor, "orders_transfer"):
        run(part)


@pytest.fixture
def order() -> Order:
    """Return an order of 0.09 with a refund of 30 %, among other orders and customers."""
    buyer = factories.customer("10")
    orders = [factories.order(buyer, status="pending") for _ in range(3)]
    fulfillment.apply_progress(orders[0].pk, progress=Progress(status=Status.PARTIAL, remains=30))
    fulfillment.cancel(orders[1].pk)
    factories.order(buyer, factories.service(rate="0"))
    factories.customer("3")
    orders[0].refresh_from_db()
    return orders[0]


def findings() -> list[str]:
    return list(audit.findings())


def test_a_correct_ledger_has_no_discrepancies(order: Order) -> None:
    assert findings() == []


def insert(order: Order, **changes: Any) -> None:
    last = Transfer.objects.filter(order=order).first()
    assert last is not None
    row = {name: getattr(last, name) for name in ("kind", "source_id", "target_id", "amount", "wallet_id", "order_id")}
    Transfer.objects.create(**{**row, "reference": "forged", "wallet_after": last.wallet_after, **changes})


FAULTS: dict[str, tuple[Callable[[Order], None], str]] = {
    "a balance changed by hand": (
        lambda order: run("UPDATE orders_account SET balance = balance + 1 WHERE user_id = %s", order.user_id),
        "the balance is 9.847001, but its transfers total 9.847",
    ),
    "a wallet emptied": (
        lambda order: run("UPDATE orders_account SET balance = 0 WHERE user_id = %s", order.user_id),
        "the balance is 0.00, but its transfers total 9.847",
    ),
    "more noted as paid back than was": (
        lambda order: run("UPDATE orders_order SET refunded = refunded + 1 WHERE id = %s", order.pk),
        "0.027001 was refunded, but its transfers total 0.027",
    ),
    "a charge changed": (
        lambda order: run("UPDATE orders_order SET charge = charge + 1 WHERE id = %s", order.pk),
        "the charge is 0.090001, but its transfers total 0.09",
    ),
    "an order that was never charged": (
        lambda order: Order.objects.create(
            user_id=order.user_id, service=order.service, quantity=1, rate=Decimal(1), charge=Decimal("0.001")
        )
        and None,
        "the charge is 0.001, but its transfers total 0.00",
    ),
    "canceled without a refund": (
        lambda order: run("UPDATE orders_order SET status = 'canceled' WHERE id = %s", order.pk),
        "its status is canceled, but only 0.027 of 0.09 was refunded",
    ),
    "failed without a refund": (
        lambda order: run("UPDATE orders_order SET status = 'failed' WHERE id = %s", order.pk),
        "its status is failed, but only 0.027 of 0.09 was refunded",
    ),
    "a transfer changed": (
        lambda order: run_without_triggers(
            "UPDATE orders_transfer SET amount = amount + 1 WHERE order_id = %s", order.pk
        ),
        ", expected ",
    ),
    "a transfer deleted": (
        lambda order: run_without_triggers(
            "DELETE FROM orders_transfer WHERE order_id = %s AND kind = 'refund'", order.pk
        ),
        ", expected ",
    ),
    "a balance in the chain changed": (
        lambda order: run_without_triggers(
            "UPDATE orders_transfer SET wallet_after = wallet_after + 1 WHERE kind = 'payment'"
        ),
        "the balance after it is 10.000001, expected 10.00",
    ),
    "a transfer that hides its wallet": (
        lambda order: insert(order, wallet_id=None, wallet_after=None),
        "does not record that account and its balance",
    ),
    "a refund of no order": (lambda order: insert(order, order_id=None), "its kind is refund, but it has no order"),
    "a refund the wrong way round": (
        lambda order: insert(
            order,
            source_id=order.user.wallet.pk,
            target_id=Account.objects.get(code="sales").pk,
        ),
        "0.027 was refunded, but its transfers total 0.00",
    ),
    "a refund to someone else": (
        lambda order: insert(
            order, wallet_id=Account.objects.exclude(user=order.user).get(user__isnull=False).pk
        ),
        "does not belong to the customer of order",
    ),
    "an account in another currency": (
        lambda order: run("UPDATE orders_account SET currency = 'EUR' WHERE user_id = %s", order.user_id),
        "its currency is EUR, the store uses USD",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_in_the_ledger_is_found(order: Order, fault: str) -> None:
    plant, sentence = FAULTS[fault]
    plant(order)
    found = findings()
    assert any(sentence in line for line in found), found


def test_the_audit_makes_one_read_query_per_rule(order: Order, django_assert_num_queries: Any, settings: Any) -> None:
    settings.ORDERS_AUDITS = []  # the ground floor's own
    with django_assert_num_queries(len(audit.CHECKS) + 1) as queries:
        findings()
    assert all(query["sql"].lstrip().startswith("SELECT") for query in queries.captured_queries)


def test_the_database_rejects_a_transfer_without_its_balance() -> None:
    order = factories.order()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(order, wallet_after=None)
