"""Nobody reads or changes what is another customer's, and a page costs the same queries however many rows it has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.events import ShopEvent, Topic
from orders.models import Cancellation, Order, OrderEvent, PriceChange, Refill, Service, Transfer
from storefront.api.rest.resources import router
from storefront.payments.models import Payment
from storefront.webhooks import endpoints, outbox
from storefront.webhooks.models import Endpoint, WebhookEvent
from tests import factories
from tests.storefront.api.rest.program import Program, problem


@pytest.fixture(autouse=True)
def _local_webhooks(settings: Any) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = True


def fill(owner: Program, service: Service, times: int = 1) -> dict[str, Any]:
    """Give the customer rows of every kind; return the ID of one of each, by resource."""
    if not Endpoint.objects.filter(user=owner.user).exists():
        endpoints.add(owner.user, url="http://127.0.0.1:9000/", has_orders=True)
    for _ in range(times):
        order = factories.order(owner.user, service)
        Order.objects.filter(pk=order.pk).update(status="completed", ended_at=timezone.now())
        refill, cancellation = Refill.objects.create(order=order), Cancellation.objects.create(order=order)
        OrderEvent.objects.create(order=order, kind="accepted")
        outbox.record([ShopEvent(topic=Topic.ORDER, order_id=order.pk)])
        payment = Payment.objects.create(
            user=owner.user,
            gateway="manual",
            label="Bank",
            amount=Decimal(1),
            currency="USD",
            pay_amount=Decimal(1),
            pay_currency="USD",
            reference=f"P{order.pk}",
        )
        PriceChange.objects.create(service=service, old_rate=Decimal(1), new_rate=Decimal(2))
    return {
        "orders": order.pk,
        "refills": refill.pk,
        "cancellations": cancellation.pk,
        "transactions": Transfer.objects.get(order=order).pk,
        "payments": payment.pk,
        "webhook-endpoints": Endpoint.objects.get(user=owner.user).pk,
        "events": WebhookEvent.objects.latest("created_at").pk,
    }


@pytest.fixture
def service(db: Any) -> Service:
    return factories.service(has_refill=True, has_cancel=True)


def test_another_customers_objects_are_not_found(caller: Program, other: Program, service: Service) -> None:
    theirs = fill(other, service)
    for resource, pk in theirs.items():
        assert other.call("GET", f"{resource}/{pk}").status_code == 200
        assert problem(caller.call("GET", f"{resource}/{pk}")) == (404, "not_found"), resource
        assert caller.get(resource)["data"] == [] or resource == "transactions"
    assert [row["kind"] for row in caller.get("transactions")["data"]] == ["payment"]
    assert problem(caller.call("GET", f"orders/{theirs['orders']}/events")) == (404, "not_found")
    for resource in ("refills", "cancellations"):
        assert problem(caller.call("POST", resource, {"order": theirs["orders"]})) == (404, "not_found")
    endpoint = f"webhook-endpoints/{theirs['webhook-endpoints']}"
    assert problem(caller.call("PATCH", endpoint, {"is_active": False})) == (404, "not_found")
    assert problem(caller.call("DELETE", endpoint)) == (404, "not_found")
    for button in ("test", "rotate-secret"):
        assert problem(caller.call("POST", f"{endpoint}/{button}")) == (404, "not_found")
    assert Endpoint.objects.get(user=other.user).is_active
    assert Refill.objects.count() == Cancellation.objects.count() == 1


def test_the_test_above_knows_every_resource(caller: Program, service: Service) -> None:
    resources = {prefix for prefix, _, _ in router.registry}
    assert resources == {*fill(caller, service), "services", "quotes"}


def test_filters_do_not_reach_other_customers(caller: Program, other: Program, service: Service) -> None:
    order = fill(other, service)["orders"]
    for resource in ("refills", "cancellations", "transactions"):
        assert caller.get(resource, order=order)["data"] == []


LISTS = (
    "services", "orders", "refills", "cancellations", "transactions", "payments", "webhook-endpoints", "events",
    "orders/{orders}/events", "services/{services}/price-history",
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_a_page_costs_the_same_however_many_rows_it_has(caller: Program, service: Service, path: str) -> None:
    ids = {**fill(caller, service), "services": service.pk}

    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            rows = caller.get(path.format(**ids))["data"]
        return len(queries), len(rows)

    few, few_rows = cost()
    fill(caller, service, times=10)
    for _ in range(10):
        factories.service()
        OrderEvent.objects.create(order_id=ids["orders"], kind="accepted")
    many, many_rows = cost()
    assert (many, many_rows > few_rows or path == "webhook-endpoints") == (few, True)
    assert many <= 4
