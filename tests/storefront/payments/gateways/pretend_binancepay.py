"""Pretend Binance Pay: signed requests, orders, refunds, and webhooks signed with an RSA key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

API_KEY, SECRET_KEY, SERIAL = "bp-key-1", "bp-secret-1", "0" * 63 + "1"
COIN = "USDT"
SENT_AT, NONCE = "1764322000000", "abcdefghijklmnopqrstuvwxyzABCDEF"


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key() -> str:
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key().public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


class PretendBinancePay(PretendGateway):
    name = "binancepay"
    config = {"api_key": API_KEY, "secret_key": SECRET_KEY}

    def __init__(self) -> None:
        super().__init__()
        self.certificates = [{"certSerial": SERIAL, "certPublic": public_key()}]
        self.refunds: dict[str, dict[str, Any]] = {}
        self.refund_status = "REFUND_SUCCESS"

    def answer(self, request: Received) -> tuple[int, Any]:
        text = f"{request.header('BinancePay-Timestamp')}\n{request.header('BinancePay-Nonce')}\n".encode()
        expected = hmac.new(SECRET_KEY.encode(), text + request.body + b"\n", hashlib.sha512).hexdigest().upper()
        if request.header("BinancePay-Certificate-SN") != API_KEY:
            return 400, fail("400003", "Api-key format invalid.")
        if request.header("BinancePay-Signature") != expected or len(request.header("BinancePay-Nonce")) != 32:
            return 400, fail("400002", "Signature for this request is not valid.")
        sent = request.json()
        match request.path.removeprefix("/binancepay/openapi/"):
            case "certificates":
                return 200, success(self.certificates)
            case "v3/order":
                return self._create(sent)
            case "v2/order/query":
                opened = next((one for one in self.opened.values() if one.reference == sent["merchantTradeNo"]), None)
                return (200, success(self._order(opened))) if opened else (200, fail("400202", "Order not found"))
            case "order/refund":
                if sent["prepayId"] not in self.opened or len(sent["refundRequestId"]) > 64:
                    return 200, fail("400202", "Order not found")
                self.refunds[sent["refundRequestId"]] = sent
                return 200, success({"refundRequestId": sent["refundRequestId"], "refundAmount": "1"})
            case "order/refund/query":
                return 200, success({"refundStatus": self.refund_status})
        return 404, fail("400001", "Invalid path")

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the webhook does not name the merchant
        is_test: bool = False,  # there is no test environment
        secret: str | None = None,  # signed with another private key
    ) -> Webhook:
        opened = self.find(payment, entry)
        value = payment.amount if amount is None else amount
        opened.state = {"paid": "PAID", "declined": "EXPIRED", "pending": "PENDING", "refunded": "REFUNDED"}[state]
        coin = COIN if currency in (None, "USD") else currency
        opened.facts |= {"amount": format(value, "f"), "currency": coin}
        facts = {
            "merchantTradeNo": opened.reference,
            "totalFee": float(value),
            "currency": opened.facts["currency"],
            "commission": 0.01,
            "transactionId": f"M_R_{entry}",
        }
        kind, status = "PAY", {"paid": "PAY_SUCCESS", "declined": "PAY_CLOSED"}.get(state, "PAY_PENDING")
        if state == "refunded":
            kind, status = "PAY_REFUND", "REFUND_SUCCESS"
            facts["totalFee"] = float(payment.amount)
            facts["refundInfo"] = {"refundRequestId": f"refund-{entry}", "refundAmount": format(value, "f")}
        return self.signed(content(kind, status, opened.id, facts), secret=secret)

    def signed(self, data: Any, *, secret: str | None = None, serial: str = SERIAL) -> Webhook:
        body = json.dumps(data).encode()
        message = f"{SENT_AT}\n{NONCE}\n".encode() + body + b"\n"
        key = private_key() if secret is None else private_key(1)
        signature = base64.b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
        headers = {
            "Content-Type": "application/json",
            "BinancePay-Timestamp": SENT_AT,
            "BinancePay-Nonce": NONCE,
            "BinancePay-Certificate-SN": serial,
            "BinancePay-Signature": signature,
        }
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def find(self, payment: PaymentDetails, entry: str = "1") -> Opened:
        reference = payment.compact_reference
        matching = [one for one in self.opened.values() if one.reference == reference]
        return matching[0] if matching and entry == "1" else self._open(reference, payment.amount, payment.currency)

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = str(29_383_937_493_038_367_292 + len(self.opened))
        opened = Opened(id=number, reference=reference, amount=amount, currency=currency, state="INITIAL")
        opened.facts = {"amount": format(amount, "f"), "currency": COIN if currency == "USD" else currency}
        self.opened[number] = opened
        return opened

    def _create(self, sent: dict[str, Any]) -> tuple[int, Any]:
        reference = sent["merchantTradeNo"]
        if not reference.isalnum() or len(reference) > 32 or sent["env"]["terminalType"] != "WEB":
            return 400, fail("400001", "merchantTradeNo is invalid")
        if any(one.reference == reference for one in self.opened.values()):
            return 400, fail("400201", "merchantTradeNo is invalid or duplicated")
        if Decimal(str(sent["orderAmount"])) < 1:
            return 400, fail("400001", "The orderAmount is too small")
        opened = self._open(reference, Decimal(str(sent["orderAmount"])), sent["currency"])
        opened.webhook_url, opened.done_url = sent["webhookUrl"], sent["returnUrl"]
        page = self.page_url(opened)
        return 200, success({"prepayId": opened.id, "checkoutUrl": page, "expireTime": 1_764_400_000_000})

    def _order(self, opened: Opened) -> dict[str, Any]:
        return {
            "merchantId": 98729382672,
            "prepayId": opened.id,
            "transactionId": "M_R_1" if opened.state == "PAID" else None,
            "merchantTradeNo": opened.reference,
            "status": opened.state,
            "currency": opened.facts["currency"],
            "orderAmount": opened.facts["amount"],
            "commission": "0.01",
        }


def content(kind: str, status: str, number: str, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "bizType": kind,
        "bizId": int(number),
        "bizIdStr": number,
        "bizStatus": status,
        "data": json.dumps(facts),
    }


def success(data: Any) -> dict[str, Any]:
    return {"status": "SUCCESS", "code": "000000", "data": data, "errorMessage": ""}


def fail(code: str, message: str) -> dict[str, Any]:
    return {"status": "FAIL", "code": code, "errorMessage": message}
