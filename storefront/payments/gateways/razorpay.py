"""Razorpay payment links: cards, UPI, net banking and wallets in India.

Wire facts: the pages "Payment Links" and "Webhooks" of razorpay.com/docs, and the vendor's library razorpay-python,
whose signatures agree with ours. Not proven: the layout of refund and dispute events, and that the notes of a link are
copied to its payments.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    RefundResult,
    RefundState,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_LINK_STATES = {
    "created": ReportedState.PENDING,
    "partially_paid": ReportedState.PENDING,
    "paid": ReportedState.PAID,
    "expired": ReportedState.DECLINED,
    "cancelled": ReportedState.DECLINED,
}
_LINK_EVENTS = ("payment_link.paid", "payment_link.partially_paid", "payment_link.expired", "payment_link.cancelled")
_LATER_EVENTS = {
    "refund.processed": ("refund", ReportedState.REFUNDED),
    "payment.dispute.created": ("dispute", ReportedState.DISPUTED),
    "payment.dispute.lost": ("dispute", ReportedState.CHARGED_BACK),
    "payment.dispute.won": ("dispute", ReportedState.DISPUTE_WON),
}


class Razorpay(Gateway):
    name = "razorpay"
    label = "Razorpay"
    description = _("UPI, cards, net banking and wallets in India.")
    config_fields = (
        ConfigField(name="key_id", label=_("Key ID"), help_text=_("In Razorpay, under Account & Settings > API Keys.")),
        ConfigField(
            name="key_secret",
            label=_("Key secret"),
            help_text=_("Shown once when the key is created."),
            is_secret=True,
        ),
        ConfigField(
            name="webhook_secret",
            label=_("Webhook secret"),
            help_text=_("The secret that you enter when you create the webhook."),
            is_secret=True,
        ),
    )
    api_url = "https://api.razorpay.com"
    hosts = ("rzp.io", "api.razorpay.com", "pages.razorpay.com")
    currencies = ("INR", "USD", "EUR", "GBP", "AED", "SGD")
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "amount": reading.to_minor(payment.amount, payment.currency),
            "currency": payment.currency,
            "reference_id": payment.reference,
            "description": payment.description[:2048],
            "customer": {"email": customer.email, "name": customer.name[:100]},
            "notify": {"sms": False, "email": False},
            "accept_partial": False,
            "expire_by": int((timezone.now() + self.expires_after - timedelta(minutes=5)).timestamp()),
            "callback_url": urls.done,
            "callback_method": "get",
            "notes": {"reference": payment.reference},
        }
        answer = self._call("POST", "/v1/payment_links", body=body)
        url, number = reading.text(answer.json(), "short_url"), reading.text(answer.json(), "id")
        if not answer.is_success or not url or not number:
            raise self.refusal(answer, _reason(answer))
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        if not self.config["webhook_secret"]:
            raise WebhookRejected("the webhook secret is not set")
        expected = signatures.hmac_hex(self.config["webhook_secret"], webhook.body)
        if not signatures.is_equal(expected, webhook.header("X-Razorpay-Signature")):
            raise WebhookRejected("the signature is wrong")
        data = webhook.json()
        event, payload = reading.text(data, "event"), reading.value(data, "payload")
        paid = reading.value(payload, "payment", "entity")
        if event in _LINK_EVENTS:
            return self._report(reading.value(payload, "payment_link", "entity"), paid)
        kind, state = _LATER_EVENTS.get(event, ("", None))
        moved, reference = reading.value(payload, kind, "entity"), reading.text(paid, "notes", "reference")
        if state is None or not reference:
            return None
        currency = reading.currency(moved, "currency")
        has_amount = state in (ReportedState.REFUNDED, ReportedState.CHARGED_BACK)
        return GatewayReport(
            state=state,
            reference=reference,
            entry_id=reading.text(moved, "id"),
            amount=reading.from_minor(moved, "amount", code=currency or "INR") if has_amount else None,
            currency=currency,
            note=event,
        )

    def read_return(self, payment: PaymentDetails, params: Mapping[str, str]) -> GatewayReport | None:
        """Ask for the payment if the return is signed. The signature covers no amount, so it proves too little."""
        names = ("payment_link_id", "payment_link_reference_id", "payment_link_status", "payment_id")
        text = "|".join(params.get(f"razorpay_{name}", "") for name in names)
        expected = signatures.hmac_hex(self.config["key_secret"], text)
        if not signatures.is_equal(expected, params.get("razorpay_signature", "")):
            return None
        return self.query(payment)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not payment.upstream_id:
            return None
        answer = self._call("GET", f"/v1/payment_links/{payment.upstream_id}")
        data = answer.json()
        if not answer.is_success or reading.text(data, "id") != payment.upstream_id:
            raise self.refusal(answer, _reason(answer))
        if reading.text(data, "reference_id") != payment.reference:
            raise GatewayUnreachable("razorpay answered with another payment's link")
        payments = reading.value(data, "payments")
        try:
            return self._report(data, payments[0] if isinstance(payments, list) and payments else None)
        except InvalidAmount:
            raise GatewayUnreachable("razorpay answered without a valid amount") from None

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        number = payment.data.get("payment_id", "")
        body = {"amount": reading.to_minor(amount, payment.currency), "receipt": key[:40]}
        answer = self._call("POST", f"/v1/payments/{number}/refund", body=body)
        if not answer.is_success or not reading.text(answer.json(), "id"):
            raise self.refusal(answer, _reason(answer))
        is_done = reading.text(answer.json(), "status") == "processed"
        state = RefundState.DONE if is_done else RefundState.PENDING
        return RefundResult(state=state, refund_id=reading.text(answer.json(), "id"))

    def check(self) -> str:
        answer = self._call("GET", "/v1/payment_links")
        if not answer.is_success or not isinstance(reading.value(answer.json(), "payment_links"), list):
            raise self.refusal(answer, _reason(answer))
        return gettext("The keys work.")

    def _report(self, link: Any, paid: Any) -> GatewayReport | None:
        state, reference = _LINK_STATES.get(reading.text(link, "status")), reading.text(link, "reference_id")
        if state is None or not reference:
            return None
        number, currency = (
            reading.text(paid, "id") or reading.text(paid, "payment_id"),
            reading.currency(link, "currency"),
        )
        is_paid = state is ReportedState.PAID
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=reading.text(link, "id"),
            # A link is paid once: partial payments are switched off.
            entry_id=reading.text(link, "id"),
            amount=reading.from_minor(link, "amount_paid", code=currency or "INR") if is_paid else None,
            currency=currency,
            data={"payment_id": number} if number else {},
        )

    def _call(self, method: str, path: str, *, body: Any = None) -> GatewayAnswer:
        pair = f"{self.config['key_id']}:{self.config['key_secret']}"
        headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        return self.request(method, self.url(path), json=body, headers=headers)


def _reason(answer: GatewayAnswer) -> str:
    return reading.text(answer.json(), "error", "description")
