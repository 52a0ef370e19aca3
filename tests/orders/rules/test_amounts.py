from __future__ import annotations

import time
from decimal import Context, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import InvalidAmount
from orders.rules import amounts


def short_id(value: Any) -> str:
    is_long = (isinstance(value, int) and abs(value) > 10**40) or (isinstance(value, str) and len(value) > 40)
    return f"a long {type(value).__name__}" if is_long else repr(value)


UNITS = st.integers(-amounts.LARGEST, amounts.LARGEST)
NOT_AMOUNTS = [
    "",
    " ",
    ".",
    "-",
    "+",
    "--1",
    "1-",
    "abc",
    "NaN",
    "nan",
    "-nan",
    "sNaN",
    "inf",
    "Infinity",
    "-Infinity",
    "1e3",
    "1E-3",
    "1e400",
    "1e999999999",
    "0x10",
    "1_000",
    "1,000",
    "1,000.50",
    "1.000,50",
    "1 000",
    "1\u00a0000",
    "1'000",
    "1.2.3",
    "١٢٣",
    "١٫٥",
    "１２",
    "𝟏𝟐",
    "1\0",
    "\0" + "1",
    "1\n2",
    "½",
    "²",
    "$5",
    "5%",
    "9" * 21,
    "0." + "1" * 25,
    "9" * 1_000_000,
    True,
    False,
    10**30,
    10**5000,
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("Infinity"),
    Decimal("1E+999999"),
    Decimal("1E-999999"),
]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.50", "12.5"), (" 12.50\n", "12.5"), ("+1", "1"), ("-0.000001", "-0.000001"), (".5", "0.5"), ("5.", "5"),
        ("007", "7"), (3, "3"), (Decimal("1E+3"), "1000"), (Decimal("1E-7"), "0.0000001"),
        ("9223372036854.775807", "9223372036854.775807"), ("0.000000000000000000000001", "1E-24"),
    ],
)  # fmt: skip
def test_plain_numbers_are_parsed_exactly(text: Any, number: str) -> None:
    assert amounts.parse(text) == Decimal(number)


@pytest.mark.parametrize("text", NOT_AMOUNTS, ids=short_id)
def test_ambiguous_numbers_are_rejected(text: Any) -> None:
    with pytest.raises(InvalidAmount):
        amounts.parse(text)


def test_zero_has_no_sign_and_no_exponent() -> None:
    zeros = [
        amounts.parse("-0.00"),
        amounts.parse(Decimal("0E+999999")),
    ]
    assert [str(zero) for zero in zeros] == ["0", "0"]


@given(st.text(max_size=60))
def test_any_text_is_a_finite_number_or_rejected(text: str) -> None:
    try:
        number = amounts.parse(text)
    except InvalidAmount:
        return
    assert number.is_finite()
    assert len(amounts.plain(number)) < 80


def test_parsing_is_quick_for_long_texts() -> None:
    started = time.perf_counter()
    for text in ("1" * 5_000_000, "0" * 5_000_000 + ".", "." * 5_000_000, "-" + "9" * 5_000_000):
        with pytest.raises(InvalidAmount):
            amounts.parse(text)
    assert time.perf_counter() - started < 2


@given(UNITS, st.sampled_from([amounts.AMOUNT_PLACES, amounts.RATE_PLACES]))
def test_units_and_decimals_are_one_to_one(units: int, places: int) -> None:
    assert amounts.to_units(amounts.from_units(units, places), places) == units


@given(UNITS)
def test_a_formatted_amount_parses_to_the_same_value(units: int) -> None:
    value = amounts.from_units(units, amounts.AMOUNT_PLACES)
    text = amounts.plain(value)
    assert amounts.parse(text) == value
    assert "E" not in text


@pytest.mark.parametrize(
    "value",
    [
        "0.0000001", "9223372036854.775808", "-9223372036854.775808", "1E+20", "1E+999999", "1E-999999", "NaN", "sNaN",
        "Infinity", "-Infinity",
    ],
)  # fmt: skip
def test_a_value_is_never_rounded_or_truncated_to_fit_a_column(value: str) -> None:
    with pytest.raises(InvalidAmount):
        amounts.to_units(Decimal(value), amounts.AMOUNT_PLACES)


def test_an_inexact_float_is_rejected() -> None:
    assert amounts.to_units(Decimal.from_float(0.5), 6) == 500_000
    with pytest.raises(InvalidAmount):
        amounts.to_units(Decimal.from_float(0.1), 6)


def test_repeated_addition_does_not_drift() -> None:
    assert sum([amounts.parse("0.1")] * 10_000) == 1000
    assert sum([0.1] * 10_000) != 1000


@given(st.decimals(-(10**12), 10**12, places=12))
def test_rounding_up_and_down(value: Decimal) -> None:
    up, down = amounts.round_up(value), amounts.round_down(value)
    assert down <= value <= up
    assert up - down in (0, amounts.QUANTUM)


def test_products_are_exact_where_the_default_context_would_round() -> None:
    rate, quantity = Decimal("99999999999.99999999"), 999_999_999_999_999
    assert amounts.multiply(rate, quantity) == Decimal(9999999999999999999 * quantity).scaleb(-8, Context(prec=99))
    assert rate * quantity != amounts.multiply(rate, quantity)


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [("0", 2, "0.00"), ("1", 2, "1.00"), ("0.09", 2, "0.09"), ("0.0000010", 2, "0.000001"), ("1E+3", 2, "1000.00"),
     ("1E-6", 0, "0.000001"), ("100", 0, "100"), ("-2.5", 2, "-2.50")],
)  # fmt: skip
def test_amounts_are_formatted_without_an_exponent(value: str, places: int, text: str) -> None:
    assert amounts.plain(Decimal(value), places) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("0", 2, "0"),
        ("4.196", 2, "4.20"),
        ("4.194", 2, "4.19"),
        ("1234567.891", 2, "1234567.89"),
        ("0.096", 2, "0.096"),
        ("0.0966", 2, "0.097"),
        ("0.0996", 2, "0.10"),
        ("0.000966", 2, "0.00097"),
        ("151.4", 0, "151"),
        ("1.54", 0, "1.5"),
        ("0.00000000000001", 2, "0.00000000000001"),
        ("-0.000966", 2, "-0.00097"),
    ],
)
def test_rounding_for_display_is_close_and_never_zero(value: str, places: int, text: str) -> None:
    assert str(format(amounts.round_for_display(Decimal(value), places), "f")) == text
