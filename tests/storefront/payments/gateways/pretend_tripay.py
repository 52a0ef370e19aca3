"""Pretend Tripay: transactions with a signature, callbacks signed with the private key."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

MERCHANT, API_KEY, PRIVATE_KEY = "T0001", "tp-api-key-1", "tp-private"
STATUSES = {"pending": "UNPAID", "paid": "PAID", "declined": "EXPIRED", "refunded": "REFUND"}


def sign(text: str | bytes, key: str = PRIVATE_KEY) -> str:
    message = text if isinstance(text, bytes) else text.encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


class PretendTripay(PretendGateway):
    name = "tripay"
    config = {"merchant_code": MERCHANT, "api_key": API_KEY, "private_key": PRIVATE_KEY}
    currency = "IDR"
    states = frozenset(STATUSES)

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Authorization") != f"Bearer {API_KEY}":
            return 401, {"success": False, "message": "Invalid API Key"}
        match request.path:
            case "/merchant/payment-channel":
                return 200, {"success": True, "data": [{"code": "QRIS"}]}
            case "/transaction/detail":
                opened = self.opened.get(request.query["reference"])
                if opened is None:
                    return 400, {"success": False, "message": "Transaction not found"}
                detail = self._callback(opened)
                return 200, {"success": True, "data": detail | {"amount": detail["total_amount"]}}
            case "/transaction/create":
                return self._create(request.json())
        return 404, {}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,  # always rupiah
        entry: str = "1",
        receiver: str | None = None,  # the key is the receiver
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        opened = matching[0] if matching and entry == "1" else self._open(payment.reference, payment.amount)
        opened.state, opened.facts["amount"] = state, payment.amount if amount is None else amount
        return self.signed(self._callback(opened), secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        body = json.dumps(content).encode()
        signature = sign(body, PRIVATE_KEY if secret is None else secret)
        headers = {
            "Content-Type": "application/json",
            "X-Callback-Signature": signature,
            "X-Callback-Event": "payment_status",
        }
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def _create(self, sent: dict[str, Any]) -> tuple[int, Any]:
        if sent["signature"] != sign(f"{MERCHANT}{sent['merchant_ref']}{sent['amount']}"):
            return 400, {"success": False, "message": "Invalid signature"}
        if type(sent["amount"]) is not int or sent["amount"] < 100:
            return 400, {"success": False, "message": "The amount is too small"}
        if not (sent["customer_name"] and sent["customer_phone"]):
            return 400, {"success": False, "message": "The customer is incomplete"}
        opened = self._open(sent["merchant_ref"], Decimal(sent["amount"]))
        opened.webhook_url, opened.done_url = sent["callback_url"], sent["return_url"]
        data = self._callback(opened) | {"checkout_url": self.page_url(opened), "expired_time": sent["expired_time"]}
        return 200, {"success": True, "data": data}

    def _open(self, reference: str, amount: Decimal) -> Opened:
        number = f"T0001{len(self.opened) + 6:015}"
        self.opened[number] = Opened(id=number, reference=reference, amount=amount, currency="IDR")
        return self.opened[number]

    def _callback(self, opened: Opened) -> dict[str, Any]:
        amount = opened.facts.get("amount", opened.amount)
        return {
            "reference": opened.id,
            "merchant_ref": opened.reference,
            "payment_method": "QRIS",
            "total_amount": int(amount) + 750,
            "fee_merchant": 0,
            "fee_customer": 750,
            "amount_received": int(amount),
            "is_closed_payment": 1,
            "status": STATUSES[opened.state],
        }
