"""After docs/how-to/add-a-service-type.md: the new type is bought and reaches the panel whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from orders.models import Order, Service
from orders.rules import service_types
from providers.panels.simulators import Panel
from providers.placing import submission
from storefront.accounts import api_keys
from storefront.api.reference import parameters
from tests.providers.conftest import customer, provider_at, start_panel

pytestmark = pytest.mark.django_db
__all__ = ["start_panel"]
LINK = "https://photos.example.com/nadia"
REVIEWS = "Great\nFast\nWill order again"


@pytest.fixture
def service(start_panel: Callable[..., Panel]) -> Service:
    provider_at(start_panel("v2"), "v2")
    return Service.objects.get(service_type="reviews")


def test_it_is_bought_on_the_order_form_with_its_labels(service: Service) -> None:
    client, buyer = Client(), customer()
    client.force_login(buyer)
    page = client.get("/orders/new/", {"service": service.pk}).content.decode()
    for text in ("Reviews", "One review per line.", "Stars", "5 stars"):
        assert text in page
    answer = client.post("/orders/price/", {"service": service.pk, "reviews": REVIEWS})
    assert "3 lines" in answer.content.decode()


def test_it_is_bought_by_api_and_reaches_the_panel(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    service = Service.objects.get(service_type="reviews")
    key = api_keys.create(customer(), name="test")[1]
    client = Client()
    listed = client.post("/api/v2", {"key": key, "action": "services"}).json()
    assert {"Reviews"} == {row["type"] for row in listed if int(row["service"]) == service.pk}
    missing = client.post("/api/v2", {"key": key, "action": "add", "service": service.pk, "link": LINK}).json()
    assert missing == {"error": "Reviews field is required"}
    inputs = {"link": LINK, "reviews": REVIEWS, "stars": "4"}
    bought = client.post("/api/v2", {"key": key, "action": "add", "service": service.pk, **inputs}).json()
    order = Order.objects.get(pk=bought["order"])
    assert order.quantity == 3
    submission.submit_due(provider)
    (placed,) = panel.orders.values()
    assert {name: placed.params[name] for name in inputs} == inputs


def test_the_reference_describes_it() -> None:
    described = {one.name: one for one in parameters.of_type(service_types.SERVICE_TYPES["reviews"])}
    assert described["stars"].schema == {"type": "integer", "enum": [3, 4, 5]}
    assert described["reviews"].is_multiline
