"""Pretend Paystack: transactions by secret key, events signed with the same key."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

KEY = "sk_live_1"
STATUSES = {"pending": "ongoing", "paid": "success", "declined": "failed"}


class PretendPaystack(PretendGateway):
    name = "paystack"
    config = {"secret_key": KEY}
    currency = "NGN"
    states = frozenset({"paid", "refunded", "disputed"})

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Authorization") != f"Bearer {KEY}":
            return 401, {"status": False, "message": "Invalid key"}
        path = request.path
        if path == "/balance":
            return 200, {"status": True, "data": [{"currency": "NGN", "balance": 0}]}
        if path.startswith("/transaction/verify/"):
            opened = self.opened.get(path.rpartition("/")[2])
            if opened is None:
                return 404, {"status": False, "message": "Transaction reference not found"}
            return 200, {"status": True, "data": self._transaction(opened)}
        sent = request.json()
        if path == "/refund":
            return 200, {"status": True, "data": {"id": 77, "status": "pending", "amount": sent["amount"]}}
        if type(sent["amount"]) is not int or sent["amount"] < 100:
            return 400, {"status": False, "message": "Amount is too small"}
        if sent["reference"] in self.opened:
            return 400, {"status": False, "message": "Duplicate Transaction Reference"}
        opened = self._open(sent["reference"], Decimal(sent["amount"]) / 100, sent["currency"])
        opened.done_url, opened.webhook_url = sent["callback_url"], self.registered_url
        data = {"authorization_url": self.page_url(opened), "access_code": "x", "reference": opened.id}
        return 200, {"status": True, "data": data}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the key is the receiver
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        moved = payment.amount if amount is None else amount
        opened = self.opened.get(payment.reference) or self._open(payment.reference, payment.amount, payment.currency)
        if state in STATUSES:
            opened.state = state
            opened.facts = {
                "amount": moved,
                "currency": currency or payment.currency,
                "number": 302961 + int(entry),
                "domain": "test" if is_test else "live",
            }
            return self.signed({"event": "charge.success", "data": self._transaction(opened)}, secret=secret)
        data: dict[str, Any] = {"id": 5, "amount": int(moved * 100), "currency": currency or payment.currency}
        if state == "refunded":
            content = {"event": "refund.processed", "data": data | {"transaction_reference": payment.reference}}
        else:
            content = {
                "event": "charge.dispute.create",
                "data": data | {"transaction": {"reference": payment.reference}},
            }
        return self.signed(content, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        body = json.dumps(content).encode()
        signature = hmac.new((KEY if secret is None else secret).encode(), body, hashlib.sha512).hexdigest()
        headers = {"Content-Type": "application/json", "x-paystack-signature": signature}
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        self.opened[reference] = Opened(id=reference, reference=reference, amount=amount, currency=currency)
        return self.opened[reference]

    def _transaction(self, opened: Opened) -> dict[str, Any]:
        facts = opened.facts
        return {
            "id": facts.get("number", 302961),
            "domain": facts.get("domain", "live"),
            "status": STATUSES[opened.state],
            "reference": opened.reference,
            "amount": int(facts.get("amount", opened.amount) * 100),
            "currency": facts.get("currency", opened.currency),
            "fees": 1500,
        }
