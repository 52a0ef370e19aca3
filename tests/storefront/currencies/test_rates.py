"""Rates for payments in other currencies, and past rates for the books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from storefront.currencies import rates, retention
from storefront.currencies.models import Currency, RateOrigin, RateRecord, RateSource
from storefront.currencies.rates import NoRate

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _dollars(settings: Any) -> None:
    settings.STORE_CURRENCY = "USD"


@pytest.fixture
def source() -> RateSource:
    return RateSource.objects.create(name="Rates", url="https://rates.example/", stale_after=48)


def currency(code: str = "EUR", rate: str | None = "0.92", **columns: Any) -> Currency:
    return Currency.objects.create(code=code, rate=None if rate is None else Decimal(rate), **columns)


def record(code: str, rate: str, at: datetime) -> None:
    RateRecord.objects.create(currency=code, rate=Decimal(rate), margin=0, at=at, origin=RateOrigin.FETCHED)


# ------------------------------------------------------------------------------------------------ payments


@pytest.mark.parametrize(
    ("rate", "margin", "expected"),
    [
        ("0.92", "0", "0.92"),
        ("0.92", "2.5", "0.943"),
        ("0.92345678", "3", "0.95116049"),  # 0.9511604834, rounded up
        ("0.00000001", "0.01", "0.00000002"),
        ("1000000000", "100", "2000000000"),
    ],
)
def test_the_margin_is_added_in_the_shops_favor(rate: str, margin: str, expected: str) -> None:
    currency(rate=rate, margin=Decimal(margin))
    assert rates.payment_rate("EUR") == Decimal(expected)


@pytest.mark.parametrize(
    ("code", "rate", "amount", "expected"),
    [
        ("EUR", "0.92", "10", "9.20"),
        ("EUR", "0.92", "0.01", "0.01"),  # 0.0092
        ("EUR", "0.333", "10", "3.33"),
        ("EUR", "0.3331", "10", "3.34"),  # 3.331
        ("JPY", "151.23", "10", "1513"),  # 1512.3
        ("KWD", "0.30712345", "10", "3.072"),  # 3.0712345
        ("EUR", "0.92", "0", "0"),
        # 500000000000005001.00000000000001: more digits than Python's default context keeps.
        ("IRR", "1000000.00000001", "500000000000.000001", "500000000000005002"),
    ],
)
def test_amounts_are_rounded_up_to_the_smallest_unit(code: str, rate: str, amount: str, expected: str) -> None:
    currency(code, rate)
    to_pay, frozen = rates.to_pay(Decimal(amount), code)
    assert frozen == Decimal(rate)
    assert to_pay == Decimal(expected)
    assert to_pay.as_tuple().exponent == rates.smallest_unit(code).as_tuple().exponent


def test_what_a_payment_is_worth_is_rounded_down_and_covers_what_was_asked() -> None:
    currency("EUR", "0.92", margin=Decimal("1.7"))
    for amount in ("0.01", "1", "3.333333", "10", "12345.67"):
        to_pay, rate = rates.to_pay(Decimal(amount), "EUR")
        assert Decimal(amount) <= rates.worth(to_pay, rate) < Decimal(amount) + Decimal("0.011")
        assert rates.worth(to_pay - Decimal("0.01"), rate) < Decimal(amount)
    assert rates.worth(Decimal(1), Decimal(3)) == Decimal("0.333333")


def test_the_store_currency_is_worth_itself() -> None:
    assert rates.payment_rate("USD") == 1
    assert rates.to_pay(Decimal("10.001"), "USD") == (Decimal("10.01"), Decimal(1))
    assert rates.rate_at("USD", NOW) == 1
    assert rates.currencies_with_rates() == {"USD"}


def test_a_currency_without_a_usable_rate_has_none(source: RateSource) -> None:
    now = timezone.now()
    currency("EUR")
    currency("GBP", source=source, confirmed_at=now - timedelta(hours=47))
    currency("JPY", rate=None)
    currency("TRY", is_payable=False)
    currency("CHF", is_active=False)
    currency("RUB", source=source, confirmed_at=now - timedelta(hours=48))
    currency("PLN", source=source, confirmed_at=None)
    currency("SEK", source=source, confirmed_at=now, pending_rate=Decimal(5), pending_at=now)
    currency("USD", "2")  # a rate of the store currency, entered before it became that
    assert rates.currencies_with_rates() == {"USD", "EUR", "GBP", "CHF"}
    for code in rates.currencies_with_rates():
        assert rates.payment_rate(code) == (1 if code == "USD" else Decimal("0.92"))
    for code in ("JPY", "TRY", "RUB", "PLN", "SEK", "NOK", ""):
        with pytest.raises(NoRate) as caught:
            rates.to_pay(Decimal(1), code)
        assert caught.value.currency == code


def test_a_fetched_rate_is_used_until_it_is_outdated(source: RateSource) -> None:
    currency("EUR", source=source, confirmed_at=NOW)
    with time_machine.travel(NOW + timedelta(hours=48, seconds=-1), tick=False):
        assert rates.payment_rate("EUR") == Decimal("0.92")
    with time_machine.travel(NOW + timedelta(hours=48), tick=False), pytest.raises(NoRate):
        rates.payment_rate("EUR")


def test_a_rate_entered_by_hand_is_used_until_it_is_changed() -> None:
    currency("EUR", confirmed_at=NOW)
    with time_machine.travel(NOW + timedelta(days=1000)):
        assert rates.payment_rate("EUR") == Decimal("0.92")


def test_the_list_of_currencies_takes_one_query(source: RateSource, django_assert_num_queries: Any) -> None:
    for code in ("EUR", "GBP", "CHF"):
        currency(code, source=source, confirmed_at=timezone.now())
    with django_assert_num_queries(1):
        assert len(rates.currencies_with_rates()) == 4
    with django_assert_num_queries(1):
        rates.payment_rate("EUR")


@pytest.mark.parametrize("columns", [{"rate": 0}, {"margin": Decimal(-1)}, {"pending_rate": 0}])
def test_the_database_rejects_rates_and_margins_that_cannot_be(columns: dict[str, Any]) -> None:
    row = currency()
    with pytest.raises(IntegrityError), transaction.atomic():
        Currency.objects.filter(pk=row.pk).update(**columns)


# ------------------------------------------------------------------------------------------------ the history


def test_past_rates_are_those_of_their_time() -> None:
    record("EUR", "0.90", NOW)
    record("EUR", "0.95", NOW + timedelta(hours=1))
    record("GBP", "0.80", NOW + timedelta(minutes=30))
    assert rates.rate_at("EUR", NOW) == Decimal("0.90")
    assert rates.rate_at("EUR", NOW + timedelta(minutes=59)) == Decimal("0.90")
    assert rates.rate_at("EUR", NOW + timedelta(hours=1)) == Decimal("0.95")
    assert rates.rate_at("EUR", NOW + timedelta(days=300)) == Decimal("0.95")
    for code, moment in (("EUR", NOW - timedelta(seconds=1)), ("GBP", NOW), ("JPY", NOW)):
        with pytest.raises(NoRate):
            rates.rate_at(code, moment)


def test_the_history_cannot_be_changed() -> None:
    record("EUR", "0.90", NOW)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        RateRecord.objects.update(rate=1)


def test_old_history_keeps_one_rate_of_each_day() -> None:
    with time_machine.travel(NOW):
        first = NOW - timedelta(days=retention.KEPT_DAYS)
        midnight = first.replace(hour=0)
        record("EUR", "0.91", midnight - timedelta(days=1))
        record("EUR", "0.92", midnight - timedelta(hours=9))
        record("EUR", "0.93", midnight - timedelta(hours=9))
        record("GBP", "0.80", midnight - timedelta(hours=10))
        record("EUR", "0.94", midnight - timedelta(days=2))
        record("EUR", "0.95", midnight)
        record("EUR", "0.96", midnight + timedelta(hours=1))
        assert retention.prune() == 2
        assert retention.prune() == 0
    kept = [str(rate.normalize()) for rate in RateRecord.objects.order_by("id").values_list("rate", flat=True)]
    assert kept == ["0.93", "0.8", "0.94", "0.95", "0.96"]
    assert rates.rate_at("EUR", midnight - timedelta(hours=1)) == Decimal("0.93")
    assert rates.rate_at("EUR", midnight - timedelta(days=1, hours=-1)) == Decimal("0.94")


def test_rates_and_margins_entered_in_the_back_office_are_recorded(admin_client: Client, admin_user: Any) -> None:
    def save(path: str, **fields: str) -> None:
        answer = admin_client.post(f"/admin/currencies/currency/{path}", fields)
        assert answer.status_code == 302, answer.context["errors"]

    save("add/", code="eur", rate="0.92", margin="2", is_active="on", is_payable="on")
    euro = Currency.objects.get()
    assert rates.payment_rate("EUR") == Decimal("0.9384")
    page = f"{euro.pk}/change/"
    shown = {"rate": "0.92", "margin": "2", "is_active": "on", "is_payable": "on"}
    save(page, **shown)
    save(page, **{**shown, "rate": "0.94"})
    save(page, **{**shown, "rate": "0.94", "margin": "2.5"})
    save(page, rate="0.94", margin="2.5", is_active="on")
    rows = RateRecord.objects.order_by("id").values_list("currency", "rate", "margin", "origin", "by")
    by = str(admin_user)
    assert list(rows) == [
        ("EUR", Decimal("0.92"), Decimal(2), "entered", by),
        ("EUR", Decimal("0.94"), Decimal(2), "entered", by),
        ("EUR", Decimal("0.94"), Decimal("2.5"), "entered", by),
    ]
    euro.refresh_from_db()
    assert euro.rate_at == euro.confirmed_at
    assert euro.rate_at is not None
    with pytest.raises(NoRate):
        rates.payment_rate("EUR")
    shown = admin_client.get("/admin/currencies/raterecord/").content.decode()
    assert "0.94" in shown
    assert admin_client.get("/admin/currencies/raterecord/add/").status_code == 403
