"""Midtrans Snap in Indonesia: QRIS, e-wallets, virtual accounts and cards, on Midtrans's payment page.

Wire facts: the pages "Snap Backend Integration", "HTTP(S) Notification", "Get Transaction Status" and "Refund
Transaction" of docs.midtrans.com, and the vendor's library midtransclient 1.4.2. The signature is written from the
documentation only and leaves out the state, so the shop asks for each transaction. Not proven: how often notifications
are repeated, the total of refunds in the status, and what a Snap page that nobody has used answers (taken as unknown).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from storefront.payments.gateway import (
    ConfigField,
    Customer,
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
from storefront.payments.wire import reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_SNAP, _TEST_SNAP = "https://app.midtrans.com", "https://app.sandbox.midtrans.com"
_STATES = {
    "pending": ReportedState.PENDING,
    "authorize": ReportedState.PENDING,
    "capture": ReportedState.PAID,
    "settlement": ReportedState.PAID,
    "deny": ReportedState.DECLINED,
    "cancel": ReportedState.DECLINED,
    "expire": ReportedState.DECLINED,
    "failure": ReportedState.DECLINED,
    "refund": ReportedState.REFUNDED,
    "partial_refund": ReportedState.REFUNDED,
    "chargeback": ReportedState.CHARGED_BACK,
    # Its amount is not told, so staff look at it.
    "partial_chargeback": ReportedState.DISPUTED,
}


class Midtrans(Gateway):
    name = "midtrans"
    label = "Midtrans"
    description = _("QRIS, e-wallets, virtual accounts and cards in Indonesia.")
    is_beta = True
    config_fields = (
        ConfigField(
            name="server_key",
            label=_("Server key"),
            help_text=_("In Midtrans, under Settings > Access keys. It also signs webhooks."),
            is_secret=True,
        ),
    )
    api_url = "https://api.midtrans.com"
    test_api_url = "https://api.sandbox.midtrans.com"
    hosts = ("app.midtrans.com", "app.sandbox.midtrans.com")
    currencies = ("IDR",)
    is_webhook_registered = False
    has_whole_amounts = True
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "transaction_details": {"order_id": payment.reference, "gross_amount": _rupiah(payment.amount)},
            "customer_details": {"email": customer.email},
            "credit_card": {"secure": True},
            "callbacks": {"finish": urls.done},
            "expiry": {"unit": "minutes", "duration": int(self.expires_after.total_seconds() // 60)},
        }
        url = self.url("/snap/v1/transactions", base=_TEST_SNAP if self.is_test else _SNAP)
        answer = self._call("POST", url, body=body, headers={"X-Override-Notification": urls.webhook})
        page = reading.text(answer.json(), "redirect_url")
        if not answer.is_success or not page:
            raise self.refusal(answer, _reason(answer))
        return Next(action=Redirect(url=page))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Ask about the transaction that the notification names, because its signature leaves out the state."""
        data = webhook.json()
        order = reading.text(data, "order_id")
        if not self.config["server_key"]:
            raise WebhookRejected("the server key is not set")
        signed = order + reading.text(data, "status_code") + reading.text(data, "gross_amount")
        expected = signatures.hash_hex(signed + self.config["server_key"], "sha512")
        if not signatures.is_equal(expected, data.get("signature_key")):
            raise WebhookRejected("the signature is wrong")
        if not re.fullmatch(r"[0-9A-Za-z._~-]{1,50}", order):
            raise WebhookRejected("the notification names no order")
        return self._ask(order)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        return self._ask(payment.reference)

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        body = {"refund_key": key, "amount": _rupiah(amount), "reason": payment.reference}
        answer = self._call("POST", self.url(f"/v2/{payment.reference}/refund"), body=body)
        if not answer.is_success or reading.text(answer.json(), "status_code") != "200":
            raise self._refusal(answer)
        return RefundResult(state=RefundState.DONE, refund_id=key)

    def check(self) -> str:
        answer = self._call("GET", self.url("/v2/connection-test/status"))
        # With the right key, Midtrans says that there is no such transaction.
        if not _is_unknown(answer):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _ask(self, order: str) -> GatewayReport | None:
        answer = self._call("GET", self.url(f"/v2/{order}/status"))
        data = answer.json()
        if _is_unknown(answer):
            return None
        state, number = _STATES.get(reading.text(data, "transaction_status")), reading.text(data, "transaction_id")
        if not answer.is_success or state is None or not number or reading.text(data, "order_id") != order:
            raise self._refusal(answer)
        if state is ReportedState.PAID and reading.text(data, "fraud_status") not in ("accept", ""):
            state = ReportedState.PENDING  # Midtrans has doubts about the card, and the merchant decides
        try:
            return _report(data, state, order, number)
        except InvalidAmount:
            raise GatewayUnreachable("midtrans answered without a valid amount") from None

    def _call(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> GatewayAnswer:
        pair = b64encode(f"{self.config['server_key']}:".encode()).decode()
        own = {"Authorization": f"Basic {pair}", "Accept": "application/json"}
        return self.request(method, url, json=body, headers=own | dict(headers or {}))

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        # The API answers with status 200 and its own status in the body.
        code = reading.text(answer.json(), "status_code")
        is_definite = bool(re.fullmatch(r"4[0-9]{2}", code)) and code not in ("408", "409", "425", "429")
        return self.refusal(answer, f"{code} {_reason(answer)}".strip(), is_definite=is_definite)


def _report(data: Any, state: ReportedState, order: str, number: str) -> GatewayReport:
    moved, entry, currency = None, number, reading.currency(data, "currency")
    if state in (ReportedState.PAID, ReportedState.CHARGED_BACK):
        moved = reading.amount(data, "gross_amount")
    if state is ReportedState.REFUNDED:
        is_part = reading.text(data, "transaction_status") == "partial_refund"
        is_told = reading.value(data, "refund_amount") is not None
        moved = reading.amount(data, "refund_amount" if is_part or is_told else "gross_amount")
        entry = f"{number}-refunds"
    if moved is not None and not currency:
        raise InvalidAmount("the currency is missing")
    return GatewayReport(
        state=state,
        reference=order,
        upstream_id=number,
        entry_id=entry,
        amount=moved,
        currency=currency,
        note=f"{reading.text(data, 'payment_type')} {reading.text(data, 'transaction_status')}".strip(),
    )


def _rupiah(amount: Decimal) -> int:
    if amount != amount.to_integral_value():
        raise GatewayRejected("Midtrans takes whole rupiah only")
    return int(amount)


def _is_unknown(answer: GatewayAnswer) -> bool:
    return reading.text(answer.json(), "status_code") == "404" and answer.status in (200, 404)


def _reason(answer: GatewayAnswer) -> str:
    return reading.text(answer.json(), "status_message") or reading.text(answer.json(), "error_messages", 0)
