"""Pretend Stripe: sessions, refunds and payment intents, keys with idempotency, signed events."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

SECRET_KEY, WEBHOOK_SECRET = "sk_live_pretend", "whsec_test_secret"
EVENTS = {
    "pending": "checkout.session.completed",
    "paid": "checkout.session.completed",
    "declined": "checkout.session.expired",
    "refunded": "refund.created",
    "disputed": "charge.dispute.created",
    "charged_back": "charge.dispute.funds_withdrawn",
    "dispute_won": "charge.dispute.funds_reinstated",
}


def sign(body: bytes, *, secret: str = WEBHOOK_SECRET, sent_at: int | None = None) -> str:
    moment = int(time.time()) if sent_at is None else sent_at
    digest = hmac.new(secret.encode() or b"\0", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest},v0=0"


class PretendStripe(PretendGateway):
    name = "stripe"
    config = {"secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}

    def __init__(self) -> None:
        super().__init__()
        self.is_live = True
        self.refund_status = "succeeded"
        self._by_key: dict[str, tuple[bytes, Any]] = {}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Authorization") != f"Bearer {SECRET_KEY}":
            return 401, error("Invalid API Key provided: sk_live_****")
        if request.method == "POST":
            key = request.header("Idempotency-Key")
            body, result = self._by_key.get(key, (request.body, None))
            if body != request.body:
                return 400, error("Keys for idempotent requests can only be used with the same parameters.")
            if result is None:
                result = self._create(request)
                if key:
                    self._by_key[key] = (request.body, result)
            return result  # type: ignore[no-any-return]
        kind, _slash, number = request.path.removeprefix("/v1/").rpartition("/")
        if request.path == "/v1/checkout/sessions":
            return 200, {"object": "list", "data": [self._session(one) for one in self.opened.values()]}
        if kind == "checkout/sessions" and number in self.opened:
            return 200, self._session(self.opened[number])
        if kind == "payment_intents":
            opened = next((one for one in self.opened.values() if one.facts["intent"] == number), None)
            if opened:
                metadata = {"reference": opened.reference}
                return 200, {"id": number, "livemode": self.is_live, "metadata": metadata}
        return 404, error(f"No such object: '{number}'")

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # events of an account do not name it
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        opened = self.find(payment)
        self.is_live = not is_test
        value = minor(payment.amount if amount is None else amount, payment.currency)
        code = (currency or payment.currency).lower()
        if state in ("pending", "paid", "declined"):
            opened.facts |= {
                "status": "expired" if state == "declined" else "complete",
                "payment_status": "paid" if state == "paid" else "unpaid",
                "amount_total": value,
                "currency": code,
                "intent": opened.facts["intent"] if entry == "1" else f"{opened.facts['intent']}_{entry}",
            }
            thing = self._session(opened)
        else:
            thing = {
                "id": f"{'re' if state == 'refunded' else 'dp'}_{entry}",
                "payment_intent": opened.facts["intent"],
                "amount": value,
                "currency": code,
                "status": "succeeded" if state == "refunded" else "needs_response",
                "reason": None if state == "refunded" else "fraudulent",
                "metadata": {},
            }
        return self.signed(event(EVENTS[state], thing, is_live=self.is_live), secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        body = json.dumps(content).encode()
        header = sign(body, secret=WEBHOOK_SECRET if secret is None else secret)
        headers = {"Content-Type": "application/json", "Stripe-Signature": header}
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def find(self, payment: PaymentDetails) -> Opened:
        """Return the session of ``payment``, made up if the shop has not opened one."""
        found = next((one for one in self.opened.values() if one.reference == payment.reference), None)
        return found or self._open(payment.reference, payment.amount, payment.currency)

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = f"cs_live_{len(self.opened) + 1}"
        opened = Opened(id=number, reference=reference, amount=amount, currency=currency)
        opened.facts = {"intent": f"pi_{reference.replace('-', '')}", "status": "open", "payment_status": "unpaid"}
        opened.facts |= {"amount_total": minor(amount, currency), "currency": currency.lower()}
        self.opened[number] = opened
        return opened

    def _create(self, request: Received) -> tuple[int, Any]:
        form = request.form()
        if request.path == "/v1/refunds":
            if not any(one.facts["intent"] == form["payment_intent"] for one in self.opened.values()):
                return 404, error(f"No such payment_intent: '{form['payment_intent']}'")
            number = f"re_{len(self._by_key) + 1}"
            return 200, {"id": number, "status": self.refund_status, "amount": int(form["amount"])}
        if request.path != "/v1/checkout/sessions":
            return 404, error("Unrecognized request URL")
        if form["mode"] != "payment" or form["payment_intent_data[metadata][reference]"] != form["client_reference_id"]:
            return 400, error("Received unknown parameter")
        code, units = form["line_items[0][price_data][currency]"], form["line_items[0][price_data][unit_amount]"]
        if not code.islower() or int(units) < 50:
            return 400, error("The Checkout Session's total amount due must add up to at least $0.50 usd")
        places = 0 if code == "jpy" else 3 if code == "kwd" else 2
        opened = self._open(form["client_reference_id"], Decimal(units).scaleb(-places), code.upper())
        opened.done_url = form["success_url"]
        opened.webhook_url = self.registered_url
        return 200, self._session(opened)

    def _session(self, opened: Opened) -> dict[str, Any]:
        facts = opened.facts
        return {
            "id": opened.id,
            "object": "checkout.session",
            "mode": "payment",
            "client_reference_id": opened.reference,
            "amount_total": facts["amount_total"],
            "currency": facts["currency"],
            "status": facts["status"],
            "payment_status": facts["payment_status"],
            "payment_intent": facts["intent"] if facts["status"] == "complete" else None,
            "livemode": self.is_live,
            "expires_at": 1_764_400_000,
            "url": self.page_url(opened) if facts["status"] == "open" else None,
        }


def event(kind: str, thing: Mapping[str, Any], *, is_live: bool = True) -> dict[str, Any]:
    return {"id": "evt_1", "object": "event", "type": kind, "livemode": is_live, "data": {"object": dict(thing)}}


def error(message: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": message}}


def minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(0 if currency.upper() == "JPY" else 3 if currency.upper() == "KWD" else 2))
