"""Pretend Cashfree: payment links, and webhooks signed over their time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import uuid
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

APP, SECRET = "cf-app-1", "cf-secret-1"
STATUSES = {"pending": "ACTIVE", "paid": "PAID", "declined": "EXPIRED"}
DISPUTES = {
    "disputed": ("DISPUTE_CREATED", "CHARGEBACK_CREATED"),
    "charged_back": ("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_LOST"),
    "dispute_won": ("DISPUTE_CLOSED", "CHARGEBACK_MERCHANT_WON"),
}


class PretendCashfree(PretendGateway):
    name = "cashfree"
    config = {"client_id": APP, "client_secret": SECRET}
    currency = "INR"
    states = frozenset({"paid", "declined", "refunded", "disputed", "charged_back", "dispute_won"})

    def answer(self, request: Received) -> tuple[int, Any]:
        if (request.header("x-client-id"), request.header("x-client-secret")) != (APP, SECRET):
            return 401, {"message": "authentication Failed", "code": "request_failed"}
        if not re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", request.header("x-api-version")):
            return 400, {"message": "version invalid", "code": "request_invalid"}
        if request.method == "GET":
            return self._found(request.path)
        sent = request.json()
        uuid.UUID(request.header("x-idempotency-key"))
        if request.path == "/links":
            return self._link(sent)
        order = request.path.split("/")[2]
        opened = next(one for one in self.opened.values() if one.facts["order"] == order)
        if not re.fullmatch(r"[0-9A-Za-z]{3,40}", sent["refund_id"]):
            return 400, {"message": "refund_id invalid"}
        if Decimal(str(sent["refund_amount"])) > opened.amount:
            return 400, {"message": "refund amount is greater than the order amount"}
        return 200, {"refund_id": sent["refund_id"], "order_id": order, "refund_status": "PENDING"}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the secret is the receiver
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,
    ) -> Webhook:
        opened = self.opened.get(payment.reference) or self._open(payment.reference, payment.amount, payment.currency)
        moved = payment.amount if amount is None else amount
        currency = currency or payment.currency
        kind, order = "PAYMENT_LINK_EVENT", opened.facts["order"]
        data: dict[str, Any]
        if state == "refunded":
            kind = "REFUND_STATUS_WEBHOOK"
            refund = {"refund_id": f"refund{entry}", "order_id": order, "refund_status": "SUCCESS"}
            data = {"refund": refund | {"refund_amount": float(moved), "refund_currency": currency}}
        elif state in DISPUTES:
            kind, status = DISPUTES[state]
            dispute = {"dispute_id": "433475258", "dispute_amount": float(moved), "dispute_status": status}
            data = {"dispute": dispute, "order_details": {"order_id": order, "order_currency": currency}}
        else:
            opened.state, opened.facts["paid"] = STATUSES[state], moved if state == "paid" else Decimal(0)
            opened.facts["currency"] = currency
            data = self._content(opened, as_text=True)
            if state == "paid":
                data["order"] = {"order_id": order, "transaction_id": 1021206, "transaction_status": "SUCCESS"}
        return self.signed({"data": data, "type": kind, "event_time": "2026-11-28T15:04:29+05:30"}, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None, sent_at: str = "1764322000000") -> Webhook:
        body = json.dumps(content).encode()
        key = (SECRET if secret is None else secret).encode()
        signature = base64.b64encode(hmac.new(key, sent_at.encode() + body, hashlib.sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "x-webhook-signature": signature,
            "x-webhook-timestamp": sent_at,
        }
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def _found(self, path: str) -> tuple[int, Any]:
        reference, _slash, rest = path.removeprefix("/links/").partition("/")
        opened = self.opened.get(reference)
        if opened is None:
            return 404, {"message": "link_id does not exist", "code": "link_id_not_found"}
        if rest:
            is_paid = opened.state == "PAID"
            return 200, [{"order_id": opened.facts["order"], "order_status": "PAID"}] if is_paid else []
        return 200, self._content(opened)

    def _link(self, sent: dict[str, Any]) -> tuple[int, Any]:
        if not re.fullmatch(r"\+?[0-9]{8,15}", sent["customer_details"]["customer_phone"]):
            return 400, {"message": "customer_phone is invalid", "code": "customer_details.customer_phone_invalid"}
        if not isinstance(sent["link_amount"], (int, float)) or sent["link_amount"] < 1:
            return 400, {"message": "link_amount should be at least 1", "code": "link_amount_invalid"}
        if len(sent["link_meta"]["return_url"]) > 250 or sent["link_partial_payments"] is not False:
            return 400, {"message": "link_meta invalid"}
        opened = self._open(sent["link_id"], Decimal(str(sent["link_amount"])), sent["link_currency"])
        opened.webhook_url, opened.done_url = sent["link_meta"]["notify_url"], sent["link_meta"]["return_url"]
        return 200, self._content(opened)

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        order = f"CFPay_{len(self.opened)}"
        opened = Opened(id=reference, reference=reference, amount=amount, currency=currency, state="ACTIVE")
        opened.facts = {"order": order, "currency": currency, "paid": Decimal(0)}
        self.opened[reference] = opened
        return opened

    def _content(self, opened: Opened, *, as_text: bool = False) -> dict[str, Any]:
        """Return the link. Its amounts are texts in webhooks and numbers in answers."""
        number = (lambda amount: f"{amount:.2f}") if as_text else float
        return {
            "cf_link_id": "1576977",
            "link_id": opened.reference,
            "link_status": opened.state,
            "link_currency": opened.facts["currency"],
            "link_amount": number(opened.amount),
            "link_amount_paid": number(opened.facts["paid"]),
            "link_url": self.page_url(opened),
        }
