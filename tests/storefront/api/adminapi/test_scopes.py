"""A key that may only read changes nothing, whatever is sent where; every change is in the history."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.test import Client

from orders.lifecycle import customer_requests
from orders.models import Order
from storefront.api.adminapi.models import StaffKey
from storefront.api.adminapi.urls import ROUTES
from storefront.support import tickets
from tests import factories
from tests.storefront.api.adminapi.program import READ, ROOT, Program, place_by_hand

pytestmark = pytest.mark.django_db


class Scene:
    """One of everything that a program can change, with a body for each endpoint that changes it."""

    def __init__(self) -> None:
        maria = factories.customer("100", email="maria@example.com")
        by_hand = factories.service(is_manual=True, has_cancel=True, has_refill=True)
        sold = factories.service(has_cancel=True)
        self.waiting = factories.order(maria, by_hand)
        self.running = factories.order(maria, by_hand, status="in_progress")
        self.canceled = factories.order(maria, by_hand, status="in_progress")
        self.rejected = factories.order(maria, by_hand, status="in_progress")
        self.delivered = factories.order(maria, by_hand, status="completed")
        self.placed, self.queued = place_by_hand(factories.order(maria, sold), "1"), factories.order(maria, sold)
        self.partial, self.asked = (
            place_by_hand(factories.order(maria, sold), "2"),
            place_by_hand(factories.order(maria, sold), "3"),
        )
        Order.objects.filter(pk=self.queued.pk).update(due_at="2030-01-01T00:00:00Z")
        for order in (self.canceled, self.rejected):
            customer_requests.request_cancellation(Order.objects.get(pk=order.pk))
        refill = customer_requests.request_refill(Order.objects.get(pk=self.delivered.pk))
        self.ticket = tickets.open_ticket(maria, subject="Late", text="Where is it?")
        payment = {"username": maria.email, "amount": "5", "details": "card 17", "memo": "wire 1"}
        customer = {"username": "omar", "email": "omar@example.com", "password": "river-9-lamp-north"}
        message = {"message": "On its way", "username": maria.email, "subject": "Your order"}
        self.bodies: dict[str, tuple[str, dict[str, Any]]] = {
            "orders/pull": ("orders/pull", {}),
            "orders/update": ("orders/update", {"orders": [{"id": self.running.pk, "remains": 7}]}),
            "orders/change-status": ("orders/change-status", {"ids": str(self.running.pk), "status": "completed"}),
            "orders/<int:pk>/set-partial": (f"orders/{self.partial.pk}/set-partial", {"remains": 5}),
            "orders/<int:pk>/edit-link": (f"orders/{self.queued.pk}/edit-link", {"link": "https://example.com/new"}),
            "orders/resend": ("orders/resend", {"ids": str(self.queued.pk)}),
            "orders/cancel": ("orders/cancel", {"ids": str(self.placed.pk)}),
            "orders/request-cancel": ("orders/request-cancel", {"ids": str(self.asked.pk)}),
            "cancel/pull": ("cancel/pull", {"limit": 1}),
            "cancel/reject": ("cancel/reject", {"ids": str(self.rejected.pk)}),
            "refill/pull": ("refill/pull", {}),
            "refill/change-status": ("refill/change-status", {"ids": str(refill.pk), "status": "completed"}),
            "users/add": ("users/add", customer),
            "payments/add": ("payments/add", payment),
            "tickets/add": ("tickets/add", message),
            "tickets/<int:pk>/reply": (f"tickets/{self.ticket.pk}/reply", message),
        }
        self.v1 = {"action": "addPayment", **payment}


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, without the times at which keys were used."""
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for model in apps.get_models()
        if model is not StaffKey and model._meta.app_label != "sessions"
    }


def writing_routes() -> list[str]:
    return [route for route, view in ROUTES if hasattr(view, "post")]


def test_a_key_that_may_only_read_changes_nothing() -> None:
    scene, reader = Scene(), Program(**READ, has_get_writes=True)
    before = all_rows()
    for route, _view in ROUTES:
        address, body = scene.bodies.get(route, (route.replace("<int:pk>", str(scene.queued.pk)), {}))
        for method in ("get", "put", "patch", "delete"):
            getattr(reader.http, method)(ROOT + address)
        for data in (json.dumps(body), ""):
            response = reader.http.post(ROOT + address, data, content_type="application/json")
            assert response.status_code in (403, 405), route
        reader.http.post(f"{ROOT}{address}?apikey={reader.text}", body)
    for send in (reader.http.get, reader.http.post, Client().post):
        assert send("/adminapi/v1", {"key": reader.text, **scene.v1}).json()["status"] == "fail"
    assert all_rows() == before


def test_every_endpoint_that_changes_something_is_in_the_scene(program: Program) -> None:
    assert sorted(Scene().bodies) == sorted(writing_routes())


@pytest.mark.parametrize("route", writing_routes())
def test_every_change_is_a_line_in_the_history_with_old_and_new_values(program: Program, route: str) -> None:
    address, body = Scene().bodies[route]
    LogEntry.objects.all().delete()
    before = all_rows()
    program.post(address, body)
    assert all_rows() != before
    lines = list(LogEntry.objects.values_list("user", "change_message"))
    assert lines
    for user, message in lines:
        assert user == program.user.pk
        assert message.startswith(f"Admin API, key {program.key.prefix}, ")
        assert " → " in message


@pytest.mark.parametrize("group", ["orders", "users", "payments", "tickets"])
def test_a_scope_opens_its_own_group_only(group: str) -> None:
    writer = Program(**{**dict.fromkeys(READ, False), f"has_{group}_write": True})
    for route, view in ROUTES:
        if hasattr(view, "post"):
            response = writer.send(route.replace("<int:pk>", "1"))
            assert (response.status_code == 403) == (view.group.value != group), route
        if hasattr(view, "get"):
            assert writer.http.get(ROOT + route.replace("<int:pk>", "1")).status_code == 403, route
