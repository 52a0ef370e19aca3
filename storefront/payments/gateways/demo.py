"""The demo gateway: a simulated payment page, and webhooks that are signed and sent like those of real gateways."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.payments.gateway import Gateway, GatewayReport, Next, PaymentRefused, ReportedState, Way

HEADER = "X-Demo-Signature"
#: Maximum difference in seconds between the time of a webhook's signature and our clock, in either direction.
WINDOW = 300


class Demo(Gateway):
    name = "demo"
    label = _("Demo payment")
    needs = ("DEMO_GATEWAY", "DEMO_GATEWAY_SECRET")

    def ways(self) -> Sequence[Way]:
        return [
            Way(
                label=_("Demo payment"),
                hint=_("Instant, no real money is charged"),
                minimum=Decimal(1),
                maximum=Decimal(10_000),
                fee=_("No fee"),
            )
        ]

    def start(self, payment: Any) -> Next:
        return Next(address=reverse("payments:demo", args=[payment.reference]))

    def read_webhook(self, request: HttpRequest) -> GatewayReport:
        _check(request.headers.get(HEADER, ""), request.body)
        try:
            data = json.loads(request.body)
            return GatewayReport(
                said=ReportedState(data["status"]),
                amount=amounts.parse(str(data["amount"])),
                currency=str(data["currency"]),
                reference=str(data["reference"]),
                upstream_id=str(data["id"])[:200],
            )
        except (ValueError, TypeError, KeyError, RecursionError, InvalidAmount) as problem:
            raise PaymentRefused(f"the body does not say what a payment is: {type(problem).__name__}") from None


def signature(body: bytes, *, at: int) -> str:
    """Return the signature header of a webhook. ``at`` is the Unix time in seconds."""
    return f"t={at},v1={_digest(body, str(at))}"


def _digest(body: bytes, at: str) -> str:
    key = settings.DEMO_GATEWAY_SECRET.encode()
    return hmac.new(key, at.encode() + b"." + body, hashlib.sha256).hexdigest()


def _check(header: str, body: bytes) -> None:
    """Raise PaymentRefused unless ``header`` signs ``body`` with a recent time."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at, signed = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        raise PaymentRefused("the signature is missing")
    if not hmac.compare_digest(_digest(body, at).encode(), signed.encode()):
        raise PaymentRefused("the signature is wrong")
    if abs(time.time() - int(at)) > WINDOW:
        raise PaymentRefused("the signature is too old")
