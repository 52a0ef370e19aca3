"""The simulated bank calls its own server only, never a host that a visitor names."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from storefront.payments import demo_bank


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("10.1.2.3", "10.1.2.3"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("shop.example", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_webhooks_go_to_the_servers_own_socket(server: str, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    request = RequestFactory(HTTP_HOST="elsewhere.example:99").get("/", SERVER_NAME=server, SERVER_PORT="8123")
    shop = demo_bank.Shop.of(request, "/hook/")
    assert (shop.host, shop.port, shop.name, shop.path) == (host, 8123, "elsewhere.example:99", "/hook/")


def test_an_unreachable_shop_is_reported_as_not_delivered() -> None:
    # Nothing listens on port 9 of this machine.
    shop = demo_bank.Shop("127.0.0.1", 9, "shop.example", is_secure=False, path="/")
    assert demo_bank.send(shop, b"{}", times=2) is False
