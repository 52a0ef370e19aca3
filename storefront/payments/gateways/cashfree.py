"""Cashfree in India: UPI, cards, net banking and wallets on a payment link.

Wire facts: the pages "Payment Links", "Payment Link Webhooks", "Refund Webhooks" and "Dispute Webhooks" of
cashfree.com/docs, and the vendor's library cashfree_pg 6.0.1, whose signature agrees with ours. A link has orders of
its own, whose numbers refunds and disputes name. Not proven: the final states of disputes, and whether a repeated
webhook has a new time; the time is not limited, because a repeated one changes nothing.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from storefront.payments.gateway import (
    ConfigField,
    Customer,
    CustomerField,
    Gateway,
    GatewayError,
    GatewayRejected,
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
from storefront.payments.wire import exact_json, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_VERSION = "2025-01-01"
_STATES = {
    "ACTIVE": ReportedState.PENDING,
    "PAID": ReportedState.PAID,
    "PARTIALLY_PAID": ReportedState.PAID,
    "EXPIRED": ReportedState.DECLINED,
    "CANCELLED": ReportedState.DECLINED,
}
_REFUND_STATES = {"SUCCESS": RefundState.DONE, "PENDING": RefundState.PENDING, "ONHOLD": RefundState.PENDING}


class Cashfree(Gateway):
    name = "cashfree"
    label = "Cashfree"
    description = _("UPI, cards, net banking and wallets in India.")
    config_fields = (
        ConfigField(name="client_id", label=_("App ID"), help_text=_("In Cashfree, under Developers > API keys.")),
        ConfigField(
            name="client_secret",
            label=_("Secret key"),
            help_text=_("Shown with the app ID. It also signs webhooks."),
            is_secret=True,
        ),
    )
    customer_fields = (CustomerField.PHONE,)
    api_url = "https://api.cashfree.com/pg"
    test_api_url = "https://sandbox.cashfree.com/pg"
    hosts = (".cashfree.com",)
    currencies = ("INR",)
    can_query = True
    can_refund = True
    can_check = True
    expires_after: ClassVar[timedelta] = timedelta(days=1)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        phone = re.sub(r"[\s().-]", "", customer.phone).removeprefix("+91")
        if not re.fullmatch(r"\+?[0-9]{8,15}", phone):
            raise GatewayRejected("Cashfree needs the customer's phone number, and this one is not valid")
        body: dict[str, Any] = {
            "link_id": payment.reference,
            "link_amount": payment.amount,
            "link_currency": payment.currency,
            "link_purpose": payment.description[:500] or payment.reference,
            "link_partial_payments": False,
            "customer_details": {"customer_phone": phone, "customer_email": customer.email},
            "link_notify": {"send_sms": False, "send_email": False},
            "link_meta": {"notify_url": urls.webhook, "return_url": urls.done},
        }
        if payment.expires_at:
            body["link_expiry_time"] = payment.expires_at.isoformat(timespec="seconds")
        answer = self._call("POST", "/links", body=body, key=payment.reference)
        url = reading.text(answer.json(), "link_url")
        if not answer.is_success or not url or reading.text(answer.json(), "link_id") != payment.reference:
            raise self._refusal(answer)
        # The gateway's number of the payment is that of the order, which the link has once it is paid.
        return Next(action=Redirect(url=url))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        self._check_signature(webhook)
        event = webhook.json()
        kind, data = reading.text(event, "type"), event.get("data")
        if kind == "PAYMENT_LINK_EVENT":
            return self._link_report(data, order=reading.text(data, "order", "order_id"))
        if kind == "REFUND_STATUS_WEBHOOK":
            return _refund_report(reading.value(data, "refund"))
        if kind in ("DISPUTE_CREATED", "DISPUTE_CLOSED"):
            return _dispute_report(data, is_closed=kind == "DISPUTE_CLOSED")
        return None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        answer = self._call("GET", f"/links/{payment.reference}")
        if answer.status == 404:
            return None
        link = answer.json()
        if not answer.is_success or reading.text(link, "link_id") != payment.reference:
            raise self._refusal(answer)
        is_paid = _STATES.get(reading.text(link, "link_status")) is ReportedState.PAID
        try:
            return self._link_report(link, order=self._paid_order(payment.reference) if is_paid else "")
        except InvalidAmount:
            raise GatewayUnreachable("cashfree answered without a valid amount") from None

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        if not payment.upstream_id:
            raise GatewayRejected("the number of the order at Cashfree is not known")
        number = re.sub(r"[^0-9A-Za-z]", "", key)[-40:]
        answer = self._call(
            "POST",
            f"/orders/{payment.upstream_id}/refunds",
            body={"refund_amount": amount, "refund_id": number, "refund_note": payment.reference},
            key=key,
        )
        status = reading.text(answer.json(), "refund_status")
        if not answer.is_success or status not in _REFUND_STATES:
            raise self.refusal(answer, _reason(answer), is_definite=status in ("CANCELLED", "FAILED"))
        return RefundResult(state=_REFUND_STATES[status], refund_id=number)

    def check(self) -> str:
        answer = self._call("GET", "/links/connection-test")
        # With the right keys, Cashfree says that there is no such link.
        if not answer.is_success and answer.status != 404:
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _check_signature(self, webhook: Webhook) -> None:
        sent_at = webhook.header("x-webhook-timestamp")
        if not self.config["client_secret"]:
            raise WebhookRejected("the secret key is not set")
        # Time and body are signed without a separator, so a part of one must not pass as the other.
        if not sent_at.isdecimal() or not webhook.body.startswith(b"{"):
            raise WebhookRejected("the webhook is malformed")
        expected = signatures.hmac_base64(self.config["client_secret"], sent_at.encode() + webhook.body)
        if not signatures.is_equal(expected, webhook.header("x-webhook-signature")):
            raise WebhookRejected("the signature is wrong")

    def _link_report(self, link: Any, *, order: str) -> GatewayReport | None:
        reference, status = reading.text(link, "link_id"), reading.text(link, "link_status")
        state = _STATES.get(status)
        if state is None or not reference:
            return None
        currency, is_paid = reading.currency(link, "link_currency"), state is ReportedState.PAID
        if is_paid and not currency:
            raise InvalidAmount("the currency is missing")
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=order,
            entry_id=f"link {reference}",
            amount=reading.amount(link, "link_amount_paid") if is_paid else None,
            currency=currency,
            note=status,
        )

    def _paid_order(self, reference: str) -> str:
        """Return the number of the order that paid a link, or "" if it is not known yet."""
        answer = self._call("GET", f"/links/{reference}/orders", query={"status": "PAID"})
        try:
            orders = exact_json.loads(answer.text) if answer.is_success else []
        except ValueError:
            orders = []
        paid = [one for one in orders if _is_paid(one)] if isinstance(orders, list) else []
        return reading.text(paid, 0, "order_id")

    def _call(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Any = None, key: str = ""
    ) -> GatewayAnswer:
        headers = {
            "x-client-id": self.config["client_id"],
            "x-client-secret": self.config["client_secret"],
            "x-api-version": _VERSION,
        }
        if key:
            headers["x-idempotency-key"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"cashfree:{path}:{key}"))
        return self.request(method, self.url(path), query=query, json=body, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, _reason(answer))


def _refund_report(refund: Any) -> GatewayReport | None:
    order, number = reading.text(refund, "order_id"), reading.text(refund, "refund_id")
    number = number or reading.text(refund, "cf_refund_id")
    if reading.text(refund, "refund_status") != "SUCCESS" or not order or not number:
        return None
    return GatewayReport(
        state=ReportedState.REFUNDED,
        upstream_id=order,
        entry_id=number,
        amount=reading.amount(refund, "refund_amount"),
        currency=reading.currency(refund, "refund_currency"),
        note=reading.text(refund, "status_description"),
    )


def _dispute_report(data: Any, *, is_closed: bool) -> GatewayReport | None:
    order, number = reading.text(data, "order_details", "order_id"), reading.text(data, "dispute", "dispute_id")
    status = reading.text(data, "dispute", "dispute_status")
    if not order or not number:
        return None
    state = ReportedState.DISPUTED
    if is_closed and status.endswith("_WON"):
        state = ReportedState.DISPUTE_WON
    elif is_closed and status.endswith(("_LOST", "_ACCEPTED")):
        state = ReportedState.CHARGED_BACK
    elif is_closed:
        return None
    is_lost = state is ReportedState.CHARGED_BACK
    return GatewayReport(
        state=state,
        upstream_id=order,
        entry_id=number,
        amount=reading.amount(data, "dispute", "dispute_amount") if is_lost else None,
        currency=reading.currency(data, "order_details", "order_currency"),
        note=status,
    )


def _is_paid(order: Any) -> bool:
    return reading.text(order, "order_status") == "PAID"


def _reason(answer: GatewayAnswer) -> str:
    return reading.text(answer.json(), "message") or reading.text(answer.json(), "code")
