"""Pretend Heleket and Cryptomus: check the signature of requests, sign webhooks inside their body."""

from __future__ import annotations

import base64
import hashlib
import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

MERCHANT, KEY = "8b03432e-385b-4670-8d06-064591096795", "payment-key-1"
STATUSES = {"pending": "confirm_check", "paid": "paid", "declined": "cancel", "refunded": "refund_paid"}


def php_json(data: dict[str, Any]) -> bytes:
    """Return what PHP's ``json_encode($data, JSON_UNESCAPED_UNICODE)`` writes."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/").encode("utf-8", "replace")


def sign(body: bytes, key: str) -> str:
    return hashlib.md5(base64.b64encode(body) + key.encode()).hexdigest()


class PretendHeleket(PretendGateway):
    name = "heleket"
    config = {"merchant_id": MERCHANT, "api_key": KEY}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("merchant") != MERCHANT or request.header("sign") != sign(request.body, KEY):
            return 401, {"state": 1, "message": "Invalid Sign"}
        sent = request.json()
        match request.path:
            case "/v1/payment":
                return self._create(sent)
            case "/v1/payment/info":
                opened = next((one for one in self.opened.values() if one.reference == sent["order_id"]), None)
                if opened is None:
                    return 404, {"state": 1, "message": "Not found"}
                status = opened.facts.get("status", "check")
                return 200, {"state": 0, "result": self._result(opened) | {"payment_status": status}}
            case "/v1/payment/services":
                return 200, {"state": 0, "result": [{"network": "tron", "currency": "USDT", "is_available": True}]}
        return 404, {"state": 1, "message": "Not found"}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # webhooks do not name the merchant
        is_test: bool = False,  # there is no test flag
        secret: str | None = None,
    ) -> Webhook:
        opened = self._open(payment.reference, payment.amount, payment.currency)
        status = STATUSES[state]
        received = payment.amount if amount is None else amount
        if state == "paid" and received != payment.amount:
            status = "paid_over" if received > payment.amount else "wrong_amount"
        opened.facts |= {
            "status": status,
            "currency": currency or payment.currency,
            "payment_amount": f"{received:.8f}",
            "payer_amount": f"{payment.amount:.8f}",
            "payment_amount_usd": f"{received:.2f}",
            "is_final": state != "pending",
            "txid": f"6f0d9c8374db57{entry}",
        }
        return self.signed({"type": "payment"} | self._result(opened), secret=secret)

    def signed(self, data: dict[str, Any], *, secret: str | None = None) -> Webhook:
        signature = sign(php_json(data), KEY if secret is None else secret)
        return Webhook(
            method="POST",
            body=php_json(data | {"sign": signature}),
            headers={"Content-Type": "application/json"},
            query={},
            form={},
        )

    def _create(self, sent: dict[str, Any]) -> tuple[int, Any]:
        errors = {}
        if not isinstance(sent.get("amount"), str) or Decimal(sent["amount"]) < 1:
            errors["amount"] = ["The amount is too small."]
        if not 300 <= sent.get("lifetime", 3600) <= 43_200:
            errors["lifetime"] = ["The lifetime is invalid."]
        if errors:
            return 422, {"state": 1, "errors": errors}
        opened = self._open(sent["order_id"], Decimal(sent["amount"]), sent["currency"])
        opened.webhook_url, opened.done_url = sent["url_callback"], sent["url_success"]
        return 200, {"state": 0, "result": self._result(opened) | {"payment_status": "check"}}

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        """Return the invoice of ``reference``; there is only ever one."""
        number = f"62f88b36-a9d5-4fa6-aa26-{reference.replace('-', '').lower()}"
        opened = Opened(id=number, reference=reference, amount=amount, currency=currency)
        return self.opened.setdefault(number, opened)

    def _result(self, opened: Opened) -> dict[str, Any]:
        facts = opened.facts
        return {
            "uuid": opened.id,
            "order_id": opened.reference,
            "amount": f"{opened.amount:.8f}",
            "payment_amount": facts.get("payment_amount"),
            "payment_amount_usd": facts.get("payment_amount_usd"),
            "payer_amount": facts.get("payer_amount"),
            "merchant_amount": facts.get("payment_amount"),
            "commission": "0.15000000",
            "is_final": facts.get("is_final", False),
            "status": facts.get("status", "check"),
            "from": "THgEWubVc8tPKXLJ4VZ5zbiiAK7AgqSeGH",
            "wallet_address_uuid": None,
            "network": "tron",
            "currency": facts.get("currency", opened.currency),
            "payer_currency": "USDT",
            "additional_data": None,
            "txid": facts.get("txid"),
            "url": self.page_url(opened),
            "expired_at": 1_764_400_000,
        }


class PretendCryptomus(PretendHeleket):
    name = "cryptomus"
