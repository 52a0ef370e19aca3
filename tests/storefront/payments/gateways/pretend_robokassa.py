"""Pretend Robokassa: signed links, notifications signed with password 2, and the state of invoices in XML."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

LOGIN, PASSWORD_1, PASSWORD_2 = "shop", "pass1", "pass2"
STATES = {"pending": 5, "paid": 100, "declined": 10}


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class PretendRobokassa(PretendGateway):
    name = "robokassa"
    config = {"login": LOGIN, "password_1": PASSWORD_1, "password_2": PASSWORD_2, "algorithm": "md5"}
    currency = "RUB"
    states = frozenset({"paid"})

    def answer(self, request: Received) -> tuple[int, Any]:
        sent = request.query
        if request.path.endswith("/OpStateExt"):
            return 200, self._state(sent)
        shop = f"Shp_ref={sent['Shp_ref']}"
        if sent["SignatureValue"] != md5(LOGIN, sent["OutSum"], sent["InvId"], PASSWORD_1, shop):
            return 400, "29"
        opened = Opened(
            id=sent["InvId"],
            reference=sent["Shp_ref"],
            amount=Decimal(sent["OutSum"]),
            currency=self.currency,
            webhook_url=self.registered_url,
            facts={"number": sent["InvId"]},
        )
        self.opened[opened.id] = opened
        return 303, opened

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,  # always the shop's
        entry: str = "1",  # an invoice is paid once
        receiver: str | None = None,  # the passwords are the receiver
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        paid = f"{payment.amount if amount is None else amount:.6f}"
        number, shop = str(payment.number), f"Shp_ref={payment.reference}"
        fields = {
            "OutSum": paid,
            "InvId": number,
            "Fee": "1.00",
            "EMail": "nadia@example.com",
            "SignatureValue": md5(paid, number, PASSWORD_2 if secret is None else secret, shop).upper(),
            "PaymentMethod": "BankCard",
            "Shp_ref": payment.reference,
            **({"IsTest": "1"} if is_test else {}),
        }
        if number in self.opened:
            self.opened[number].state, self.opened[number].facts["amount"] = state, paid
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Webhook(method="POST", body=urlencode(fields).encode(), headers=headers, query={}, form=fields)

    def _state(self, sent: Any) -> str:
        if sent["Signature"] != md5(LOGIN, sent["InvoiceID"], PASSWORD_2):
            return "<OperationStateResponse><Result><Code>1</Code></Result></OperationStateResponse>"
        opened = self.opened.get(sent["InvoiceID"])
        if opened is None:
            return "<OperationStateResponse><Result><Code>3</Code></Result></OperationStateResponse>"
        return (
            "<OperationStateResponse><Result><Code>0</Code></Result>"
            f"<State><Code>{STATES[opened.state]}</Code></State>"
            f"<Info><IncSum>1</IncSum><OutSum>{opened.facts.get('amount', opened.amount)}</OutSum></Info>"
            "</OperationStateResponse>"
        )
