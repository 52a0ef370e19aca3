from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from orders.buying import checkout
from orders.errors import InsufficientFunds, InvalidAmount, InvalidReference, ReferenceReused
from orders.ledger import audit, transfers
from orders.lifecycle import fulfillment
from orders.models import Account, Order, Transfer
from orders.rules import amounts
from tests import factories
from tests.orders.parallel import together


def balance(user: Any) -> Decimal:
    found = Account.objects.get(user=user).balance
    assert found is not None
    return found


def outcomes(results: list[Any]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


# ------------------------------------------------------------------------------------------------ single calls
@pytest.mark.django_db
def test_a_wallet_is_created_once_with_a_zero_balance() -> None:
    buyer = factories.user()
    assert transfers.open_wallet(buyer) == transfers.open_wallet(buyer)
    assert (balance(buyer), buyer.wallet.currency) == (0, "USD")


@pytest.mark.django_db
def test_a_payment_is_booked_once_for_its_reference() -> None:
    wallet = factories.wallet(factories.user())
    first = transfers.credit_payment(wallet, amount=Decimal("5.25"), gateway="card", reference="a1", note="thanks")
    again = transfers.credit_payment(wallet, amount=Decimal("5.250"), gateway="card", reference="a1")
    assert first == again
    assert (first.reference, first.wallet_after, first.source.code) == (
        "payment:card:a1",
        Decimal("5.25"),
        "clearing:card",
    )
    transfers.credit_payment(wallet, amount=Decimal("5.25"), gateway="bank", reference="a1")
    wallet.refresh_from_db()
    assert wallet.balance == Decimal("10.50")


@pytest.mark.django_db
def test_a_reference_cannot_be_reused_for_another_booking() -> None:
    wallet, other = factories.wallet(factories.user()), factories.wallet(factories.user())
    transfers.credit_payment(wallet, amount=Decimal(5), gateway="card", reference="a1")
    transfers.adjust(wallet, amount=Decimal(2), reference="fix")
    for again in (
        partial(transfers.credit_payment, wallet, amount=Decimal(6), gateway="card", reference="a1"),
        partial(transfers.credit_payment, other, amount=Decimal(5), gateway="card", reference="a1"),
        partial(transfers.adjust, wallet, amount=Decimal(-2), reference="fix"),
        partial(transfers.adjust, other, amount=Decimal(2), reference="fix"),
    ):
        with pytest.raises(ReferenceReused):
            again()
    assert Transfer.objects.count() == 2


@pytest.mark.django_db
def test_an_operator_credits_and_debits() -> None:
    buyer = factories.customer("5")
    given = transfers.adjust(buyer.wallet, amount=Decimal("1.5"), reference="1", actor=factories.user(), note="sorry")
    taken = transfers.adjust(buyer.wallet, amount=Decimal("-6.5"), reference="2")
    assert taken == transfers.adjust(buyer.wallet, amount=Decimal("-6.5"), reference="2")
    assert (given.source.code, given.target, given.wallet_after) == ("adjustments", buyer.wallet, Decimal("6.5"))
    assert (taken.source, taken.target.code, taken.wallet_after) == (buyer.wallet, "adjustments", 0)
    with pytest.raises(InsufficientFunds):
        transfers.adjust(buyer.wallet, amount=Decimal("-0.000001"), reference="3")
    assert balance(buyer) == 0
    assert list(audit.findings()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["0", "-1", "0.0000001", "1E+13", "Infinity"])
def test_an_invalid_amount_is_rejected(amount: str) -> None:
    wallet = factories.wallet(factories.user())
    with pytest.raises(InvalidAmount):
        transfers.credit_payment(wallet, amount=Decimal(amount), gateway="x", reference="1")
    assert not Transfer.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["0", "0.0000001", "-0.0000001", "1E+13", "-1E+13"])
def test_an_invalid_adjustment_is_rejected(amount: str) -> None:
    buyer = factories.customer("5")
    with pytest.raises(InvalidAmount):
        transfers.adjust(buyer.wallet, amount=Decimal(amount), reference="1")
    assert balance(buyer) == 5


@pytest.mark.django_db
@pytest.mark.parametrize("reference", ["x" * 200, "a\0b", "a\nb", "\ud800"])
def test_an_invalid_reference_is_rejected(reference: str) -> None:
    wallet = factories.wallet(factories.user())
    with pytest.raises(InvalidReference):
        transfers.credit_payment(wallet, amount=Decimal(1), gateway="x", reference=reference)


@pytest.mark.django_db
def test_a_balance_never_exceeds_64_bits() -> None:
    wallet = factories.wallet(factories.user())
    most = amounts.from_units(amounts.LARGEST, amounts.AMOUNT_PLACES)
    transfers.credit_payment(wallet, amount=most, gateway="x", reference="1")
    with pytest.raises(InvalidAmount):
        transfers.credit_payment(wallet, amount=amounts.QUANTUM, gateway="x", reference="2")
    wallet.refresh_from_db()
    assert wallet.balance == most
    assert list(audit.findings()) == []


@pytest.mark.django_db
def test_a_house_account_is_not_a_wallet() -> None:
    with pytest.raises(Account.DoesNotExist):
        transfers.credit_payment(transfers.clearing_account("x"), amount=Decimal(1), gateway="x", reference="1")


@pytest.mark.django_db
def test_database_constraints_reject_invalid_rows() -> None:
    buyer = factories.customer("5")
    wallet, sales = buyer.wallet, Account.objects.get(code="sales")
    row = {"kind": "payment", "amount": Decimal(1), "source": sales, "target": wallet}
    for change in (
        lambda: Account.objects.filter(pk=wallet.pk).update(balance=Decimal("-0.000001")),
        lambda: Account.objects.filter(pk=wallet.pk).update(balance=None),
        lambda: Account.objects.filter(pk=sales.pk).update(balance=Decimal(0)),
        lambda: Account.objects.create(kind="wallet", balance=Decimal(0), currency="USD"),
        lambda: Account.objects.create(kind="wallet", user=buyer, balance=Decimal(0), currency="USD"),
        lambda: Transfer.objects.create(**{**row, "amount": Decimal(0)}, reference="a"),
        lambda: Transfer.objects.create(**{**row, "amount": Decimal(-1)}, reference="b"),
        lambda: Transfer.objects.create(**{**row, "target": sales}, reference="c"),
        lambda: Transfer.objects.create(**row, reference=Transfer.objects.get().reference),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.django_db
def test_a_charge_stores_its_order_and_the_balance_after_it() -> None:
    order = factories.order(factories.customer("1"))
    charge = order.transfers.get()
    assert (charge.kind, charge.reference, charge.amount) == ("charge", f"charge:{order.pk}", Decimal("0.09"))
    assert (charge.source, charge.target.code, charge.wallet_after) == (order.user.wallet, "sales", Decimal("0.91"))


@pytest.mark.django_db
def test_a_free_order_makes_no_transfer() -> None:
    order = factories.order(factories.user(), factories.service(rate="0"))
    assert not order.transfers.exists()
    assert fulfillment.cancel(order.pk).status == "canceled"
    assert list(audit.findings()) == []


@pytest.mark.django_db
def test_a_refund_reaches_its_target_but_never_exceeds_the_charge() -> None:
    order = factories.order(factories.customer("1"))
    assert transfers.refund(order, target=Decimal("0.03")) == Decimal("0.03")
    assert transfers.refund(order, target=Decimal("0.03")) == 0
    assert transfers.refund(order, target=Decimal("0.01")) == 0
    assert transfers.refund(order, target=Decimal("99")) == Decimal("0.06")
    assert transfers.refund(order, target=Decimal("-1")) == 0
    assert balance(order.user) == 1
    assert list(audit.findings()) == []


@pytest.mark.django_db
def test_a_refund_of_an_unlocked_order_moves_no_money() -> None:
    order = factories.order(factories.customer("1"))
    stale = Order.objects.get(pk=order.pk)
    transfers.refund(order, target=Decimal("0.03"))
    with pytest.raises(RuntimeError, match="not locked"), transaction.atomic():
        transfers.refund(stale, target=Decimal("0.09"))
    assert balance(order.user) == Decimal("0.94")


@pytest.mark.django_db
def test_transactions_are_newest_first_and_add_up() -> None:
    buyer = factories.customer("1")
    order = factories.order(buyer)
    fulfillment.cancel(order.pk)
    lines = Transfer.objects.of(buyer.wallet)
    assert [(line.kind, line.wallet_after) for line in lines] == [
        ("refund", Decimal(1)), ("charge", Decimal("0.91")), ("payment", Decimal(1)),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------ concurrent calls
def naive_purchase(user: Any, price: Decimal) -> None:
    """Charge in the wrong way: read the balance, then write the remainder."""
    wallet = Account.objects.get(user=user)
    assert wallet.balance is not None
    if wallet.balance < price:
        raise InsufficientFunds
    Account.objects.filter(pk=wallet.pk).update(balance=wallet.balance - price)


@pytest.mark.django_db(transaction=True)
def test_64_concurrent_buyers_never_overspend_a_balance() -> None:
    buyer, service = factories.customer("1.00"), factories.service(rate="0.90")
    buy = partial(checkout.place_order, buyer, service=service, inputs=factories.INPUTS)
    assert outcomes(together([buy] * 64)) == {"Order": 11, "InsufficientFunds": 53}
    assert (balance(buyer), Order.objects.count()) == (Decimal("0.01"), 11)
    assert list(audit.findings()) == []


@pytest.mark.django_db(transaction=True)
def test_reading_before_writing_overspends_the_balance() -> None:
    """If this fails, the calls do not overlap, and the test above proves nothing."""
    buyer = factories.customer("1.00")
    for _ in range(20):
        Account.objects.filter(user=buyer).update(balance=Decimal(1))
        bought = outcomes(together([partial(naive_purchase, buyer, Decimal("0.09"))] * 64))["NoneType"]
        if bought > 11:
            return
    pytest.fail("64 threads never met in the naive purchase")


@pytest.mark.django_db(transaction=True)
def test_20_concurrent_reports_credit_a_payment_once() -> None:
    wallet = factories.wallet(factories.user())
    credit = partial(transfers.credit_payment, wallet, amount=Decimal(5), gateway="new", reference="a1")
    results = together([credit] * 20)
    assert outcomes(results) == {"Transfer": 20}
    assert len({transfer.pk for transfer in results}) == 1
    wallet.refresh_from_db()
    assert wallet.balance == 5
    assert list(audit.findings()) == []


@pytest.mark.django_db(transaction=True)
def test_20_concurrent_copies_book_an_adjustment_once() -> None:
    buyer = factories.customer("5")
    take = partial(transfers.adjust, buyer.wallet, amount=Decimal(-4), reference="fix")
    results = together([take] * 20)
    assert outcomes(results) == {"Transfer": 20}
    assert (balance(buyer), len({transfer.pk for transfer in results})) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_20_concurrent_calls_create_one_wallet() -> None:
    buyer = factories.user()
    assert outcomes(together([partial(transfers.open_wallet, buyer)] * 20)) == {"Account": 20}
    assert Account.objects.filter(user=buyer).count() == 1


@pytest.mark.django_db(transaction=True)
def test_orders_canceled_twice_at_once_are_refunded_once() -> None:
    buyer = factories.customer("10")
    service = factories.service()
    orders = [factories.order(buyer, service) for _ in range(50)]
    for start in range(0, 50, 10):
        cancels = [partial(fulfillment.cancel, order.pk) for order in orders[start : start + 10] for _ in range(2)]
        assert outcomes(together(cancels)) == {"Order": 20}
    assert balance(buyer) == 10
    assert Transfer.objects.filter(kind="refund").count() == 50
    assert list(audit.findings()) == []


@pytest.mark.django_db(transaction=True)
def test_concurrent_purchases_payments_and_refunds_keep_the_ledger_correct() -> None:
    buyer, service = factories.customer("0.45"), factories.service()
    old = [factories.order(buyer, service) for _ in range(5)]
    acts: list[Any] = [partial(fulfillment.cancel, order.pk) for order in old]
    acts += [partial(checkout.place_order, buyer, service=service, inputs=factories.INPUTS) for _ in range(15)]
    acts += [
        partial(transfers.credit_payment, buyer.wallet, amount=Decimal("0.09"), gateway="x", reference=str(n))
        for n in range(5)
    ]
    counts = outcomes(together(acts))
    assert set(counts) <= {"Order", "InsufficientFunds", "Transfer"}
    bought = Order.objects.filter(status="queued").count()
    assert balance(buyer) == Decimal("0.90") - bought * Decimal("0.09")
    assert list(audit.findings()) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="there one writer waits for the other: nothing to interleave")
def test_purchases_of_different_customers_do_not_wait_for_each_other() -> None:
    """Every purchase refers to the house account, so a lock on it would make all of them wait."""
    first, second, service = factories.customer("1"), factories.customer("1"), factories.service()
    with transaction.atomic():
        checkout.place_order(first, service=service, inputs=factories.INPUTS)
        (placed,) = together([partial(checkout.place_order, second, service=service, inputs=factories.INPUTS)])
    assert isinstance(placed, Order)
