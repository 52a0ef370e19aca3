"""The webhook outbox: recipients, format, transactions and number of statements."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders import events
from orders.events import ShopEvent, Topic
from orders.ledger import transfers
from orders.lifecycle import customer_requests, fulfillment
from orders.models import Order, PriceChange
from orders.models.customer_request import RequestStatus
from orders.models.order import EventKind
from orders.rules.state_machine import Progress, Status
from providers.pricelists import importer, markup, onboarding
from storefront.accounts.models import ApiKey, User
from storefront.webhooks import endpoints, outbox
from storefront.webhooks.models import Delivery, Endpoint, WebhookEvent
from tests import factories
from tests.orders.parallel import together
from tests.providers.pricelists.test_importer import rows

pytestmark = pytest.mark.django_db
Listen = Callable[..., Endpoint]


def event_data(topic: Topic | None = None) -> list[dict[str, Any]]:
    events = WebhookEvent.objects.filter(deliveries__isnull=False).order_by("deliveries__pk")
    bodies = [json.loads(event.body) for event in (events.filter(topic=topic) if topic else events)]
    assert all(set(body) == {"id", "event", "created_at", "data"} for body in bodies)
    return [body["data"] for body in bodies]


def api_status(user: User, order: Order) -> Any:
    """Return the panel API's status of the order."""
    _key, text = ApiKey.objects.issue(user)
    return Client().post("/api/v2", {"key": text, "action": "status", "order": order.pk}).json()


def set_status(order: Order, status: Status, **facts: Any) -> None:
    fulfillment.apply_progress(order.pk, progress=Progress(status=status, **facts))


# ------------------------------------------------------------------------------------------------ orders


def test_order_event_uses_the_format_of_the_api(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, status="pending")
    for status, facts in (
        (Status.IN_PROGRESS, {"start_count": 7, "remains": 60}),
        (Status.PARTIAL, {"remains": 40}),
        (Status.CANCELED, {}),
    ):
        set_status(order, status, **facts)
        assert event_data()[-1] == {"order": order.pk, **api_status(nadia, order)}
    assert [data["status"] for data in event_data()] == ["In progress", "Partial", "Canceled"]
    assert [data["charge"] for data in event_data()] == ["0.09", "0.054", "0.00"]


def test_internal_status_changes_create_no_event(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia)
    fulfillment.mark_submitting([order.pk])
    fulfillment.requeue(order.pk, why=EventKind.NOT_SENT)
    fulfillment.mark_submitting([order.pk])
    fulfillment.accept(order.pk)
    assert event_data() == []


def test_unknown_outcome_and_its_end_create_events(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, status="submitting")
    fulfillment.mark_in_doubt(order.pk)
    fulfillment.fail(order.pk)
    assert [data["status"] for data in event_data()] == ["Processing", "Canceled"]


def test_later_refund_creates_an_event(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, status="pending")
    set_status(order, Status.PARTIAL, remains=20)
    set_status(order, Status.PARTIAL, remains=20)
    set_status(order, Status.PARTIAL, remains=50)
    assert [data["remains"] for data in event_data()] == ["20", "50"]


def test_drip_feed_order_creates_events_for_the_whole_order(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, factories.service(has_dripfeed=True), runs="2", interval="10")
    fulfillment.mark_run_submitting(Order.objects.get(pk=order.pk), 1)
    fulfillment.accept(order.pk, run=1)
    assert event_data() == []
    fulfillment.apply_progress(order.pk, run=1, progress=Progress(status=Status.IN_PROGRESS))
    fulfillment.stop_runs(order.pk)
    assert [data["status"] for data in event_data()] == ["In progress", "In progress"]
    assert [data["charge"] for data in event_data()] == ["0.18", "0.09"]


def test_rolled_back_change_leaves_no_delivery(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, status="pending")
    with transaction.atomic():
        set_status(order, Status.COMPLETED)
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    assert not WebhookEvent.objects.exists()
    order.refresh_from_db()
    assert order.status == "pending"


def test_customers_receive_only_their_own_events(nadia: User, listen: Listen) -> None:
    stranger = factories.customer()
    mine, theirs = listen(nadia), listen(stranger)
    listen(nadia, has_orders=False)
    endpoints.pause(listen(nadia))
    for buyer in (nadia, stranger, factories.customer()):
        set_status(factories.order(buyer, status="pending"), Status.COMPLETED)
    assert list(Delivery.objects.order_by("pk").values_list("endpoint", flat=True)) == [mine.pk, theirs.pk]


def test_two_endpoints_receive_the_same_event(nadia: User, listen: Listen) -> None:
    listen(nadia)
    listen(nadia)
    set_status(factories.order(nadia, status="pending"), Status.COMPLETED)
    (event,) = WebhookEvent.objects.all()
    assert event.deliveries.count() == 2
    assert json.loads(event.body)["id"] == str(event.pk)


def test_event_time_is_in_utc(nadia: User, listen: Listen, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Istanbul"
    listen(nadia)
    set_status(factories.order(nadia, status="pending"), Status.COMPLETED)
    said = json.loads(WebhookEvent.objects.get().body)["created_at"]
    assert said.endswith("Z")
    at = datetime.fromisoformat(said)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60


def test_event_without_user_is_sent_to_the_orders_owner(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia)
    events.publish(
        [ShopEvent(topic=Topic.ORDER, order_id=order.pk), ShopEvent(topic=Topic.ORDER, order_id=order.pk + 1)]
    )
    assert [data["order"] for data in event_data()] == [order.pk]


# ------------------------------------------------------------------------------------------------ the rest


def test_refill_creates_events_from_request_to_end(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, factories.service(has_refill=True), status="pending")
    set_status(order, Status.COMPLETED)
    refill = customer_requests.request_refill(order, actor=nadia)
    customer_requests.mark_sent(refill)
    customer_requests.apply_refill_status(refill, status=RequestStatus.IN_PROGRESS)
    customer_requests.apply_refill_status(refill, status=RequestStatus.IN_PROGRESS)
    customer_requests.apply_refill_status(refill, status=RequestStatus.COMPLETED)
    data = event_data(Topic.REFILL)
    assert [one["status"] for one in data] == ["Pending", "Pending", "In progress", "Completed"]
    assert {(one["refill"], one["order"]) for one in data} == {(refill.pk, order.pk)}


def test_cancellation_creates_only_an_order_event(nadia: User, listen: Listen) -> None:
    listen(nadia)
    order = factories.order(nadia, factories.service(has_cancel=True))
    customer_requests.request_cancellation(order, actor=nadia)
    assert [event.topic for event in WebhookEvent.objects.all()] == ["order.changed"]


def test_low_balance_event_is_sent_to_the_owner(nadia: User, listen: Listen) -> None:
    listen(nadia)
    listen(factories.customer())
    events.publish([ShopEvent(topic=Topic.LOW_BALANCE, user_id=nadia.pk, data={"balance": "4.10", "below": "5.00"})])
    assert event_data() == [{"balance": "4.10", "below": "5.00", "currency": "USD"}]


def test_low_balance_event_is_sent_once(nadia: User, listen: Listen) -> None:
    listen(nadia)
    service = factories.service(rate="300")
    transfers.set_low_balance_alert(transfers.open_wallet(nadia), below=Decimal(60))
    for _ in range(3):
        factories.order(nadia, service)
    assert event_data() == [{"balance": "40.00", "below": "60.00", "currency": "USD"}]


def reprice(count: int) -> None:
    """Publish ``count`` services and then raise their prices."""
    provider = onboarding.save_provider(
        "north", url="http://127.0.0.1:9009/api/v2", key="k", dialect_name="v2", currency="USD"
    )
    importer.store(provider, rows(count))
    importer.publish(provider, markup_percent=Decimal(30))
    markup.set_for(provider, percent=Decimal(100))
    assert markup.reprice() == count


def test_simultaneous_price_changes_are_one_event(nadia: User, listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.catalog.price_changes.CHUNK", 3)
    listen(nadia)
    listen(factories.customer())
    listen(nadia, has_prices=False)
    reprice(4)
    assert WebhookEvent.objects.count() == 2
    assert Delivery.objects.count() == 4
    services = [row for event in WebhookEvent.objects.all() for row in json.loads(event.body)["data"]["services"]]
    assert len({row["service"] for row in services}) == 4
    assert {(row["old_rate"], row["rate"]) for row in services} == {("1.17", "1.80")}


def test_price_event_uses_the_format_of_the_price_list(nadia: User, listen: Listen) -> None:
    """The rate of a package is per piece, all other rates are per 1,000."""
    listen(nadia)
    service = factories.service(rate="0.002", is_flat=True)
    boss = User.objects.create_superuser("boss@example.com", "x")
    client = Client()
    client.force_login(boss)
    _key, text = ApiKey.objects.issue(nadia)
    change_price_in_list(client, service.pk, "0.003")
    (listed,) = Client().post("/api/v2", {"key": text, "action": "services"}).json()
    assert event_data() == [
        {"currency": "USD", "services": [{"service": service.pk, "old_rate": "2.00", "rate": listed["rate"]}]}
    ]


def change_price_in_list(client: Client, pk: int, rate: str) -> None:
    """Change a price in the list of services, as a browser does."""
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-MIN_NUM_FORMS": "0", "form-MAX_NUM_FORMS": "100"}
    row = {"form-0-id": str(pk), "form-0-rate": rate, "form-0-is_active": "on"}
    assert client.post("/admin/orders/service/", {**data, **row, "_save": "Save"}).status_code == 302


@pytest.mark.parametrize("place", ["list", "page"])
def test_manual_price_change_creates_an_event(place: str, nadia: User, listen: Listen) -> None:
    listen(nadia)
    service = factories.service(rate="0.90")
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    for rate in ("0.90", "0.80"):
        if place == "list":
            change_price_in_list(client, service.pk, rate)
        else:
            change_price_on_page(client, service, rate)
    change = PriceChange.objects.get()
    assert (change.service_id, change.old_rate, change.new_rate) == (service.pk, Decimal("0.9"), Decimal("0.8"))
    assert [data["services"] for data in event_data()] == [
        [{"service": service.pk, "old_rate": "0.90", "rate": "0.80"}]
    ]


def change_price_on_page(client: Client, service: Any, rate: str) -> None:
    data = {
        "name": service.name, "category": service.category_id, "service_type": service.service_type,
        "is_active": "on", "rate": rate,
        "min_quantity": "1", "max_quantity": "10000", "position": "0", "refill_days": "30",
        "routes-TOTAL_FORMS": "0", "routes-INITIAL_FORMS": "0", "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0",
    }  # fmt: skip
    response = client.post(f"/admin/orders/service/{service.pk}/change/", data)
    assert response.status_code == 302, response.context["errors"]


def test_price_change_of_a_hidden_service_creates_no_event(nadia: User, listen: Listen) -> None:
    listen(nadia)
    service = factories.service(is_active=False)
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-MIN_NUM_FORMS": "0", "form-MAX_NUM_FORMS": "9"}
    client.post("/admin/orders/service/", {**data, "form-0-id": service.pk, "form-0-rate": "0.5", "_save": "Save"})
    assert PriceChange.objects.count() == 1
    assert event_data() == []


# ------------------------------------------------------------------------------------------------ cost


def statements(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        act()
    return len([query for query in caught if "SAVEPOINT" not in query["sql"]])


@pytest.mark.parametrize("count", [1, 100])
def test_events_without_endpoints_take_one_statement(count: int, nadia: User, listen: Listen) -> None:
    listen(factories.customer())
    pks = [factories.order(nadia, status="pending").pk for _ in range(count)]
    changes = [ShopEvent(topic=Topic.ORDER, user_id=nadia.pk, order_id=pk) for pk in pks]
    assert statements(lambda: outbox.record(changes)) == 1
    assert statements(lambda: outbox.record([ShopEvent(topic=Topic.ORDER, order_id=pk) for pk in pks])) == 1


def test_events_of_many_orders_take_as_many_statements_as_one(nadia: User, listen: Listen) -> None:
    service = factories.service()
    pks = [factories.order(nadia, service, status="pending").pk for _ in range(101)]
    listen(nadia)
    one = statements(lambda: outbox.record([ShopEvent(topic=Topic.ORDER, user_id=nadia.pk, order_id=pks[0])]))
    many = statements(
        lambda: outbox.record([ShopEvent(topic=Topic.ORDER, user_id=nadia.pk, order_id=pk) for pk in pks[1:]])
    )
    assert one == many <= 4
    assert Delivery.objects.count() == 101


def test_bulk_status_update_creates_an_event_per_order(nadia: User, listen: Listen) -> None:
    service = factories.service()
    pks = [factories.order(nadia, service, status="pending").pk for _ in range(100)]

    def steps(progress: Progress) -> list[fulfillment.Step]:
        return [
            fulfillment.Step(
                order.pk, nadia.pk, order.state, order.remains, order.start_count, fulfillment.decide(order, progress)
            )
            for order in Order.objects.filter(pk__in=pks)
        ]

    first = steps(Progress(status=Status.PROCESSING))
    silent = statements(lambda: fulfillment.advance_orders(first))
    listen(nadia)
    second = steps(Progress(status=Status.IN_PROGRESS, start_count=5, remains=90))
    assert statements(lambda: fulfillment.advance_orders(second)) <= silent + 3
    fulfillment.advance_orders(steps(Progress(status=Status.IN_PROGRESS, start_count=5, remains=90)))  # nothing new
    assert sorted(data["order"] for data in event_data()) == sorted(pks)
    assert {data["status"] for data in event_data()} == {"In progress"}


# ------------------------------------------------------------------------------------------------ removed meanwhile


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_gone_first", [False, True])
def test_deleting_an_endpoint_does_not_block_concurrent_changes(
    nadia: User, listen: Listen, is_gone_first: bool
) -> None:
    """Neither the change nor the deletion is rolled back by the other."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    endpoint, other = listen(nadia), listen(nadia, "https://shop.example/other")
    order = factories.order(nadia, status="pending")
    begun, told_it = threading.Event(), threading.Event()

    def move() -> None:
        with transaction.atomic():
            begun.wait(10) if is_gone_first else None
            set_status(order, Status.IN_PROGRESS)
            told_it.set()
            time.sleep(0.5)

    def remove() -> None:
        if not is_gone_first:
            told_it.wait(10)
            return endpoints.remove(endpoint)
        with transaction.atomic():
            endpoints.remove(endpoint)
            begun.set()
            time.sleep(0.5)

    assert together([move, remove]) == [None, None]
    order.refresh_from_db()
    assert order.state is Status.IN_PROGRESS
    assert list(Endpoint.objects.all()) == [other]
    assert [delivery.endpoint for delivery in Delivery.objects.all()] == [other]
