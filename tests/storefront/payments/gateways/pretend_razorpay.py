"""Pretend Razorpay: payment links by Basic key, events signed with the webhook secret."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

KEY_ID, KEY_SECRET, HOOK = "rzp_test_1", "rzp-key-secret", "rzp-hook"
STATUSES = {"pending": "created", "paid": "paid", "declined": "expired"}


def sign(secret: str, text: str | bytes) -> str:
    message = text if isinstance(text, bytes) else text.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class PretendRazorpay(PretendGateway):
    name = "razorpay"
    config = {"key_id": KEY_ID, "key_secret": KEY_SECRET, "webhook_secret": HOOK}
    currency = "INR"
    states = frozenset({"pending", "paid", "declined", "refunded", "disputed", "charged_back", "dispute_won"})

    def answer(self, request: Received) -> tuple[int, Any]:
        expected = "Basic " + b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        if request.header("Authorization") != expected:
            return 401, {"error": {"code": "BAD_REQUEST_ERROR", "description": "Authentication failed"}}
        if request.method == "GET":
            if request.path == "/v1/payment_links":
                return 200, {"payment_links": []}
            opened = self.opened.get(request.path.rpartition("/")[2])
            return (200, self._link(opened)) if opened else (400, {"error": {"description": "No such link"}})
        sent = request.json()
        if request.path.endswith("/refund"):
            return 200, {"id": f"rfnd_{sent['receipt']}", "status": "processed", "amount": sent["amount"]}
        if type(sent["amount"]) is not int or sent["amount"] < 100:
            return 400, {"error": {"description": "The amount must be at least 1.00"}}
        opened = self._open(sent["reference_id"], Decimal(sent["amount"]) / 100, sent["currency"])
        opened.done_url, opened.webhook_url = sent["callback_url"], self.registered_url
        return 200, self._link(opened) | {"short_url": self.page_url(opened)}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the secret is the receiver
        is_test: bool = False,  # test keys have an account of their own
        secret: str | None = None,
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        if entry == "1" and matching:
            opened = matching[0]
        else:
            opened = self._open(payment.reference, payment.amount, payment.currency)
        moved = payment.amount if amount is None else amount
        paid = {"id": f"pay_{opened.id}", "notes": {"reference": payment.reference}}
        if state in STATUSES:
            opened.state = state
            opened.facts = {"amount": moved, "currency": currency or payment.currency}
            payload = {"payment_link": {"entity": self._link(opened)}, "payment": {"entity": paid}}
            event = f"payment_link.{'partially_paid' if state == 'pending' else STATUSES[state]}"
        else:
            kind = "refund" if state == "refunded" else "dispute"
            event = {
                "refunded": "refund.processed",
                "disputed": "payment.dispute.created",
                "charged_back": "payment.dispute.lost",
                "dispute_won": "payment.dispute.won",
            }[state]
            entity = {"id": f"{kind}_{entry}", "amount": int(moved * 100), "currency": currency or payment.currency}
            payload = {kind: {"entity": entity}, "payment": {"entity": paid}}
        return self.signed({"entity": "event", "event": event, "payload": payload}, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        body = json.dumps(content).encode()
        signature = sign(HOOK if secret is None else secret, body)
        headers = {"Content-Type": "application/json", "X-Razorpay-Signature": signature}
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = f"plink_{len(self.opened) + 1}"
        self.opened[number] = Opened(id=number, reference=reference, amount=amount, currency=currency)
        return self.opened[number]

    def _link(self, opened: Opened) -> dict[str, Any]:
        facts = opened.facts
        return {
            "id": opened.id,
            "reference_id": opened.reference,
            "amount": int(opened.amount * 100),
            "amount_paid": int(facts.get("amount", 0) * 100),
            "currency": facts.get("currency", opened.currency),
            "status": STATUSES[opened.state],
            "payments": [{"payment_id": f"pay_{opened.id}"}] if opened.state == "paid" else [],
        }
