"""Tripay: virtual accounts, QRIS and shops in Indonesia.

Wire facts: the library reactmore/tripay-payment-gateway, whose signature of callbacks agrees with ours, and public
handlers. Not proven: our reading of the fee fields, and the answer that Tripay wants.
"""

from __future__ import annotations

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
    CustomerField,
    Gateway,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    ReportedState,
    Urls,
    Webhook,
    WebhookAnswer,
    WebhookRejected,
)
from storefront.payments.wire import reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_STATES = {
    "UNPAID": ReportedState.PENDING,
    "PAID": ReportedState.PAID,
    "EXPIRED": ReportedState.DECLINED,
    "FAILED": ReportedState.DECLINED,
    "REFUND": ReportedState.REFUNDED,
}


class Tripay(Gateway):
    name = "tripay"
    label = "Tripay"
    description = _("Virtual accounts, QRIS and shops in Indonesia.")
    icon = "bank"
    config_fields = (
        ConfigField(name="merchant_code", label=_("Merchant code"), help_text=_("In Tripay, under Merchant > Option.")),
        ConfigField(
            name="api_key", label=_("API key"), help_text=_("In Tripay, under Merchant > Option."), is_secret=True
        ),
        ConfigField(
            name="private_key",
            label=_("Private key"),
            help_text=_("In Tripay, under Merchant > Option. It signs requests and webhooks."),
            is_secret=True,
        ),
        ConfigField(
            name="channel",
            label=_("Payment channel"),
            help_text=_("Make one payment method for each channel that you offer."),
            choices=(
                ("QRIS", "QRIS"),
                ("BRIVA", "BRI Virtual Account"),
                ("BNIVA", "BNI Virtual Account"),
                ("BCAVA", "BCA Virtual Account"),
                ("MANDIRIVA", "Mandiri Virtual Account"),
                ("PERMATAVA", "Permata Virtual Account"),
                ("ALFAMART", "Alfamart"),
                ("INDOMARET", "Indomaret"),
                ("OVO", "OVO"),
                ("DANA", "DANA"),
            ),
        ),
    )
    customer_fields = (CustomerField.NAME, CustomerField.PHONE)
    api_url = "https://tripay.co.id/api"
    test_api_url = "https://tripay.co.id/api-sandbox"
    hosts = ("tripay.co.id",)
    currencies = ("IDR",)
    has_whole_amounts = True
    is_webhook_registered = False
    can_query = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        amount = int(payment.amount)
        text = f"{self.config['merchant_code']}{payment.reference}{amount}"
        body = {
            "method": self.config["channel"],
            "merchant_ref": payment.reference,
            "amount": amount,
            "customer_name": customer.name[:100] or customer.email,
            "customer_email": customer.email,
            "customer_phone": customer.phone,
            "order_items": [{"name": payment.description[:100], "price": amount, "quantity": 1}],
            "callback_url": urls.webhook,
            "return_url": urls.done,
            "expired_time": int((timezone.now() + self.expires_after - timedelta(minutes=5)).timestamp()),
            "signature": signatures.hmac_hex(self.config["private_key"] or "-", text),
        }
        answer = self._call("POST", "/transaction/create", body=body)
        data = reading.value(answer.json(), "data")
        url, number = reading.text(data, "checkout_url"), reading.text(data, "reference")
        if not answer.is_success or not url or not number:
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        return Next(action=Redirect(url=url), upstream_id=number, expires_at=reading.moment(data, "expired_time"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        if not self.config["private_key"]:
            raise WebhookRejected("the private key is not set")
        expected = signatures.hmac_hex(self.config["private_key"], webhook.body)
        if not signatures.is_equal(expected, webhook.header("X-Callback-Signature")):
            raise WebhookRejected("the signature is wrong")
        return self._report(webhook.json())

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        return WebhookAnswer('{"success":true}')

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not payment.upstream_id:
            return None
        answer = self._call("GET", "/transaction/detail", query={"reference": payment.upstream_id})
        data = reading.value(answer.json(), "data")
        if not answer.is_success or reading.text(data, "reference") != payment.upstream_id:
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        if reading.text(data, "merchant_ref") != payment.reference:
            raise GatewayUnreachable("tripay answered with another payment")
        try:
            return self._report({**data, "total_amount": reading.value(data, "amount")})
        except InvalidAmount:
            raise GatewayUnreachable("tripay answered without a valid amount") from None

    def check(self) -> str:
        answer = self._call("GET", "/merchant/payment-channel")
        if not answer.is_success or not isinstance(reading.value(answer.json(), "data"), list):
            raise self.refusal(answer, reading.text(answer.json(), "message"))
        return gettext("The keys work.")

    def _report(self, data: Mapping[str, Any]) -> GatewayReport | None:
        state, reference = _STATES.get(reading.text(data, "status")), reading.text(data, "merchant_ref")
        if state is None or not reference:
            return None
        amount = None
        if state in (ReportedState.PAID, ReportedState.REFUNDED):
            # What the customer paid without the fee that Tripay puts on top.
            amount = reading.amount(data, "total_amount") - (
                reading.optional_amount(data, "fee_customer") or Decimal(0)
            )
            if amount < 0:
                raise InvalidAmount("the fee is larger than the amount")
        number = reading.text(data, "reference")
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=number,
            entry_id=f"{number}-refund" if state is ReportedState.REFUNDED else number,
            amount=amount,
            currency="IDR",
            fee=reading.optional_amount(data, "fee_merchant") if state is ReportedState.PAID else None,
            fee_currency="IDR",
            note=reading.text(data, "payment_method"),
        )

    def _call(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None
    ) -> GatewayAnswer:
        headers = {"Authorization": f"Bearer {self.config['api_key']}"}
        return self.request(method, self.url(path), json=body, query=query, headers=headers)
