"""Pretend Payeer: signed links, notifications signed over their fields."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

SHOP, KEY = "12345678", "payeer-key"
STATUSES = {"paid": "success", "declined": "fail"}


def sign(*values: str) -> str:
    return hashlib.sha256(":".join(values).encode()).hexdigest().upper()


class PretendPayeer(PretendGateway):
    name = "payeer"
    config = {"shop_id": SHOP, "secret_key": KEY}
    states = frozenset({"paid", "declined"})

    def answer(self, request: Received) -> tuple[int, Any]:
        sent = request.query
        names = ("m_shop", "m_orderid", "m_amount", "m_curr", "m_desc")
        if sent["m_sign"] != sign(*(sent[name] for name in names), KEY) or not sent["m_orderid"].isalnum():
            return 400, "wrong signature"
        reference = "-".join(sent["m_orderid"][at : at + 4] for at in (0, 4, 8))
        opened = Opened(
            id=sent["m_orderid"],
            reference=reference,
            amount=Decimal(sent["m_amount"]),
            currency=sent["m_curr"],
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
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,
        is_test: bool = False,  # there is no test flag
        secret: str | None = None,
    ) -> Webhook:
        fields = {
            "m_operation_id": f"98765{entry}",
            "m_operation_ps": "2609",
            "m_operation_date": "28.11.2026 12:00:00",
            "m_operation_pay_date": "28.11.2026 12:00:05",
            "m_shop": receiver or SHOP,
            "m_orderid": payment.compact_reference,
            "m_amount": f"{payment.amount if amount is None else amount:.2f}",
            "m_curr": currency or payment.currency,
            "m_desc": "VG9wLXVw",
            "m_status": STATUSES[state],
        }
        fields["m_sign"] = sign(*fields.values(), KEY if secret is None else secret)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Webhook(method="POST", body=urlencode(fields).encode(), headers=headers, query={}, form=fields)
