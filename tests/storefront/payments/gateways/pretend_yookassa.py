"""Pretend YooKassa: payments by Basic key, and notifications that are not signed."""

from __future__ import annotations

import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

SHOP, KEY = "506751", "test_yookassa-key-1"
STATUSES = {"pending": "pending", "paid": "succeeded", "declined": "canceled", "refunded": "succeeded"}


class PretendYooKassa(PretendGateway):
    name = "yookassa"
    config = {"shop_id": SHOP, "secret_key": KEY}
    currency = "RUB"
    states = frozenset({"pending", "paid", "declined", "refunded"})

    def answer(self, request: Received) -> tuple[int, Any]:
        expected = "Basic " + b64encode(f"{SHOP}:{KEY}".encode()).decode()
        if request.header("Authorization") != expected:
            return 401, {"type": "error", "code": "invalid_credentials", "description": "Wrong shopId or secret key"}
        if request.path == "/v3/me":
            return 200, {"account_id": SHOP, "status": "enabled"}
        if request.method == "GET":
            opened = self.opened.get(request.path.rpartition("/")[2])
            return (200, self._payment(opened)) if opened else (404, {"type": "error", "description": "Not found"})
        sent, key = request.json(), request.header("Idempotence-Key")
        if not key or len(key) > 64:
            return 400, {"type": "error", "description": "Idempotence-Key is invalid"}
        if request.path == "/v3/refunds":
            if Decimal(sent["amount"]["value"]) > self.opened[sent["payment_id"]].amount:
                return 400, {"type": "error", "description": "The amount is too large"}
            return 200, {"id": f"refund-{key}", "status": "succeeded", "payment_id": sent["payment_id"]}
        if Decimal(sent["amount"]["value"]) < 1:
            return 400, {"type": "error", "description": "The amount is too small"}
        opened = self._open(sent["metadata"]["reference"], Decimal(sent["amount"]["value"]), sent["amount"]["currency"])
        opened.done_url, opened.webhook_url = sent["confirmation"]["return_url"], self.registered_url
        page = {"type": "redirect", "confirmation_url": self.page_url(opened)}
        return 200, self._payment(opened) | {"confirmation": page}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the shop is asked by its own key
        is_test: bool = False,
        secret: str | None = None,  # nothing is signed
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        if entry == "1" and matching:
            opened = matching[0]
        else:
            opened = self._open(payment.reference, payment.amount, payment.currency)
        moved = payment.amount if amount is None else amount
        opened.state, opened.facts = state, {"amount": moved, "currency": currency, "is_test": is_test}
        event = "refund.succeeded" if state == "refunded" else f"payment.{STATUSES[state]}"
        named = {"id": "refund-1", "payment_id": opened.id} if state == "refunded" else self._payment(opened)
        event = "payment.waiting_for_capture" if state == "pending" else event
        body = json.dumps({"type": "notification", "event": event, "object": named}).encode()
        return Webhook(method="POST", body=body, headers={"Content-Type": "application/json"}, query={}, form={})

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = f"2d9f3a5c-000f-5000-9000-{len(self.opened):012}"
        self.opened[number] = Opened(id=number, reference=reference, amount=amount, currency=currency)
        return self.opened[number]

    def _payment(self, opened: Opened) -> dict[str, Any]:
        facts, currency = opened.facts, opened.facts.get("currency") or opened.currency
        is_refunded = opened.state == "refunded"
        amount = opened.amount if is_refunded else facts.get("amount", opened.amount)
        return {
            "id": opened.id,
            "status": STATUSES[opened.state],
            "paid": opened.state in ("paid", "refunded"),
            "amount": {"value": f"{amount:.2f}", "currency": currency},
            "income_amount": {"value": f"{amount * Decimal('0.97'):.2f}", "currency": currency},
            "refunded_amount": {"value": f"{facts['amount'] if is_refunded else 0:.2f}", "currency": currency},
            "metadata": {"reference": opened.reference},
            "test": bool(facts.get("is_test")),
        }
