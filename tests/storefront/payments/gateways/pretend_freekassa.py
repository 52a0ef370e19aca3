"""Pretend Freekassa: signed links, notifications signed with the second secret word, and its list of orders."""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

SHOP, WORD_1, WORD_2, API_KEY = "12345", "word1", "word2", "api-key-1"


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class PretendFreekassa(PretendGateway):
    name = "freekassa"
    config = {"shop_id": SHOP, "secret_1": WORD_1, "secret_2": WORD_2, "api_key": API_KEY}
    currency = "RUB"
    states = frozenset({"paid"})

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.path == "/v1/orders":
            return self._orders(request.json())
        sent = request.query
        if sent["s"] != md5(SHOP, sent["oa"], WORD_1, sent["currency"], sent["o"]):
            return 400, "wrong signature"
        opened = Opened(
            id=str(700_000 + len(self.opened)),
            reference=sent["o"],
            amount=Decimal(sent["oa"]),
            currency=sent["currency"],
            webhook_url=self.registered_url,
        )
        self.opened[opened.id] = opened
        return 303, opened

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,  # notifications do not name it
        entry: str = "1",
        receiver: str | None = None,
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        paid = format(payment.amount if amount is None else amount, "f")
        shop = receiver or SHOP
        fields = {
            "MERCHANT_ID": shop,
            "AMOUNT": paid,
            "intid": f"90{entry}",
            "MERCHANT_ORDER_ID": payment.reference,
            "P_EMAIL": "nadia@example.com",
            "CUR_ID": "36",
            "SIGN": md5(shop, paid, WORD_2 if secret is None else secret, payment.reference),
        }
        for opened in self.opened.values():
            if opened.reference == payment.reference:
                opened.state, opened.facts["amount"] = "paid", paid
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Webhook(method="POST", body=urlencode(fields).encode(), headers=headers, query={}, form=fields)

    def _orders(self, sent: dict[str, Any]) -> tuple[int, Any]:
        signed = "|".join(str(sent[name]) for name in sorted(sent) if name != "signature")
        if sent["signature"] != hmac.new(API_KEY.encode(), signed.encode(), hashlib.sha256).hexdigest():
            return 401, {"type": "error", "message": "Unauthorized"}
        found = [one for one in self.opened.values() if one.reference == sent.get("paymentId", one.reference)]
        orders = [
            {
                "merchant_order_id": one.reference,
                "fk_order_id": int(one.id),
                "amount": float(one.facts.get("amount", one.amount)),
                "currency": one.currency,
                "status": 1 if one.state == "paid" else 0,
            }
            for one in found
        ]
        return 200, {"type": "success", "pages": 1, "orders": orders}
