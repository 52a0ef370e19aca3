"""Customers see only their own orders, with customer statuses and live updates, and nothing internal."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from orders.lifecycle import fulfillment
from orders.models import Order
from orders.models.order import EventKind
from orders.rules.state_machine import TERMINAL, Progress, Status
from storefront.accounts.models import User
from storefront.shop import order_list
from tests import factories
from tests.storefront.shop.forms import text_of

#: Internal words that customers must not read.
INTERNAL = re.compile(
    r"AcmePanel|provider|upstream|placement|\bpanel\b|supplier|queued|submitting|failed", re.IGNORECASE
)


def create_orders(user: User, count: int, status: str = "pending") -> None:
    service = factories.service()
    Order.objects.bulk_create(
        Order(user=user, service=service, status=status, link=f"l{n}", quantity=9, rate=1, charge=Decimal("0.01"))
        for n in range(count)
    )


def visible_text(response) -> str:
    """Return the text of the page without tags and attributes."""
    body = text_of(response).partition("<main")[2].partition("</main>")[0]
    return re.sub(r"<[^>]*>", " ", body)


@pytest.mark.parametrize("count", [50, 500])
def test_the_list_takes_the_same_queries_for_any_length(
    count: int, page: Client, nadia: User, django_assert_num_queries
):
    create_orders(nadia, count)
    with django_assert_num_queries(6):  # session, customer, counts, page, services, balance
        text = text_of(page.get("/orders/"))
    assert text.count('<tr id="order-') == order_list.PAGE_SIZE


@pytest.mark.parametrize("count", [50, 500])
def test_live_updates_take_the_same_queries_for_any_length(
    count: int, page: Client, nadia: User, django_assert_num_queries
) -> None:
    create_orders(nadia, count)
    marks = [order_list.row_state(order) for order in Order.objects.of(nadia)[:25]]
    with django_assert_num_queries(3):
        assert page.get("/orders/live/", {"seen": marks}).status_code == 204


def test_the_order_page_takes_five_queries(page: Client, nadia: User, django_assert_num_queries) -> None:
    order = factories.order(nadia)
    with django_assert_num_queries(5):
        page.get(f"/orders/{order.pk}/")


def test_the_pages_of_the_list_show_each_order_once(page: Client, nadia: User) -> None:
    create_orders(nadia, 60)
    seen, address = [], "/orders/"
    while address:
        text = text_of(page.get(address))
        seen += [int(pk) for pk in re.findall(r'<tr id="order-(\d+)"', text)]
        older = re.search(r'href="(\?[^"]*before=\d+)" rel="next"', text)
        address = f"/orders/{older[1]}" if older else ""
    assert seen == sorted(Order.objects.values_list("pk", flat=True), reverse=True)
    newer = re.search(r'href="(\?[^"]*after=\d+)" rel="prev"', text)
    assert newer
    back = [int(pk) for pk in re.findall(r'<tr id="order-(\d+)"', text_of(page.get(f"/orders/{newer[1]}")))]
    assert back == seen[25:50]


def test_another_customers_order_is_not_found(page: Client) -> None:
    foreign = factories.order(link="https://example.com/secret")
    assert page.get(f"/orders/{foreign.pk}/").status_code == 404
    assert page.get(f"/orders/{foreign.pk}/live/").status_code == 404
    assert page.get("/orders/live/", {"seen": f"{foreign.pk}-x"}).status_code == 204
    assert "secret" not in text_of(page.get(f"/orders/?q={foreign.pk}"))


@pytest.mark.parametrize("address", ["/orders/", "/wallet/", "/wallet/statement.csv", "/account/keys/", "/orders/1/"])
def test_a_visitor_is_asked_to_sign_in(address: str, client: Client) -> None:
    assert client.get(address).headers["Location"] == f"/account/login/?next={address}"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("queued", "pending"),
        ("submitting", "pending"),
        ("pending", "pending"),
        ("in_progress", "in-progress"),
        ("in_doubt", "in-doubt"),
        ("failed", "canceled"),
        ("canceled", "canceled"),
    ],
)
def test_customers_see_their_own_status_names(status: str, shown: str, page: Client, nadia: User) -> None:
    order = factories.order(nadia, status=status)
    for response in (page.get("/orders/"), page.get(f"/orders/{order.pk}/"), page.get(f"/orders/?status={shown}")):
        assert f'data-status="{shown}"' in text_of(response)
        assert not INTERNAL.search(visible_text(response))


def test_tabs_count_their_orders(page: Client, nadia: User) -> None:
    for status in ("queued", "pending", "completed", "failed"):
        factories.order(nadia, status=status)
    text = visible_text(page.get("/orders/"))
    assert re.search(r"All\s+4\s+Pending\s+2\s+Processing\s+0\s+In progress\s+0\s+Completed\s+1", text)
    assert text_of(page.get("/orders/?status=canceled")).count('<tr id="order-') == 1


def test_orders_are_found_by_number_link_and_service(page: Client, nadia: User) -> None:
    order = factories.order(nadia, factories.service(name="Harp lessons"), link="https://example.com/harp")
    factories.order(nadia, factories.service(name="Drums"), link="https://example.com/drum")
    for text in (str(order.pk), "com/harp", "lessons"):
        assert f'id="order-{order.pk}"' in text_of(page.get("/orders/", {"q": text}))
    assert "No orders match" in text_of(page.get("/orders/", {"q": "zither"}))


def test_customers_never_see_internal_texts(page: Client, nadia: User) -> None:
    order = factories.order(nadia)
    facts = {"provider": "AcmePanel", "upstream_id": "panel-77", "answer": "AcmePanel says no"}
    fulfillment.mark_submitting([order.pk])
    fulfillment.mark_in_doubt(order.pk, **facts)
    fulfillment.add_event(order, kind=EventKind.RESOLVED, **facts)
    fulfillment.accept(order.pk, **facts)
    fulfillment.apply_progress(order.pk, progress=Progress(status=None, panel_status="AcmePanel broke"))
    fulfillment.add_event(order, kind=EventKind.NOTE, text="AcmePanel owes us")
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.PARTIAL, remains=40))
    refused = factories.order(nadia)
    fulfillment.fail(refused.pk, **facts)
    for address in (f"/orders/{order.pk}/", f"/orders/{refused.pk}/", "/orders/", "/wallet/", "/services/", "/api/"):
        response = page.get(address)
        assert response.status_code == 200
        text = visible_text(response).replace("panel API v2", "API v2")  # the reference names the protocol
        assert not INTERNAL.search(text)
        assert "AcmePanel" not in text_of(response)
        assert "panel-77" not in text_of(response)


def test_the_activity_shows_the_newest_event_first(page: Client, nadia: User) -> None:
    order = factories.order(nadia, factories.service(rate="1.65"), quantity="2000")
    fulfillment.mark_submitting([order.pk])
    fulfillment.accept(order.pk)
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.IN_PROGRESS, start_count=6118, remains=900))
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.PARTIAL, remains=540))
    text = visible_text(page.get(f"/orders/{order.pk}/"))
    events = ["$0.891 was refunded", "Partial", "In progress", "6,118", "Accepted", "Order placed and paid", "$3.30"]
    places = [text.index(part, text.index("Activity")) for part in events]
    assert places == sorted(places)
    assert "Not delivered: 540 of 2,000." in text
    assert "$2.409" in text


@pytest.mark.parametrize(
    ("link", "is_link"),
    [
        ("https://example.com/a", True),
        ("HTTP://example.com", True),
        ("@nadia", False),
        ("ftp://example.com", False),
        ('https://example.com/"onmouseover="alert(1)', True),
        ("blob:https://example.com", False),
    ],
)
def test_only_web_addresses_become_links(link: str, is_link: bool, page: Client, nadia: User) -> None:
    order = factories.order(nadia, link=link)
    source = page.get(f"/orders/{order.pk}/").content.decode()
    assert ('rel="noopener noreferrer nofollow"' in source) is is_link
    assert '"onmouseover=' not in source


def test_inputs_are_escaped(page: Client, nadia: User) -> None:
    order = factories.order(
        nadia, factories.service(service_type="custom_comments"), comments="<script>alert(1)</script>\nb"
    )
    source = page.get(f"/orders/{order.pk}/").content.decode()
    assert "<script>alert" not in source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>b" in source


@pytest.mark.parametrize("status", list(Status))
def test_only_open_orders_update_live(status: Status, page: Client, nadia: User) -> None:
    order = factories.order(nadia, status=status)
    for address in ("/orders/", f"/orders/{order.pk}/"):
        assert ("hx-trigger" in text_of(page.get(address))) is (status not in TERMINAL)


@pytest.mark.parametrize(
    ("starts", "ended", "words"), [(None, 20, "1 min"), (None, 7800, "2 h 10 min"), (3600, 3900, "5 min")]
)
def test_the_duration_starts_at_the_scheduled_start(
    starts: int | None, ended: int, words: str, page: Client, nadia: User
) -> None:
    order = factories.order(nadia, status="completed")
    after = {"ended_at": order.created_at + timedelta(seconds=ended)}
    if starts is not None:
        after["starts_at"] = order.created_at + timedelta(seconds=starts)
    Order.objects.filter(pk=order.pk).update(**after)
    assert f"<dt>Duration</dt><dd>{words}</dd>" in text_of(page.get(f"/orders/{order.pk}/"))


def test_a_changed_row_is_sent_and_updates_stop_at_the_end(page: Client, nadia: User) -> None:
    order = factories.order(nadia, status="pending")
    seen = order_list.row_state(order)
    assert page.get("/orders/live/", {"seen": seen}).status_code == 204
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.COMPLETED))
    text = text_of(page.get("/orders/live/", {"seen": seen}))
    assert "Completed" in text
    assert "hx-trigger" not in text


def test_the_order_page_updates_when_the_order_changed(page: Client, nadia: User) -> None:
    order = factories.order(nadia, status="pending")
    seen = re.search(r'hx-get="(/orders/\d+/live/\?seen=[^"]+)"', text_of(page.get(f"/orders/{order.pk}/")))
    assert seen
    assert page.get(seen[1]).status_code == 204
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.IN_PROGRESS, remains=40))
    text = text_of(page.get(seen[1]))
    assert "In progress" in text
    assert "<html" not in text


def test_a_page_left_open_after_signing_out_reloads(client: Client) -> None:
    assert client.get("/orders/live/").headers["HX-Refresh"] == "true"
    assert client.get("/orders/1/live/").headers["HX-Refresh"] == "true"


def test_an_empty_list_links_to_the_services(page: Client) -> None:
    text = text_of(page.get("/orders/"))
    assert "No orders yet" in text
    assert 'href="/services/"' in text


@pytest.mark.parametrize(
    "query",
    ["q=%00", "before=x", "after=²", "after=99999999999999999999", "before=0", "status=<x>", "q=9999999999999999999"],
)
def test_an_invalid_query_is_no_error(query: str, page: Client, nadia: User) -> None:
    factories.order(nadia)
    for address in ("/orders/", "/wallet/"):
        assert page.get(f"{address}?{query}").status_code == 200
    assert page.get("/orders/live/?seen=&seen=x-&seen=99999999999999999999-a&seen=%00").status_code == 204
