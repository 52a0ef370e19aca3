"""A program of the operator: a client with a staff key."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from orders.models import Order
from providers.models import Offer, Placement, PlacementState, Provider
from storefront.accounts.models import User
from storefront.api.adminapi.admin import SCOPES
from storefront.api.adminapi.models import StaffKey, new_text
from storefront.api.adminapi.urls import ROUTES
from tests import factories

READ = {name: name.endswith("_read") for name in SCOPES}
ALL = dict.fromkeys((*SCOPES, "has_get_writes"), True)
ROOT = "/adminapi/v2/"


class Program:
    """Calls with a key that may do everything unless ``columns`` say otherwise."""

    def __init__(self, user: User | None = None, **columns: Any) -> None:
        self.user = user or factories.user(is_staff=True, is_superuser=True)
        self.text = new_text()
        self.key = StaffKey(user=self.user, name="test", **{**ALL, **columns})
        self.key.set_text(self.text)
        self.key.save()
        self.http = Client(headers={"X-Api-Key": self.text})

    def get(self, route: str, **query: Any) -> Any:
        """Return the data of a good answer."""
        return self._data(self.http.get(ROOT + route, query))

    def post(self, route: str, body: Any = None) -> Any:
        return self._data(self.send(route, body))

    def send(self, route: str, body: Any = None) -> Any:
        """Post JSON and return the whole response."""
        return self.http.post(ROOT + route, json.dumps(body or {}), content_type="application/json")

    def _data(self, response: Any) -> Any:
        answer = response.json()
        assert (response.status_code, answer["error_code"], answer["error_message"]) == (200, 0, ""), answer
        return answer["data"]


def place_by_hand(order: Order, upstream_id: str = "1") -> Order:
    """Return ``order`` as one that the provider "north" has under this number and is delivering."""
    provider, _ = Provider.objects.get_or_create(
        name="north", defaults={"url": "http://127.0.0.1:9/api/v2", "dialect_name": "v2"}
    )
    offer, _ = Offer.objects.get_or_create(
        provider=provider,
        upstream_id="7",
        defaults={"name": "Followers", "service_type": "default", "rate": Decimal("0.5")},
    )
    Placement.objects.create(
        order=order,
        provider=provider,
        offer=offer,
        state=PlacementState.ACCEPTED,
        upstream_id=upstream_id,
        quantity=order.quantity,
        cost=Decimal("0.05"),
        currency="USD",
        exchange_rate=Decimal(1),
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    Order.objects.filter(pk=order.pk).update(status="in_progress")
    order.refresh_from_db()
    return order


def routes() -> list[str]:
    """Return the address of every endpoint, with 1 for each number."""
    return [f"{ROOT}{route}".replace("<int:pk>", "1") for route, _view in ROUTES]
