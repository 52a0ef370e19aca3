"""Pretend CryptoBot: invoices by token, updates signed with the hash of the token."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

TOKEN = "12345:AAtoken"
STATUSES = {"pending": "active", "paid": "paid", "declined": "expired"}


class PretendCryptoBot(PretendGateway):
    name = "cryptobot"
    config = {"api_token": TOKEN}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Crypto-Pay-API-Token") != TOKEN:
            return 401, {"ok": False, "error": {"code": 401, "name": "UNAUTHORIZED"}}
        sent = request.json()
        match request.path:
            case "/getMe":
                return 200, {"ok": True, "result": {"app_id": 12345, "name": "Shop"}}
            case "/createInvoice":
                if not isinstance(sent["amount"], str) or Decimal(sent["amount"]) < 1:
                    return 400, {"ok": False, "error": {"code": 400, "name": "AMOUNT_TOO_SMALL"}}
                if len(sent["description"]) > 1024 or not 1 <= sent["expires_in"] <= 2_678_400:
                    return 400, {"ok": False, "error": {"code": 400, "name": "PARAM_INVALID"}}
                if sent["currency_type"] != "fiat" or len(sent["fiat"]) != 3:
                    return 400, {"ok": False, "error": {"code": 400, "name": "FIAT_UNSUPPORTED"}}
                opened = self._open(sent["payload"], Decimal(sent["amount"]), sent["fiat"])
                opened.done_url, opened.webhook_url = sent["paid_btn_url"], self.registered_url
                return 200, {"ok": True, "result": self._invoice(opened)}
            case "/getInvoices":
                found = [self._invoice(one) for one in self.opened.values() if one.id == sent["invoice_ids"]]
                return 200, {"ok": True, "result": {"items": found}}
        return 404, {"ok": False, "error": {"code": 404, "name": "METHOD_NOT_FOUND"}}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the token is the receiver
        is_test: bool = False,  # the test network is another address
        secret: str | None = None,
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        if entry == "1" and matching:
            opened = matching[0]
        else:  # a second invoice of the same payment
            opened = self._open(payment.reference, payment.amount, payment.currency)
        opened.state = STATUSES[state]
        opened.facts |= {
            "amount": format(payment.amount if amount is None else amount, "f"),
            "currency": currency or payment.currency,
        }
        content = {
            "update_id": 1,
            "update_type": "invoice_paid",
            "request_date": "2026-11-28T09:26:40.000Z",
            "payload": self._invoice(opened),
        }
        return self.signed(content, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        body = json.dumps(content).encode()
        key = hashlib.sha256((TOKEN if secret is None else secret).encode()).digest()
        signature = hmac.new(key, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "crypto-pay-api-signature": signature}
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = str(528_890 + len(self.opened))
        opened = Opened(id=number, reference=reference, amount=amount, currency=currency, state="active")
        opened.facts = {"amount": format(amount, "f"), "currency": currency}
        self.opened[number] = opened
        return opened

    def _invoice(self, opened: Opened) -> dict[str, Any]:
        facts = opened.facts
        is_paid = opened.state == "paid"
        return {
            "invoice_id": int(opened.id),
            "status": opened.state,
            "currency_type": "fiat",
            "fiat": facts["currency"],
            "amount": facts["amount"],
            "payload": opened.reference,
            "bot_invoice_url": self.page_url(opened),
            "expiration_date": "2026-11-29T09:26:40.000Z",
            **({"paid_asset": "TON", "paid_amount": "2.5", "fee_asset": "TON", "fee_amount": 0.075} if is_paid else {}),
        }
