"""The simulated bank of the demo gateway, which signs webhooks and sends them over HTTP like an external bank.

It knows about a payment only what its page passes on and does not read the database. It runs only if DEMO_GATEWAY is
on.
"""

from __future__ import annotations

import http.client
import json
import logging
import secrets
import time
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address
from threading import Timer

from django.http import HttpRequest

from orders.rules import amounts
from storefront.payments.gateways import demo

logger = logging.getLogger("vitrine.payments")
#: Seconds until an answer times out, and seconds until the webhook of the "later" button is sent.
TIMEOUT, LATER = 10, 8


@dataclass(frozen=True, slots=True)
class Shop:
    """The destination of the webhooks: this server's own socket, with the host name that the visitor uses."""

    host: str
    port: int
    name: str
    is_secure: bool
    path: str

    @classmethod
    def of(cls, request: HttpRequest, path: str) -> Shop:
        """Return the destination for a request.

        The socket is taken from the server, never from the visitor: a host name in the request could lead anywhere.
        """
        try:
            own = ip_address(str(request.META.get("SERVER_NAME", "")))
            host = "127.0.0.1" if own.is_unspecified and own.version == 4 else "::1" if own.is_unspecified else str(own)
        except ValueError:
            host = "127.0.0.1"
        return cls(host, int(request.META.get("SERVER_PORT") or 80), request.get_host(), request.is_secure(), path)


def payment(reference: str, *, status: str, amount: Decimal, currency: str) -> bytes:
    """Return the body of a webhook about a new payment."""
    data = {
        "id": f"demo_{secrets.token_hex(8)}",
        "status": status,
        "amount": amounts.plain(amount),
        "currency": currency,
        "reference": reference,
    }
    return json.dumps(data).encode()


def send(shop: Shop, body: bytes, *, times: int = 1) -> bool:
    """Send the webhook ``times`` times, each time with a new signature.

    Returns:
        Whether the shop accepted every one.
    """
    return [_sent(shop, body) for _ in range(times)] == [True] * times


def send_later(shop: Shop, body: bytes) -> None:
    timer = Timer(LATER, send, (shop, body))
    timer.daemon = True
    timer.start()


def _sent(shop: Shop, body: bytes) -> bool:
    headers = {
        "Host": shop.name,
        "Content-Type": "application/json",
        demo.HEADER: demo.signature(body, at=int(time.time())),
        **({"X-Forwarded-Proto": "https"} if shop.is_secure else {}),
    }
    try:
        with closing(http.client.HTTPConnection(shop.host, shop.port, timeout=TIMEOUT)) as connection:
            connection.request("POST", shop.path, body, headers)
            status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        logger.warning("The demo's webhook could not be sent: %s", type(problem).__name__)
        return False
    if status != 200:
        logger.warning("The demo's webhook was answered with %d", status)
    return status == 200
