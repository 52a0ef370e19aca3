"""The profit reports: what they count, that they agree with the ledger, and that every transfer has a column."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.db.encrypted_field import Secret
from orders.ledger import transfers
from orders.models import Account, Order, Transfer
from orders.rules import amounts
from providers.models import Offer, Placement, Provider
from providers.placing import costs
from storefront.accounting import periods, profit
from storefront.accounting.periods import Period
from storefront.accounts.models import User
from storefront.payments import crediting
from storefront.payments.models import Payment, PaymentEntry
from tests import factories
from tests.large_shop import keep_given_times

pytestmark = pytest.mark.django_db
EVER = Period(date(2000, 1, 1), date(2035, 1, 1))


def provider(name: str = "north", **details: Any) -> Provider:
    return Provider.objects.create(
        name=name, url=f"https://{name}.example.com/api", dialect_name="v2", key=Secret.hide("k" * 32), **details
    )


def place(order: Order, at: Provider, cost: str, *, rate: str = "1", **details: Any) -> Placement:
    """Record that ``at`` took the order for ``cost`` in its currency."""
    offer, _ = Offer.objects.get_or_create(
        provider=at, upstream_id="1",
        defaults={"name": "x", "service_type": "default", "rate": 1, "min_quantity": 1, "max_quantity": 9},
    )  # fmt: skip
    row = {"state": "closed", "currency": at.currency, "lease_until": order.created_at, "quantity": order.quantity}
    return Placement.objects.create(
        order=order, provider=at, offer=offer, cost=Decimal(cost), exchange_rate=Decimal(rate), **{**row, **details}
    )


def by_label(name: str, period: Period = EVER) -> dict[str, profit.Figures]:
    return {row.label: row.figures for row in profit.report(name, period).rows if not row.figures.is_empty}


def some_orders() -> tuple[Order, Order, Order]:
    """Two orders of 90 and 45 cents at two providers in two currencies, and one of 9 cents that was refunded."""
    north, south = provider(), provider("south", currency="EUR", exchange_rate=Decimal("1.10"))
    anna, boris = factories.customer(email="anna@example.com"), factories.customer(email="boris@example.com")
    likes, views = factories.service(name="Likes"), factories.service(name="Views")
    first = factories.order(anna, likes, quantity="1000")
    second = factories.order(boris, views, quantity="500")
    third = factories.order(boris, views)
    transfers.refund(Order.objects.get(pk=third.pk), target=third.charge)
    place(first, north, "0.5")
    place(second, south, "0.2", rate="1.1", charged=Decimal("0.1"), first_charged=Decimal("0.2"))
    place(third, north, "0.04", state="refused")
    return first, second, third


def test_profit_is_revenue_less_refunds_and_cost_at_the_rate_of_the_time() -> None:
    some_orders()
    Provider.objects.update(exchange_rate=Decimal(99))
    services = by_label("service")
    assert (services["Likes"].revenue, services["Likes"].cost, services["Likes"].profit) == tuple(
        map(Decimal, ("0.90", "0.5", "0.40"))
    )
    views = services["Views"]
    assert (views.revenue, views.refunds, views.cost) == tuple(map(Decimal, ("0.54", "0.09", "0.11")))
    assert (views.profit, views.margin) == (Decimal("0.34"), amounts.divide(Decimal("0.34"), Decimal("0.45")))


def test_every_report_has_the_same_total_and_it_is_what_the_ledger_says() -> None:
    some_orders()
    totals = [profit.report(name, EVER).total for name in profit.REPORTS if name != "method"]
    assert all(total == totals[0] for total in totals)
    sales = Account.objects.get(code=transfers.SALES)
    in_, out = (
        Transfer.objects.filter(**{side: sales}).aggregate(sum=Sum("amount"))["sum"] for side in ("target", "source")
    )
    assert totals[0].revenue - totals[0].refunds == in_ - out
    method = profit.report("method", EVER).total
    assert (method.revenue, method.cost, method.profit) == (totals[0].revenue, totals[0].cost, totals[0].profit)


def test_an_order_belongs_to_the_provider_that_took_it_last() -> None:
    first, second, _third = some_orders()
    north = Provider.objects.get(name="north")
    place(second, north, "0.03")
    providers = by_label("provider")
    assert (providers["north"].revenue, providers["north"].cost) == (first.charge + second.charge, Decimal("0.53"))
    assert (providers["south"].revenue, providers["south"].cost) == (0, Decimal("0.11"))
    assert (providers["No provider"].revenue, providers["No provider"].refunds) == (Decimal("0.09"), Decimal("0.09"))


def test_kinds_that_nobody_knows_yet_have_a_column() -> None:
    """Other parts of the shop will book fees and bonuses; whatever they book must not disappear."""
    wallet = factories.wallet(factories.user(), "10")
    sales, clearing = Account.objects.get(code=transfers.SALES), transfers.clearing_account("bank")
    houses = {
        code: Account.objects.get_or_create(code=f"{code}:test", defaults={"kind": code, "currency": "USD"})[0]
        for code in ("bonuses", "fees", "gifts")
    }

    def book(kind: str, source: Account, target: Account, amount: str) -> None:
        with_wallet = {"wallet": wallet, "wallet_after": Decimal(0)} if wallet in (source, target) else {}
        Transfer.objects.create(
            kind=kind, reference=f"{kind}:{source.pk}:{target.pk}", source=source, target=target,
            amount=Decimal(amount), **with_wallet,
        )  # fmt: skip

    book("bonus", houses["bonuses"], wallet, "2")
    book("cashback", houses["bonuses"], wallet, "1")
    book("fee", houses["fees"], clearing, "0.30")
    book("gift", houses["gifts"], wallet, "0.07")
    book("chargeback", wallet, clearing, "5")
    book("closing", sales, houses["gifts"], "0.50")
    total = profit.report("day", EVER).total
    assert (total.bonuses, total.fees, total.adjustments) == (3, Decimal("0.30"), 0)
    assert total.other == Decimal("-0.07"), "two accounts of the shop: nothing was earned or spent"
    assert total.profit == Decimal("-3.37")


def test_adjustments_are_shown_and_are_no_part_of_the_profit() -> None:
    customer = factories.customer()
    transfers.adjust(Account.objects.get(user=customer), amount=Decimal(7), reference="gift")
    transfers.adjust(Account.objects.get(user=customer), amount=Decimal(-2), reference="back")
    row = by_label("customer")[customer.email]
    assert (row.adjustments, row.profit) == (-5, 0)


def test_customers_figures_are_shared_out_by_their_payment_methods() -> None:
    some_orders()
    anna, boris = User.objects.get(email="anna@example.com"), User.objects.get(email="boris@example.com")
    boss = User.objects.create_superuser("boss@example.com", "x")
    for user, amount, method in ((anna, 10, "Bank"), (boris, 20, "Bank"), (boris, 10, "Card")):
        crediting.credit_reported(user, amount=Decimal(amount), method=method, memo=f"{method}{amount}", actor=boss)
    methods = by_label("method")
    assert methods["Bank"].revenue == Decimal("0.90") + Decimal("0.36")
    assert methods["Card"].revenue == Decimal("0.18")
    assert (methods["Bank"].received, methods["Card"].received) == (30, 10)
    assert sum(found.profit for found in methods.values()) == profit.report("day", EVER).total.profit


def test_fees_are_what_gateways_kept_less_what_customers_paid_for_it() -> None:
    user, boss = factories.customer(), User.objects.create_superuser("boss@example.com", "x")
    paid, _ = crediting.credit_reported(user, amount=Decimal(20), method="Card", memo="1", actor=boss)
    Payment.objects.filter(pk=paid.pk).update(
        fee=Decimal("0.50"), pay_currency="EUR", exchange_rate=Decimal("0.8"), pay_amount=Decimal("16.40")
    )
    for number, (fee, currency) in enumerate((("0.40", "EUR"), ("0.70", "USD"), ("0.01", ""))):
        PaymentEntry.objects.create(
            payment=paid, kind="received", entry_id=str(number), amount=1, currency="EUR", fee=Decimal(fee),
            fee_currency=currency,
        )  # fmt: skip
    for name in profit.REPORTS:
        total = profit.report(name, EVER).total
        assert (total.fees, total.profit) == (Decimal("0.71"), Decimal("-0.71")), name
    assert by_label("method")["Card"].fees == Decimal("0.71")
    assert by_label("customer")[user.email].fees == Decimal("0.71")


def test_a_customer_without_a_payment_has_no_method() -> None:
    some_orders()
    assert by_label("method")["No payment"].revenue == Decimal("1.44")


# ------------------------------------------------------------------------------------------------ days
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"])
def test_days_are_those_of_the_stores_time_zone_also_when_the_clocks_change(zone: str) -> None:
    user = factories.customer()
    start = datetime(2025, 10, 24, tzinfo=UTC)
    moments = [start + timedelta(minutes=61 * number) for number in range(120)]
    sales = Account.objects.get(code=transfers.SALES)
    wallet = Account.objects.get(user=user)
    with keep_given_times(Transfer):
        for number, moment in enumerate(moments):
            Transfer.objects.create(
                kind="charge", reference=f"t{number}", source=wallet, target=sales, amount=1, wallet=wallet,
                wallet_after=0, created_at=moment,
            )  # fmt: skip
    with override_settings(TIME_ZONE=zone):
        period = Period(date(2025, 10, 23), date(2025, 10, 31))
        found = {row.key: row.figures.revenue for row in profit.report("day", period).rows if row.figures.revenue}
        expected: dict[date, int] = {}
        for moment in moments:
            day = moment.astimezone(periods.midnight(date(2025, 10, 1)).tzinfo).date()
            expected[day] = expected.get(day, 0) + 1
        assert found == expected
        one_day = Period(date(2025, 10, 26), date(2025, 10, 26))
        assert profit.report("service", one_day).total.revenue == expected[date(2025, 10, 26)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("2026-02-15", "2026-03-16")),
        ({"period": "today"}, ("2026-03-16", "2026-03-16")),
        ({"period": "7"}, ("2026-03-10", "2026-03-16")),
        ({"period": "month"}, ("2026-03-01", "2026-03-16")),
        ({"period": "last_month"}, ("2026-02-01", "2026-02-28")),
        ({"from": "2026-01-05", "to": "2026-01-07"}, ("2026-01-05", "2026-01-07")),
        ({"from": "2026-01-07", "to": "2026-01-05"}, ("2026-01-05", "2026-01-07")),
        ({"from": "2026-03-01"}, ("2026-03-01", "2026-03-16")),
        ({"to": "2026-03-01"}, ("2026-03-01", "2026-03-01")),
        ({"from": "2026-03-01", "to": "9999-12-31"}, ("2026-03-01", "2026-03-16")),
        ({"from": "0001-01-01", "to": "0001-01-02"}, ("2000-01-01", "2000-01-01")),
        ({"from": "soon", "to": "2026-99-01"}, ("2026-02-15", "2026-03-16")),
        ({"period": "forever"}, ("2026-02-15", "2026-03-16")),
    ],
)
def test_periods_that_a_page_is_asked_for(
    query: dict[str, str], expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periods, "today", lambda: date(2026, 3, 16))
    found = periods.parse(query)
    assert (found.first.isoformat(), found.last.isoformat()) == expected
    assert found.start < found.end


# ------------------------------------------------------------------------------------------------ cost in SQL
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cost=st.decimals(0, 100_000_000, places=6),
    rate=st.decimals(Decimal("0.00000001"), 90_000, places=8),
)
def test_the_cost_in_sql_is_the_cost_on_the_orders_page(cost: Decimal, rate: Decimal) -> None:
    if cost * rate > 9_000_000_000_000:
        return
    order = Order.objects.first() or factories.order()
    at = Provider.objects.first() or provider()
    row = place(order, at, "0", state="refused")
    Placement.objects.filter(pk=row.pk).update(cost=cost, exchange_rate=rate)
    found = Placement.objects.filter(pk=row.pk).values_list(costs.StoreCost(), flat=True)[0]
    assert found == amounts.round_up(amounts.multiply(cost, rate))
