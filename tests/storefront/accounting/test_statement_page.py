"""The page and the downloads of a provider's statement, and the form that records deposits."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from providers.models import BalanceReading, Provider, ProviderDeposit
from storefront.accounts.models import User
from tests.storefront.accounting.test_pages import staff
from tests.storefront.accounting.test_profit import provider

pytestmark = pytest.mark.django_db
PAGE = "/admin/reports/provider-statement"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    return client


def readings(at: Provider, *amounts: str) -> list[BalanceReading]:
    """Store readings an hour apart, the last one a minute ago."""
    last = timezone.now() - timedelta(minutes=1)
    return [
        BalanceReading.objects.create(
            provider=at, amount=Decimal(amount), currency=at.currency, is_idle=True,
            read_at=last - timedelta(hours=len(amounts) - number),
        )
        for number, amount in enumerate(amounts)
    ]  # fmt: skip


def test_a_shop_without_providers_has_a_page(boss: Client) -> None:
    assert "No providers yet" in boss.get(f"{PAGE}/").content.decode()
    assert boss.get(f"{PAGE}.csv").status_code == 404


def test_a_difference_of_a_cent_is_listed_on_the_page_and_in_the_file(boss: Client) -> None:
    readings(provider(), "50", "49.99", "49.99")
    body = boss.get(f"{PAGE}/?period=7").content.decode()
    assert "1 difference" in body
    assert "-$0.01" in body
    rows = list(csv.DictReader(io.StringIO(b"".join(boss.get(f"{PAGE}.csv?period=7")).decode("utf-8-sig"))))
    assert [row["Difference"] for row in rows] == ["-0.01", "0.00", "-0.01"]
    assert boss.get(f"{PAGE}.xlsx?period=7").status_code == 200


def test_a_rise_can_be_recorded_as_a_deposit_from_the_page(boss: Client) -> None:
    at = provider()
    first, _second = readings(at, "50", "75.5")
    body = boss.get(f"{PAGE}/?period=7").content.decode()
    link = body.partition('<a href="/admin/providers/providerdeposit/add/?')[2].partition('"')[0].replace("&amp;", "&")
    form = boss.get(f"/admin/providers/providerdeposit/add/?{link}").context["adminform"].form
    assert (form.initial["provider"], form.initial["amount"]) == (str(at.pk), "25.50")
    moment = timezone.localtime(first.read_at + timedelta(seconds=1))
    values = {"paid_at_0": f"{moment:%Y-%m-%d}", "paid_at_1": f"{moment:%H:%M:%S}", "note": "Card"}
    saved = boss.post("/admin/providers/providerdeposit/add/", {"provider": at.pk, "amount": "25.5", **values})
    assert saved.status_code == 302
    deposit = ProviderDeposit.objects.get()
    assert (deposit.amount, deposit.currency, str(deposit.actor)) == (Decimal("25.5"), "USD", "boss@example.com")
    assert "No differences" in boss.get(f"{PAGE}/?period=7").content.decode()


def test_the_statement_needs_both_permissions() -> None:
    readings(provider(), "1", "2")
    client = staff("view_provider")
    assert client.get(f"{PAGE}/").status_code == 403
    assert client.get(f"{PAGE}.csv").status_code == 403


def test_who_may_only_look_records_nothing() -> None:
    readings(provider(), "1", "2")
    body = staff("view_provider", "view_placement").get(f"{PAGE}/?period=7").content.decode()
    assert "1 difference" in body
    assert "providerdeposit/add" not in body


@pytest.mark.parametrize("query", ["?provider=0", "?provider=x", "?provider=99999999999999999999"])
def test_an_unknown_provider_is_not_found(boss: Client, query: str) -> None:
    provider()
    assert boss.get(f"{PAGE}/{query}").status_code == 404
