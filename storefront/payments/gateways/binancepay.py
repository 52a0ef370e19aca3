"""Binance Pay: coins from the customer's Binance account.

Wire facts: Binance's merchant documentation ("Create Order V3", "Query Order", "Refund Order", "Query Refund", "Order
Notification", "Refund Order Notification", "Webhook query certificate"), and binance-pay-connector-python, whose
signatures of requests agree with ours. Binance Pay takes coins, and a shop has currencies, so US dollars are charged in
a coin of the same value, one for one. Not proven: the vendor publishes no code that checks webhooks, so their layout is
from the documentation and public code, and the arithmetic was compared with openssl; the hosts of pay pages.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import string
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
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
    WebhookAnswer,
    WebhookRejected,
)
from storefront.payments.wire import exact_json, memory, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

#: Seconds to keep Binance's public keys, and to wait before asking again for a serial number that is not among them.
_DAY, _PAUSE = 86_400, 60
_NOT_FOUND = "400202"

_ORDER_STATES = {
    "INITIAL": ReportedState.PENDING,
    "PENDING": ReportedState.PENDING,
    "PAID": ReportedState.PAID,
    "CANCELED": ReportedState.DECLINED,
    "ERROR": ReportedState.DECLINED,
    "EXPIRED": ReportedState.DECLINED,
}


class BinancePay(Gateway):
    name = "binancepay"
    label = "Binance Pay"
    description = _("USDT or USDC from the customer's Binance account.")
    icon = "wallet"
    is_beta = True
    config_fields = (
        ConfigField(
            name="api_key",
            label=_("API key"),
            help_text=_("The API identity key, under Developers in Binance's merchant portal."),
            is_secret=True,
        ),
        ConfigField(
            name="secret_key", label=_("Secret key"), help_text=_("Shown once with the API key."), is_secret=True
        ),
        ConfigField(
            name="coin",
            label=_("Coin"),
            help_text=_("Customers pay one coin for each US dollar."),
            choices=(("USDT", "USDT"), ("USDC", "USDC")),
        ),
    )
    api_url = "https://bpay.binanceapi.com"
    hosts = (".binance.com",)
    currencies = ("USD",)
    is_webhook_registered = False
    can_query = True
    can_refund = True
    can_check = True
    #: When Binance ends an order.
    expires_after: ClassVar[timedelta] = timedelta(hours=1)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        goods = {
            "goodsType": "02",  # virtual
            "goodsCategory": "Z000",  # other
            "referenceGoodsId": payment.compact_reference,
            "goodsName": payment.reference,
        }
        answer = self._call(
            "v3/order",
            {
                "env": {"terminalType": "WEB"},
                "merchantTradeNo": payment.compact_reference,  # a repeated one is refused
                "orderAmount": payment.amount,
                "currency": self.config["coin"],
                "description": payment.reference,  # punctuation other than dashes is refused
                "goodsDetails": [goods],
                "returnUrl": urls.done,
                "cancelUrl": urls.canceled,
                "webhookUrl": urls.webhook,
            },
        )
        order = reading.value(answer.json(), "data")
        url, number = reading.text(order, "checkoutUrl"), reading.text(order, "prepayId")
        if not self._is_success(answer) or not url or not number:
            raise self._refusal(answer)
        expires = reading.optional_amount(order, "expireTime")
        return Next(
            action=Redirect(url=url),
            upstream_id=number,
            expires_at=datetime.fromtimestamp(int(expires / 1000), UTC) if expires and expires < 10**14 else None,
        )

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        self._check_signature(webhook)
        event = webhook.json()
        kind, status = reading.text(event, "bizType"), reading.text(event, "bizStatus")
        number, facts = reading.text(event, "bizIdStr") or reading.text(event, "bizId"), _nested(event.get("data"))
        reference = reading.text(facts, "merchantTradeNo")
        if kind not in ("PAY", "PAY_REFUND") or not reference:
            return None
        if (kind, status) == ("PAY", "PAY_SUCCESS"):
            return GatewayReport(
                state=ReportedState.PAID,
                reference=reference,
                upstream_id=number,
                amount=reading.amount(facts, "totalFee"),
                currency=self._currency(facts),
                fee=reading.optional_amount(facts, "commission"),
                fee_currency=reading.currency(facts, "currency"),
                note=reading.text(facts, "transactionId"),
            )
        if (kind, status) == ("PAY", "PAY_CLOSED"):
            return GatewayReport(state=ReportedState.DECLINED, reference=reference, upstream_id=number, note=status)
        refund = _nested(reading.value(facts, "refundInfo"))
        refund_id = reading.text(refund, "refundRequestId")
        if status != "REFUND_SUCCESS" or not refund_id:
            return None
        return GatewayReport(
            state=ReportedState.REFUNDED,
            reference=reference,
            upstream_id=number,
            entry_id=refund_id,
            amount=reading.amount(refund, "refundAmount"),
            currency=self._currency(facts),
            note=status,
        )

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        return WebhookAnswer(body='{"returnCode":"SUCCESS","returnMessage":null}')

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        answer = self._call("v2/order/query", {"merchantTradeNo": payment.compact_reference})
        if reading.text(answer.json(), "code") == _NOT_FOUND:
            return None
        order = reading.value(answer.json(), "data")
        if not self._is_success(answer) or reading.text(order, "merchantTradeNo") != payment.compact_reference:
            raise self._refusal(answer)
        status = reading.text(order, "status")
        state = _ORDER_STATES.get(status)
        if state is None:
            return None  # refunded, which a webhook reports
        is_paid = state is ReportedState.PAID
        try:
            return GatewayReport(
                state=state,
                reference=payment.reference,
                upstream_id=reading.text(order, "prepayId"),
                amount=reading.amount(order, "orderAmount") if is_paid else None,
                currency=self._currency(order),
                fee=reading.optional_amount(order, "commission") if is_paid else None,
                fee_currency=reading.currency(order, "currency"),
                note=reading.text(order, "transactionId") if is_paid else status,
            )
        except InvalidAmount:
            raise GatewayUnreachable("binancepay answered without a valid amount") from None

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        refund_id = key if len(key) <= 64 else signatures.hash_hex(key, "sha256")
        content = {"refundRequestId": refund_id, "prepayId": payment.upstream_id, "refundAmount": amount}
        answer = self._call("order/refund", content)
        if not self._is_success(answer) or reading.text(answer.json(), "data", "refundRequestId") != refund_id:
            raise self._refusal(answer)
        try:
            found = self._call("order/refund/query", {"refundRequestId": refund_id}).json()
        except GatewayUnreachable:
            found = {}
        status = reading.text(found, "data", "refundStatus")
        if status == "REFUND_FAIL":
            raise GatewayRejected(f"the refund {refund_id} failed")
        return RefundResult(
            state=RefundState.DONE if status == "REFUND_SUCCESS" else RefundState.PENDING, refund_id=refund_id
        )

    def check(self) -> str:
        self._ask_for_keys()
        return gettext("The keys work.")

    def _currency(self, facts: Any) -> str:
        """Return US dollars for the coin of this payment method, and another coin as it is."""
        coin = reading.currency(facts, "currency")
        return "USD" if coin == self.config["coin"] else coin

    # --- the signature of webhooks -----------------------------------------------------------------------------------

    def _check_signature(self, webhook: Webhook) -> None:
        signature = webhook.header("BinancePay-Signature")
        sent_at, nonce = webhook.header("BinancePay-Timestamp"), webhook.header("BinancePay-Nonce")
        if not signature or not sent_at or not nonce:
            raise WebhookRejected("the signature is missing")
        # A line break in a header would move the boundary between time, nonce and body.
        if not sent_at.isalnum() or not nonce.isalnum():
            raise WebhookRejected("the signature is malformed")
        key = self._public_key(webhook.header("BinancePay-Certificate-SN"))
        message = b"\n".join((sent_at.encode(), nonce.encode(), webhook.body)) + b"\n"
        if not signatures.is_rsa_sha256(key, message, signature):
            raise WebhookRejected("the signature is wrong")

    def _public_key(self, serial: str) -> Any:
        if not self.config["api_key"] or not self.config["secret_key"]:
            raise WebhookRejected("the keys are not set")
        place = ("binancepay", self.url(""), signatures.hash_hex(self.config["api_key"], "sha256"))
        keys = memory.get(*place)
        if keys is None or (serial not in keys and memory.get("pause", *place) is None):
            keys = self._ask_for_keys()
            memory.keep(keys, *place, seconds=_DAY)
            memory.keep(True, "pause", *place, seconds=_PAUSE)
        if serial not in keys:
            raise WebhookRejected("the webhook is signed with an unknown key")
        return keys[serial]

    def _ask_for_keys(self) -> dict[str, Any]:
        """Return Binance's public keys by serial number.

        Raises:
            GatewayUnreachable, GatewayRejected.
        """
        answer = self._call("certificates", {})
        certificates = reading.value(answer.json(), "data")
        if not self._is_success(answer) or not isinstance(certificates, list):
            raise self._refusal(answer)
        found = {reading.text(one, "certSerial"): _load_key(reading.value(one, "certPublic")) for one in certificates}
        return {serial: key for serial, key in found.items() if serial and key is not None}

    # --- requests ----------------------------------------------------------------------------------------------------

    def _call(self, path: str, content: Mapping[str, Any]) -> GatewayAnswer:
        body = exact_json.dumps(content)
        sent_at = str(int(time.time() * 1000))
        nonce = "".join(secrets.choice(string.ascii_letters) for _place in range(32))
        headers = {
            "BinancePay-Timestamp": sent_at,
            "BinancePay-Nonce": nonce,
            "BinancePay-Certificate-SN": self.config["api_key"],
            "BinancePay-Signature": self._sign(sent_at, nonce, body),
        }
        return self.request("POST", self.url(f"binancepay/openapi/{path}"), content=body.encode(), headers=headers)

    def _sign(self, sent_at: str, nonce: str, body: str) -> str:
        if not self.config["secret_key"]:
            raise GatewayRejected("the secret key is not set")
        return signatures.hmac_hex(self.config["secret_key"], f"{sent_at}\n{nonce}\n{body}\n", "sha512").upper()

    def _is_success(self, answer: GatewayAnswer) -> bool:
        return answer.is_success and reading.text(answer.json(), "status") == "SUCCESS"

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        code = reading.text(answer.json(), "code")
        message = reading.text(answer.json(), "errorMessage")
        # Codes from 400000 mean a fault of the request; those from 500000 one of Binance, whose result is not known.
        return self.refusal(answer, f"{code} {message}".strip(), is_definite=code.startswith("400"))


def _nested(found: Any) -> Any:
    """Return an object that is sent as JSON inside of a text."""
    if not isinstance(found, str) or isinstance(found, exact_json.Number):
        return found
    try:
        return exact_json.loads(found)
    except ValueError:
        raise WebhookRejected("the data of the webhook are not JSON") from None


def _load_key(found: Any) -> Any:
    """Return a public key in PEM or in bare base64, or None."""
    try:
        text = str(found).strip().encode()
        return load_pem_public_key(text) if b"BEGIN" in text else load_der_public_key(base64.b64decode(text))
    except (ValueError, binascii.Error):
        return None
