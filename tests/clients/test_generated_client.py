"""A client that a program makes from the OpenAPI document of API v3 works against the running shop."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests

from orders.ledger import audit
from orders.models import Order, Refill
from storefront.webhooks.models import Endpoint
from tests.clients.stage import Stage


@pytest.fixture
def shop_client(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The generated package ``shop_client``, made from the document of the running shop."""
    document = requests.get(f"http://127.0.0.1:{stage.port}/api/v3/openapi.json", timeout=30)
    (tmp_path / "openapi.json").write_bytes(document.content)
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    made = subprocess.run(
        [
            Path(sys.executable).with_name("openapi-python-client"), "generate", "--path", "openapi.json",
            "--config", "config.yml", "--meta", "none", "--output-path", "shop_client", "--fail-on-warning",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("shop_client")
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop_client"]:
        del sys.modules[name]


def test_a_generated_client_buys_and_follows_an_order(stage: Stage, shop_client: Any) -> None:
    client = shop_client.AuthenticatedClient(f"http://127.0.0.1:{stage.port}", token=stage.key)
    models = import_module("shop_client.models")

    def call(name: str, **values: Any) -> Any:
        return import_module(f"shop_client.api.{name}").sync(client=client, **values)

    sold = stage.services["default"]
    services = call("services.services_list", limit=200)
    assert len(services.data) == len(stage.services)
    assert next(row for row in services.data if row.id == sold.pk).rate_per == 1000

    wanted = models.OrderRequest(service=sold.pk, link="https://example.com/p/1", quantity=100)
    quote = call("orders.quotes_create", body=wanted)
    order = call("orders.orders_create", body=wanted, idempotency_key="one")
    assert order == call("orders.orders_create", body=wanted, idempotency_key="one")
    assert order.charge == quote.charge == "0.09"
    assert call("orders.orders_retrieve", id=order.id) == order
    assert Order.objects.filter(user=stage.reseller.user, source="api").count() == 1

    completed = stage.orders["completed"]
    refill = call("refills.refills_create", body=models.OrderReference(order=completed.pk))
    assert (refill.order, refill.status.value) == (completed.pk, "pending")
    assert call("refills.refills_retrieve", id=refill.id) == refill
    assert Refill.objects.get().pk == refill.id

    topics = [models.EndpointRequestEventsItem("order.changed")]
    wanted = models.EndpointRequest(url="ftp://shop.example/hook", events=topics)
    refused = call("webhooks.webhook_endpoints_create", body=wanted)
    assert (refused.status, refused.code.value) == (422, "invalid_fields")
    wanted.url = "https://1.1.1.1/hook"
    endpoint = call("webhooks.webhook_endpoints_create", body=wanted)
    assert len(endpoint.secret) == 64
    assert Endpoint.objects.get().user == stage.reseller.user

    refused = call("orders.orders_retrieve", id=stage.theirs.pk)
    assert (refused.status, refused.code.value) == (404, "not_found")
    assert list(audit.findings()) == []
