"""A repeated request places no second order: not later, not concurrently, and not when the balance is used up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from orders.buying import checkout, idempotency, link_locks
from orders.errors import InsufficientFunds, LinkInUse, OrderInvalid, OrdersError, RequestReused
from orders.ledger import audit
from orders.models import Category, Order, Service
from orders.rules import same_link
from tests import factories
from tests.factories import INPUTS
from tests.orders.parallel import together

pytestmark = pytest.mark.django_db


def place(user: Any, service: Service, **options: Any) -> Order:
    """Place an order as the API does, with a fingerprint of the request."""
    inputs = {**INPUTS, **options.pop("inputs", {})}
    told = idempotency.fingerprint(service.pk, inputs)
    return checkout.place_order(user, service=service, inputs=inputs, fingerprint=told, **options)


def travel(**passed: Any) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**passed), tick=True)


# ------------------------------------------------------------------------------------------------ with a request ID
def test_a_repeated_id_returns_the_same_order_for_a_day() -> None:
    buyer, service = factories.customer("1"), factories.service()
    first = place(buyer, service, request_id="a")
    with travel(hours=23, minutes=59):
        assert place(buyer, service, request_id="a") == first
    with travel(hours=24, minutes=1):
        second = place(buyer, service, request_id="a")
    assert second != first
    assert second.request_id == "a"
    assert Order.objects.get(pk=first.pk).request_id is None, "an id belongs to one order at a time"


@pytest.mark.parametrize(
    "change", [{"link": "https://example.com/p/other"}, {"quantity": "101"}, {"runs": "2", "interval": "5"}]
)
def test_a_repeated_id_with_another_body_is_rejected(change: dict[str, str]) -> None:
    buyer, service = factories.customer("1"), factories.service(has_dripfeed=True)
    first = place(buyer, service, request_id="a")
    with pytest.raises(RequestReused) as refused:
        place(buyer, service, request_id="a", inputs=change)
    assert refused.value.order_id == first.pk
    with pytest.raises(RequestReused):
        place(buyer, factories.service(), request_id="a")
    assert Order.objects.count() == 1


def test_different_ids_with_the_same_body_are_two_orders() -> None:
    buyer, service = factories.customer("1"), factories.service()
    assert len({place(buyer, service, request_id=name).pk for name in ("a", "b")}) == 2


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f600" * 128,
        "a b\tc\nd",
        "a\u00a0b",
        "\"'\\;--",
        "%s {0} $1",
    ],
)
def test_any_text_that_fits_is_accepted_as_an_id(name: str) -> None:
    buyer, service = factories.customer("1"), factories.service()
    first = place(buyer, service, request_id=name)
    assert place(buyer, service, request_id=name) == first
    assert place(buyer, service, request_id=f"{name}."[-128:]) != first
    assert Order.objects.get(pk=first.pk).request_id == name


@pytest.mark.parametrize("name", ["x" * 129, "a\0b", "a\ud800b"])
def test_an_id_that_cannot_be_stored_is_rejected(name: str) -> None:
    with pytest.raises(OrderInvalid):
        place(factories.customer("1"), factories.service(), request_id=name)


# ------------------------------------------------------------------------------------------------ without a request ID
def test_the_same_body_within_a_minute_is_the_same_order() -> None:
    buyer, service = factories.customer("1"), factories.service()
    first = place(buyer, service)
    with travel(seconds=55):
        assert place(buyer, service) == first
    with travel(seconds=61):
        assert place(buyer, service) != first
    assert Order.objects.count() == 2


def test_a_setting_changes_the_time_window(settings: Any) -> None:
    settings.IDEMPOTENCY_SECONDS = 0
    buyer, service = factories.customer("1"), factories.service()
    assert place(buyer, service) != place(buyer, service)


def test_any_difference_makes_another_order() -> None:
    buyer, service = factories.customer("1"), factories.service()
    found = {place(buyer, service).pk}
    found.add(place(buyer, service, inputs={"link": "https://example.com/p/2"}).pk)
    found.add(place(buyer, service, inputs={"quantity": "101"}).pk)
    found.add(place(buyer, service, inputs={"custom": "x"}).pk)
    found.add(place(buyer, factories.service()).pk)
    found.add(place(factories.customer("1"), service).pk)
    assert len(found) == 6


def test_empty_parameters_make_no_difference() -> None:
    one = idempotency.fingerprint(1, {"link": "x", "quantity": "5", "runs": "undefined", "key": "a", "action": "add"})
    assert one == idempotency.fingerprint(1, {"quantity": "5", "link": "x", "key": "b", "comments": ""})
    assert one != idempotency.fingerprint(2, {"quantity": "5", "link": "x"})


def test_a_repeated_request_returns_its_order_even_if_it_is_no_longer_valid() -> None:
    """The first request used up the balance, and the service is no longer on sale."""
    buyer, service = factories.customer("0.09"), factories.service()
    first = place(buyer, service, request_id="a")
    assert place(buyer, service, request_id="a") == first
    with pytest.raises(InsufficientFunds):
        place(buyer, service, request_id="b")
    Service.objects.update(is_active=False)
    Category.objects.update(is_active=False)
    assert place(buyer, Service.objects.get(), request_id="a") == first
    with pytest.raises(RequestReused):
        place(buyer, Service.objects.get(), request_id="a", inputs={"quantity": "1"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("request_id", [None, "a"])
def test_twenty_concurrent_copies_are_one_order_and_one_charge(request_id: str | None) -> None:
    buyer, service = factories.customer("1"), factories.service()
    found = together([partial(place, buyer, service, request_id=request_id)] * 20)
    assert len({order.pk for order in found}) == 1
    assert Order.objects.count() == 1
    buyer.wallet.refresh_from_db()
    assert (buyer.wallet.balance, buyer.wallet.spent) == (Decimal("0.91"), Decimal("0.09"))
    assert list(audit.findings()) == []


@pytest.mark.django_db(transaction=True)
def test_without_a_time_window_concurrent_copies_are_separate_orders(settings: Any) -> None:
    settings.IDEMPOTENCY_SECONDS = 0
    buyer, service = factories.customer("10"), factories.service()
    found = together([partial(place, buyer, service)] * 20)
    assert {type(order) for order in found} == {Order}
    assert Order.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_concurrent_copies_after_the_window_are_one_new_order() -> None:
    buyer, service = factories.customer("1"), factories.service()
    first = place(buyer, service)
    Order.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    found = together([partial(place, buyer, service)] * 20)
    assert len({order.pk for order in found} - {first.pk}) == 1
    assert Order.objects.count() == 2


@pytest.mark.parametrize("options", [{}, {"request_id": "a"}])
@pytest.mark.parametrize("balance", ["0.09", "1"])
def test_a_repeated_request_is_found_inside_a_transaction(options: dict[str, str], balance: str) -> None:
    buyer, service = factories.customer(balance), factories.service()
    with transaction.atomic():
        first = place(buyer, service, **options)
        assert place(buyer, service, **options) == first
        with pytest.raises(OrdersError):
            place(buyer, service, request_id="a" if options else "b", inputs={"quantity": "2000"})
        assert place(buyer, service, **options) == first
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ one order per link
def test_a_service_can_allow_one_open_order_per_link() -> None:
    buyer, service = factories.customer("1"), factories.service(is_one_per_link=True)
    first = place(buyer, service, inputs={"link": "https://www.Example.com/p/1/"})
    for link in ("https://www.example.com/p/1", "example.com/p/1/", "http://m.example.com/p/1#top"):
        with pytest.raises(LinkInUse):
            place(factories.customer("1"), service, inputs={"link": link})
    assert place(buyer, service, inputs={"link": "https://example.com/p/2"})
    assert place(buyer, service, inputs={"link": "https://example.com/P/1"}), "paths are case-sensitive"
    assert place(buyer, factories.service(is_one_per_link=True), inputs={"link": "https://example.com/p/1"})
    Order.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    assert place(buyer, service, inputs={"link": "https://example.com/p/1"}).pk


def test_turning_on_one_order_per_link_counts_open_orders() -> None:
    service = factories.service()
    first, newest, ended, other = (
        place(factories.customer("1"), service, inputs={"link": f"https://example.com/p/{n}"}) for n in (1, 1, 2, 3)
    )
    Order.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    service.is_one_per_link = True
    service.save()
    assert link_locks.hold_links(service) == 2
    assert link_locks.hold_links(service) == 0, "a second call changes nothing"
    for link in ("https://www.example.com/p/1/", "https://example.com/p/3"):
        with pytest.raises(LinkInUse):
            place(factories.customer("1"), service, inputs={"link": link})
    assert {order.pk for order in Order.objects.exclude(link_lock=None)} == {newest.pk, other.pk}
    assert place(factories.customer("1"), service, inputs={"link": "https://example.com/p/2"})
    Order.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    with pytest.raises(LinkInUse):
        place(factories.customer("1"), service, inputs={"link": "https://example.com/p/1"})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#cats", "#dogs"),
        ("https://web.telegram.org/k/#@durov", "https://web.telegram.org/k/#@other"),
        ("https://mega.example/#!abc", "https://mega.example/#!abd"),
        ("smith", "m.smith"),
        ("https://example.com/?a=1", "https://example.com/?a=2"),
    ],
)
def test_links_to_different_targets_are_not_the_same(one: str, other: str) -> None:
    assert same_link.same_place(one) != same_link.same_place(other)


@pytest.mark.django_db(transaction=True)
def test_one_of_twenty_concurrent_orders_gets_the_link() -> None:
    service = factories.service(is_one_per_link=True)
    buyers = [factories.customer("1") for _ in range(20)]
    found = together([partial(place, buyer, service) for buyer in buyers])
    assert sum(isinstance(result, Order) for result in found) == 1
    assert sum(isinstance(result, LinkInUse) for result in found) == 19
    assert all(isinstance(result, (Order, OrdersError)) for result in found)
    assert list(audit.findings()) == []
