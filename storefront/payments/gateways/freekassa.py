"""Freekassa: cards, e-wallets and coins, mostly for customers in Russia. A signed link and signed notifications.

Wire facts: the page "Accepting payments" of docs.freekassa.com, and the libraries tsforge/freekassa-sdk and
hiqdev/omnipay-freekassa, whose formulas agree with ours. Not proven: the official wording of the answer ``YES`` and
the present list of sender addresses.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayReport,
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

_STATES = {
    "0": ReportedState.PENDING,
    "1": ReportedState.PAID,
    "8": ReportedState.DECLINED,
    "9": ReportedState.DECLINED,
}


class Freekassa(Gateway):
    name = "freekassa"
    label = "Freekassa"
    description = _("Cards, SBP, e-wallets and coins, mostly in Russia.")
    config_fields = (
        ConfigField(name="shop_id", label=_("Shop ID"), help_text=_("In Freekassa, under Settings.")),
        ConfigField(
            name="secret_1",
            label=_("Secret word 1"),
            help_text=_("In Freekassa, under Settings. It signs payment links."),
            is_secret=True,
        ),
        ConfigField(
            name="secret_2",
            label=_("Secret word 2"),
            help_text=_("In Freekassa, under Settings. It signs notifications."),
            is_secret=True,
        ),
        ConfigField(
            name="api_key",
            label=_("API key"),
            help_text=_("Optional. With it, the shop can ask about open payments."),
            is_secret=True,
            is_required=False,
        ),
    )
    api_url = "https://pay.fk.money"
    hosts = ("pay.fk.money", "pay.freekassa.com", "pay.freekassa.net")
    currencies = ("RUB", "USD", "EUR", "UAH", "KZT")
    webhook_methods = ("GET", "POST")
    webhook_networks = ("168.119.157.136/32", "168.119.60.227/32", "178.154.197.79/32", "51.250.54.238/32")
    can_query = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        """Return a signed link. No request is sent: the payment exists when the customer opens the link."""
        shop, amount = self.config["shop_id"], format(payment.amount, "f")
        text = ":".join((shop, amount, self.config["secret_1"], payment.currency, payment.reference))
        fields = {
            "m": shop,
            "oa": amount,
            "currency": payment.currency,
            "o": payment.reference,
            "s": signatures.hash_hex(text, "md5"),
            "em": customer.email,
            "lang": "ru" if customer.language == "ru" else "en",
        }
        return Next(action=Redirect(url=f"{self.url('/')}?{urlencode(fields)}"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        fields = webhook.form if webhook.method == "POST" and webhook.form else webhook.query
        amount, reference = fields.get("AMOUNT", ""), fields.get("MERCHANT_ORDER_ID", "")
        secret = self.config["secret_2"]
        if not secret:
            raise WebhookRejected("the secret word is not set")
        # The amount is signed as the text that was sent. The currency is not signed, so it is that of the payment.
        text = ":".join((fields.get("MERCHANT_ID", ""), amount, secret, reference))
        if not signatures.is_equal(signatures.hash_hex(text, "md5"), fields.get("SIGN", "").lower()):
            raise WebhookRejected("the signature is wrong")
        if fields.get("MERCHANT_ID") != self.config["shop_id"]:
            raise WebhookRejected("the notification is for another shop")
        return GatewayReport(
            state=ReportedState.PAID,
            reference=reference,
            # The number is not signed. It only tells two payments apart if they really differ in what is signed.
            entry_id=reference,
            amount=reading.amount(fields, "AMOUNT"),
            note=f"intid {reading.text(fields, 'intid')}",
        )

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        return WebhookAnswer("YES", "text/plain; charset=utf-8")

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not self.config["api_key"]:
            return None
        orders = self._orders({"paymentId": payment.reference})
        order = next((one for one in orders if reading.text(one, "merchant_order_id") == payment.reference), None)
        state = _STATES.get(reading.text(order, "status"))
        if order is None or state is None:
            return None
        return GatewayReport(
            state=state,
            reference=payment.reference,
            entry_id=payment.reference,
            amount=reading.amount(order, "amount") if state is ReportedState.PAID else None,
            currency=reading.currency(order, "currency"),
            note=f"order {reading.text(order, 'fk_order_id')}",
        )

    def check(self) -> str:
        if not self.config["api_key"]:
            return gettext("Without an API key nothing can be tested. Make a small payment to test the secret words.")
        self._orders({})
        return gettext("The keys work.")

    def _orders(self, fields: Mapping[str, str]) -> list[Any]:
        """Return the orders that match ``fields``. Raises GatewayRejected or GatewayUnreachable."""
        sent: dict[str, Any] = {"shopId": int(self.config["shop_id"]) if self.config["shop_id"].isdecimal() else 0}
        sent |= {"nonce": time.time_ns() // 1_000_000, **fields}
        text = "|".join(str(sent[name]) for name in sorted(sent))
        sent["signature"] = signatures.hmac_hex(self.config["api_key"], text)
        answer = self.request("POST", self.url("/v1/orders", base="https://api.fk.life"), json=sent)
        orders = reading.value(answer.json(), "orders")
        if not answer.is_success or not isinstance(orders, list):
            is_refused = reading.text(answer.json(), "type") == "error"
            raise self.refusal(answer, reading.text(answer.json(), "message"), is_definite=is_refused)
        return orders
