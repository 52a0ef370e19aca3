"""NOWPayments: cryptocurrency invoices.

Wire facts: the published Postman collection "NOWPayments API", the help center's pages about payment statuses and IPN,
and ``src/ipn.js`` of NowPaymentsIO/nowpayments-sdk-nodejs, whose signatures agree with ours. The Python and PHP samples
in the documentation are wrong for small numbers and for text that is not ASCII. Not proven: the address of the sandbox.
Refunds are made in the vendor's dashboard.
"""

from __future__ import annotations

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

_STATES = {
    "waiting": ReportedState.PENDING,
    "confirming": ReportedState.PENDING,
    "confirmed": ReportedState.PENDING,
    "sending": ReportedState.PENDING,
    "finished": ReportedState.PAID,
    "partially_paid": ReportedState.PAID,
    "failed": ReportedState.DECLINED,
    "expired": ReportedState.DECLINED,
    "refunded": ReportedState.REFUNDED,
}


class NowPayments(Gateway):
    name = "nowpayments"
    label = "NOWPayments"
    description = _("Cryptocurrencies, on the gateway's payment page.")
    icon = "wallet"
    config_fields = (
        ConfigField(
            name="api_key", label=_("API key"), help_text=_("Under Settings > Payments > API keys."), is_secret=True
        ),
        ConfigField(
            name="ipn_secret",
            label=_("Webhook secret"),
            help_text=_("The IPN secret key, under Settings > Payments > Instant payment notifications."),
            is_secret=True,
        ),
    )
    api_url = "https://api.nowpayments.io"
    test_api_url = "https://api-sandbox.nowpayments.io"
    hosts = ("nowpayments.io", "sandbox.nowpayments.io")
    webhook_networks = ("51.89.194.21/32", "51.75.77.69/32", "138.201.172.58/32", "65.21.158.36/32")
    is_webhook_registered = False
    can_query = True
    can_check = True
    has_differences = True
    #: When the vendor ends a payment that nobody paid.
    expires_after: ClassVar[timedelta] = timedelta(days=7)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        answer = self._call(
            "POST",
            "v1/invoice",
            {
                "price_amount": payment.amount,
                "price_currency": payment.currency.lower(),
                "order_id": payment.reference,
                "order_description": payment.description,
                "ipn_callback_url": urls.webhook,
                "success_url": urls.done,
                "partially_paid_url": urls.done,
                "cancel_url": urls.canceled,
            },
        )
        invoice = answer.json()
        url = reading.text(invoice, "invoice_url")
        if not answer.is_success or not url:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=reading.text(invoice, "id"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        data = webhook.json()
        if not self.config["ipn_secret"]:
            raise WebhookRejected("the webhook secret is not set")
        # Numbers keep the text in which they were sent: 1e-7 must not become 0.0000001, nor 0.00009 become 9e-05.
        expected = signatures.hmac_hex(self.config["ipn_secret"], exact_json.dumps(data, is_sorted=True), "sha512")
        if not signatures.is_equal(expected, webhook.header("x-nowpayments-sig")):
            raise WebhookRejected("the signature is wrong")
        if not reading.text(data, "order_id"):
            return None  # made by another program with the same account
        return self._report(data)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        number = payment.data.get("payment_id", "")
        if not number.isdecimal():  # known from the first webhook, which comes when the customer has chosen a coin
            return None
        answer = self._call("GET", f"v1/payment/{number}")
        if answer.status == 404:
            return None
        data = answer.json()
        if not answer.is_success or reading.text(data, "order_id") != payment.reference:
            raise self._refusal(answer)
        try:
            return self._report(data)
        except InvalidAmount:
            raise GatewayUnreachable("nowpayments answered without a valid amount") from None

    def check(self) -> str:
        answer = self._call("GET", "v1/currencies")
        if not answer.is_success or not isinstance(reading.value(answer.json(), "currencies"), list):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _report(self, data: Mapping[str, Any]) -> GatewayReport | None:
        status, number = reading.text(data, "payment_status"), reading.text(data, "payment_id")
        state = _STATES.get(status)
        if state is None:
            return None
        received, code = None, reading.currency(data, "price_currency")
        if state is ReportedState.PAID:
            received, code = _received(data, is_complete=status == "finished")
        return GatewayReport(
            state=state,
            reference=reading.text(data, "order_id"),
            upstream_id=reading.text(data, "invoice_id"),
            entry_id=f"{number}:refund" if state is ReportedState.REFUNDED else number,
            amount=received,
            currency=code,
            fee=_fee(data) if state is ReportedState.PAID else None,
            fee_currency=reading.currency(data, "fee", "currency"),
            data={"payment_id": number} if number else {},
            note=status,
        )

    def _call(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> GatewayAnswer:
        return self.request(method, self.url(path), json=content, headers={"x-api-key": self.config["api_key"]})

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, reading.text(answer.json(), "message"))


def _received(data: Mapping[str, Any], *, is_complete: bool) -> tuple[Decimal, str]:
    """Return what has arrived and its currency.

    It is in the currency of the invoice, in proportion to the coins that arrived. A second deposit to the address of an
    earlier payment has no price of its own, so what the merchant gets for it is returned, in its own currency.

    Args:
        is_complete: Whether the gateway takes the price as paid, although a few coins less may have arrived.

    Raises:
        InvalidAmount: An amount is missing or malformed.
    """
    if reading.text(data, "parent_payment_id"):
        return reading.amount(data, "outcome_amount"), reading.currency(data, "outcome_currency")
    price, code = reading.amount(data, "price_amount"), reading.currency(data, "price_currency")
    expected = reading.optional_amount(data, "pay_amount")
    if expected:
        arrived = amounts.divide(amounts.multiply(price, reading.amount(data, "actually_paid")), expected)
        try:
            arrived = amounts.round_down(arrived, Decimal(1).scaleb(-reading.places(code)))
        except ArithmeticError:
            raise InvalidAmount("the amounts do not fit each other") from None
        return max(price, arrived) if is_complete else arrived, code
    if is_complete:
        return price, code
    raise InvalidAmount("the expected amount is missing")


def _fee(data: Mapping[str, Any]) -> Decimal | None:
    parts = [reading.optional_amount(data, "fee", name) for name in ("depositFee", "serviceFee", "withdrawalFee")]
    return sum((part for part in parts if part), Decimal(0)) if any(part is not None for part in parts) else None
