"""Reviews of payments in the back office: each decision is made once, with a reason where required."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Transfer
from storefront.accounts.models import User
from storefront.payments import crediting
from storefront.payments import errors as payment_errors
from storefront.payments.models import Payment
from tests import factories
from tests.orders.parallel import together
from tests.storefront.payments import payments
from tests.storefront.payments.payments import balance, credited_amounts

LIST = "/admin/payments/payment/"


def act(client: Client, payment: Payment, name: str, **data: str) -> Any:
    return client.post(f"{LIST}{payment.pk}/{name}/", data, follow=True)


def test_an_approved_payment_is_credited_and_logged(boss: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    assert "Payment approved; $10.00 added to" in act(boss, payment, "approve", amount="10").content.decode()
    payment.refresh_from_db()
    assert (payment.status, payment.is_in_review, str(payment.actor)) == ("credited", False, "boss@example.com")
    assert (balance(nadia), credited_amounts(payment)) == (Decimal(10), [Decimal(10)])
    assert str(Transfer.objects.get().actor) == "boss@example.com"


def test_a_double_click_credits_once(boss: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    act(boss, payment, "approve", amount="10")
    assert "already added to the balance" in act(boss, payment, "approve", amount="10").content.decode()
    assert "already added to the balance" in act(boss, payment, "refuse", reason="no").content.decode()
    assert (balance(nadia), credited_amounts(payment)) == (Decimal(10), [Decimal(10)])


@pytest.mark.django_db(transaction=True)
def test_two_operators_at_once_make_one_transfer() -> None:
    user = factories.customer("0")
    payment = payments.with_proof(user)
    people = [User.objects.create_superuser(f"boss{number}@example.com", "x") for number in range(4)]

    def approve(actor: User, amount: str) -> Any:
        return lambda: crediting.approve(payment, amount=Decimal(amount), actor=actor, reason="seen")

    done = together([approve(person, amount) for person, amount in zip(people, ("10", "9", "8", "7"), strict=True)])
    assert sum(isinstance(one, Payment) for one in done) == 1
    assert sum(isinstance(one, payment_errors.AlreadyCredited) for one in done) == 3
    payment.refresh_from_db()
    assert credited_amounts(payment) == [payment.paid_amount] == [balance(user)]


def test_a_different_amount_needs_a_reason_and_is_credited(boss: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    assert "Enter a reason" in act(boss, payment, "approve", amount="8").content.decode()
    assert credited_amounts(payment) == []
    act(boss, payment, "approve", amount="8", reason="The bank kept 2.")
    assert (balance(nadia), credited_amounts(payment)) == (Decimal(8), [Decimal(8)])
    page = factories.signed_in(nadia).get(f"/wallet/payments/{payment.reference}/").content.decode()
    assert "The bank kept 2." in page


@pytest.mark.parametrize("amount", ["", "0", "-5", "NaN", "1e3x", "0.0000001"])
def test_an_invalid_amount_is_not_credited(boss: Client, nadia: User, amount: str) -> None:
    payment = payments.with_proof(nadia)
    assert "Amount received" in act(boss, payment, "approve", amount=amount, reason="x").content.decode()
    assert credited_amounts(payment) == []


def test_the_customer_sees_why_a_payment_was_declined(boss: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    act(boss, payment, "refuse", reason=" ")
    payment.refresh_from_db()
    assert payment.status == "waiting"
    act(boss, payment, "refuse", reason="No such payment came.")
    payment.refresh_from_db()
    assert (payment.status, payment.is_in_review, payment.credited_at) == ("refused", False, None)
    assert (
        "No such payment came."
        in factories.signed_in(nadia).get(f"/wallet/payments/{payment.reference}/").content.decode()
    )
    assert "has already ended" in act(boss, payment, "refuse", reason="again").content.decode()


def test_a_declined_payment_can_still_be_approved(boss: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    act(boss, payment, "refuse", reason="Nothing came.")
    assert "Enter a reason" in act(boss, payment, "approve", amount="10").content.decode()
    act(boss, payment, "approve", amount="10", reason="It came on Monday.")
    assert balance(nadia) == 10


def test_the_received_amount_is_suggested_for_approval(boss: Client, nadia: User) -> None:
    payment = payments.demo(nadia)
    payments.deliver(payments.webhook_of(payment, amount="5"))
    page = boss.get(f"{LIST}{payment.pk}/change/").content.decode()
    assert re.search(r'name="amount" value="5\.00"', page)
    assert "payment p1: 5.00 USD" in page


def test_reviewing_requires_permissions(nadia: User) -> None:
    payment = payments.with_proof(nadia)
    reader = factories.signed_in(factories.staff("view_payment"))
    page = reader.get(f"{LIST}{payment.pk}/change/")
    assert page.status_code == 200
    assert "Approve payment" not in page.content.decode()
    for name in ("approve", "refuse", "settle"):
        assert act(reader, payment, name, amount="10", reason="x").status_code == 403
    nobody = factories.signed_in(factories.staff(email="nobody@example.com"))
    assert nobody.get(f"{LIST}{payment.pk}/change/").status_code == 403
    assert nobody.get(LIST).status_code == 403
    assert (
        act(factories.signed_in(nadia), payment, "approve", amount="10")
        .redirect_chain[0][0]
        .startswith("/admin/login/")
    )
    assert credited_amounts(payment) == []


def test_payments_cannot_be_edited_in_admin(boss: Client, nadia: User) -> None:
    payment = payments.with_proof(nadia)
    before = Payment.objects.values().get()
    assert boss.post(f"{LIST}{payment.pk}/change/", {"status": "credited"}).status_code == 403
    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.post(f"{LIST}{payment.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get(f"{LIST}{payment.pk}/approve/").status_code == 405
    assert Payment.objects.values().get() == before


def test_payments_in_review_come_first_and_are_on_the_start_page(boss: Client, nadia: User) -> None:
    proven = payments.with_proof(nadia)
    newer = payments.demo(nadia)
    page = boss.get(LIST).content.decode()
    assert page.index(proven.reference) < page.index(newer.reference)
    start = boss.get("/admin/").content.decode()
    assert "1 payment to review" in start
    only = boss.get(f"{LIST}?review=1").content.decode()
    assert proven.reference in only
    assert newer.reference not in only
    assert "to review" not in factories.signed_in(factories.staff("view_order")).get("/admin/").content.decode()


def test_payments_are_found_by_reference_gateway_id_and_email(boss: Client, nadia: User) -> None:
    payment = payments.demo(nadia)
    other = payments.demo(factories.customer("0", email="other@example.com"))
    payments.deliver(payments.webhook_of(payment, id="up-77"))
    for text in (payment.reference, payment.reference.lower(), "up-77", nadia.email):
        page = boss.get(LIST, {"q": text}).content.decode()
        assert payment.reference in page, text
        assert other.reference not in page, text
    for query in ({"status__exact": "credited"}, {"gateway": "demo", "status__exact": "credited"}):
        page = boss.get(LIST, query).content.decode()
        assert payment.reference in page
        assert other.reference not in page


def test_the_list_needs_the_same_queries_for_any_number_of_rows(boss: Client, nadia: User) -> None:
    def queries() -> int:
        boss.get(LIST)
        with CaptureQueriesContext(connection) as caught:
            assert boss.get(LIST).status_code == 200
        return len(caught)

    payments.demo(nadia)
    few = queries()
    for _ in range(30):
        payments.demo(factories.customer("0"))
    assert queries() == few
