"""The statement of a provider finds what a panel took or gave beyond our orders, to the smallest unit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders.lifecycle import customer_requests
from orders.models import Service
from providers.models import BalanceReading, Placement, Provider, ProviderDeposit
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.reconciling import balance_statement
from providers.tracking import status_sync, upstream_requests
from providers.transport import balances, retention
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db
Start = Callable[..., Panel]
CENT = Decimal("0.01")


class Account:
    """Our account at a panel: orders there, with balances read in between."""

    def __init__(self, panel: Panel, dialect: str = "v2") -> None:
        self.panel, self.provider = panel, provider_at(panel, dialect)
        Service.objects.update(has_cancel=True)
        BalanceReading.objects.all().delete()  # the import of the price list reads the balance as well
        self.user = customer()
        self.count = 0

    def order(self) -> Placement:
        self.count += 1
        service = Service.objects.order_by("is_flat", "-routes__offer__has_cancel", "pk")[0]
        link = service.link_example or f"https://x.example.com/p/{self.count}"
        order = buy(self.user, service, link=link)
        submission.submit_due(self.provider)
        return Placement.objects.get(order=order)

    def end(self, placement: Placement, status: str, **values: int) -> None:
        self.panel.report(placement.upstream_id, getattr(self.panel.statuses, status), **values)
        status_sync.sync_statuses(self.provider, is_now=True)

    def read(self) -> None:
        balances.update_balance(self.provider)

    def statement(self) -> balance_statement.Statement:
        now = timezone.now()
        return balance_statement.build(self.provider, start=now - timedelta(days=30), end=now + timedelta(days=30))

    def differences(self) -> list[Decimal]:
        return [one.difference for one in self.statement().differences]


@pytest.fixture(params=["v2", "smpanelim", "tmsmm", "tzsmmpay", "toplistbot"])
def account(request: pytest.FixtureRequest, start_panel: Start) -> Account:
    return Account(start_panel(request.param), request.param)


def test_orders_that_cost_what_the_price_list_says_leave_no_difference(account: Account) -> None:
    account.read()
    costs = [account.order().cost for _ in range(3)]
    account.read()
    statement = account.statement()
    assert not statement.differences
    assert not statement.charged_differently
    assert statement.total is not None
    assert (statement.total.orders, statement.total.cost, statement.total.difference) == (3, sum(costs), 0)


@pytest.mark.parametrize("planted", [CENT, -CENT])
def test_a_planted_cent_is_found_in_its_interval(account: Account, planted: Decimal) -> None:
    account.read()
    account.order()
    account.read()
    account.order()
    account.panel.book.balance += planted
    account.read()
    account.order()
    account.read()
    found = account.statement()
    assert [(one.orders, one.difference) for one in found.differences] == [(1, planted)]
    assert found.total is not None
    assert found.total.difference == planted


def test_what_the_panel_returned_for_partial_and_canceled_orders_is_expected(account: Account) -> None:
    account.read()
    first, second = account.order(), account.order()
    account.read()
    account.end(first, "partial", remains=first.quantity // 4)
    account.end(second, "canceled", remains=second.quantity)
    account.read()
    statement = account.statement()
    assert not statement.differences
    assert statement.total is not None
    assert statement.total.returned == first.cost * (first.quantity // 4) / first.quantity + second.cost


def test_a_return_that_was_read_before_it_was_reported_settles_with_the_next_interval(start_panel: Start) -> None:
    account = Account(start_panel("v2"))
    account.read()
    placement = account.order()
    account.panel.report(placement.upstream_id, account.panel.statuses.canceled, remains=placement.quantity)
    account.read()
    assert account.differences() == [placement.cost]
    status_sync.sync_statuses(account.provider, is_now=True)
    account.read()
    assert account.differences() == []
    assert [bool(one.difference) for one in account.statement().intervals] == [True, True]


def test_a_cancellation_that_names_its_refund(start_panel: Start) -> None:
    account = Account(start_panel("toplistbot"), "toplistbot")
    account.read()
    placement = account.order()
    account.end(placement, "running", remains=40)
    customer_requests.request_cancellation(placement.order)
    upstream_requests.triage(is_now=True)
    upstream_requests.run(account.provider, is_now=True)
    status_sync.sync_statuses(account.provider, is_now=True)
    account.read()
    statement = account.statement()
    assert not statement.differences
    assert statement.total is not None
    assert statement.total.returned == placement.cost * 40 / placement.quantity


def test_a_deposit_is_a_difference_until_it_is_recorded(start_panel: Start) -> None:
    account = Account(start_panel("v2"))
    account.read()
    account.panel.book.balance += 25
    account.read()
    assert account.differences() == [25]
    reading = BalanceReading.objects.latest("read_at")
    ProviderDeposit.objects.create(
        provider=account.provider, amount=25, currency="USD", paid_at=reading.read_at - timedelta(microseconds=1)
    )
    statement = account.statement()
    assert not statement.differences
    assert statement.total is not None
    assert statement.total.deposits == 25


def test_an_order_charged_above_the_price_list_is_named(start_panel: Start) -> None:
    account = Account(start_panel("v2"))
    account.read()
    placement = account.order()
    account.panel.book.orders[placement.upstream_id].charge += CENT
    account.panel.book.balance -= CENT
    status_sync.sync_statuses(account.provider, is_now=True)
    account.read()
    statement = account.statement()
    assert [one.difference for one in statement.differences] == [-CENT]
    assert [(one.order_id, one.difference) for one in statement.charged_differently] == [(placement.order_id, -CENT)]


def test_readings_while_an_order_is_under_way_are_left_out(start_panel: Start) -> None:
    account = Account(start_panel("v2"))
    account.read()
    placement = account.order()
    Placement.objects.filter(pk=placement.pk).update(state="in_doubt")
    account.read()
    assert [row.is_idle for row in BalanceReading.objects.order_by("read_at")] == [True, False]
    assert account.statement().total is None
    Placement.objects.filter(pk=placement.pk).update(state="accepted")
    account.read()
    assert account.statement().total is not None
    assert account.differences() == []


def test_readings_in_another_currency_are_counted_and_not_compared(start_panel: Start) -> None:
    account = Account(start_panel("v2"))
    account.read()
    account.read()
    BalanceReading.objects.filter(pk=BalanceReading.objects.latest("pk").pk).update(currency="EUR")
    statement = account.statement()
    assert (statement.total, statement.foreign_readings) == (None, 1)


def test_old_readings_are_deleted(start_panel: Start) -> None:
    account = Account(start_panel("v2"))
    account.read()
    with time_machine.travel(timezone.now() + timedelta(days=retention.READINGS_KEPT_DAYS + 1)):
        account.read()
        retention.prune()
    assert BalanceReading.objects.count() == 1
    assert Provider.objects.get().balance is not None


def test_many_readings_take_the_same_queries(start_panel: Start, django_assert_max_num_queries: Any) -> None:
    account = Account(start_panel("v2"))
    for _ in range(3):
        account.read()
        account.order()
    with django_assert_max_num_queries(7):
        account.statement()
