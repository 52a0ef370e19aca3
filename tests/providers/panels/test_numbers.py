"""Unambiguous numbers are read exactly; all others are unreadable and never guessed."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import InvalidAmount
from orders.rules import amounts
from providers.panels.currencies import read_currency
from providers.panels.numbers import read_amount, read_amount_and_currency, read_number, read_whole


@pytest.mark.parametrize(
    ("value", "number"),
    [
        # As every panel writes them.
        (7, "7"), (Decimal("0.27819"), "0.27819"), ("0.27819", "0.27819"), (" 5 ", "5"), ("-1", "-1"), ("007", "7"),
        ("1.234", "1.234"), ("17.840000000000003", "17.840000000000003"), (".5", "0.5"), ("5.", "5"), ("+5", "5"),
        # Exponents, as texts and as JSON numbers.
        ("0.1e-3", "0.0001"), ("1E3", "1000"), (Decimal("1.0E+7"), "10000000"), ("1e-05", "0.00001"),
        # A comma as the decimal mark.
        ("12,50", "12.50"), ("0,5", "0.5"), ("0,125", "0.125"), ("12,5000", "12.5"), ("1234,567", "1234.567"),
        # Groups of thousands.
        ("1,234.50", "1234.50"), ("1.234,56", "1234.56"), ("1,234,567", "1234567"), ("1.234.567", "1234567"),
        ("1,234,567.89", "1234567.89"), ("1.234.567,89", "1234567.89"), ("15 000", "15000"), ("1 234,50", "1234.50"),
        ("1 234.50", "1234.50"), ("1 234 567,5", "1234567.5"), ("1\u00a0234,50", "1234.50"),
        ("1\u202f234,50", "1234.50"), ("1'234.50", "1234.50"), ("1’234,50", "1234.50"),
        # The Indian way: pairs, and three digits at the end.
        ("12,34,567.50", "1234567.50"), ("1,23,456", "123456"),
        # Signs and words of currencies.
        ("$0.50", "0.50"), ("$.50", "0.50"), ("£12.50", "12.50"), ("₦5000.00", "5000"), ("৳ 500.00", "500"),
        ("Rs. 500.25", "500.25"), ("Rs 1,234.50", "1234.50"), ("₹1,234.56", "1234.56"), ("12.50 EUR", "12.50"),
        ("EUR 12,50", "12.50"), ("R$ 5,00", "5"), ("US$10", "10"), ("12,50 €", "12.50"), ("500 руб.", "500"),
        ("100 Toman", "100"), ("500/-", "500"), ("-$3.50", "-3.50"), ("$-3.50", "-3.50"), ("\u22125", "-5"),
        ("&#8377;5", "5"), ("\u200e12.50\u200f", "12.50"), ("USD10", "10"), ("10USD", "10"),
    ],
)  # fmt: skip
def test_an_unambiguous_number_is_read_exactly(value: Any, number: str) -> None:
    assert read_number(value) == Decimal(number)
    assert read_amount(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        # Ambiguous separators.
        "1,234", "12,345", "$1,234", "1,234 USD", "1.234.56", "1,2,3", "12,345,67", "1 234 56", "1 2", "1 234.567,8",
        "1,234,56.7", "1'234 567", "12,", "1..2", "1,,2", "1,234.", "0,123,456",
        # Two currencies, other words, several numbers.
        "USD 5 EUR", "1k", "5M", "10%", "5 pcs", "about 5", "5 - 10", "5/10", "Unlimited", "$", "USD", "5b", "0x10",
        # Not numbers that anybody means.
        "NaN", "Infinity", "-inf", "sNaN", "1e13", "1e-13", "1e400", "1e999999999999999999", "1_000", "١٢", "５",
        "", " ", "1\0", "--5", "+-5", "9" * 41, "9" * 1_000_000, " " * 1_000_000, "1," * 100_000,
        True, False, None, 0.1, float("nan"), [], {}, b"1", 10**13, 10**5000, Decimal("NaN"), Decimal("sNaN"),
        Decimal("1E+999999"), Decimal("-Infinity"),
    ],
    ids=lambda value: repr(value)[:30] if not isinstance(value, int) or value < 10**20 else "large",
)  # fmt: skip
def test_what_is_ambiguous_or_no_number_is_unreadable(value: Any) -> None:
    with pytest.raises(InvalidAmount):
        read_number(value)
    assert read_amount(value) is None


def test_zero_has_no_sign_and_no_exponent() -> None:
    zeros = [read_number(value) for value in ("0e999", "-0", "-0.00", Decimal("0E+999999"), "$0", "0,00")]
    assert [str(zero) for zero in zeros] == ["0"] * 6
    assert str(read_amount("-0.0")) == "0"


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (5, 5), ("5", 5), ("157.0", 157), ("-3", -3), (Decimal("10.0"), 10), ("10,000", 10_000), ("1,234", 1234),
        ("10 000", 10_000), ("1,234,567", 1_234_567), ("1'000", 1000), ("100,00", 100), ("0,000", 0),
        ("1.000.000", 10**6),
        # May be a thousand or one.
        ("1.000", None), ("10.000", None), ("1.5", None), ("0,125", None), ("Unknown", None), ("", None), (None, None),
        (True, None), (2**62, None), ("9" * 18, 10**18 - 1), ("9" * 30, None), ({}, None),
    ],
)  # fmt: skip
def test_a_quantity_has_no_fraction(value: Any, whole: int | None) -> None:
    """So a comma before three digits can only group thousands; a point there may be either."""
    assert read_whole(value) == whole


@pytest.mark.parametrize(
    ("text", "currency"),
    [("12.50 EUR", "EUR"), ("usd 5", "USD"), ("$5", ""), ("₹5", ""), ("5 Toman", ""), ("5 Rupee", ""), ("5", "")],
)
def test_a_code_beside_the_number_is_its_currency(text: str, currency: str) -> None:
    assert read_amount_and_currency(text).currency == currency


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("USD", "USD"), (" usd ", "USD"), ("IRT", "IRT"), ("Toman", ""), ("Rupee", ""), ("Rs.", ""), ("₹", ""),
        ("$", ""), ("TOM", ""), ("RUP", ""), ("USDT", ""), ("N/A", ""), ("", ""), (None, ""), (5, ""), (["USD"], ""),
        ("US Dollar", ""),
    ],
)  # fmt: skip
def test_only_a_real_code_names_a_currency(text: Any, currency: str) -> None:
    assert read_currency(text) == currency


_ODD_TEXT = st.text(st.sampled_from("0123456789.,' -+eE$₹€ USDRs\u00a0\u200e"), max_size=70) | st.text(max_size=70)


@given(_ODD_TEXT)
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        number = read_number(text)
    except InvalidAmount:
        assert read_amount(text) is None
        return
    assert number.is_finite()
    assert len(amounts.plain(number)) < 80
    assert read_amount(text) == number


@given(st.decimals(allow_nan=False, min_value=-(10**9), max_value=10**9, places=4))
def test_a_formatted_number_is_never_read_as_another_one(number: Decimal) -> None:
    point = f"{number:,.4f}"
    comma = point.translate(str.maketrans(",.", ".,"))
    for text in (point, comma, f"{number:.4f}", comma.replace(".", " "), f"${point}", f"{comma} €"):
        assert read_number(text) == number


def test_reading_is_quick_however_long_the_text() -> None:
    started = time.perf_counter()
    for text in ("1" * 5_000_000, "0" * 5_000_000 + ".", "." * 5_000_000, "-" + "9" * 5_000_000, ("1 " * 30).strip()):
        assert read_amount(text) is None
        assert read_whole(text) is None
    assert time.perf_counter() - started < 2
