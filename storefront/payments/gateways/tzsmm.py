"""TZSMM Pay: bKash, Nagad and other mobile wallets in Bangladesh. Its callbacks are not signed, so each is verified.

Wire facts: six of the vendor's own modules and a README, which differ from one another. Not proven: the layout of the
answer to "verify", a field for our reference, repeated callbacks, and a test mode.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

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
    WebhookRejected,
)
from storefront.payments.wire import reading

_STATES = {
    "completed": ReportedState.PAID,
    "pending": ReportedState.PENDING,
    "failed": ReportedState.DECLINED,
    "canceled": ReportedState.DECLINED,
    "cancelled": ReportedState.DECLINED,
    "rejected": ReportedState.DECLINED,
}


class TZSMMPay(Gateway):
    name = "tzsmm"
    label = "TZSMM Pay"
    description = _("bKash, Nagad and other mobile wallets in Bangladesh.")
    is_beta = True
    config_fields = (
        ConfigField(
            name="api_key", label=_("API key"), help_text=_("In TZSMM Pay, under Brand > API key."), is_secret=True
        ),
    )
    customer_fields = (CustomerField.NAME, CustomerField.PHONE)
    api_url = "https://tzsmmpay.com"
    hosts = ("tzsmmpay.com", "www.tzsmmpay.com")
    currencies = ("BDT", "USD")
    webhook_methods = ("GET", "POST")
    is_webhook_registered = False
    can_query = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "api_key": self.config["api_key"],
            "cus_name": customer.name[:100],
            "cus_email": customer.email,
            "cus_number": customer.phone,
            "amount": format(payment.amount, "f"),
            "currency": payment.currency,
            "success_url": urls.done,
            "cancel_url": urls.canceled,
            # There is no field for our reference, so it comes back in the address.
            "callback_url": f"{urls.webhook}?{urlencode({'payment': payment.reference})}",
        }
        answer = self.request("POST", self.url("/api/payment/create"), json=body)
        data = answer.json()
        url, number = reading.text(data, "payment_url"), reading.text(data, "trx_id")
        if not answer.is_success or not url or not _is_number(number):
            is_refused = reading.value(data, "success") is False
            raise self.refusal(answer, reading.text(data, "messages"), is_definite=is_refused)
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Verify the transaction that the callback names. The callback itself is no proof of anything."""
        fields: Any = webhook.form or webhook.query
        if webhook.body[:1] == b"{":
            fields = webhook.json()
        number = reading.text(fields, "trx_id") or webhook.query.get("trx_id", "")
        if not _is_number(number):
            raise WebhookRejected("the callback names no transaction")
        # The payment is found by the transaction that it was opened with, whatever reference the callback claims.
        return self._verify(number)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        return self._verify(payment.upstream_id) if payment.upstream_id else None

    def _verify(self, number: str) -> GatewayReport | None:
        body = {"api_key": self.config["api_key"], "trx_id": number}
        answer = self.request("POST", self.url("/api/payment/verify"), json=body)
        data = answer.json()
        if not answer.is_success or not data:
            raise self.refusal(answer, reading.text(data, "messages"))
        # The modules read the status at the top, the README inside "data".
        facts = data if isinstance(reading.value(data, "status"), str) else reading.value(data, "data")
        state = _STATES.get(reading.text(facts, "status").strip().lower())
        if state is None:
            return None
        stated = reading.text(facts, "trx_id")
        if stated and stated != number:
            raise GatewayUnreachable("tzsmm answered with another transaction")
        try:
            amount = reading.amount(facts, "amount") if state is ReportedState.PAID else None
        except InvalidAmount:
            raise GatewayUnreachable("tzsmm answered without a valid amount") from None
        return GatewayReport(
            state=state,
            upstream_id=number,
            amount=amount,
            currency=reading.currency(facts, "currency"),
        )


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9_-]{4,100}", text))
