"""Every service type of every panel, bought on the page and by API: both lead to the same call to the panel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from orders.ledger import audit
from orders.models import Order, Service
from providers.models import Placement
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import status_sync
from storefront.accounts.models import ApiKey
from tests.providers.conftest import ALL_DIALECTS, INPUTS, customer, provider_at
from tests.storefront.shop.forms import form_data, send

pytestmark = pytest.mark.django_db


def inputs_for(service: Service) -> dict[str, str]:
    quantity = str(max(service.min_quantity, min(100, service.max_quantity)))
    return {**INPUTS, "link": service.link_example or INPUTS["link"], "quantity": quantity}


def buy_by_page(page: Client, service: Service) -> Order:
    """Submit the order form as a browser would."""
    data = form_data(page, service)
    data |= {name: value for name, value in inputs_for(service).items() if name in data}
    response = send(page, data)
    assert response.status_code == 302, (service.service_type, response.content.decode()[-3000:])
    return Order.objects.latest("id")


def buy_by_api(key: str, service: Service) -> Order:
    answer = (
        Client().post("/api/v2", {**inputs_for(service), "key": key, "action": "add", "service": service.pk}).json()
    )
    assert set(answer) == {"order"}, (service.service_type, answer)
    return Order.objects.get(pk=answer["order"])


def params_sent_for(panel: Panel, order: Order) -> Any:
    return panel.orders[Placement.objects.get(order=order).upstream_id].params


@ALL_DIALECTS
def test_the_page_and_the_api_buy_every_type_alike(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    user = customer()
    _, key = ApiKey.objects.issue(user)
    page = Client()
    page.force_login(user)
    by_type = {
        service.service_type: service
        for service in Service.objects.filter(service_type__in=DIALECTS[dialect].service_types)
    }
    pairs = [(buy_by_page(page, service), buy_by_api(key, service)) for service in by_type.values()]

    submission.submit_due(provider)

    assert panel.violations == []
    assert len(panel.orders) == 2 * len(by_type)
    for by_page, by_api in pairs:
        assert params_sent_for(panel, by_page) == params_sent_for(panel, by_api)
    for number in panel.orders:
        panel.report(number, panel.statuses.completed, remains=0)
    status_sync.sync_statuses(provider, is_now=True)
    assert set(Order.objects.values_list("status", flat=True)) == {"completed"}
    answer = (
        Client()
        .post(
            "/api/v2",
            {"key": key, "action": "status", "orders": ",".join(str(order.pk) for pair in pairs for order in pair)},
        )
        .json()
    )
    assert {row["status"] for row in answer.values()} == {"Completed"}
    for order in (order for pair in pairs for order in pair):
        assert "Completed" in page.get(f"/orders/{order.pk}/").content.decode()
    assert list(audit.findings()) == []
