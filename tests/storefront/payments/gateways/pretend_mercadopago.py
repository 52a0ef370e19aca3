"""Pretend Mercado Pago: preferences, Pix payments, and webhooks that name a payment and sign only its number."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from decimal import Decimal
from typing import Any

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

TOKEN, SECRET, ACCOUNT = "APP_USR-mercadopago-1", "mp-secret", "44444"
REQUEST_ID, SENT_AT = "2066ca19-c6f1-498a-be75-1923005edd06", "1764322000"
STATUSES = {"pending": "in_process", "paid": "approved", "declined": "cancelled", "disputed": "in_mediation"}


class PretendMercadoPago(PretendGateway):
    name = "mercadopago"
    config = {"access_token": TOKEN, "webhook_secret": SECRET}
    currency = "BRL"
    states = frozenset({"pending", "paid", "declined", "refunded", "charged_back", "disputed"})

    def __init__(self) -> None:
        super().__init__()
        #: Payments by their number; a preference of ``opened`` can have several.
        self.payments: dict[str, dict[str, Any]] = {}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.header("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "invalid access token", "status": 401}
        match request.method, request.path:
            case "GET", "/users/me":
                return 200, {"id": int(ACCOUNT), "nickname": "SHOP"}
            case "GET", "/v1/payments/search":
                wanted = request.query["external_reference"]
                found = [one for one in self.payments.values() if one["external_reference"] == wanted]
                return 200, {"paging": {"total": len(found)}, "results": found}
            case "GET", path:
                payment = self.payments.get(path.rpartition("/")[2])
                return (200, payment) if payment else (404, {"message": "Payment not found", "status": 404})
            case "POST", "/checkout/preferences":
                return self._preference(request.json())
            case "POST", "/v1/payments":
                return self._pix(request.json(), key=request.header("X-Idempotency-Key"))
            case "POST", path if path.endswith("/refunds"):
                if not request.header("X-Idempotency-Key"):
                    return 400, {"message": "X-Idempotency-Key is missing"}
                payment = self.payments[path.split("/")[3]]
                if Decimal(str(request.json()["amount"])) > Decimal(str(payment["transaction_amount"])):
                    return 400, {"message": "The amount is larger than the payment"}
                return 201, {"id": 1_234, "status": "approved", "payment_id": payment["id"]}
        return 404, {"message": "not found"}

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,
        is_test: bool = False,
        secret: str | None = None,
    ) -> Webhook:
        held = [
            one
            for one in self.payments.values()
            if (one["external_reference"], one["entry"]) == (payment.reference, entry)
        ]
        facts = held[0] if held else self._payment(payment.reference, payment.amount, payment.currency, entry=entry)
        moved = float(payment.amount if amount is None else amount)
        facts["status"] = STATUSES.get(state, state)
        facts["transaction_amount_refunded"] = moved if state == "refunded" else 0
        if state != "refunded":
            facts["transaction_amount"] = moved
            facts["transaction_details"] = {"net_received_amount": moved / 2}
        facts |= {"live_mode": not is_test, "currency_id": currency or payment.currency}
        facts["collector_id"] = int(ACCOUNT) if receiver is None else receiver
        content = {
            "action": "payment.updated",
            "type": "payment",
            "data": {"id": str(facts["id"])},
            "live_mode": not is_test,
            "user_id": facts["collector_id"],
        }
        return self.signed(content, secret=secret)

    def signed(self, content: Any, *, number: str | None = None, secret: str | None = None) -> Webhook:
        number = content["data"]["id"] if number is None else number
        manifest = f"id:{number};request-id:{REQUEST_ID};ts:{SENT_AT};"
        digest = hmac.new((SECRET if secret is None else secret).encode(), manifest.encode(), hashlib.sha256)
        return Webhook(
            method="POST",
            body=json.dumps(content).encode(),
            headers={
                "Content-Type": "application/json",
                "x-signature": f"ts={SENT_AT},v1={digest.hexdigest()}",
                "x-request-id": REQUEST_ID,
            },
            query={"data.id": number, "type": "payment"},
            form={},
        )

    def _preference(self, sent: dict[str, Any]) -> tuple[int, Any]:
        [item] = sent["items"]
        if not isinstance(item["unit_price"], (int, float)) or item["unit_price"] <= 0 or item["quantity"] != 1:
            return 400, {"message": "unit_price invalid", "error": "bad_request"}
        opened = Opened(
            id=f"{ACCOUNT}-pref-{len(self.opened)}",
            reference=sent["external_reference"],
            amount=Decimal(str(item["unit_price"])),
            currency=item["currency_id"],
            webhook_url=sent["notification_url"],
            done_url=sent["back_urls"]["success"],
        )
        self.opened[opened.id] = opened
        page = self.page_url(opened)
        return 201, {"id": opened.id, "init_point": page, "sandbox_init_point": f"{page}?sandbox"}

    def _pix(self, sent: dict[str, Any], *, key: str) -> tuple[int, Any]:
        identification = sent["payer"]["identification"]
        if not key:
            return 400, {"message": "Header X-Idempotency-Key can't be null"}
        if not re.fullmatch(r"[0-9]{11}", identification["number"]) or identification["type"] != "CPF":
            return 400, {"message": "Invalid user identification number"}
        if sent["payment_method_id"] != "pix" or sent["transaction_amount"] < 0.01:
            return 400, {"message": "Invalid transaction_amount"}
        amount = Decimal(str(sent["transaction_amount"]))
        payment = self._payment(sent["external_reference"], amount, "BRL", entry="1")
        number = str(payment["id"])
        self.opened[number] = Opened(
            id=number,
            reference=sent["external_reference"],
            amount=amount,
            currency="BRL",
            webhook_url=sent["notification_url"],
        )
        code = f"00020126580014br.gov.bcb.pix-{number}"
        shown = {"point_of_interaction": {"transaction_data": {"qr_code": code, "qr_code_base64": "iVBORw0KGgo="}}}
        return 201, payment | shown | {"date_of_expiration": "2026-11-29T05:26:40.000-04:00"}

    def _payment(self, reference: str, amount: Decimal, currency: str, *, entry: str) -> dict[str, Any]:
        number = 87_000_000 + len(self.payments)
        self.payments[str(number)] = {
            "id": number,
            "status": "pending",
            "status_detail": "accredited",
            "external_reference": reference,
            "transaction_amount": float(amount),
            "transaction_amount_refunded": 0,
            "currency_id": currency,
            "collector_id": int(ACCOUNT),
            "live_mode": True,
            "entry": entry,
        }
        return self.payments[str(number)]


class PretendMercadoPagoPix(PretendMercadoPago):
    name = "mercadopago_pix"
