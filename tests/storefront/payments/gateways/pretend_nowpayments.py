"""Pretend NOWPayments: invoices by API key, notifications signed over sorted JSON."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

API_KEY, IPN_SECRET = "api-key-1", "ipn-secret-1"
STATUSES = {"pending": "confirming", "paid": "finished", "declined": "expired", "refunded": "refunded"}


def sign(content: Any, secret: str) -> str:
    """Sign as the vendor's node library does, for content whose numbers need no care."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(secret.encode() or b"\0", text.encode("utf-8", "surrogatepass"), hashlib.sha512).hexdigest()


class PretendNowPayments(PretendGateway):
    name = "nowpayments"
    config = {"api_key": API_KEY, "ipn_secret": IPN_SECRET}

    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[str, dict[str, Any]] = {}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("x-api-key") != API_KEY:
            return 403, {"statusCode": 403, "code": "INVALID_API_KEY", "message": "Invalid api key"}
        if request.path == "/v1/currencies":
            return 200, {"currencies": ["btc", "usdttrc20"]}
        if request.path == "/v1/invoice" and request.method == "POST":
            sent = request.json()
            if not isinstance(sent["price_amount"], (int, float)) or sent["price_amount"] < 1:
                return 400, {"statusCode": 400, "message": "price_amount is too small"}
            opened = self._open(sent["order_id"], Decimal(str(sent["price_amount"])), sent["price_currency"].upper())
            opened.webhook_url, opened.done_url = sent["ipn_callback_url"], sent["success_url"]
            return 200, {"id": opened.id, "order_id": opened.reference, "invoice_url": self.page_url(opened)}
        number = request.path.removeprefix("/v1/payment/")
        if number in self.payments:
            return 200, self.payments[number]
        return 404, {"statusCode": 404, "message": "Payment not found"}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # notifications do not name the merchant
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,
    ) -> Webhook:
        opened = next((one for one in self.opened.values() if one.reference == payment.reference), None)
        invoice = opened or self._open(payment.reference, payment.amount, payment.currency)
        received = payment.amount if amount is None else amount
        number = f"{5_000_000 + len(self.opened)}{entry if entry.isdecimal() else len(entry)}"
        status = STATUSES[state]
        if state == "paid" and received < payment.amount:
            status = "partially_paid"
        content = {
            "payment_id": int(number),
            "parent_payment_id": None,
            "invoice_id": int(invoice.id),
            "payment_status": status,
            "pay_address": "TAddr",
            "price_amount": float(payment.amount),
            "price_currency": (currency or payment.currency).lower(),
            "pay_amount": float(payment.amount * 2),
            "actually_paid": 0 if state == "declined" else float(received * 2),
            "pay_currency": "trx",
            "order_id": payment.reference,
            "order_description": None,
            "outcome_amount": float(received),
            "outcome_currency": "usdttrc20",
            "fee": {"currency": "usdttrc20", "depositFee": 0.25, "withdrawalFee": 0, "serviceFee": 0.5},
        }
        self.payments[number] = content
        return self.signed(content, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        signature = sign(content, IPN_SECRET if secret is None else secret)
        headers = {"Content-Type": "application/json", "x-nowpayments-sig": signature}
        body = json.dumps(content, ensure_ascii=True).encode()
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = str(4_522_625_843 + len(self.opened))
        self.opened[number] = Opened(id=number, reference=reference, amount=amount, currency=currency)
        return self.opened[number]
