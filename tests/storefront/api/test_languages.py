"""Translations do not change API responses."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories
from tests.storefront.api.reseller import Reseller

pytestmark = pytest.mark.django_db


def responses(client: Client, reseller: Reseller, number: int) -> list[bytes]:
    calls = ({"action": "services"}, {"action": "status", "order": number}, {"action": "orders"})
    read = []
    for headers in ({}, {"accept-language": "ru"}):
        read += [client.post("/api/v2", {"key": reseller.key, **call}, headers=headers).content for call in calls]
        read.append(client.get("/api/openapi.json", headers=headers).content)
    return read


def test_translations_do_not_change_api_responses(client: Client, reseller: Reseller, settings) -> None:
    settings.ORDERS_WAKE = "builtins.id"
    sold = factories.service(name="Lamps", description="Warm.", category=factories.category("Light"))
    order = factories.order(reseller.user, sold)
    before = responses(client, reseller, order.pk)
    assert b"Lamps" in before[0]
    assert before[:4] == before[4:]
    factories.translate(sold, name="Лампы", description="Тёплые.", category="Свет")
    assert responses(client, reseller, order.pk) == before
