from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection

from orders.buying import checkout
from orders.catalog import customer_pricing
from orders.errors import InsufficientFunds, OrderInvalid, OrdersError, PriceChanged, ServiceNotSold
from orders.ledger import audit, transfers
from orders.models import Order, Service
from orders.rules.service_types import SERVICE_TYPES
from tests import factories
from tests.factories import INPUTS
from tests.orders.parallel import together

pytestmark = pytest.mark.django_db


def place(user: Any, service: Service, **options: Any) -> Order:
    return checkout.place_order(user, service=service, inputs={**INPUTS, **options.pop("inputs", {})}, **options)


def balance(user: Any) -> Any:
    return transfers.open_wallet(user).balance


def problems(service: Service, **inputs: Any) -> list[str]:
    with pytest.raises(OrderInvalid) as refused:
        checkout.quote(service, inputs={**INPUTS, **inputs})
    return [str(problem) for problem in refused.value.problems]


# ------------------------------------------------------------------------------------------------ orders and prices
def test_an_order_stores_its_inputs_and_its_price() -> None:
    buyer, service = factories.customer("1"), factories.service("custom_comments", rate="10.5")
    order = place(buyer, service, source="api", request_id="a1")
    Service.objects.update(rate=Decimal(99))
    order.refresh_from_db()
    assert (order.status, order.quantity, order.link) == ("queued", 3, INPUTS["link"])
    assert order.fields == {"comments": ["first", "second", "third"]}
    assert (order.rate, order.charge, order.refunded, order.is_flat) == (Decimal("10.5"), Decimal("0.0315"), 0, False)
    assert (order.source, order.request_id, balance(buyer)) == ("api", "a1", Decimal("0.9685"))


@pytest.mark.parametrize("service_type", SERVICE_TYPES)
def test_every_service_type_can_be_bought(service_type: str) -> None:
    buyer, service = (
        factories.customer("100"),
        factories.service(service_type, rate="1", is_flat=SERVICE_TYPES[service_type].is_flat),
    )
    order = place(buyer, service)
    assert order.charge == (1 if SERVICE_TYPES[service_type].is_flat else Decimal(order.quantity) / 1000)
    order.refresh_from_db()
    assert list(audit.findings()) == []


def test_the_quoted_price_is_charged() -> None:
    service = factories.service(rate="0.00012")
    quote = checkout.quote(service, inputs=INPUTS)
    assert (quote.service, quote.charge, quote.details.quantity) == (service, Decimal("0.000012"), 100)
    assert place(factories.customer("1"), service).charge == quote.charge


# ------------------------------------------------------------------------------------------------ rejections
def refused_orders() -> dict[str, tuple[type[OrdersError], dict[str, Any], dict[str, Any]]]:
    return {
        "a service off sale": (ServiceNotSold, {"is_active": False}, {}),
        "too few": (OrderInvalid, {"min_quantity": 101}, {}),
        "too many": (OrderInvalid, {"max_quantity": 99}, {}),
        "no link": (OrderInvalid, {}, {"inputs": {"link": ""}}),
        "another price": (PriceChanged, {}, {"shown_charge": Decimal("0.08")}),
        "too dear": (InsufficientFunds, {"rate": "10.00000001"}, {}),
        "in instalments": (OrderInvalid, {}, {"inputs": {"runs": "2"}}),
    }


@pytest.mark.parametrize("case", refused_orders())
def test_a_rejected_order_writes_nothing(case: str) -> None:
    error, service, options = refused_orders()[case]
    buyer = factories.customer("1")
    with pytest.raises(error):
        place(buyer, factories.service(**service), **options)
    assert not Order.objects.exists()
    assert balance(buyer) == 1


def test_services_of_an_inactive_category_are_not_sold() -> None:
    service = factories.service(category=factories.category(is_active=False))
    with pytest.raises(ServiceNotSold):
        checkout.quote(service, inputs=INPUTS)


def test_a_customer_without_a_wallet_cannot_buy() -> None:
    with pytest.raises(InsufficientFunds):
        place(factories.user(), factories.service())


def test_an_order_is_rejected_when_the_shown_price_changed() -> None:
    buyer, service = factories.customer("1"), factories.service(rate="0.90")
    assert place(buyer, service, shown_charge=Decimal("0.090")).charge == Decimal("0.09")
    for shown in ("0.089999", "0.090001"):
        with pytest.raises(PriceChanged) as refused:
            place(buyer, service, shown_charge=Decimal(shown))
        assert refused.value.charge == Decimal("0.09")


def test_a_link_must_match_the_whole_pattern_of_its_service() -> None:
    service = factories.service(link_pattern=r"https://example\.com/p/\d+", link_example="https://example.com/p/1")
    assert checkout.quote(service, inputs=INPUTS).details.link == INPUTS["link"]
    for link in ("https://example.com/p/", "https://example.com/p/1x", "xhttps://example.com/p/1", "javascript:1"):
        assert problems(service, link=link)[0].startswith("link: bad_link")
    assert problems(service, link="@me") == ["link: bad_link (https://example.com/p/1)"]


def test_link_patterns_run_in_linear_time() -> None:
    """With a backtracking engine, a link of 24 characters blocked the process for 20 seconds."""
    service = factories.service(link_pattern=r"(a|a)*(a+)+b", link_example="ab")
    started = time.perf_counter()
    assert problems(service, link="a" * 500) == ["link: bad_link (ab)"]
    assert time.perf_counter() - started < 1


def test_an_invalid_stored_pattern_rejects_every_link() -> None:
    service = factories.service(link_pattern="(?=a)a")
    assert problems(service, link="a")[0].startswith("link: bad_link")


def test_a_pattern_is_ignored_for_types_without_a_link() -> None:
    service = factories.service("subscriptions", link_pattern="https://.+")
    assert checkout.quote(service, inputs=INPUTS).details.link == ""


@pytest.mark.parametrize(
    ("runs", "is_sold"),
    [
        ("", True),
        ("0", True),
        ("1", True),
        ("undefined", True),
        (None, True),
        ("2", False),
        ("abc", False),
        ("-1", False),
    ],
)
def test_runs_are_rejected_for_services_without_drip_feed(runs: Any, is_sold: bool) -> None:
    service = factories.service()
    if is_sold:
        checkout.quote(service, inputs={**INPUTS, "runs": runs})
    else:
        assert problems(service, runs=runs) == ["runs: unsupported"]


def test_a_charge_beyond_64_bits_is_rejected() -> None:
    service = factories.service(rate="90000000000", max_quantity=10**15)
    assert problems(service, quantity="999999999999999") == ["quantity: too_large (102481)"]
    subscription = factories.service("subscriptions", rate="90000000000", max_quantity=10**15)
    assert problems(subscription, max="999999999999999", posts="1") == ["quantity: too_large (102481)"]


# ------------------------------------------------------------------------------------------------ request IDs
def test_the_same_request_id_buys_once() -> None:
    buyer, service = factories.customer("1"), factories.service()
    first = place(buyer, service, request_id="a1")
    assert place(buyer, service, request_id="a1") == first
    assert place(buyer, service, request_id="a1", inputs={"quantity": "abc"}) == first
    assert place(factories.customer("1"), service, request_id="a1") != first
    assert place(buyer, service, request_id="a2") != first
    assert balance(buyer) == Decimal("0.82")


def test_requests_without_an_id_are_separate_orders() -> None:
    buyer, service = factories.customer("1"), factories.service()
    orders = [place(buyer, service, request_id=name) for name in (None, "", None, "")]
    assert len({order.pk for order in orders}) == 4
    assert {order.request_id for order in orders} == {None}


@pytest.mark.parametrize("request_id", ["x" * 129, "a\0", "\ud800"])
def test_an_invalid_request_id_is_rejected(request_id: str) -> None:
    with pytest.raises(OrderInvalid, match=r"request_id: (too_long|unsupported)"):
        place(factories.customer("1"), factories.service(), request_id=request_id)


@pytest.mark.django_db(transaction=True)
def test_20_concurrent_copies_of_a_request_buy_and_wake_once(woken_orders: list[int]) -> None:
    buyer, service = factories.customer("1"), factories.service()
    results = together([partial(place, buyer, service, request_id="a1")] * 20)
    assert Counter(type(result).__name__ for result in results) == {"Order": 20}
    assert len({order.pk for order in results}) == 1
    assert (balance(buyer), woken_orders) == (Decimal("0.91"), [results[0].pk])


@pytest.mark.django_db(transaction=True)
def test_concurrent_copies_return_the_one_order_the_balance_covers() -> None:
    buyer, service = factories.customer("0.09"), factories.service()
    results = together([partial(place, buyer, service, request_id="a1")] * 20)
    assert Counter(type(result).__name__ for result in results) == {"Order": 20}
    assert balance(buyer) == 0


def test_other_constraint_errors_do_not_count_as_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_a_rule(order: Order) -> None:
        raise IntegrityError("something else")

    monkeypatch.setattr(transfers, "sell", break_a_rule)
    for request_id in (None, "a1"):
        with pytest.raises(IntegrityError, match="something else"):
            place(factories.customer("1"), factories.service(), request_id=request_id)
    assert not Order.objects.exists()


# ------------------------------------------------------------------------------------------------ the wake-up
def test_the_worker_is_woken_once_after_the_commit(
    woken_orders: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    buyer, service = factories.customer("1"), factories.service()
    with django_capture_on_commit_callbacks(execute=True):
        order = place(buyer, service, request_id="a1")
        place(buyer, service, request_id="a1")
        assert woken_orders == []
    assert woken_orders == [order.pk]


def test_a_rejected_order_does_not_wake_the_worker(
    woken_orders: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(InsufficientFunds):
        place(factories.user(), factories.service())
    assert woken_orders == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wake", ["tests.orders.alarm.fail", "tests.orders.alarm.gone", "nowhere.wake"])
def test_a_failing_wake_up_does_not_fail_the_order(settings: Any, wake: str) -> None:
    settings.ORDERS_WAKE = wake
    buyer = factories.customer("1")
    order = place(buyer, factories.service())
    assert Order.objects.get() == order
    assert balance(buyer) == Decimal("0.91")


# ------------------------------------------------------------------------------------------------ cost
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("request_id", [None, "a1"])
def test_a_purchase_takes_the_fewest_statements(request_id: str | None, django_assert_max_num_queries: Any) -> None:
    """One statement reads the cost; none is needed to look for an earlier request."""
    buyer, service = factories.customer("1"), factories.service()
    service = Service.objects.on_sale().get(pk=service.pk)
    with django_assert_max_num_queries(6) as queries:
        place(buyer, service, request_id=request_id, fingerprint=1, pricing=customer_pricing.LIST_PRICES)
    words = [query["sql"].split()[0] for query in queries.captured_queries]
    at_once = connection.vendor == "postgresql"
    assert words == ["SELECT", *(["WITH"] if at_once else ["BEGIN", "UPDATE", "INSERT", "INSERT", "COMMIT"])]


def test_long_links_are_matched_quickly() -> None:
    service = factories.service(link_pattern=r"https?://(www\.)?example\.com/[\w./-]+/?(\?.*)?")
    started = time.perf_counter()
    checkout.quote(service, inputs={**INPUTS, "link": "https://example.com/" + "a" * 2000})
    problems(service, link="https://example.com/" + "a" * 2000 + "!")
    assert time.perf_counter() - started < 1
