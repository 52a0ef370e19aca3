"""YooKassa: cards, SBP and wallets in Russia. Its notifications are not signed, so each one is asked about.

Wire facts: the pages "API" and "Notifications" of yookassa.ru/developers, and the vendor's library yookassa 3.13.0. Not
proven: the field with the refunded total in a payment, and refunds by the API.
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
    RefundResult,
    RefundState,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import reading
from storefront.payments.wire.http import GatewayAnswer

_STATES = {
    "pending": ReportedState.PENDING,
    "waiting_for_capture": ReportedState.PENDING,
    "succeeded": ReportedState.PAID,
    "canceled": ReportedState.DECLINED,
}
_EVENTS = ("payment.succeeded", "payment.waiting_for_capture", "payment.canceled", "refund.succeeded")


class YooKassa(Gateway):
    name = "yookassa"
    label = "YooKassa"
    description = _("Cards, SBP and wallets in Russia.")
    config_fields = (
        ConfigField(name="shop_id", label=_("Shop ID"), help_text=_("In YooKassa, under Settings.")),
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("In YooKassa, under Integration > API keys. For tests, that of a test shop."),
            is_secret=True,
        ),
    )
    api_url = "https://api.yookassa.ru"
    hosts = ("yoomoney.ru", "yookassa.ru")
    currencies = ("RUB",)
    webhook_networks = (
        *("77.75.153.0/25", "77.75.154.128/25", "77.75.156.11/32", "77.75.156.35/32", "185.71.76.0/27"),
        *("185.71.77.0/27", "2a02:5180:0:1509::/64", "2a02:5180:0:1533::/64", "2a02:5180:0:2655::/64"),
        "2a02:5180:0:2669::/64",
    )
    has_test_keys = True
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "amount": {"value": f"{payment.amount:.2f}", "currency": payment.currency},
            "capture": True,
            "confirmation": {"type": "redirect", "return_url": urls.done},
            "description": payment.description[:128],
            "metadata": {"reference": payment.reference},
        }
        answer = self._call("POST", "/v3/payments", body=body, key=payment.reference)
        url = reading.text(answer.json(), "confirmation", "confirmation_url")
        number = reading.text(answer.json(), "id")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Ask about the payment that the notification names. The notification itself is no proof of anything."""
        data = webhook.json()
        event = reading.text(data, "event")
        if event not in _EVENTS:
            return None
        number = reading.text(data, "object", "payment_id" if event.startswith("refund.") else "id")
        if not re.fullmatch(r"[0-9a-fA-F-]{8,64}", number):
            raise WebhookRejected("the notification names no payment")
        return self._ask(number)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not payment.upstream_id:
            return None
        report = self._ask(payment.upstream_id)
        if report is not None and report.reference != payment.reference:
            raise GatewayUnreachable("yookassa answered with another payment")
        return report

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        body = {"payment_id": payment.upstream_id, "amount": {"value": f"{amount:.2f}", "currency": payment.currency}}
        answer = self._call("POST", "/v3/refunds", body=body, key=key)
        status, number = reading.text(answer.json(), "status"), reading.text(answer.json(), "id")
        if not answer.is_success or status not in ("succeeded", "pending"):
            raise self.refusal(answer, _reason(answer), is_definite=status == "canceled")
        return RefundResult(state=RefundState.DONE if status == "succeeded" else RefundState.PENDING, refund_id=number)

    def check(self) -> str:
        answer = self._call("GET", "/v3/me")
        if not answer.is_success or not reading.text(answer.json(), "account_id"):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _ask(self, number: str) -> GatewayReport | None:
        answer = self._call("GET", f"/v3/payments/{number}")
        data = answer.json()
        if answer.status == 404:
            return None
        state = _STATES.get(reading.text(data, "status"))
        if not answer.is_success or state is None or reading.text(data, "id") != number:
            raise self._refusal(answer)
        reference = reading.text(data, "metadata", "reference")
        if not reference:
            return None  # a payment of another program
        try:
            return self._report(data, state, reference)
        except InvalidAmount:
            raise GatewayUnreachable("yookassa answered without a valid amount") from None

    def _report(self, data: Mapping[str, Any], state: ReportedState, reference: str) -> GatewayReport:
        number, currency = reading.text(data, "id"), reading.currency(data, "amount", "currency")
        refunded = reading.optional_amount(data, "refunded_amount", "value")
        if state is ReportedState.PAID and refunded:
            return GatewayReport(
                state=ReportedState.REFUNDED,
                reference=reference,
                upstream_id=number,
                entry_id=f"{number}-refunds",
                amount=refunded,
                currency=currency,
            )
        amount = reading.amount(data, "amount", "value") if state is ReportedState.PAID else None
        net = reading.optional_amount(data, "income_amount", "value")
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=number,
            amount=amount,
            currency=currency,
            fee=amounts.parse(amount - net) if amount is not None and net is not None and net <= amount else None,
            fee_currency=currency,
            is_test=reading.is_true(data, "test") and not self.is_test,
            note=reading.text(data, "cancellation_details", "reason"),
        )

    def _call(self, method: str, path: str, *, body: Any = None, key: str = "") -> GatewayAnswer:
        pair = f"{self.config['shop_id']}:{self.config['secret_key']}"
        headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        if key:
            headers["Idempotence-Key"] = key[:64]
        return self.request(method, self.url(path), json=body, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, _reason(answer))


def _reason(answer: GatewayAnswer) -> str:
    return reading.text(answer.json(), "description") or reading.text(answer.json(), "cancellation_details", "reason")
