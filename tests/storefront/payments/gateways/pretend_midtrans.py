"""Pretend Midtrans: Snap pages, and notifications whose signature leaves out the state."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

KEY = "SB-Mid-server-1"
STATUSES = {
    "pending": ("pending", "201"),
    "paid": ("settlement", "200"),
    "declined": ("expire", "202"),
    "refunded": ("partial_refund", "200"),
    "charged_back": ("chargeback", "200"),
    "disputed": ("partial_chargeback", "200"),
}


class PretendMidtrans(PretendGateway):
    name = "midtrans"
    config = {"server_key": KEY}
    currency = "IDR"
    states = frozenset(STATUSES)

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Authorization") != f"Basic {b64encode(f'{KEY}:'.encode()).decode()}":
            return 401, {"status_code": "401", "status_message": "Transaction cannot be authorized", "id": "1"}
        if request.path == "/snap/v1/transactions":
            return self._snap(request)
        order, action = request.path.removeprefix("/v2/").rsplit("/", 1)
        opened = self.opened.get(order)
        if opened is None or opened.state == "new":  # nobody has used the page yet
            return 200, {"status_code": "404", "status_message": "Transaction doesn't exist.", "id": "1"}
        if action == "refund":
            sent = request.json()
            if not isinstance(sent["amount"], int) or sent["amount"] > opened.amount or not sent["refund_key"]:
                return 200, {"status_code": "412", "status_message": "Refund amount exceeds the payment"}
            return 200, {"status_code": "200", "transaction_status": "partial_refund", "refund_key": sent["refund_key"]}
        return 200, self._content(opened)

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the key is the receiver
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,
    ) -> Webhook:
        opened = self.opened.get(payment.reference) or self._open(payment.reference, payment.amount)
        moved = payment.amount if amount is None else amount
        opened.state = state
        opened.facts |= {"currency": currency or payment.currency, "entry": entry}
        opened.facts["refunded" if state == "refunded" else "amount"] = moved
        return self.signed(self._content(opened), secret=secret)

    def signed(self, content: dict[str, Any], *, secret: str | None = None) -> Webhook:
        signed = "".join(str(content.get(name)) for name in ("order_id", "status_code", "gross_amount"))
        key = hashlib.sha512((signed + (KEY if secret is None else secret)).encode(errors="replace")).hexdigest()
        body = json.dumps(content | {"signature_key": key}).encode()
        return Webhook(method="POST", body=body, headers={"Content-Type": "application/json"}, query={}, form={})

    def _snap(self, request: Received) -> tuple[int, Any]:
        sent = request.json()
        asked = sent["transaction_details"]
        if not isinstance(asked["gross_amount"], int) or asked["gross_amount"] < 1:
            return 400, {"error_messages": ["transaction_details.gross_amount must be at least 1"]}
        if not 5 <= sent["expiry"]["duration"] <= 10_080:
            return 400, {"error_messages": ["expiry is invalid"]}
        opened = self._open(asked["order_id"], Decimal(asked["gross_amount"]))
        opened.done_url = sent["callbacks"]["finish"]
        opened.webhook_url = request.header("X-Override-Notification")
        return 201, {"token": "66e4fa55-fdac-4ef9-91b5-733b97d1b862", "redirect_url": self.page_url(opened)}

    def _open(self, reference: str, amount: Decimal) -> Opened:
        opened = Opened(id=reference, reference=reference, amount=amount, currency="IDR", state="new")
        opened.facts = {"amount": amount, "refunded": Decimal(0), "currency": "IDR", "entry": "1"}
        opened.facts["number"] = len(self.opened)
        self.opened[reference] = opened
        return opened

    def _content(self, opened: Opened) -> dict[str, Any]:
        status, code = STATUSES[opened.state]
        content = {
            "status_code": code,
            "status_message": "Success, transaction is found",
            "transaction_id": f"57d5293c-e65f-{opened.facts['entry']:0>4}-95e4-{opened.facts['number']:012}",
            "order_id": opened.reference,
            "gross_amount": f"{opened.facts['amount']:.2f}",
            "currency": opened.facts["currency"],
            "payment_type": "qris",
            "transaction_status": status,
            "fraud_status": "accept",
            "merchant_id": "G141532850",
        }
        refunded = {"refund_amount": f"{opened.facts['refunded']:.2f}"} if opened.state == "refunded" else {}
        return content | refunded
