"""Pretend TZSMM Pay: payments by API key, callbacks that are not signed."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

KEY = "tzsmm-key-1"
STATUSES = {"pending": "Pending", "paid": "Completed", "declined": "Failed"}


class PretendTZSMMPay(PretendGateway):
    name = "tzsmm"
    config = {"api_key": KEY}
    currency = "BDT"

    def answer(self, request: Received) -> tuple[int, Any]:
        sent = request.json()
        if sent.get("api_key") != KEY:
            return 200, {"success": False, "messages": "Invalid API key"}
        if request.path == "/api/payment/verify":
            opened = self.opened.get(sent["trx_id"])
            if opened is None:
                return 200, {"success": False, "status": "error", "messages": "Not found"}
            facts = opened.facts
            return 200, {
                "success": True,
                "status": STATUSES[opened.state],
                "trx_id": opened.id,
                "amount": str(facts.get("amount", opened.amount)),
                "currency": facts.get("currency", opened.currency),
            }
        if not (sent["cus_name"] and sent["cus_number"]) or Decimal(sent["amount"]) < 1:
            return 200, {"success": False, "messages": "The customer or the amount is invalid"}
        opened = self._open("", Decimal(sent["amount"]), sent["currency"])
        opened.webhook_url, opened.done_url = sent["callback_url"], sent["success_url"]
        opened.reference = sent["callback_url"].rpartition("payment=")[2]
        return 200, {"success": True, "trx_id": opened.id, "payment_url": self.page_url(opened)}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the API key is the receiver
        is_test: bool = False,  # there is no test flag
        secret: str | None = None,  # nothing is signed
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        if entry == "1" and matching:
            opened = matching[0]
        else:
            opened = self._open(payment.reference, payment.amount, payment.currency)
        opened.state = state
        opened.facts = {
            "amount": payment.amount if amount is None else amount,
            "currency": currency or payment.currency,
        }
        fields = {"trx_id": opened.id, "status": STATUSES[state], "amount": str(opened.facts["amount"]), "charge": "0"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Webhook(
            method="POST",
            body=urlencode(fields).encode(),
            headers=headers,
            query={"payment": payment.reference},
            form=fields,
        )

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        # No two servers hand out the same number.
        number = f"TZ{secrets.token_hex(6)}"
        self.opened[number] = Opened(id=number, reference=reference, amount=amount, currency=currency)
        return self.opened[number]
