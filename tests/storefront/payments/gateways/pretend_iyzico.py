"""Pretend iyzico: signed requests and answers, and webhooks with the third version of their signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

API_KEY, SECRET = "sandbox-api-1", "sandbox-secret-1"
STATUSES = {"pending": "INIT_THREEDS", "paid": "SUCCESS", "declined": "FAILURE"}


def sign(text: str, key: str = SECRET) -> str:
    return hmac.new(key.encode(), text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


class PretendIyzico(PretendGateway):
    name = "iyzico"
    config = {"api_key": API_KEY, "secret_key": SECRET}
    currency = "TRY"

    def answer(self, request: Received) -> tuple[int, Any]:
        given = b64decode(request.header("Authorization").removeprefix("IYZWSv2 ")).decode()
        signature = sign(request.header("x-iyzi-rnd") + request.path + request.body.decode())
        if given != f"apiKey:{API_KEY}&randomKey:{request.header('x-iyzi-rnd')}&signature:{signature}":
            return 200, {"status": "failure", "errorCode": "1001", "errorMessage": "API credentials not found"}
        if request.path == "/payment/test":
            return 200, {"status": "success"}
        sent = request.json()
        if request.path.endswith("/initialize/auth/ecom"):
            return 200, self._initialize(sent)
        opened = self.opened.get(sent["token"])
        if opened is None:
            return 200, {"status": "failure", "errorMessage": "token not found"}
        return 200, self._result(opened)

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # the keys are the receiver
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,
    ) -> Webhook:
        matching = [one for one in self.opened.values() if one.reference == payment.reference]
        if entry == "1" and matching:
            opened = matching[0]
        else:
            opened = self._open(payment.reference, payment.amount, payment.currency)
        opened.state = state
        opened.facts |= {
            "amount": payment.amount if amount is None else amount,
            "currency": currency or payment.currency,
        }
        content = {
            "paymentConversationId": payment.reference,
            "merchantId": 1,
            "token": opened.id,
            "status": STATUSES[state],
            "iyziReferenceCode": "x",
            "iyziEventType": "CHECKOUT_FORM_AUTH",
            "iyziPaymentId": opened.facts["number"],
        }
        return self.signed(content, secret=secret)

    def signed(self, content: dict[str, Any], *, secret: str | None = None) -> Webhook:
        key = SECRET if secret is None else secret
        names = ("iyziEventType", "iyziPaymentId", "token", "paymentConversationId", "status")
        signature = sign(key + "".join(str(content.get(name, "")) for name in names), key)
        headers = {"Content-Type": "application/json", "X-IYZ-SIGNATURE-V3": signature}
        return Webhook(method="POST", body=json.dumps(content).encode(), headers=headers, query={}, form={})

    def _initialize(self, sent: dict[str, Any]) -> dict[str, Any]:
        buyer = sent["buyer"]
        if not all(buyer.get(name) for name in ("name", "surname", "identityNumber", "email", "registrationAddress")):
            return {"status": "failure", "errorMessage": "The buyer is incomplete"}
        if sum(Decimal(item["price"]) for item in sent["basketItems"]) != Decimal(sent["price"]):
            return {"status": "failure", "errorMessage": "The items do not add up"}
        opened = self._open(sent["conversationId"], Decimal(sent["paidPrice"]), sent["currency"])
        opened.done_url, opened.webhook_url = sent["callbackUrl"], self.registered_url
        return {
            "status": "success",
            "conversationId": opened.reference,
            "token": opened.id,
            "paymentPageUrl": self.page_url(opened),
            "signature": sign(f"{opened.reference}:{opened.id}"),
        }

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        token = f"token-{reference.lower()}-{len(self.opened) + 1}"
        opened = Opened(id=token, reference=reference, amount=amount, currency=currency)
        opened.facts = {"number": 24157611 + len(self.opened)}
        self.opened[token] = opened
        return opened

    def _result(self, opened: Opened) -> dict[str, Any]:
        if opened.state == "pending":
            return {"status": "success", "conversationId": opened.reference, "token": opened.id}
        facts = opened.facts
        price = format(Decimal(facts.get("amount", opened.amount)).normalize(), "f")
        values = {
            "paymentStatus": STATUSES[opened.state],
            "paymentId": str(facts["number"]),
            "currency": facts.get("currency", opened.currency),
            "basketId": opened.reference,
            "conversationId": opened.reference,
            "paidPrice": price,
            "price": price,
            "token": opened.id,
        }
        return {
            "status": "success" if opened.state == "paid" else "failure",
            **values,
            "paidPrice": float(price),
            "price": float(price),
            "fraudStatus": facts.get("fraud", 1),
            "iyziCommissionRateAmount": 0.5,
            "signature": sign(":".join(values.values())),
        }
