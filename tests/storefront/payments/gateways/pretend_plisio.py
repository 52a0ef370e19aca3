"""Pretend Plisio: invoices by GET with the key in the query, webhooks signed over sorted JSON."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

KEY = "plisio-secret"
STATUSES = {"pending": "pending", "paid": "completed", "declined": "expired"}


def sign(text: str, key: str) -> str:
    return hmac.new(key.encode() or b"\0", text.encode("utf-8", "surrogatepass"), hashlib.sha1).hexdigest()


def compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


class PretendPlisio(PretendGateway):
    name = "plisio"
    config = {"secret_key": KEY}

    def answer(self, request: Received) -> tuple[int, Any]:
        sent = request.query
        if sent.get("api_key") != KEY:
            return 401, error("Invalid API key")
        if request.path == "/invoices/new":
            existing = next((one for one in self.opened.values() if one.reference == sent["order_number"]), None)
            if Decimal(sent["source_amount"]) < 1:
                return 422, error("The amount is too small")
            if existing is None:
                amount, currency = Decimal(sent["source_amount"]), sent["source_currency"]
                existing = self._open(sent["order_number"], amount, currency)
                existing.webhook_url, existing.done_url = sent["callback_url"], sent["success_invoice_url"]
            elif sent.get("return_existing") != "1":
                return 422, error("Order number must be unique")
            return 200, {"status": "success", "data": {"txn_id": existing.id, "invoice_url": self.page_url(existing)}}
        if request.path == "/operations":
            return 200, {"status": "success", "data": {"operations": []}}
        opened = self.opened.get(request.path.removeprefix("/operations/"))
        if opened is None:
            return 404, error("Not found")
        params = {"order_number": opened.reference}
        return 200, {"status": "success", "data": self._fields(opened) | {"order_number": None, "params": params}}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the key is the receiver
        is_test: bool = False,  # there is no test environment
        secret: str | None = None,
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        opened = matching[0] if matching and entry == "1" else None
        invoice = opened or self._open(payment.reference, payment.amount, payment.currency)
        received = payment.amount if amount is None else amount
        invoice.state = STATUSES[state]
        if state == "paid" and received != payment.amount:
            invoice.state = "mismatch" if received > payment.amount else "expired"
        if state != "paid":
            received = Decimal(0)
        total = payment.amount * 2
        invoice.facts = {
            "source_currency": currency or payment.currency,
            "amount": f"{received * 2:.8f}",
            "pending_amount": f"{max(total - received * 2, Decimal(0)):.8f}",
        }
        return self.signed(self._fields(invoice), secret=secret)

    def signed(self, data: dict[str, Any], *, secret: str | None = None) -> Webhook:
        """Sign as the documentation's sample does: the fields in the order in which they are sent."""
        signature = sign(compact(data), KEY if secret is None else secret)
        body = json.dumps(data | {"verify_hash": signature}).encode()
        return Webhook(
            method="POST",
            body=body,
            headers={"Content-Type": "application/json"},
            query={"json": "true"},
            form={},
        )

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = f"6031111{len(self.opened) + 1}"
        opened = Opened(id=number, reference=reference, amount=amount, currency=currency, state="new")
        self.opened[number] = opened
        return opened

    def _fields(self, opened: Opened) -> dict[str, Any]:
        return {
            "txn_id": opened.id,
            "ipn_type": "invoice",
            "merchant": "Shop – Ünïcode",
            "amount": opened.facts.get("amount", "0"),
            "currency": "TRX",
            "order_number": opened.reference,
            "order_name": "a/b",
            "confirmations": "4",
            "status": opened.state,
            "source_currency": opened.facts.get("source_currency", opened.currency),
            "source_amount": f"{opened.amount:.8f}",
            "pending_amount": opened.facts.get("pending_amount", "0"),
            "invoice_commission": "0.12340000",
            "invoice_total_sum": f"{opened.amount * 2:.8f}",
            "comment": "",
        }


def error(message: str) -> dict[str, Any]:
    return {"status": "error", "data": {"name": "Error", "message": message, "code": 100}}
