from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import amounts, charges

RATES = st.integers(0, 10**13).map(lambda units: amounts.from_units(units, amounts.RATE_PLACES))
QUANTITIES = st.integers(1, 10**9)
AMOUNTS = st.integers(0, 10**15).map(lambda units: amounts.from_units(units, amounts.AMOUNT_PLACES))


@given(RATES, QUANTITIES, st.booleans())
def test_a_charge_rounds_up_by_less_than_a_millionth(rate: Decimal, quantity: int, is_flat: bool) -> None:
    exact = Fraction(rate) * quantity / (1 if is_flat else 1000)
    over = Fraction(charges.charge(rate, quantity, is_flat=is_flat)) - exact
    assert 0 <= over < Fraction(1, 10**6)


@given(AMOUNTS, QUANTITIES, st.integers(-(10**10), 10**10))
def test_a_refund_rounds_down_and_stays_within_the_charge(charged: Decimal, quantity: int, remains: int) -> None:
    clamped = min(max(remains, 0), quantity)
    paid_back = charges.refund(charged, quantity=quantity, remains=remains)
    short = Fraction(charged) * clamped / quantity - Fraction(paid_back)
    assert 0 <= paid_back <= charged
    assert 0 <= short < Fraction(1, 10**6)


@given(AMOUNTS, QUANTITIES, st.data())
def test_a_refund_never_falls_as_more_remains(charged: Decimal, quantity: int, data: st.DataObject) -> None:
    less, more = sorted(data.draw(st.tuples(st.integers(0, quantity), st.integers(0, quantity))))
    assert charges.refund(charged, quantity=quantity, remains=less) <= charges.refund(
        charged, quantity=quantity, remains=more
    )


def test_thirty_percent_not_delivered_refunds_thirty_percent() -> None:
    assert charges.refund(Decimal("0.90"), quantity=1000, remains=300) == Decimal("0.27")
    assert charges.refund(Decimal("0.90"), quantity=1000, remains=700) == Decimal("0.63")


def test_nothing_delivered_refunds_the_whole_charge() -> None:
    assert charges.refund(Decimal("0.333333"), quantity=3, remains=3) == Decimal("0.333333")
    assert charges.refund(Decimal("0.333333"), quantity=3, remains=99) == Decimal("0.333333")


@pytest.mark.parametrize(
    ("rate", "quantity", "is_flat", "charge"),
    [
        ("0.90", 100, False, "0.09"),
        ("0.00012", 1, False, "0.000001"),  # to cents this would be nothing, or ten thousand times as much
        ("0.00012", 417, False, "0.000051"),
        ("2.50", 1, True, "2.50"),
        ("2.50", 3, True, "7.50"),
        ("0", 1000, False, "0"),
        ("0.00000001", 1, False, "0.000001"),
    ],
)
def test_worked_examples(rate: str, quantity: int, is_flat: bool, charge: str) -> None:
    assert charges.charge(Decimal(rate), quantity, is_flat=is_flat) == Decimal(charge)


@pytest.mark.parametrize(("rate", "quantity"), [("1", 0), ("1", -1), ("-0.01", 1)])
def test_a_negative_rate_or_quantity_is_rejected(rate: str, quantity: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        charges.charge(Decimal(rate), quantity, is_flat=False)


@given(RATES, st.integers(1, 10**6).map(lambda n: Decimal(n) / 10**4), st.integers(-100, 1000).map(Decimal))
def test_a_charge_is_never_below_the_cost(cost: Decimal, exchange_rate: Decimal, markup: Decimal) -> None:
    sold = charges.sell_rate(cost, exchange_rate=exchange_rate, markup_percent=markup)
    exact = Fraction(cost) * Fraction(exchange_rate) * (1 + max(Fraction(markup), Fraction(0)) / 100)
    assert 0 <= Fraction(sold) - exact < Fraction(1, 10**8)
