"""Pretend PhonePe: access tokens, orders in paise, and webhooks with a constant proof."""

from __future__ import annotations

import hashlib
import json
import time
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

CLIENT, SECRET, VERSION = "SHOP_1", "pp-secret-1", "1"
USERNAME, PASSWORD = "merchant_user", "Passw0rd1"
STATES = {"pending": "PENDING", "paid": "COMPLETED", "declined": "FAILED"}
EVENTS = {"paid": "checkout.order.completed", "refunded": "pg.refund.completed"}


class PretendPhonePe(PretendGateway):
    name = "phonepe"
    config = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "client_version": VERSION,
        "webhook_username": USERNAME,
        "webhook_password": PASSWORD,
    }
    currency = "INR"
    states = frozenset({"paid", "declined", "refunded"})

    def __init__(self) -> None:
        super().__init__()
        self.token = "token-1"
        self.refunds: dict[str, dict[str, Any]] = {}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.path == "/v1/oauth/token":
            sent = request.form()
            wanted = {"client_id": CLIENT, "client_secret": SECRET, "client_version": VERSION}
            if sent != wanted | {"grant_type": "client_credentials"}:
                return 400, {"success": False, "code": "INVALID_CLIENT", "message": "Client authentication failure"}
            return 200, {"access_token": self.token, "expires_at": int(time.time()) + 3600, "token_type": "O-Bearer"}
        if request.header("Authorization") != f"O-Bearer {self.token}":
            return 401, {"success": False, "code": "AUTHORIZATION_FAILED", "message": "Token is invalid"}
        match request.path.split("/")[1:]:
            case ["checkout", "v2", "pay"]:
                return self._pay(request.json())
            case ["checkout", "v2", "order", reference, "status"] if reference in self.opened:
                return 200, self._order(self.opened[reference])
            case ["payments", "v2", "refund"]:
                return self._refund(request.json())
            case ["payments", "v2", "refund", number, "status"] if number in self.refunds:
                return 200, self.refunds[number]
            case ["checkout" | "payments", *_rest]:
                return 400, {"success": False, "code": "ORDER_NOT_FOUND", "message": "No entry found"}
        return 404, {"message": "Api Mapping Not Found"}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the shop is asked by its own key
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,
    ) -> Webhook:
        moved = payment.amount if amount is None else amount
        reference = payment.reference
        if currency and currency != "INR":
            reference = "another-shop"  # PhonePe has only rupees, so such an order is none of its
        elif state == "refunded":
            facts = {"originalMerchantOrderId": reference, "amount": int(moved * 100), "state": "COMPLETED"}
            self.refunds[f"refund-{entry}"] = facts
        else:
            opened = self.opened.get(reference) or self._open(reference, payment.amount)
            opened.state, opened.facts["amount"] = STATES[state], moved
        payload = {"merchantOrderId": reference, "merchantRefundId": f"refund-{entry}", "state": "COMPLETED"}
        return self.signed({"event": EVENTS.get(state, "checkout.order.failed"), "payload": payload}, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        proof = hashlib.sha256(f"{USERNAME}:{PASSWORD if secret is None else secret}".encode()).hexdigest()
        headers = {"Content-Type": "application/json", "Authorization": proof}
        return Webhook(method="POST", body=json.dumps(content).encode(), headers=headers, query={}, form={})

    def _pay(self, sent: dict[str, Any]) -> tuple[int, Any]:
        if not isinstance(sent["amount"], int) or sent["amount"] < 100:
            return 400, {"success": False, "code": "BAD_REQUEST", "message": "amount must be at least 100"}
        if not 300 <= sent["expireAfter"] <= 3600 or sent["paymentFlow"]["type"] != "PG_CHECKOUT":
            return 400, {"success": False, "code": "BAD_REQUEST", "message": "expireAfter is invalid"}
        opened = self._open(sent["merchantOrderId"], Decimal(sent["amount"]) / 100)
        opened.done_url = sent["paymentFlow"]["merchantUrls"]["redirectUrl"]
        opened.webhook_url = self.registered_url
        return 200, {"orderId": opened.facts["order"], "state": "PENDING", "redirectUrl": self.page_url(opened)}

    def _refund(self, sent: dict[str, Any]) -> tuple[int, Any]:
        if sent["amount"] > self.opened[sent["originalMerchantOrderId"]].amount * 100:
            return 400, {"success": False, "code": "BAD_REQUEST", "message": "Refund exceeds the order"}
        return 200, {"refundId": "OMR1", "amount": sent["amount"], "state": "PENDING"}

    def _open(self, reference: str, amount: Decimal) -> Opened:
        opened = Opened(id=reference, reference=reference, amount=amount, currency="INR", state="PENDING")
        opened.facts = {"order": f"OMO{self._server.server_address[1]}{len(self.opened):04}", "amount": amount}
        self.opened[reference] = opened
        return opened

    def _order(self, opened: Opened) -> dict[str, Any]:
        return {
            "orderId": opened.facts["order"],
            "state": opened.state,
            "amount": int(opened.facts["amount"] * 100),
            "expireAt": 1764325600000,
            "paymentDetails": [],
        }
