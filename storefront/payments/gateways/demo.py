"""The demo gateway: a simulated payment page, and webhooks that are signed and sent like those of real gateways."""

from __future__ import annotations

import hashlib
import hmac
import time

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from storefront.payments.gateway import (
    Customer,
    Gateway,
    GatewayReport,
    Next,
    PaymentDetails,
    Redirect,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import reading

HEADER = "X-Demo-Signature"
#: Maximum difference in seconds between the time of a webhook's signature and our clock, in either direction.
WINDOW = 300


class Demo(Gateway):
    name = "demo"
    label = _("Demo payment")
    description = _("A simulated payment page for the demo. No real money is charged.")
    icon = "card"
    is_webhook_registered = False

    @classmethod
    def is_available(cls) -> bool:
        return bool(settings.DEMO_GATEWAY and settings.DEMO_GATEWAY_SECRET)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        return Next(action=Redirect(url=reverse("payments:demo", args=[payment.reference])))

    def read_webhook(self, webhook: Webhook) -> GatewayReport:
        _check(webhook.header(HEADER), webhook.body)
        data = webhook.json()
        return GatewayReport(
            state=ReportedState(data["status"]),
            amount=reading.amount(data, "amount"),
            currency=reading.text(data, "currency"),
            reference=reading.text(data, "reference"),
            upstream_id=reading.text(data, "id"),
        )


def signature(body: bytes, *, at: int) -> str:
    """Return the signature header of a webhook. ``at`` is the Unix time in seconds."""
    return f"t={at},v1={_digest(body, str(at))}"


def _digest(body: bytes, at: str) -> str:
    key = settings.DEMO_GATEWAY_SECRET.encode()
    return hmac.new(key, at.encode() + b"." + body, hashlib.sha256).hexdigest()


def _check(header: str, body: bytes) -> None:
    """Raise WebhookRejected unless ``header`` signs ``body`` with a recent time."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    at, signed = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdigit() and len(at) <= 12):
        raise WebhookRejected("the signature is missing")
    if not hmac.compare_digest(_digest(body, at).encode(), signed.encode()):
        raise WebhookRejected("the signature is wrong")
    if abs(time.time() - int(at)) > WINDOW:
        raise WebhookRejected("the signature is too old")
