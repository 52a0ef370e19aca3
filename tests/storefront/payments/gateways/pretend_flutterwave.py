"""Pretend Flutterwave: checkout links, and webhooks with a constant secret."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

KEY, HASH = "FLWSECK-flutterwave-1", "my-secret-hash"
STATUSES = {"pending": "pending", "paid": "successful", "declined": "failed"}
UNKNOWN = {"status": "error", "message": "No transaction was found for this id", "data": None}


class PretendFlutterwave(PretendGateway):
    name = "flutterwave"
    config = {"secret_key": KEY, "secret_hash": HASH}
    currency = "NGN"

    def __init__(self) -> None:
        super().__init__()
        #: Transactions by their number; a link of ``opened`` can have several.
        self.transactions: dict[str, dict[str, Any]] = {}
        #: No other pretend gateway has transactions with the same numbers.
        self.first_number = self._server.server_address[1] * 1000

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Authorization") != f"Bearer {KEY}":
            return 401, {"status": "error", "message": "Invalid authorization key", "data": None}
        match request.path.split("/")[2:]:
            case ["balances"]:
                return 200, {"status": "success", "message": "Wallet balances fetched", "data": []}
            case ["payments"]:
                return self._link(request.json())
            case ["transactions", "verify_by_reference"]:
                wanted = request.query["tx_ref"]
                found = [one for one in self.transactions.values() if one["tx_ref"] == wanted]
                return self._fetched(found[-1]) if found else (404, UNKNOWN)
            case ["transactions", number, "verify"]:
                return self._fetched(self.transactions[number]) if number in self.transactions else (400, UNKNOWN)
            case ["transactions", number, "refund"]:
                sent = request.json()
                if sent["amount"] > self.transactions[number]["amount"]:
                    return 400, {
                        "status": "error",
                        "message": "Refund amount is more than the transaction",
                        "data": None,
                    }
                data = {"id": 75_923, "tx_id": int(number), "amount_refunded": sent["amount"], "status": "completed"}
                return 200, {"status": "success", "message": "Transaction refund initiated", "data": data}
        return 404, {"status": "error", "message": "Not found"}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the shop is asked by its own key
        is_test: bool = False,  # only the keys tell
        secret: str | None = None,
    ) -> Webhook:
        matching = [
            one for one in self.transactions.values() if (one["tx_ref"], one["entry"]) == (payment.reference, entry)
        ]
        number = self.first_number + len(self.transactions)
        facts = matching[0] if matching else self.transactions.setdefault(str(number), {"id": number})
        moved = float(payment.amount if amount is None else amount)
        facts |= {
            "tx_ref": payment.reference,
            "amount": moved,
            "charged_amount": moved * 2,
            "app_fee": moved / 4,
            "currency": currency or payment.currency,
            "status": STATUSES[state],
            "processor_response": "Approved",
            "entry": entry,
        }
        return self.signed({"event": "charge.completed", "data": facts}, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None) -> Webhook:
        headers = {"Content-Type": "application/json", "verif-hash": HASH if secret is None else secret}
        return Webhook(method="POST", body=json.dumps(content).encode(), headers=headers, query={}, form={})

    def _link(self, sent: dict[str, Any]) -> tuple[int, Any]:
        if not isinstance(sent["amount"], (int, float)) or sent["amount"] < 1:
            return 400, {"status": "error", "message": "amount must be at least 1", "data": None}
        opened = Opened(
            id=f"link-{len(self.opened)}",
            reference=sent["tx_ref"],
            amount=Decimal(str(sent["amount"])),
            currency=sent["currency"],
            webhook_url=self.registered_url,
            done_url=sent["redirect_url"],
        )
        self.opened[opened.id] = opened
        return 200, {"status": "success", "message": "Hosted Link", "data": {"link": self.page_url(opened)}}

    def _fetched(self, transaction: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"status": "success", "message": "Transaction fetched successfully", "data": transaction}
