"""The order list: filters, the same queries for 100,000 orders, the CSV export, and refills of several orders."""

from __future__ import annotations

import csv
import io
import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from orders.models import Order, Refill, Service
from storefront.accounts.models import User
from storefront.shop import order_list
from tests import factories
from tests.storefront.shop.forms import text_of
from tests.storefront.shop.test_orders import visible_text

DAY = timedelta(days=1)


def rows(response: Any) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="order-(\d+)"', text_of(response))]


def create_orders(user: User, count: int, service: Service, **details: Any) -> None:
    fields = {"status": "completed", "quantity": 9, "rate": 1, "charge": Decimal("0.01"), **details}
    for start in range(0, count, 5000):
        numbers = range(start, min(start + 5000, count))
        Order.objects.bulk_create(
            Order(user=user, service=service, link=f"https://e.com/{n}", **fields) for n in numbers
        )


def test_a_search_finds_several_ids_but_only_own_orders(page: Client, nadia: User) -> None:
    first, second, _third = (factories.order(nadia) for _ in range(3))
    foreign = factories.order()
    assert rows(page.get("/orders/", {"q": f"#{first.pk}, {second.pk};{foreign.pk} 99999999"})) == [second.pk, first.pk]


def test_filters_select_the_matching_orders(page: Client, nadia: User) -> None:
    harp, drum = factories.service(), factories.service()
    old, middle, new = factories.order(nadia, harp), factories.order(nadia, drum), factories.order(nadia, harp)
    noon = datetime(2026, 5, 10, 12, tzinfo=UTC)
    for order, at in ((old, noon - DAY), (middle, noon), (new, noon + DAY)):
        Order.objects.filter(pk=order.pk).update(created_at=at)
    Order.objects.filter(pk=new.pk).update(source="api")
    assert rows(page.get("/orders/", {"service": harp.pk})) == [new.pk, old.pk]
    assert rows(page.get("/orders/", {"source": "api"})) == [new.pk]
    assert rows(page.get("/orders/", {"from": "2026-05-10"})) == [new.pk, middle.pk]
    assert rows(page.get("/orders/", {"to": "2026-05-10"})) == [middle.pk, old.pk]
    assert rows(page.get("/orders/", {"from": "2026-05-10", "to": "2026-05-10"})) == [middle.pk]
    assert rows(page.get("/orders/", {"from": "2026-05-12"})) == []
    assert rows(page.get("/orders/", {"to": "2026-05-08", "service": harp.pk})) == []
    nonsense = {"from": "soon", "to": "9999-12-31", "service": "x", "source": "fax", "status": "lost"}
    assert rows(page.get("/orders/", nonsense)) == [new.pk, middle.pk, old.pk]


def test_the_pages_of_a_tab_with_several_statuses_show_each_order_once(page: Client, nadia: User) -> None:
    service = factories.service()
    for status in ("queued", "completed", "pending", "submitting"):
        create_orders(nadia, 20, service, status=status)
    wanted = {*Order.objects.exclude(status="completed").values_list("pk", flat=True)}
    seen, address = [], "/orders/?status=pending"
    while address:
        text = text_of(page.get(address))
        seen += [int(pk) for pk in re.findall(r'<tr id="order-(\d+)"', text)]
        older = re.search(r'href="(\?[^"]*before=\d+)[^"]*" rel="next"', text)
        address = f"/orders/{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == sorted(wanted, reverse=True)
    newer = re.search(r'href="(\?[^"]*after=\d+)" rel="prev"', text)
    assert newer
    assert rows(page.get(f"/orders/{newer[1]}")) == seen[25:50]


def test_a_tab_counts_up_to_99(page: Client, nadia: User) -> None:
    create_orders(nadia, 120, factories.service())
    factories.order(nadia)
    text = visible_text(page.get("/orders/"))
    assert re.search(r"All\s+99\+\s+Pending\s+1\s+Processing\s+0\s", text)
    assert "99+" not in visible_text(page.get("/orders/", {"q": "e.com"}))


def test_a_long_history_is_searched_in_parts(page: Client, nadia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list, "SCAN_SIZE", 40)
    wanted = factories.order(nadia, link="https://example.com/harp")
    create_orders(nadia, 100, factories.service())
    address, pages = "/orders/?q=harp", 0
    while True:
        response = page.get(address)
        pages += 1
        if rows(response):
            break
        older = re.search(r'href="(\?[^"]*before=\d+)">Search older orders', text_of(response))
        assert older
        address = f"/orders/{older[1].replace('&amp;', '&')}"
    assert (rows(response), pages) == ([wanted.pk], 3)


ADDRESSES = (
    *("", "?status=pending", "?status=canceled", "?status=completed", "?q=nowhere", "?q=1,2,3", "?source=api"),
    *("?from=2026-01-01&to=2026-01-02", "?status=canceled&q=nowhere", "?service=1"),
)


def check_queries_and_time(page: Client, nadia: User, count: int, at_most: Any, seconds: float) -> None:
    """Check that every filter on ``count`` orders takes few queries and less than ``seconds``."""
    create_orders(nadia, count, factories.service())
    for address in ADDRESSES:
        started = time.monotonic()
        with at_most(9):
            assert page.get(f"/orders/{address}").status_code == 200
        assert time.monotonic() - started < seconds, address


def test_every_filter_takes_the_same_few_queries(page: Client, nadia: User, django_assert_max_num_queries) -> None:
    check_queries_and_time(page, nadia, 2000, django_assert_max_num_queries, 5)


@pytest.mark.prove
def test_a_hundred_thousand_orders_are_listed_within_a_second(
    page: Client, nadia: User, django_assert_max_num_queries
) -> None:
    check_queries_and_time(page, nadia, 100_000, django_assert_max_num_queries, 1)


def exported_rows(page: Client, query: str = "") -> list[list[str]]:
    response = page.get(f"/orders/export.csv{query}")
    assert response.streaming
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_csv_export_has_the_filtered_orders_and_no_formulas(page: Client, nadia: User) -> None:
    evil = factories.order(nadia, factories.service(name="=HYPERLINK(1)"), link="@SUM(A1)", quantity="1000")
    Order.objects.filter(pk=evil.pk).update(status="partial", remains=400, start_count=7, refunded=Decimal("0.36"))
    factories.order(nadia, link="https://example.com/other")
    factories.order(link="@SUM(A1)")
    head, row = exported_rows(page, "?status=partial&q=SUM")
    found = dict(zip(head, row, strict=True))
    assert (found["Order ID"], found["Service"], found["Link"]) == (str(evil.pk), "'=HYPERLINK(1)", "'@SUM(A1)")
    assert (found["Start count"], found["Not delivered"]) == ("7", "400")
    assert (found["Charge"], found["Refunded"], found["Paid"]) == ("0.90", "0.36", "0.54")
    assert len(exported_rows(page)) == 3


def test_a_row_shows_start_count_remains_and_the_net_charge(page: Client, nadia: User) -> None:
    order = factories.order(nadia, quantity="1000")
    Order.objects.filter(pk=order.pk).update(
        status="partial", remains=400, start_count=7777, refunded=Decimal("0.36"), ended_at=timezone.now()
    )
    text = visible_text(page.get("/orders/"))
    assert re.search(r"600 / 1,000\s+600 / 1000\s+7,777\s+400\s+\$0\.54\s", text)
    assert f"?again={order.pk}" in text_of(page.get("/orders/"))


# ------------------------------------------------------------------------------------------------ refills
def create_delivered_order(user: User, **details: Any) -> Order:
    order = factories.order(user, factories.service(has_refill=True), status="completed")
    Order.objects.filter(pk=order.pk).update(**{"remains": 0, "ended_at": timezone.now(), **details})
    return order


def test_refills_of_selected_orders_show_each_result(page: Client, nadia: User) -> None:
    first, second = create_delivered_order(nadia), create_delivered_order(nadia)
    late, foreign = (
        create_delivered_order(nadia, ended_at=timezone.now() - 40 * DAY),
        create_delivered_order(factories.customer()),
    )
    selected = re.findall(r'name="order" value="(\d+)"', text_of(page.get("/orders/")))
    assert selected == [str(late.pk), str(second.pk), str(first.pk)]
    text = visible_text(page.post("/orders/refill/", {"order": [*selected, foreign.pk, "x"]}, follow=True))
    assert f"Refills requested for orders {first.pk}, {second.pk}." in text
    assert f"Order {late.pk}: The refill period ended on" in text
    assert sorted(Refill.objects.values_list("order", flat=True)) == [first.pk, second.pk]
    again = visible_text(page.post("/orders/refill/", {"order": selected}, follow=True))
    assert f"Orders {first.pk}, {second.pk}: Already requested." in again
    assert Refill.objects.count() == 2


def test_refills_without_a_selection_show_an_error(page: Client) -> None:
    assert "Select the orders to refill" in visible_text(page.post("/orders/refill/", {}, follow=True))


def test_refills_and_cancellations_are_in_one_list_of_the_customer(page: Client, nadia: User) -> None:
    refill = create_delivered_order(nadia)
    page.post("/orders/refill/", {"order": refill.pk})
    canceled = factories.order(nadia, factories.service(has_cancel=True))
    page.post(f"/orders/{canceled.pk}/ask/", {"action": "cancel"})
    other = Client()
    foreign = create_delivered_order(factories.customer())
    other.force_login(foreign.user)
    other.post("/orders/refill/", {"order": foreign.pk})
    Refill.objects.filter(order=refill).update(reason="AcmePanel is down", needs_operator=True)
    text = visible_text(page.get("/refills/"))
    assert text.index(f"Cancellation of order {canceled.pk}") < text.index(f"Refill for order {refill.pk}")
    assert "Our team is working on it" in text
    assert "Canceled at your request" in text
    assert "AcmePanel" not in text
    assert f"order {foreign.pk}" not in text
    still_open = visible_text(page.get("/refills/?show=open"))
    assert f"Refill for order {refill.pk}" in still_open
    assert "Cancellation of order" not in still_open


def test_the_pages_of_requests_show_each_request_once(page: Client, nadia: User, django_assert_num_queries) -> None:
    service = factories.service(has_refill=True)
    create_orders(nadia, 60, service)
    orders = list(Order.objects.of(nadia))
    now = timezone.now()
    for number, order in enumerate(reversed(orders)):
        kind = Refill if number % 3 else type(order)._meta.get_field("cancellations").related_model
        made = kind.objects.create(order=order, status="completed", ended_at=now)
        kind.objects.filter(pk=made.pk).update(created_at=now + timedelta(seconds=number))
    seen, address, texts = [], "/refills/", []
    while address:
        with django_assert_num_queries(5):  # session, customer, the two tables, balance
            texts.append(text_of(page.get(address)))
        seen += [int(pk) for pk in re.findall(r"(?:Refill for|Cancellation of) order (\d+)", texts[-1])]
        older = re.search(r'href="(\?[^"]*before=[\d.]+)" rel="next"', texts[-1])
        address = f"/refills/{older[1]}" if older else ""
    assert seen == [order.pk for order in orders]
    newer = re.search(r'href="(\?[^"]*after=[\d.]+)" rel="prev"', texts[-1])
    assert newer
    back = re.findall(r"(?:Refill for|Cancellation of) order (\d+)", text_of(page.get(f"/refills/{newer[1]}")))
    assert [int(pk) for pk in back] == seen[25:50]


def test_an_invalid_cursor_shows_the_first_page(page: Client) -> None:
    assert page.get("/refills/?before=x.1&after=9999999999999999999.1").status_code == 200


def test_extreme_filter_values_are_no_error(nadia: User) -> None:
    query = QueryDict("q=%00&from=0001-01-01&to=9999-12-31&before=1&after=2&status=pending&service=5")
    assert order_list.list_orders(nadia, query).page.rows == []
