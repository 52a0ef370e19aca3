"""Pretend PayTR: tokens for the iframe, notifications with four signed fields, status and refunds."""

from __future__ import annotations

import base64
import hashlib
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

MERCHANT, KEY, SALT = "123456", "paytr-key-1", "paytr-salt-1"
SIGNED = (
    "merchant_id", "user_ip", "merchant_oid", "email", "payment_amount", "user_basket", "no_installment",
    "max_installment", "currency", "test_mode",
)  # fmt: skip


def sign(text: str, key: str = KEY) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


class PretendPayTR(PretendGateway):
    name = "paytr"
    config = {"merchant_id": MERCHANT, "merchant_key": KEY, "merchant_salt": SALT}
    currency = "TRY"
    states = frozenset({"paid", "declined"})

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.path.startswith("/odeme/guvenli/"):
            return 303, self.opened[request.path.rpartition("/")[2].removeprefix("token")]
        sent = request.form()
        match request.path:
            case "/odeme/api/get-token":
                return 200, self._token(sent)
            case "/odeme/durum-sorgu":
                return 200, self._status(sent)
            case "/odeme/iade":
                text = sent["merchant_id"] + sent["merchant_oid"] + sent["return_amount"] + SALT
                if sent["paytr_token"] != sign(text):
                    return 200, {"status": "error", "err_no": "002", "err_msg": "invalid token"}
                return 200, {"status": "success", **{name: sent[name] for name in ("merchant_oid", "return_amount")}}
        return 404, {}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,  # not signed
        entry: str = "1",  # an order is paid once
        receiver: str | None = None,  # the key is the receiver
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        order = payment.compact_reference
        total = str(int((payment.amount if amount is None else amount) * 100))
        status = "success" if state == "paid" else "failed"
        fields = {
            "merchant_oid": order,
            "status": status,
            "total_amount": total,
            "hash": sign(order + SALT + status + total, KEY if secret is None else secret),
            "test_mode": str(int(is_test)),
            "payment_type": "card",
            "currency": "TL",
            "payment_amount": total,
            **({"failed_reason_msg": "Insufficient funds"} if status == "failed" else {}),
        }
        if order in self.opened:
            self.opened[order].state = state
            self.opened[order].facts["total"] = int(total)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Webhook(method="POST", body=urlencode(fields).encode(), headers=headers, query={}, form=fields)

    def _token(self, sent: dict[str, str]) -> dict[str, Any]:
        if sent["paytr_token"] != sign("".join(sent[name] for name in SIGNED) + SALT):
            return {"status": "failed", "reason": "invalid paytr_token"}
        for name in ("user_name", "user_address", "user_phone"):
            if not sent.get(name):
                return {"status": "failed", "reason": f"{name} is missing"}
        if not sent["merchant_oid"].isalnum() or int(sent["payment_amount"]) < 100:
            return {"status": "failed", "reason": "payment_amount is invalid"}
        opened = Opened(
            id=sent["merchant_oid"],
            reference="-".join(sent["merchant_oid"][at : at + 4] for at in (0, 4, 8)),
            amount=Decimal(sent["payment_amount"]) / 100,
            currency="TRY",
            webhook_url=self.registered_url,
            # The real form sends the whole window there. In the frame, the shop's pages refuse to be shown.
        )
        self.opened[opened.id] = opened
        return {"status": "success", "token": f"token{opened.id}"}

    def _status(self, sent: dict[str, str]) -> dict[str, Any]:
        if sent["paytr_token"] != sign(sent["merchant_id"] + sent["merchant_oid"] + SALT):
            return {"status": "error", "err_msg": "invalid token"}
        opened = self.opened.get(sent["merchant_oid"])
        if opened is None or opened.state != "paid":
            return {"status": "error", "err_no": "004", "err_msg": "no successful payment"}
        total = f"{Decimal(opened.facts['total']) / 100:.2f}"
        return {"status": "success", "payment_amount": total, "payment_total": total, "currency": "TL"}
