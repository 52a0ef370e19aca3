"""Bulk statements: which rows are written, which are skipped, and what is returned."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.db import bulk
from orders.models import Order, OrderEvent
from tests import factories

pytestmark = pytest.mark.django_db


def test_update_unchanged_skips_rows_that_changed() -> None:
    customer, service = factories.customer(), factories.service()
    same, moved = (factories.order(customer, service, status="pending") for _ in range(2))
    Order.objects.filter(pk=moved.pk).update(remains=7)
    rows = [(order.pk, "in_progress", 40, "pending", None) for order in (moved, same)]
    written = bulk.update_unchanged(Order, ("status", "remains"), rows, expected=("status", "remains"))
    assert written == {same.pk}
    assert list(Order.objects.order_by("pk").values_list("status", "remains")) == [("in_progress", 40), ("pending", 7)]


def test_update_unchanged_fills_only_empty_columns() -> None:
    customer, service = factories.customer(), factories.service()
    began, now = timezone.now() - timedelta(hours=1), timezone.now()
    old, new = (factories.order(customer, service, status="pending") for _ in range(2))
    Order.objects.filter(pk=old.pk).update(started_at=began)
    rows = [(order.pk, now, "pending") for order in (old, new)]
    bulk.update_unchanged(Order, ("started_at",), rows, expected=("status",), fill=("started_at",))
    assert list(Order.objects.order_by("pk").values_list("started_at", flat=True)) == [began, now]


def test_rows_beyond_one_statement_are_written_in_batches() -> None:
    order = factories.order(factories.customer(), factories.service(), status="pending")
    now = timezone.now()
    bulk.insert(
        OrderEvent, ("order", "kind", "data", "created_at"), [(order.pk, "note", {"n": n}, now) for n in range(1201)]
    )
    keys = list(OrderEvent.objects.order_by("pk").values_list("pk", flat=True))
    rows = [(key, "status", "note") for key in keys]
    assert bulk.update_unchanged(OrderEvent, ("kind",), rows, expected=("kind",)) == set(keys)
    assert OrderEvent.objects.filter(pk__in=bulk.keys(keys), kind="status").count() == 1201
    assert sorted(data["n"] for data in OrderEvent.objects.values_list("data", flat=True)) == list(range(1201))


def test_select_reads_through_relations_as_django_does() -> None:
    order = factories.order(factories.customer(), factories.service(), status="pending")
    OrderEvent.objects.create(order=order, kind="note", data={})
    names = (
        "pk",
        "created_at",
        "order__charge",
        "order__refunded",
        "order__is_flat",
        "order__ended_at",
        "order__user_id",
    )
    events = OrderEvent.objects.all()
    assert list(bulk.select(events, names)) == list(events.values_list(*names))
