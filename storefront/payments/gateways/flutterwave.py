"""Flutterwave in Africa: cards, bank transfers, mobile money and USSD, on Flutterwave's checkout page.

Wire facts: the pages "Standard", "Transaction Verification", "Webhooks" and "Refunds" of developer.flutterwave.com
(version 3 of the API). Webhooks carry a constant secret, or a signature that was compared with public code only, so
the shop asks for each transaction. Not proven: that signature, how often webhooks are repeated, the hosts of test
pages, and reports of refunds and chargebacks, which are not read.
"""

from __future__ import annotations

import re
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

_STATES = {
    "pending": ReportedState.PENDING,
    "successful": ReportedState.PAID,
    "failed": ReportedState.DECLINED,
}
#: Test payments say nothing of it, but their keys do.
_TEST_KEY = "FLWSECK_TEST"


class Flutterwave(Gateway):
    name = "flutterwave"
    label = "Flutterwave"
    description = _("Cards, bank transfers and mobile money in Africa.")
    is_beta = True
    config_fields = (
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("In Flutterwave, under Settings > API keys. Starts with FLWSECK."),
            is_secret=True,
        ),
        ConfigField(
            name="secret_hash",
            label=_("Secret hash"),
            help_text=_("A long random text that you enter in Flutterwave under Settings > Webhooks, and here."),
            is_secret=True,
        ),
    )
    api_url = "https://api.flutterwave.com"
    has_test_keys = True
    hosts = (".flutterwave.com", ".dev-flutterwave.com")
    currencies = (
        *("NGN", "GHS", "KES", "UGX", "TZS", "RWF", "ZAR", "ZMW", "MWK", "EGP", "XAF", "XOF", "USD", "EUR", "GBP"),
    )
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "tx_ref": payment.reference,
            "amount": payment.amount,
            "currency": payment.currency,
            "redirect_url": urls.done,
            "customer": {"email": customer.email, "name": customer.name or customer.email},
            "customizations": {"title": payment.description[:100] or payment.reference},
        }
        answer = self._call("POST", "/v3/payments", body=body)
        url = reading.text(answer.json(), "data", "link")
        if not answer.is_success or not url:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Ask about the transaction that the webhook names, because its secret does not cover the content."""
        if not self.config["secret_hash"]:
            raise WebhookRejected("the secret hash is not set")
        signature = signatures.hmac_base64(self.config["secret_hash"], webhook.body)
        is_constant = signatures.is_equal(self.config["secret_hash"], webhook.header("verif-hash"))
        if not is_constant and not signatures.is_equal(signature, webhook.header("flutterwave-signature")):
            raise WebhookRejected("the secret hash is wrong")
        data = webhook.json()
        if reading.text(data, "event") != "charge.completed":
            return None
        number = reading.text(data, "data", "id")
        if not re.fullmatch(r"[0-9]{1,20}", number):
            raise WebhookRejected("the webhook names no transaction")
        report = self._ask(f"/v3/transactions/{number}/verify")
        if report is not None and report.upstream_id != number:
            raise GatewayUnreachable("flutterwave answered with another transaction")
        return report

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        report = self._ask("/v3/transactions/verify_by_reference", query={"tx_ref": payment.reference})
        if report is not None and report.reference != payment.reference:
            raise GatewayUnreachable("flutterwave answered with another payment")
        return report

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        """Refund. Flutterwave refunds again if it is asked again, so the shop never repeats the call by itself."""
        number = payment.data.get("transaction", "")
        if not number:
            raise GatewayRejected("the number of the transaction at Flutterwave is not known")
        body = {"amount": amount, "comments": key}
        answer = self._call("POST", f"/v3/transactions/{number}/refund", body=body)
        data = answer.json()
        refund_id, status = reading.text(data, "data", "id"), reading.text(data, "data", "status")
        if not answer.is_success or reading.text(data, "status") != "success" or not refund_id:
            raise self._refusal(answer)
        is_done = status.startswith("completed")
        return RefundResult(state=RefundState.DONE if is_done else RefundState.PENDING, refund_id=refund_id)

    def check(self) -> str:
        answer = self._call("GET", "/v3/balances")
        if not answer.is_success or reading.text(answer.json(), "status") != "success":
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _ask(self, path: str, *, query: Mapping[str, str] | None = None) -> GatewayReport | None:
        answer = self._call("GET", path, query=query)
        data = reading.value(answer.json(), "data")
        is_unknown = answer.status in (400, 404) and _reason(answer).lower().startswith("no transaction")
        if is_unknown:
            return None
        state, number = _STATES.get(reading.text(data, "status")), reading.text(data, "id")
        if not answer.is_success or state is None or not number:
            raise self._refusal(answer)
        reference, currency = reading.text(data, "tx_ref"), reading.currency(data, "currency")
        if not reference:
            return None
        is_paid = state is ReportedState.PAID
        try:
            # What the customer was charged can include Flutterwave's fee; "amount" is what was asked for.
            amount = reading.amount(data, "amount") if is_paid else None
        except InvalidAmount:
            raise GatewayUnreachable("flutterwave answered without a valid amount") from None
        if is_paid and not currency:
            raise GatewayUnreachable("flutterwave answered without a currency")
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=number,
            amount=amount,
            currency=currency,
            fee=reading.optional_amount(data, "app_fee") if is_paid else None,
            fee_currency=currency,
            data={"transaction": number} if is_paid else {},
            is_test=self.config["secret_key"].startswith(_TEST_KEY),
            note=reading.text(data, "processor_response"),
        )

    def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> GatewayAnswer:
        headers = {"Authorization": f"Bearer {self.config['secret_key']}"}
        return self.request(method, self.url(path), query=query, json=body, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, _reason(answer))


def _reason(answer: GatewayAnswer) -> str:
    return reading.text(answer.json(), "message")
