"""The pages and downloads of the books: who may see them, and that a download has what the page has."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from orders.models import Service
from providers.models import Placement
from storefront.accounting import charts, periods, profit
from storefront.accounts.models import User
from tests import factories
from tests.storefront.accounting.test_profit import place, provider, some_orders

pytestmark = pytest.mark.django_db
PROFIT = "/admin/reports/profit"


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    return client


def csv_rows(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_page_shows_revenue_cost_and_profit(boss: Client) -> None:
    some_orders()
    body = boss.get(f"{PROFIT}/?by=service").content.decode()
    assert "Likes" in body
    assert "$0.40" in body, "0.90 less 0.50"
    assert "44.4%" in body
    assert "<rect" in body


def test_csv_and_workbook_hold_the_same_exact_figures(boss: Client) -> None:
    some_orders()
    rows = csv_rows(boss.get(f"{PROFIT}.csv?by=service"))
    assert [row["Service"] for row in rows] == ["Likes", "Views", "Total"]
    assert (rows[1]["Revenue"], rows[1]["Refunds"], rows[1]["Cost"], rows[1]["Profit"]) == (
        "0.54",
        "0.09",
        "0.11",
        "0.34",
    )
    book = openpyxl.load_workbook(io.BytesIO(boss.get(f"{PROFIT}.xlsx?by=service").content))
    head, *cells = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert head == list(rows[0])
    for row, line in zip(rows, cells, strict=True):
        assert line[0] == row["Service"]
        assert [Decimal(str(cell)) for cell in line[1:9]] == [Decimal(row[name]) for name in head[1:9]]


def test_a_name_that_looks_like_a_formula_stays_text(boss: Client) -> None:
    some_orders()
    Service.objects.filter(name="Likes").update(name='=HYPERLINK("https://evil.example","x")')
    assert csv_rows(boss.get(f"{PROFIT}.csv?by=service"))[0]["Service"].startswith("'=")
    book = openpyxl.load_workbook(io.BytesIO(boss.get(f"{PROFIT}.xlsx?by=service").content))
    cell = book.active["A2"]
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("https://evil.example","x")')


@pytest.mark.parametrize("permission", ["view_transfer", "view_placement"])
def test_costs_need_both_permissions(permission: str) -> None:
    client = staff(permission, "view_order")
    for path in (f"{PROFIT}/", f"{PROFIT}.csv", f"{PROFIT}.xlsx"):
        assert client.get(path).status_code == 403
    assert "/admin/reports/" not in client.get("/admin/").content.decode()


def test_the_navigation_leads_to_the_reports() -> None:
    client = staff("view_transfer", "view_placement")
    assert f'href="{PROFIT}/"' in client.get("/admin/").content.decode()
    assert client.get(f"{PROFIT}/").status_code == 200


def test_visitors_and_customers_are_sent_to_sign_in() -> None:
    client = Client()
    assert client.get(f"{PROFIT}.csv").status_code == 302
    client.force_login(factories.user())
    assert client.get(f"{PROFIT}.csv").status_code == 302


@pytest.mark.parametrize("query", ["?by=moon", "?by="])
def test_a_report_that_does_not_exist_is_not_found(boss: Client, query: str) -> None:
    assert boss.get(f"{PROFIT}/{query}").status_code == 404


@pytest.mark.parametrize("language", ["ru", "tr", "ar"])
@pytest.mark.parametrize("name", profit.REPORTS)
def test_the_page_works_in_every_language(boss: Client, language: str, name: str) -> None:
    some_orders()
    boss.cookies["django_language"] = language
    assert boss.get(f"{PROFIT}/?by={name}&period=month").status_code == 200


def test_an_empty_shop_has_a_page(boss: Client) -> None:
    assert "will be listed here" in boss.get(f"{PROFIT}/?by=service").content.decode()
    assert boss.get(f"{PROFIT}/").status_code == 200


def test_unknown_outcomes_are_mentioned(boss: Client) -> None:
    order = factories.order()
    place(order, provider(), "1", state="in_doubt")
    assert "1 submission with an unknown outcome" in boss.get(f"{PROFIT}/").content.decode()
    assert profit.report("day", periods.parse({})).total.cost == 0


# ------------------------------------------------------------------------------------------------ charts
def test_a_loss_is_drawn_above_what_was_earned() -> None:
    order = factories.order(quantity="1000")
    place(order, provider(), "1.80")
    today = timezone.localdate()
    chart = charts.columns(profit.report("day", periods.Period(today, today)))
    assert [(part.kind, part.height) for part in chart.bars[0].parts] == [("cost", "90.0"), ("loss", "90.0")]
    Placement.objects.update(charged=Decimal("0.30"))
    chart = charts.columns(profit.report("day", periods.Period(today, today)))
    assert [(part.kind, part.y, part.height) for part in chart.bars[0].parts] == [
        ("cost", "140.0", "60.0"),
        ("profit", "20.0", "120.0"),
    ]


def test_many_days_share_columns() -> None:
    period = periods.Period(periods.today() - periods.DAY * 399, periods.today())
    chart = charts.columns(profit.report("day", period))
    assert len(chart.bars) == 80
    assert len(chart.dates) == 5
