"""The transactions page and its CSV export."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from orders.ledger import transfers
from orders.lifecycle import fulfillment
from orders.models import Account
from storefront.accounts.models import User
from storefront.shop import transactions
from tests import factories
from tests.storefront.shop.forms import text_of


def create_payments(user: User, count: int) -> None:
    wallet = Account.objects.get(user=user)
    for number in range(count):
        transfers.credit_payment(wallet, amount=Decimal(1), gateway="test", reference=f"{user.pk}-{number}")


@pytest.mark.parametrize("count", [50, 150])
def test_the_page_takes_the_same_queries_for_any_length(
    count: int, page: Client, nadia: User, django_assert_num_queries
) -> None:
    create_payments(nadia, count)
    factories.order(nadia)
    with django_assert_num_queries(7):  # session, customer, wallet, figures, page, vouchers, balance in the header
        text = text_of(page.get("/wallet/"))
    assert text.count('<th scope="row">') == transactions.PAGE_SIZE


def test_totals_and_running_balance_are_shown(page: Client, nadia: User) -> None:
    service = factories.service(rate="10")
    factories.order(nadia, service)
    fulfillment.cancel(factories.order(nadia, service).pk)
    text = text_of(page.get("/wallet/")).replace("<bdi>", "").replace("</bdi>", "")
    assert "$99.00" in text  # the balance, and after the last entry
    assert "$2.00 <small>2 orders" in text
    assert "50% of what you spent" in text.replace("50.0", "50")
    assert "−$1.00" in text
    assert "+$1.00" in text


def test_transactions_can_be_filtered_by_type(page: Client, nadia: User) -> None:
    factories.order(nadia, factories.service(name="Harp"))
    assert "Harp" not in text_of(page.get("/wallet/?kind=payment"))
    assert "Harp" in text_of(page.get("/wallet/?kind=charge"))
    assert "No transactions of this type" in text_of(page.get("/wallet/?kind=refund"))
    assert "Harp" in text_of(page.get("/wallet/?kind=nonsense"))


def test_customers_see_only_their_own_transactions(page: Client) -> None:
    other = factories.customer("10")
    factories.order(other, factories.service(name="Secret harp"))
    assert "Secret harp" not in text_of(page.get("/wallet/"))
    assert b"Secret harp" not in page.get("/wallet/statement.csv").getvalue()


def test_staff_without_a_wallet_see_an_empty_page(client: Client) -> None:
    client.force_login(factories.user(is_staff=True))
    assert "No transactions yet" in text_of(client.get("/wallet/"))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_name_never_becomes_a_formula(name: str, page: Client, nadia: User) -> None:
    factories.order(nadia, factories.service(name=name))
    text = page.get("/wallet/statement.csv").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert rows[0]["Service"] == f"'{name}"


def test_amounts_in_the_csv_file_stay_numbers(page: Client, nadia: User) -> None:
    order = factories.order(nadia)
    text = page.get("/wallet/statement.csv").getvalue().decode("utf-8-sig")
    charge, payment = csv.DictReader(io.StringIO(text))
    assert (charge["Amount"], charge["Balance after"], charge["Order ID"]) == ("-0.09", "99.91", str(order.pk))
    assert (payment["Amount"], payment["Currency"]) == ("100.00", "USD")
