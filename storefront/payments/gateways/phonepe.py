"""PhonePe in India: UPI, cards and wallets on PhonePe's checkout page.

Wire facts: the pages "Standard Checkout", "Authorization", "Order Status", "Refund" and "Webhook Handling" of
developer.phonepe.com, and the vendor's library phonepe-pg-sdk-python 3.0.1, whose check of webhooks agrees with ours.
That check is of a constant, so the shop asks for each order and refund. Not proven: the newer webhooks that are signed
with a secret key (they are refused), and the hosts of payment pages.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
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
    RefundResult,
    RefundState,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import memory, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_LOGIN = "https://api.phonepe.com/apis/identity-manager"
_STATES = {
    "PENDING": ReportedState.PENDING,
    "COMPLETED": ReportedState.PAID,
    "FAILED": ReportedState.DECLINED,
}
_REFUND_STATES = {"PENDING": RefundState.PENDING, "CONFIRMED": RefundState.PENDING, "COMPLETED": RefundState.DONE}
_ORDER_EVENTS = ("checkout.order.completed", "checkout.order.failed")
#: Seconds before its end at which an access token is replaced.
_MARGIN = 60


class PhonePe(Gateway):
    name = "phonepe"
    label = "PhonePe"
    description = _("UPI, cards and wallets in India.")
    config_fields = (
        ConfigField(
            name="client_id", label=_("Client ID"), help_text=_("In PhonePe Business, under Developer settings.")
        ),
        ConfigField(
            name="client_secret",
            label=_("Client secret"),
            help_text=_("In PhonePe Business, under Developer settings."),
            is_secret=True,
        ),
        ConfigField(
            name="client_version",
            label=_("Client version"),
            help_text=_("Shown with the client ID. For tests, it is 1."),
        ),
        ConfigField(
            name="webhook_username",
            label=_("Webhook username"),
            help_text=_("Choose it when you add the webhook URL, under Developer settings > Webhook."),
        ),
        ConfigField(
            name="webhook_password",
            label=_("Webhook password"),
            help_text=_("Choose it when you add the webhook URL, under Developer settings > Webhook."),
            is_secret=True,
        ),
    )
    api_url = "https://api.phonepe.com/apis/pg"
    test_api_url = "https://api-preprod.phonepe.com/apis/pg-sandbox"
    hosts = (".phonepe.com",)
    currencies = ("INR",)
    can_query = True
    can_refund = True
    can_check = True
    #: The longest time that PhonePe keeps an order open.
    expires_after: ClassVar[timedelta] = timedelta(hours=1)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        body = {
            "merchantOrderId": payment.reference,
            "amount": reading.to_minor(payment.amount, payment.currency),
            "expireAfter": int(self.expires_after.total_seconds()),
            "paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": urls.done}},
        }
        answer = self._call("POST", "/checkout/v2/pay", body=body)
        url, number = reading.text(answer.json(), "redirectUrl"), reading.text(answer.json(), "orderId")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Ask about the order or refund that the webhook names, because its proof does not cover the content."""
        pair = f"{self.config['webhook_username']}:{self.config['webhook_password']}"
        if not self.config["webhook_username"] or not self.config["webhook_password"]:
            raise WebhookRejected("the username and password of the webhook are not set")
        if not signatures.is_equal(signatures.hash_hex(pair, "sha256"), webhook.header("Authorization")):
            raise WebhookRejected("the username or password is wrong")
        data = webhook.json()
        event, payload = reading.text(data, "event"), data.get("payload")
        if event in _ORDER_EVENTS:
            return self._ask_order(_name(payload, "merchantOrderId"))
        if event == "pg.refund.completed":
            return self._ask_refund(_name(payload, "merchantRefundId"))
        return None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        return self._ask_order(payment.reference)

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        body = {
            "merchantRefundId": key,
            "originalMerchantOrderId": payment.reference,
            "amount": reading.to_minor(amount, payment.currency),
        }
        answer = self._call("POST", "/payments/v2/refund", body=body)
        state = reading.text(answer.json(), "state")
        if not answer.is_success or state not in _REFUND_STATES:
            raise self.refusal(answer, _reason(answer), is_definite=state == "FAILED")
        return RefundResult(state=_REFUND_STATES[state], refund_id=key)

    def check(self) -> str:
        self._token(is_fresh=True)
        return gettext("The keys work.")

    def _ask_order(self, reference: str) -> GatewayReport | None:
        answer = self._call("GET", f"/checkout/v2/order/{reference}/status")
        if _is_unknown(answer):
            return None
        data = answer.json()
        state, number = _STATES.get(reading.text(data, "state")), reading.text(data, "orderId")
        if not answer.is_success or state is None or not number:
            raise self._refusal(answer)
        if reading.text(data, "merchantOrderId") not in ("", reference):
            raise GatewayUnreachable("phonepe answered with another order")
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=number,
            amount=_rupees(data) if state is ReportedState.PAID else None,
            currency="INR",  # PhonePe knows no other
            note=reading.text(data, "errorCode"),
        )

    def _ask_refund(self, refund_id: str) -> GatewayReport | None:
        answer = self._call("GET", f"/payments/v2/refund/{refund_id}/status")
        if _is_unknown(answer):
            return None
        data, reference = answer.json(), reading.text(answer.json(), "originalMerchantOrderId")
        state = reading.text(data, "state")
        if not answer.is_success or not state or not reference:
            raise self._refusal(answer)
        if state != "COMPLETED":
            return None
        return GatewayReport(
            state=ReportedState.REFUNDED,
            reference=reference,
            entry_id=refund_id,
            amount=_rupees(data),
            currency="INR",
        )

    def _call(self, method: str, path: str, *, body: Any = None) -> GatewayAnswer:
        answer = self._send(method, path, body, self._token())
        # A token can end before its time, for example after the keys were renewed.
        return self._send(method, path, body, self._token(is_fresh=True)) if answer.status == 401 else answer

    def _send(self, method: str, path: str, body: Any, token: str) -> GatewayAnswer:
        return self.request(method, self.url(path), json=body, headers={"Authorization": f"O-Bearer {token}"})

    def _token(self, *, is_fresh: bool = False) -> str:
        """Return an access token, from memory if there is one."""
        keys = f"{self.config['client_id']}:{self.config['client_secret']}"
        place = ("phonepe", self.url(""), signatures.hash_hex(keys, "sha256"))
        if not is_fresh and (known := memory.get(*place)):
            return str(known)
        form: Mapping[str, str] = {
            "client_id": self.config["client_id"],
            "client_secret": self.config["client_secret"],
            "client_version": self.config["client_version"],
            "grant_type": "client_credentials",
        }
        base = "" if self.is_test else _LOGIN
        answer = self.request("POST", self.url("/v1/oauth/token", base=base), form=form)
        token = reading.text(answer.json(), "access_token")
        if not answer.is_success or not token:
            raise self._refusal(answer)
        ends = reading.optional_amount(answer.json(), "expires_at") or Decimal(0)
        seconds = min(float(ends) - time.time() - _MARGIN, 3600.0)
        if seconds > 0:
            memory.keep(token, *place, seconds=seconds)
        return token

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, _reason(answer))


def _name(payload: Any, field: str) -> str:
    """Return the name of an order or refund in a webhook, for use in a path."""
    name = reading.text(payload, field)
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,63}", name):
        raise WebhookRejected("the webhook names no order")
    return name


def _rupees(data: Any) -> Decimal:
    try:
        return reading.from_minor(data, "amount", code="INR")
    except InvalidAmount:
        raise GatewayUnreachable("phonepe answered without a valid amount") from None


def _is_unknown(answer: GatewayAnswer) -> bool:
    return answer.status in (400, 404) and "NOT_FOUND" in reading.text(answer.json(), "code")


def _reason(answer: GatewayAnswer) -> str:
    return f"{reading.text(answer.json(), 'code')} {reading.text(answer.json(), 'message')}".strip()
