"""The trial balance and the balances of accounts at any date, from the transfers alone."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.ledger import transfers
from orders.models import Account, Order
from storefront.accounting import balances, periods
from storefront.accounts.models import User
from tests import factories
from tests.storefront.accounting.test_pages import staff

pytestmark = pytest.mark.django_db
TRIAL, ACCOUNT = "/admin/reports/trial-balance", "/admin/reports/account"
FIRST, SECOND, THIRD = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 5)


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    return client


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))


def three_days() -> Account:
    """A customer pays 10 on the first day, buys for 0.90 on the second and is refunded on the third."""
    with time_machine.travel(
        datetime.combine(FIRST, datetime.min.time()) + timedelta(hours=23, minutes=59), tick=False
    ):
        user = factories.customer("10", email="anna@example.com")
    with time_machine.travel(datetime.combine(SECOND, datetime.min.time()), tick=False):
        order = factories.order(user, quantity="1000")
    with time_machine.travel(datetime.combine(THIRD, datetime.min.time()), tick=False):
        transfers.refund(Order.objects.get(pk=order.pk), target=order.charge)
    return Account.objects.get(user=user)


def test_balances_at_the_end_of_each_day() -> None:
    wallet, sales = three_days(), Account.objects.get(code=transfers.SALES)
    days = [FIRST - periods.DAY, FIRST, SECOND, THIRD - periods.DAY, THIRD]
    assert [balances.balance_at(wallet, day) for day in days] == [0, 10, Decimal("9.1"), Decimal("9.1"), 10]
    assert [balances.balance_at(sales, day) for day in days] == [0, 0, Decimal("0.9"), Decimal("0.9"), 0]
    for day in days:
        found = balances.trial_balance(day)
        assert found.is_balanced
        assert sum(line.balance for line in found.lines) == 0


def test_a_day_ends_in_the_stores_time_zone() -> None:
    wallet = three_days()
    with override_settings(TIME_ZONE="Asia/Tokyo"):
        assert [balances.balance_at(wallet, day) for day in (FIRST, SECOND)] == [0, Decimal("9.1")]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3), st.sampled_from(["pay", "give", "take"])), max_size=12)
)
def test_the_sum_of_all_accounts_is_zero_on_every_day(steps: list[tuple[int, int, str]]) -> None:
    user = User.objects.filter(email="z@example.com").first() or factories.user("z@example.com")
    wallet = transfers.open_wallet(user)
    start = datetime(2026, 1, 1, 12)
    for number, (day, amount, what) in enumerate(sorted(steps)):
        reference = f"{user.pk}-{Account.objects.count()}-{number}-{amount}-{datetime.now().timestamp()}"
        with time_machine.travel(start + timedelta(days=day), tick=False):
            if what == "pay":
                transfers.credit_payment(wallet, amount=Decimal(amount), gateway="bank", reference=reference)
            elif what == "give" or balances.balance_at(wallet, date(2030, 1, 1)) >= amount:
                signed = Decimal(amount if what == "give" else -amount)
                transfers.adjust(wallet, amount=signed, reference=reference)
    for day in range(0, 22, 3):
        at = (start + timedelta(days=day)).date()
        assert sum(line.balance for line in balances.every_balance(at)) == 0
        assert balances.trial_balance(at).is_balanced
    wallet.refresh_from_db()
    assert balances.balance_at(wallet, date(2030, 1, 1)) == wallet.balance


def test_the_page_and_the_file_of_the_trial_balance(boss: Client) -> None:
    three_days()
    body = boss.get(f"{TRIAL}/?date=2026-03-02").content.decode()
    assert "Balanced" in body
    assert body.count("$9.10") == 1, "all customers together"
    assert body.count("$10.00") == 3, "the gateway's debt, and both totals"
    rows = rows_of(boss.get(f"{TRIAL}.csv?date=2026-03-02"))
    assert sum(Decimal(row["Debit"]) - Decimal(row["Credit"]) for row in rows) == 0
    assert [row["Credit"] for row in rows if row["Customer"] == "anna@example.com"] == ["9.10"]
    assert boss.get(f"{TRIAL}.xlsx").status_code == 200


def test_the_page_and_the_file_of_an_account(boss: Client) -> None:
    three_days()
    query = "?account=Anna@example.com&from=2026-03-02&to=2026-03-05"
    body = boss.get(f"{ACCOUNT}/{query}").content.decode()
    assert body.count("$10.00") == 2, "before and after"
    assert body.count("$0.90") == 2, "an order and its refund"
    rows = rows_of(boss.get(f"{ACCOUNT}.csv{query}"))
    assert [(row["In"], row["Out"], row["Balance"]) for row in rows] == [("", "0.90", "9.10"), ("0.90", "", "10.00")]
    assert [row["Other account"] for row in rows] == ["sales", "sales"]
    by_code = rows_of(boss.get(f"{ACCOUNT}.csv?account=sales&from=2026-03-01&to=2026-03-05"))
    assert [row["Balance"] for row in by_code] == ["0.90", "0.00"]


@pytest.mark.parametrize("text", ["", "nobody@example.com", "99999999", "9" * 30, "%00", "Ω"])
def test_an_unknown_account_has_no_balance(boss: Client, text: str) -> None:
    assert boss.get(f"{ACCOUNT}/?account={text}").status_code == 200
    assert boss.get(f"{ACCOUNT}.csv?account={text}").status_code == 404


@pytest.mark.parametrize("text", ["", "soon", "2026-99-99", "9999-12-31"])
def test_an_unreadable_day_means_today(boss: Client, text: str) -> None:
    assert balances.day_from({"date": text}) == periods.today()


def test_balances_need_both_permissions() -> None:
    client = staff("view_account")
    for path in (f"{TRIAL}/", f"{TRIAL}.csv", f"{ACCOUNT}/", f"{ACCOUNT}.csv"):
        assert client.get(path).status_code == 403
