"""Heleket and Cryptomus: cryptocurrency invoices. Both speak one protocol at different addresses.

Wire facts: the pages "Request format", "Creating an invoice", "Payment information", "Payment statuses" and "Webhook"
of both vendors' documentation. The signature agrees with heleket-sdk 0.3.0 and with WebhookVerifier.php of
Heleket/php-sdk. ``payer_amount`` in webhooks was seen in public code only. Not proven: how long webhooks are repeated,
and how ``commission`` is denominated (taken as the customer's coin). Refunds need an address of the customer, which the
shop does not know, so they are made in the vendor's dashboard.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayError,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import exact_json, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

#: The member ``sign`` with one of its commas. The value is checked against what remains without it.
_SIGN_MEMBER = re.compile(rb'\s*,\s*"sign"\s*:\s*"[0-9a-f]{32}"|"sign"\s*:\s*"[0-9a-f]{32}"\s*,\s*')

_STATES = {
    "check": ReportedState.PENDING,
    "process": ReportedState.PENDING,
    "confirm_check": ReportedState.PENDING,
    "wrong_amount_waiting": ReportedState.PENDING,
    "paid": ReportedState.PAID,
    "paid_over": ReportedState.PAID,
    "wrong_amount": ReportedState.PAID,
    "fail": ReportedState.DECLINED,
    "cancel": ReportedState.DECLINED,
    "system_fail": ReportedState.DECLINED,
    "locked": ReportedState.DECLINED,
    "refund_paid": ReportedState.REFUNDED,
}


class _Invoices(Gateway):
    """What Heleket and Cryptomus have in common, which is everything but addresses."""

    description = _("Cryptocurrencies, on the gateway's payment page.")
    icon = "wallet"
    config_fields = (
        ConfigField(name="merchant_id", label=_("Merchant ID"), help_text=_("Under Business > your merchant.")),
        ConfigField(
            name="api_key",
            label=_("Payment API key"),
            help_text=_("Under Business > your merchant > Settings. It also signs webhooks. Not the payout key."),
            is_secret=True,
        ),
    )
    is_webhook_registered = False
    can_query = True
    can_check = True
    has_differences = True
    #: The longest that the vendors allow.
    expires_after: ClassVar[timedelta] = timedelta(hours=12)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        answer = self._post(
            "v1/payment",
            {
                "amount": format(payment.amount, "f"),
                "currency": payment.currency,
                "order_id": payment.reference,  # a repeated one returns the existing invoice
                "url_callback": urls.webhook,
                "url_return": urls.canceled,
                "url_success": urls.done,
                "lifetime": int(self.expires_after.total_seconds()),
            },
        )
        result = answer.json()
        url = reading.text(result, "result", "url")
        if not answer.is_success or not url:
            raise self._refusal(answer)
        return Next(
            action=Redirect(url=url),
            upstream_id=reading.text(result, "result", "uuid"),
            expires_at=reading.moment(result, "result", "expired_at"),
        )

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        data = self._proven(webhook)
        if reading.text(data, "type") != "payment":
            return None
        if not reading.text(data, "order_id"):
            raise WebhookRejected("the webhook names no order")
        return self._report(data, reading.text(data, "status"))

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        answer = self._post("v1/payment/info", {"order_id": payment.reference})
        if answer.status == 404:
            return None
        result = reading.value(answer.json(), "result")
        if not answer.is_success or reading.text(result, "order_id") != payment.reference:
            raise self._refusal(answer)
        try:
            return self._report(result, reading.text(result, "payment_status") or reading.text(result, "status"))
        except InvalidAmount:
            raise GatewayUnreachable(f"{self.name} answered without a valid amount") from None

    def check(self) -> str:
        answer = self._post("v1/payment/services", {})
        if not answer.is_success or not isinstance(reading.value(answer.json(), "result"), list):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _proven(self, webhook: Webhook) -> dict[str, Any]:
        """Return the content that the signature covers, which is not always the whole body."""
        data = webhook.json()
        given = data.pop("sign", None)
        if not self.config["api_key"]:
            raise WebhookRejected("the payment API key is not set")
        unsigned = _SIGN_MEMBER.sub(b"", webhook.body, count=1)
        if signatures.is_equal(self._sign(unsigned), given):
            try:
                signed = exact_json.loads(unsigned)
            except ValueError:
                signed = None
            if isinstance(signed, dict):
                return signed
        # The vendors sign what PHP's json_encode writes; a proxy may have changed the layout on the way.
        elif signatures.is_equal(
            self._sign(exact_json.dumps(data).replace("/", "\\/").encode(errors="replace")), given
        ):
            return data
        raise WebhookRejected("the signature is wrong")

    def _report(self, data: Mapping[str, Any], status: str) -> GatewayReport | None:
        state = _STATES.get(status)
        if state is None:
            return None
        received: Decimal | None = None
        if state is ReportedState.PAID:
            if not reading.is_true(data, "is_final"):
                state = ReportedState.PENDING
            else:
                received = reading.amount(data, "amount") if status == "paid" else _received(data)
        uuid = reading.text(data, "uuid")
        return GatewayReport(
            state=state,
            reference=reading.text(data, "order_id"),
            upstream_id=uuid,
            entry_id=f"{uuid}:refund" if state is ReportedState.REFUNDED else "",
            amount=received,
            currency=reading.currency(data, "currency"),
            fee=reading.optional_amount(data, "commission") if state is ReportedState.PAID else None,
            fee_currency=reading.currency(data, "payer_currency"),
            note=status,
        )

    def _post(self, path: str, content: dict[str, Any]) -> GatewayAnswer:
        body = exact_json.dumps(content).encode()
        headers = {"merchant": self.config["merchant_id"], "sign": self._sign(body)}
        return self.request("POST", self.url(path), content=body, headers=headers)

    def _sign(self, body: bytes) -> str:
        return signatures.hash_hex(base64.b64encode(body) + self.config["api_key"].encode(), "md5")

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        said = answer.json()
        problems = reading.value(said, "errors")
        reasons = [reading.text(problems, key, 0) for key in problems] if isinstance(problems, dict) else []
        return self.refusal(answer, "; ".join(filter(None, [reading.text(said, "message"), *reasons])))


def _received(data: Mapping[str, Any]) -> Decimal:
    """Return what a customer who paid too much or too little has paid, in the currency of the invoice, rounded down.

    Raises:
        InvalidAmount: The amounts that say so are missing.
    """
    code = reading.currency(data, "currency")
    expected = reading.optional_amount(data, "payer_amount")
    if expected:
        product = amounts.multiply(reading.amount(data, "amount"), reading.amount(data, "payment_amount"))
        received = amounts.divide(product, expected)
    elif code == "USD":
        received = reading.amount(data, "payment_amount_usd")
    else:
        raise InvalidAmount("the amount in the currency of the invoice is missing")
    try:
        return amounts.round_down(received, Decimal(1).scaleb(-reading.places(code)))
    except ArithmeticError:
        raise InvalidAmount("the amounts do not fit each other") from None


class Heleket(_Invoices):
    name = "heleket"
    label = "Heleket"
    api_url = "https://api.heleket.com"
    hosts = ("pay.heleket.com", "heleket.com")
    webhook_networks = ("31.133.220.8/32",)


class Cryptomus(_Invoices):
    name = "cryptomus"
    label = "Cryptomus"
    api_url = "https://api.cryptomus.com"
    hosts = ("pay.cryptomus.com", "cryptomus.com")
    webhook_networks = ("91.227.144.54/32",)
