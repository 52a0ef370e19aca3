"""Reading the rates in the answers of sources."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from storefront.currencies import quotes
from storefront.currencies.problems import FetchProblem, QuoteProblem
from storefront.currencies.quotes import Quote, UnusableAnswer
from tests.storefront.currencies.rate_server import ECB

TODAY = date(2026, 11, 28)


def read(
    data: Any,
    codes: Iterable[str] = ("EUR",),
    *,
    path: str = "rates.{currency}",
    base: str = "USD",
    is_inverse: bool = False,
    store: str = "USD",
) -> dict[str, Quote]:
    text = data if isinstance(data, str) else json.dumps(data)
    return quotes.read_json(text, path=path, base=base, is_inverse=is_inverse, store=store, codes=codes)


def problem_of(data: Any, codes: Iterable[str] = ("EUR",), **options: Any) -> FetchProblem:
    with pytest.raises(UnusableAnswer) as caught:
        read(data, codes, **options)
    return caught.value.problem


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"rates": {"EUR": 0.92}}, "rates.{currency}"),
        ({"success": True, "quotes": {"USDEUR": 0.92}}, "quotes.{base}{currency}"),
        ({"data": {"EUR": {"code": "EUR", "value": 0.92}}}, "data.{currency}.value"),
        ({"date": "2026-11-28", "usd": {"eur": 0.92}}, "{base}.{currency}"),
        ([{"cc": "USD", "rate": 1}, {"cc": "EUR", "rate": 0.92}], "cc={currency}.rate"),
        ([{"table": "A", "rates": [{"code": "EUR", "mid": "0.92"}]}], "0.rates.code={currency}.mid"),
        ({"EUR": "0.92"}, "{currency}"),
    ],
)
def test_a_path_leads_to_the_rate(data: Any, path: str) -> None:
    assert read(data, path=path) == {"EUR": Decimal("0.92")}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.92", "0.92"),
        ("9.2e-1", "0.92"),
        ("92E-2", "0.92"),
        ("1", "1"),
        ('"0.92"', "0.92"),
        ('" 9.2e-1 "', "0.92"),
        ('".92"', "0.92"),
        ("0.923456785", "0.92345678"),  # rounded to the nearest 10^-8, half to even
        ("0.92345678999999999999999999999999999", "0.92345679"),
        ("4.21051e4", "42105.1"),
        ("1e9", "1000000000"),
        ("0.000001", "0.000001"),
    ],
)
def test_numbers_are_exact_and_may_have_exponents(written: str, expected: str) -> None:
    assert read(f'{{"rates": {{"EUR": {written}}}}}') == {"EUR": Decimal(expected)}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("0", QuoteProblem.NOT_POSITIVE),
        ("-0.92", QuoteProblem.NOT_POSITIVE),
        ("-0.0", QuoteProblem.NOT_POSITIVE),
        ('"0e5"', QuoteProblem.NOT_POSITIVE),
        ("NaN", QuoteProblem.UNREADABLE),
        ("Infinity", QuoteProblem.UNREADABLE),
        ('"NaN"', QuoteProblem.UNREADABLE),
        ('"0,92"', QuoteProblem.UNREADABLE),
        ('"1,234.5"', QuoteProblem.UNREADABLE),
        ('"€0.92"', QuoteProblem.UNREADABLE),
        ('""', QuoteProblem.UNREADABLE),
        ('"٠.٩٢"', QuoteProblem.UNREADABLE),
        ("true", QuoteProblem.UNREADABLE),
        ('{"mid": 0.92}', QuoteProblem.UNREADABLE),
        ("[0.92]", QuoteProblem.UNREADABLE),
        ("9" * 5000, QuoteProblem.UNREADABLE),
        ("1e999999999", QuoteProblem.UNREADABLE),
        ("1e99", QuoteProblem.OUT_OF_RANGE),
        ("1e-99", QuoteProblem.OUT_OF_RANGE),
        ("1000000001", QuoteProblem.OUT_OF_RANGE),
        ("0.0000009", QuoteProblem.OUT_OF_RANGE),
        ("null", QuoteProblem.MISSING),
    ],
)
def test_an_unusable_rate_concerns_its_currency_alone(written: str, problem: QuoteProblem) -> None:
    text = f'{{"rates": {{"EUR": {written}, "JPY": 151.23}}}}'
    assert read(text, ("EUR", "JPY")) == {"EUR": problem, "JPY": Decimal("151.23")}


def test_a_missing_currency_concerns_itself_alone() -> None:
    assert read({"rates": {"JPY": 151.23}}, ("EUR", "JPY")) == {"EUR": QuoteProblem.MISSING, "JPY": Decimal("151.23")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<html><body>Rate limit</body></html>", FetchProblem.NOT_JSON),
        ("", FetchProblem.NOT_JSON),
        ("%PDF-1.7", FetchProblem.NOT_JSON),
        ("[" * 100_000, FetchProblem.NOT_JSON),
        ('{"rates": {"EUR": 0.92}', FetchProblem.NOT_JSON),
        ('{"success": false, "error": {"code": 104}}', FetchProblem.NOTHING_FOUND),
        ("[]", FetchProblem.NOTHING_FOUND),
        ("null", FetchProblem.NOTHING_FOUND),
        ("0.92", FetchProblem.NOTHING_FOUND),
        ('{"rates": {"JPY": 151}}', FetchProblem.NOTHING_FOUND),
        ('{"rates": null}', FetchProblem.NOTHING_FOUND),
        ('{"rates": [0.92]}', FetchProblem.NOTHING_FOUND),
    ],
)
def test_an_answer_without_rates_is_unusable(text: str, problem: FetchProblem) -> None:
    assert problem_of(text) is problem


@pytest.mark.parametrize(
    "path", ["rates.0.x", "rates.99999", "rates.999999999999", "rates.-1", "rates.x=y", "", "...", "="]
)
def test_a_path_that_leads_nowhere_finds_nothing(path: str) -> None:
    assert problem_of({"rates": [1, 2]}, path=path) is FetchProblem.NOTHING_FOUND


def test_cross_rates_go_through_the_base() -> None:
    data = {"rates": {"USD": 1.087, "JPY": 164.39, "GBP": 0.85}}
    found = read(data, ("EUR", "JPY", "GBP"), base="EUR", store="USD")
    assert found == {"EUR": Decimal("0.91996320"), "JPY": Decimal("151.23275069"), "GBP": Decimal("0.78196872")}


def test_inverse_rates_are_the_value_of_one_unit() -> None:
    # Rubles for one dollar, euro and lira, as a Russian source quotes them.
    data = {"USD": 80, "EUR": 88, "TRY": 2}
    found = read(data, ("EUR", "TRY", "RUB"), path="{currency}", base="RUB", is_inverse=True, store="USD")
    assert found == {"EUR": Decimal("0.90909091"), "TRY": Decimal(40), "RUB": Decimal(80)}


def test_a_cross_rate_needs_a_rate_of_the_store_currency() -> None:
    for of_store in (None, 0, "NaN", -1):
        data = {"rates": {"USD": of_store, "JPY": 164.39}}
        assert problem_of(data, ("EUR", "JPY"), base="EUR", store="USD") is FetchProblem.NO_STORE_CURRENCY
    assert problem_of({"rates": {}}, ("EUR", "JPY"), base="EUR", store="USD") is FetchProblem.NOTHING_FOUND


# ------------------------------------------------------------------------------------------------ the ECB's file


def ecb(text: str, codes: Iterable[str] = ("EUR", "JPY"), store: str = "USD") -> dict[str, Quote]:
    return quotes.read_ecb(text, store=store, codes=codes, today=TODAY)


def test_the_ecb_file_is_read() -> None:
    text = ECB.format(day="2026-11-27")
    assert ecb(text) == {"EUR": Decimal("0.91996320"), "JPY": Decimal("151.23275069")}
    assert ecb(text, ("USD", "JPY"), store="EUR") == {"USD": Decimal("1.087"), "JPY": Decimal("164.39")}
    assert ecb(text, ("EUR", "NOK")) == {"EUR": Decimal("0.91996320"), "NOK": QuoteProblem.MISSING}


def test_of_several_days_the_newest_is_read() -> None:
    first, rest = ECB.format(day="2026-11-26").split("<Cube time=", 1)
    newer = "<Cube time='2026-11-27'><Cube currency='USD' rate='2'/></Cube>"
    assert ecb(f"{first}{newer}<Cube time={rest}", ("EUR",)) == {"EUR": Decimal("0.5")}
    assert ecb(f"{first}<Cube time={rest}".replace("</Cube>\n  </Cube>", f"</Cube>{newer}</Cube>"), ("EUR",)) == {
        "EUR": Decimal("0.5")
    }


@pytest.mark.parametrize(("day", "is_old"), [("2026-11-21", False), ("2026-11-20", True), ("1999-01-04", True)])
def test_an_old_ecb_file_is_unusable(day: str, is_old: bool) -> None:
    if not is_old:
        assert ecb(ECB.format(day=day))
        return
    with pytest.raises(UnusableAnswer) as caught:
        ecb(ECB.format(day=day))
    assert (caught.value.problem, caught.value.detail) == (FetchProblem.OLD, day)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Cube><Cube time='2026-11-27'><Cube currency='USD' rate='1.087'/>&b;</Cube></Cube>"""
EXTERNAL = """<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd">
<Cube><Cube time='2026-11-27'><Cube currency='USD' rate='1.087'/></Cube></Cube>"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html><p>Maintenance",
        '{"rates": {"USD": 1.087}}',
        ECB.format(day="27 November 2026"),
        ECB.format(day="2026-11-27")[:-40],
        "<Cube/>",
        "<Cube><Cube time='2026-11-27'/></Cube>",
        BOMB,
        EXTERNAL,
    ],
)
def test_other_xml_is_not_read(text: str) -> None:
    with pytest.raises(UnusableAnswer) as caught:
        ecb(text)
    assert caught.value.problem is FetchProblem.NOT_XML


def test_an_unreadable_rate_in_the_ecb_file_concerns_its_currency_alone() -> None:
    text = ECB.format(day="2026-11-27").replace("164.39", "N/A")
    assert ecb(text) == {"EUR": Decimal("0.91996320"), "JPY": QuoteProblem.UNREADABLE}
