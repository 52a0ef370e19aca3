"""The operators' queue of refills and cancellations: its columns and actions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from orders.ledger import audit
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Order, Refill
from providers.models import Offer, Placement, Provider
from tests import factories

pytestmark = pytest.mark.django_db


def create_placed_order(status: str, number: str = "65ae5538afdd1") -> Order:
    order = factories.order(of=factories.service(has_refill=True, has_cancel=True), status=status)
    Order.objects.filter(pk=order.pk).update(remains=0 if status == "completed" else 100)
    provider, _ = Provider.objects.get_or_create(name="north", url="http://127.0.0.1/api", dialect_name="tmsmm")
    offer = Offer.objects.create(
        provider=provider, upstream_id=number, name="x", category="x", type_name="Default", service_type="default",
        rate=1, min_quantity=1, max_quantity=100, seen_at=timezone.now(),
    )  # fmt: skip
    Placement.objects.create(
        order=order, provider=provider, offer=offer, state="accepted", upstream_id=number, quantity=100, cost=1,
        currency="USD", exchange_rate=1, lease_until=timezone.now(),
    )  # fmt: skip
    order.refresh_from_db()
    return order


def act(client: Client, row: Any, action: str, **data: str) -> str:
    model = row._meta.model_name
    response = client.post(
        f"/admin/orders/{model}/", {"action": action, "_selected_action": row.pk, **data}, follow=True
    )
    assert response.status_code == 200
    row.refresh_from_db()
    return response.content.decode()


def test_the_queue_shows_requests_for_an_operator_first(boss: Client) -> None:
    first, second = (
        customer_requests.request_refill(create_placed_order("completed", "order-a1")),
        customer_requests.request_refill(create_placed_order("completed", "order-b2")),
    )
    answered = customer_requests.complete(
        customer_requests.request_refill(create_placed_order("completed", "order-c3"))
    )
    customer_requests.hand_to_staff(second, why="no panel can be asked")
    text = boss.get("/admin/orders/refill/").content.decode()
    assert "north" in text
    assert text.index("order-b2") < text.index("order-a1")
    assert "no panel can be asked" in text
    assert "order-c3" not in text
    assert "order-c3" in boss.get("/admin/orders/refill/?shown=all").content.decode()
    assert "order-a1" not in boss.get("/admin/orders/refill/?shown=person").content.decode()
    assert "order-a1" in boss.get("/admin/orders/refill/?q=order-a1").content.decode()
    assert (first.is_open, answered.is_open) == (True, False)
    assert "1 refill to handle" in boss.get("/admin/").content.decode()


@pytest.mark.parametrize("count", [2, 30])
def test_a_longer_queue_takes_no_more_queries(boss: Client, count: int, django_assert_max_num_queries: Any) -> None:
    for number in range(count):
        customer_requests.request_cancellation(create_placed_order("in_progress", f"n{number}"))
    with django_assert_max_num_queries(12):
        boss.get("/admin/orders/cancellation/")


def test_requests_are_completed_or_rejected_with_a_reason(boss: Client) -> None:
    done, refused = (
        customer_requests.request_refill(create_placed_order("completed", "a1")),
        customer_requests.request_refill(create_placed_order("completed", "b2")),
    )
    act(boss, done, "complete")
    assert done.status == "completed"
    assert "Enter a reason to reject" in act(boss, refused, "reject", reason=" ")
    assert refused.status == "waiting"
    act(boss, refused, "reject", reason="it did not drop")
    assert (refused.status, refused.reason) == ("rejected", "it did not drop")
    assert "is Rejected" in act(boss, refused, "complete", shown="all") or refused.status == "rejected"
    assert LogEntry.objects.count() == 2


def test_a_request_is_sent_again(boss: Client) -> None:
    refill = customer_requests.request_refill(create_placed_order("completed"))
    customer_requests.hand_to_staff(refill, why="no clear answer")
    act(boss, refill, "send")
    assert (refill.status, refill.needs_operator, refill.reason) == ("waiting", False, "")


def test_canceled_and_paid_back(boss: Client) -> None:
    order = create_placed_order("in_progress")
    request = customer_requests.request_cancellation(order)
    act(boss, request, "cancel_order", reason="the panel agreed by mail")
    order.refresh_from_db()
    assert (request.status, order.status, order.refunded) == ("completed", "canceled", order.charge)
    assert list(audit.findings()) == []


def test_an_order_in_doubt_is_not_refunded_from_the_queue(boss: Client) -> None:
    order = create_placed_order("in_doubt")
    request = customer_requests.request_cancellation(order)
    act(boss, request, "cancel_order", reason="x")
    order.refresh_from_db()
    assert (request.status, order.status, order.refunded) == ("waiting", "in_doubt", 0)


def test_staff_with_view_permission_get_no_actions() -> None:
    person = factories.user(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_refill", "view_cancellation"]))
    client = Client()
    client.force_login(person)
    refill = customer_requests.request_refill(create_placed_order("completed"))
    assert client.get("/admin/orders/refill/").status_code == 200
    act(client, refill, "complete")
    assert refill.status == "waiting"
    assert Refill.objects.count() == 1
    assert not Cancellation.objects.exists()
