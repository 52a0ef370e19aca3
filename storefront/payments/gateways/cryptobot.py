"""CryptoBot (Crypto Pay): invoices that customers pay from their wallet in Telegram.

Wire facts: the help page "Crypto Pay API" of help.send.tg, and the libraries aiocryptopay 0.4.8 and
Foile/crypto-pay-api, whose check of signatures agrees with ours. Not proven: the hosts of pay pages outside t.me.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
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
from storefront.payments.wire import reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_STATES = {
    "active": ReportedState.PENDING,
    "paid": ReportedState.PAID,
    "expired": ReportedState.DECLINED,
}


class CryptoBot(Gateway):
    name = "cryptobot"
    label = "CryptoBot"
    description = _("Cryptocurrencies, paid in Telegram.")
    icon = "wallet"
    config_fields = (
        ConfigField(
            name="api_token",
            label=_("API token"),
            help_text=_("In @CryptoBot, under Crypto Pay > My Apps > your app. It also signs webhooks."),
            is_secret=True,
        ),
    )
    api_url = "https://pay.crypt.bot/api"
    test_api_url = "https://testnet-pay.crypt.bot/api"
    hosts = ("t.me", "app.cr.bot", "app.send.tg")
    currencies = (
        *("USD", "EUR", "RUB", "BYN", "UAH", "GBP", "CNY", "KZT", "UZS", "GEL", "TRY", "AMD", "THB", "INR", "BRL"),
        *("IDR", "AZN", "AED", "PLN", "ILS"),
    )
    can_query = True
    can_check = True
    expires_after: ClassVar[timedelta] = timedelta(days=1)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        answer = self._post(
            "createInvoice",
            {
                "currency_type": "fiat",
                "fiat": payment.currency,
                "amount": format(payment.amount, "f"),
                "description": payment.description[:1024] or payment.reference,
                "payload": payment.reference,
                "paid_btn_name": "callback",
                "paid_btn_url": urls.done,
                "expires_in": int(self.expires_after.total_seconds()),
            },
        )
        invoice = reading.value(answer.json(), "result")
        url, number = reading.text(invoice, "bot_invoice_url"), reading.text(invoice, "invoice_id")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number, expires_at=reading.moment(invoice, "expiration_date"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        if not self.config["api_token"]:
            raise WebhookRejected("the API token is not set")
        secret = hashlib.sha256(self.config["api_token"].encode()).digest()
        expected = signatures.hmac_hex(secret, webhook.body)
        if not signatures.is_equal(expected, webhook.header("crypto-pay-api-signature")):
            raise WebhookRejected("the signature is wrong")
        update = webhook.json()
        if reading.text(update, "update_type") != "invoice_paid":
            return None
        return self._report(reading.value(update, "payload"))

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not payment.upstream_id:
            return None
        answer = self._post("getInvoices", {"invoice_ids": payment.upstream_id})
        items = reading.value(answer.json(), "result", "items")
        if not answer.is_success or not isinstance(items, list):
            raise self._refusal(answer)
        invoice = next((one for one in items if reading.text(one, "invoice_id") == payment.upstream_id), None)
        if invoice is None:
            return None
        if reading.text(invoice, "payload") != payment.reference:
            raise GatewayUnreachable("cryptobot answered with another payment's invoice")
        try:
            return self._report(invoice)
        except InvalidAmount:
            raise GatewayUnreachable("cryptobot answered without a valid amount") from None

    def check(self) -> str:
        answer = self._post("getMe", {})
        if not answer.is_success or not reading.text(answer.json(), "result", "app_id"):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _report(self, invoice: Any) -> GatewayReport | None:
        state, reference = _STATES.get(reading.text(invoice, "status")), reading.text(invoice, "payload")
        if state is None or not reference:  # without a payload, another program made the invoice
            return None
        is_paid = state is ReportedState.PAID
        is_fiat = reading.text(invoice, "currency_type") == "fiat"
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=reading.text(invoice, "invoice_id"),
            amount=reading.amount(invoice, "amount") if is_paid else None,
            currency=reading.currency(invoice, "fiat" if is_fiat else "asset"),
            fee=reading.optional_amount(invoice, "fee_amount") if is_paid else None,
            fee_currency=reading.currency(invoice, "fee_asset"),
            note=f"{reading.text(invoice, 'paid_amount')} {reading.text(invoice, 'paid_asset')}".strip(),
        )

    def _post(self, path: str, content: Mapping[str, Any]) -> GatewayAnswer:
        headers = {"Crypto-Pay-API-Token": self.config["api_token"]}
        return self.request("POST", self.url(path), json=content, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, reading.text(answer.json(), "error", "name"))
