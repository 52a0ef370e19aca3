"""Paystack: cards, transfers, USSD and mobile money in Nigeria, Ghana, Kenya and South Africa.

Wire facts: the documentation and the OpenAPI file of paystack.com. Not proven: the formula of the signature is from the
documentation only, and so are the fields of refund and dispute events.
"""

from __future__ import annotations

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

_STATES = {
    "success": ReportedState.PAID,
    "failed": ReportedState.DECLINED,
    "abandoned": ReportedState.PENDING,
    "ongoing": ReportedState.PENDING,
    "pending": ReportedState.PENDING,
    "processing": ReportedState.PENDING,
    "queued": ReportedState.PENDING,
}


class Paystack(Gateway):
    name = "paystack"
    label = "Paystack"
    description = _("Cards, transfers and mobile money in Nigeria, Ghana, Kenya and South Africa.")
    is_beta = True
    config_fields = (
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("In Paystack, under Settings > API Keys & Webhooks. It also signs webhooks."),
            is_secret=True,
        ),
    )
    api_url = "https://api.paystack.co"
    hosts = ("checkout.paystack.com",)
    currencies = ("NGN", "GHS", "KES", "ZAR", "USD")
    webhook_networks = ("52.31.139.75/32", "52.49.173.169/32", "52.214.14.220/32")
    has_test_keys = True
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "email": customer.email,
            "amount": reading.to_minor(payment.amount, payment.currency),
            "currency": payment.currency,
            "reference": payment.reference,
            "callback_url": urls.done,
        }
        answer = self._call("POST", "/transaction/initialize", body=body)
        url = reading.text(answer.json(), "data", "authorization_url")
        if not answer.is_success or not url:
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        return Next(action=Redirect(url=url), upstream_id=payment.reference)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        if not self.config["secret_key"]:
            raise WebhookRejected("the secret key is not set")
        expected = signatures.hmac_hex(self.config["secret_key"], webhook.body, "sha512")
        if not signatures.is_equal(expected, webhook.header("x-paystack-signature")):
            raise WebhookRejected("the signature is wrong")
        content = webhook.json()
        event, data = reading.text(content, "event"), reading.value(content, "data")
        if event == "charge.success":
            return self._report(data)
        if event == "refund.processed":
            return self._moved(data, ReportedState.REFUNDED, reading.text(data, "transaction_reference"))
        if event == "charge.dispute.create":
            return self._moved(data, ReportedState.DISPUTED, reading.text(data, "transaction", "reference"))
        return None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        answer = self._call("GET", f"/transaction/verify/{payment.reference}")
        data = reading.value(answer.json(), "data")
        if answer.status in (400, 404) and data is None:
            return None  # nobody opened the page yet
        if not answer.is_success or reading.text(data, "reference") != payment.reference:
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        try:
            return self._report(data)
        except InvalidAmount:
            raise GatewayUnreachable("paystack answered without a valid amount") from None

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        body = {
            "transaction": payment.reference,
            "amount": reading.to_minor(amount, payment.currency),
            "merchant_note": key,
        }
        answer = self._call("POST", "/refund", body=body)
        number = reading.text(answer.json(), "data", "id")
        if not answer.is_success or not number:
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        is_done = reading.text(answer.json(), "data", "status") == "processed"
        return RefundResult(state=RefundState.DONE if is_done else RefundState.PENDING, refund_id=number)

    def check(self) -> str:
        answer = self._call("GET", "/balance")
        if not answer.is_success or not isinstance(reading.value(answer.json(), "data"), list):
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        return gettext("The keys work.")

    def _report(self, data: Any) -> GatewayReport | None:
        state, reference = _STATES.get(reading.text(data, "status")), reading.text(data, "reference")
        if state is None or not reference:
            return None
        currency = reading.currency(data, "currency")
        is_paid = state is ReportedState.PAID
        fee = reading.optional_amount(data, "fees")
        return GatewayReport(
            state=state,
            reference=reference,
            entry_id=reading.text(data, "id"),
            amount=reading.from_minor(data, "amount", code=currency or "NGN") if is_paid else None,
            currency=currency,
            fee=fee.scaleb(-2) if is_paid and fee is not None else None,
            fee_currency=currency,
            is_test=is_paid and reading.text(data, "domain") == "test" and not self.is_test,
            note=reading.text(data, "gateway_response"),
        )

    def _moved(self, data: Any, state: ReportedState, reference: str) -> GatewayReport | None:
        currency = reading.currency(data, "currency")
        if not reference:
            return None
        is_refund = state is ReportedState.REFUNDED
        return GatewayReport(
            state=state,
            reference=reference,
            entry_id=reading.text(data, "id"),
            amount=reading.from_minor(data, "amount", code=currency or "NGN") if is_refund else None,
            currency=currency,
        )

    def _call(self, method: str, path: str, *, body: Mapping[str, Any] | None = None) -> GatewayAnswer:
        headers = {"Authorization": f"Bearer {self.config['secret_key']}"}
        return self.request(method, self.url(path), json=body, headers=headers)
