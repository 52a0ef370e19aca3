"""Queries about open orders use the partial index of open orders, on both databases."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from orders.models import Order
from orders.models.order import Status
from tests import factories

pytestmark = pytest.mark.django_db


def test_queued_orders_are_found_by_the_index_of_open_orders() -> None:
    buyer, service = factories.customer("1"), factories.service()
    ended = {"status": Status.COMPLETED, "ended_at": timezone.now()}
    details = {"user": buyer, "service": service, "quantity": 1, "rate": 1, "charge": 0}
    Order.objects.bulk_create([Order(**details, **ended) for _ in range(3000)])
    Order.objects.bulk_create([Order(**details) for _ in range(3)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = Order.objects.open().filter(status=Status.QUEUED).order_by("id").explain()
    assert "order_open" in plan
