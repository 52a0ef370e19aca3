"""Pretend CoinPayments: signed requests, invoices in the smallest unit, webhooks signed with their address."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import URLS, Opened, PretendGateway, Received

CLIENT_ID, CLIENT_SECRET = "cc7caaa431d54ad6accfd28b20170ee4", "client-secret-1"
SENT_AT = "2026-11-28T09:26:40"
CURRENCIES = {"5057": "USD", "5011": "EUR", "5100": "JPY"}
STATUSES = {"pending": "pending", "paid": "completed", "declined": "timedOut"}
EVENTS = {"pending": "InvoicePending", "paid": "InvoiceCompleted", "declined": "InvoiceTimedOut"}


def sign(method: str, url: str, sent_at: str, body: bytes, *, secret: str, client: str = CLIENT_ID) -> str:
    message = b"\xef\xbb\xbf" + f"{method}{url}{client}{sent_at}".encode() + body
    return base64.b64encode(hmac.new(secret.encode() or b"\0", message, hashlib.sha256).digest()).decode()


class PretendCoinPayments(PretendGateway):
    name = "coinpayments"
    config = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.path == "/api/v1/currencies":
            code = request.query["q"]
            return 200, json.dumps([{"id": number, "symbol": one} for number, one in CURRENCIES.items() if code == one])
        url = f"{self.url}{request.path}" + (f"?{urlencode(request.query)}" if request.query else "")
        sent_at = request.header("X-CoinPayments-Timestamp")
        expected = sign(request.method, url, sent_at, request.body, secret=CLIENT_SECRET)
        is_own = request.header("X-CoinPayments-Client") == CLIENT_ID
        if not is_own or request.header("X-CoinPayments-Signature") != expected or len(sent_at) != 19:
            return 401, {"title": "Unauthorized", "status": 401}
        if request.path == "/api/v1/merchant/wallets":
            return 200, "[]"
        if request.path == "/api/v2/merchant/invoices":
            return self._create(request.json())
        opened = self.opened.get(request.path.removeprefix("/api/v1/merchant/invoices/"))
        return (200, self._invoice(opened)) if opened else (404, {"title": "Not Found"})

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,
        is_test: bool = False,  # there is no test flag
        secret: str | None = None,
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        opened = matching[0] if matching and entry == "1" else None
        invoice = opened or self._open(payment.reference, payment.amount, payment.currency)
        invoice.state = STATUSES[state]
        invoice.facts = {
            "amount": payment.amount if amount is None else amount,
            "currency": currency or payment.currency,
        }
        content = {
            "id": "8a49a588266246a2ab5f43217ca993bd",
            "type": EVENTS[state],
            "timestamp": f"{SENT_AT}.9798764+00:00",
            "invoice": {
                "id": invoice.id,
                "invoiceId": invoice.reference,
                "merchantClientId": receiver or CLIENT_ID,
                "amount": {"currencyId": 5057, "total": "1234"},
                "state": invoice.state,
            },
        }
        return self.signed(content, secret=secret, url=invoice.webhook_url or self.registered_url or URLS.webhook)

    def signed(
        self, content: Any, *, secret: str | None = None, url: str = URLS.webhook, client: str = CLIENT_ID
    ) -> Webhook:
        body = json.dumps(content).encode()
        key = CLIENT_SECRET if secret is None else secret
        headers = {
            "Content-Type": "application/json",
            "X-CoinPayments-Client": client,
            "X-CoinPayments-Timestamp": SENT_AT,
            "X-CoinPayments-Signature": sign("POST", url, SENT_AT, body, secret=key, client=client),
        }
        return Webhook(method="POST", body=body, headers=headers, query={}, form={}, url=url)

    def _create(self, sent: dict[str, Any]) -> tuple[int, Any]:
        code, total = CURRENCIES.get(sent["currency"]), sent["amount"]["total"]
        if code is None or total != sent["amount"]["breakdown"]["subtotal"] != sent["items"][0]["amount"]:
            return 400, {"title": "Bad Request", "detail": "The invoice is malformed."}
        if Decimal(total) < 1:
            return 400, {"title": "Bad Request", "detail": "The amount is too small."}
        opened = self._open(sent["invoiceId"], Decimal(total), code)
        opened.webhook_url, opened.done_url = sent["webhooks"][0]["notificationsUrl"], sent["successUrl"]
        page = self.page_url(opened)
        return 201, {"invoices": [{"id": opened.id, "link": f"{page}?document", "checkoutLink": page}]}

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = f"3fa85f64-5717-4562-b3fc-{len(self.opened):012d}"
        self.opened[number] = Opened(id=number, reference=reference, amount=amount, currency=currency, state="unpaid")
        return self.opened[number]

    def _invoice(self, opened: Opened) -> dict[str, Any]:
        amount, currency = opened.facts.get("amount", opened.amount), opened.facts.get("currency", opened.currency)
        places = 0 if currency == "JPY" else 2
        return {
            "id": opened.id,
            "invoiceId": opened.reference,
            "status": opened.state,
            "currency": {"id": "5057", "symbol": currency, "decimalPlaces": places},
            "amount": {
                "currencyId": "5057",
                "displayValue": f"${amount}",
                "value": str(int(amount.scaleb(places))),
                "valueAsDecimal": str(amount),
            },
        }
