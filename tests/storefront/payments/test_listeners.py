"""Other features learn of credited and reversed payments through settings, in the transaction of the change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from storefront.accounts.models import User
from storefront.payments import checks, crediting, payment_rows
from storefront.payments.models import Payment, PaymentStatus
from tests import factories
from tests.storefront.payments import payments

HERE = "tests.storefront.payments.test_listeners"
heard: list[tuple[str, Decimal]] = []


def note_credit(payment: Payment, *, amount: Decimal) -> None:
    heard.append((payment.status, amount))


def note_reversal(payment: Payment, *, amount: Decimal) -> None:
    heard.append((payment.reference, amount))


def fail(payment: Payment, **facts: Any) -> None:
    raise RuntimeError("a listener that fails")


@pytest.fixture(autouse=True)
def _nothing_heard() -> None:
    heard.clear()


def test_each_listener_is_called_once_with_the_credited_payment(nadia: User, settings: Any) -> None:
    settings.PAYMENT_CREDIT_LISTENERS = [f"{HERE}.note_credit", f"{HERE}.note_credit"]
    payment = payments.demo(nadia)
    payments.deliver(payments.webhook_of(payment))
    payments.deliver(payments.webhook_of(payment))
    assert heard == [(PaymentStatus.CREDITED, Decimal(10))] * 2


def test_a_failing_listener_leaves_no_credit_behind(nadia: User, settings: Any) -> None:
    settings.PAYMENT_CREDIT_LISTENERS = [f"{HERE}.note_credit", f"{HERE}.fail"]
    payment = payments.with_proof(nadia)
    with pytest.raises(RuntimeError):
        crediting.approve(payment, amount=Decimal(10), actor=factories.staff())
    payment.refresh_from_db()
    assert payments.balance(nadia) == 0
    assert (payment.status, payments.credited_amounts(payment)) == (PaymentStatus.WAITING, [])


def test_reversal_listeners_learn_the_reversed_part(nadia: User, settings: Any) -> None:
    settings.PAYMENT_REVERSAL_LISTENERS = [f"{HERE}.note_reversal"]
    payment = payments.demo(nadia)
    payment_rows.notify(settings.PAYMENT_REVERSAL_LISTENERS, payment, amount=Decimal(4))
    assert heard == [(payment.reference, Decimal(4))]


@pytest.mark.parametrize("name", ["PAYMENT_CREDIT_LISTENERS", "PAYMENT_REVERSAL_LISTENERS"])
@pytest.mark.parametrize("value", [f"{HERE}.note_credit", [""], ["nowhere"], [f"{HERE}.nothing"], [None]])
def test_an_invalid_listener_fails_the_system_check(name: str, value: Any, settings: Any) -> None:
    assert checks.check_listeners(None) == []
    setattr(settings, name, value)
    assert [message.id for message in checks.check_listeners(None)] == ["payments.E002"]
