"""Orders of services that are delivered by hand: no provider gets them, and staff sees them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.ledger import audit
from orders.models import Order, Service
from providers.admin import attention
from providers.placing import routing
from providers.placing.waiting import explain
from providers.tracking import waiting
from tests import factories
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


def test_no_provider_gets_an_order_although_a_route_leads_to_it(start_panel: Any) -> None:
    provider = provider_at(start_panel("v2"), "v2")
    sold = Service.objects.filter(is_active=True, service_type="default").first()
    assert sold is not None
    order = buy(customer(), sold)
    assert list(routing.waiting(provider)) == [order]
    Service.objects.filter(pk=sold.pk).update(is_manual=True)
    assert list(routing.waiting(provider, is_now=True)) == []
    assert routing.providers_to_submit(is_now=True) == []


def test_staff_sees_it_as_an_order_to_deliver() -> None:
    order = factories.order(of=factories.service(is_manual=True))
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - timedelta(hours=1))
    order.refresh_from_db()
    assert waiting.reasons_of(order) == ["by_hand"]
    assert explain(order) == ["It is delivered by hand, so it waits for staff."]
    assert not attention.unserved().exists()


def test_it_is_not_yet_to_be_delivered_before_its_start() -> None:
    order = factories.order(of=factories.service(is_manual=True))
    Order.objects.filter(pk=order.pk).update(starts_at=timezone.now() + timedelta(hours=1))
    assert waiting.reasons_of(order) == []


def test_staff_starts_and_completes_it_in_the_list_of_orders() -> None:
    order, other = factories.order(of=factories.service(is_manual=True)), factories.order()
    client = Client()
    client.force_login(factories.user(is_staff=True, is_superuser=True))
    for action, status in (("start_by_hand", "in_progress"), ("complete_by_hand", "completed")):
        page = client.post(
            "/admin/orders/order/", {"action": action, "_selected_action": [order.pk, other.pk]}, follow=True
        )
        order.refresh_from_db()
        other.refresh_from_db()
        assert (order.status, other.status) == (status, "queued")
        assert f"Order {other.pk}: A provider delivers this order" in page.content.decode()
    assert list(audit.findings()) == []
