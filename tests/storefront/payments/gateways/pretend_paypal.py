"""Pretend PayPal: access tokens, orders that are captured, refunds, and webhooks signed with a certificate."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from storefront.payments.gateway import PaymentDetails, Webhook
from tests.storefront.payments.gateways.pretend import Opened, PretendGateway, Received

CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID = "client-1", "client-secret-1", "1JE4291016473214C"
CERT_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"
EVENTS = {
    "paid": "PAYMENT.CAPTURE.COMPLETED",
    "pending": "PAYMENT.CAPTURE.PENDING",
    "declined": "PAYMENT.CAPTURE.DENIED",
    "refunded": "PAYMENT.CAPTURE.REFUNDED",
    "charged_back": "PAYMENT.CAPTURE.REVERSED",
    "disputed": "CUSTOMER.DISPUTE.CREATED",
    "dispute_won": "CUSTOMER.DISPUTE.RESOLVED",
}


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(*, is_expired: bool = False) -> str:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    start = now - timedelta(days=20)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key().public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=10 if is_expired else 400))
        .sign(private_key(), hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


class PretendPayPal(PretendGateway):
    name = "paypal"
    config = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "webhook_id": WEBHOOK_ID}

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[str] = []
        self.captures: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.is_cert_expired = False
        self.refund_status = "COMPLETED"
        self._by_key: dict[str, tuple[int, Any]] = {}

    def answer(self, request: Received) -> tuple[int, Any]:
        if request.path.startswith("/v1/notifications/certs/"):
            return 200, certificate(is_expired=self.is_cert_expired)
        if request.path == "/v1/oauth2/token":
            pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
            if request.header("Authorization") != f"Basic {pair}":
                return 401, {"error": "invalid_client", "error_description": "Client Authentication failed"}
            self.tokens = [f"token-{len(self.received)}"]
            return 200, {"access_token": self.tokens[0], "token_type": "Bearer", "expires_in": 32_400}
        if request.header("Authorization").removeprefix("Bearer ") not in self.tokens:
            return 401, {"error": "invalid_token", "error_description": "Token signature verification failed"}
        key = request.header("PayPal-Request-Id")
        if request.method == "POST" and not key:
            return 400, problem("INVALID_REQUEST", "the key is missing")
        if key in self._by_key:
            return self._by_key[key]
        result = self._serve(request)
        if key and result[0] < 300:
            self._by_key[key] = result
        return result

    def webhook(
        self,
        payment: PaymentDetails,
        *,
        state: str = "paid",
        amount: Decimal | None = None,
        currency: str | None = None,
        entry: str = "1",
        receiver: str | None = None,  # captures of others cannot be read with our keys
        is_test: bool = False,  # the sandbox is another address
        secret: str | None = None,  # signed with another private key
    ) -> Webhook:
        opened = self.find(payment)
        money = {
            "currency_code": currency or payment.currency,
            "value": f"{payment.amount if amount is None else amount:.2f}",
        }
        number = f"3C679366HH90{entry}"
        if state in ("paid", "pending", "declined"):
            thing = self._capture(opened, number, money, state.upper())
        elif state in ("refunded", "charged_back"):
            up = {"rel": "up", "href": f"https://api.paypal.com/v2/payments/captures/{self._any_capture(opened)}"}
            thing = {"id": f"1JU08902{entry}", "status": "COMPLETED", "amount": money, "links": [up]}
            self.refunds[thing["id"]] = thing
        else:
            outcome = {"outcome_code": "RESOLVED_SELLER_FAVOUR"} if state == "dispute_won" else None
            transaction = {"custom": opened.reference, "seller_transaction_id": number}
            thing = {"dispute_id": f"PP-D-{entry}", "disputed_transactions": [transaction], "dispute_amount": money}
            thing |= {"reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED", "dispute_outcome": outcome}
        if receiver is not None:
            self.captures.pop(number, None)
        return self.signed({"id": "WH-1", "event_type": EVENTS[state], "resource": thing}, secret=secret)

    def signed(self, content: Any, *, secret: str | None = None, webhook_id: str = WEBHOOK_ID) -> Webhook:
        body = json.dumps(content).encode()
        headers = {
            "PAYPAL-TRANSMISSION-ID": "69cd13f0-d67a-11e5-baa3-778b53f4ae55",
            "PAYPAL-TRANSMISSION-TIME": "2026-11-28T09:26:40Z",
            "PAYPAL-CERT-URL": CERT_URL,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }
        text = "|".join((*list(headers.values())[:2], webhook_id, str(zlib.crc32(body)))).encode()
        key = private_key() if secret is None else private_key(1)
        headers["PAYPAL-TRANSMISSION-SIG"] = base64.b64encode(
            key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        ).decode()
        return Webhook(method="POST", body=body, headers=headers, query={}, form={})

    def approve(self, number: str) -> None:
        self.opened[number].state = "APPROVED"

    def find(self, payment: PaymentDetails) -> Opened:
        found = next((one for one in self.opened.values() if one.reference == payment.reference), None)
        return found or self._open(payment.reference, payment.amount, payment.currency)

    def _open(self, reference: str, amount: Decimal, currency: str) -> Opened:
        number = f"5O190127TN{len(self.opened) + 1}"
        opened = Opened(id=number, reference=reference, amount=amount, currency=currency, state="PAYER_ACTION_REQUIRED")
        self.opened[number] = opened
        return opened

    def _serve(self, request: Received) -> tuple[int, Any]:
        parts = request.path.strip("/").split("/")
        match parts:
            case ["v1", "notifications", "webhooks", number]:
                return (200, {"id": number}) if number == WEBHOOK_ID else (404, problem("INVALID_RESOURCE_ID", "no"))
            case ["v2", "checkout", "orders"]:
                return self._create(request.json())
            case ["v2", "checkout", "orders", number, *rest] if number in self.opened:
                opened = self.opened[number]
                if rest == ["capture"]:
                    if opened.state == "COMPLETED":
                        return 422, problem("UNPROCESSABLE_ENTITY", "Order already captured.", "ORDER_ALREADY_CAPTURED")
                    if opened.state != "APPROVED":
                        return 422, problem("UNPROCESSABLE_ENTITY", "Payer has not approved.", "ORDER_NOT_APPROVED")
                    money = {"currency_code": opened.currency, "value": f"{opened.amount:.2f}"}
                    self._capture(opened, f"3C6{number}", money, opened.facts.get("capture", "PAID"))
                    return 201, self._order(opened)
                return 200, self._order(opened)
            case ["v2", "payments", "captures", number] if number in self.captures:
                return 200, self.captures[number]
            case ["v2", "payments", "captures", number, "refund"] if number in self.captures:
                amount = request.json()["amount"]
                refund = {"id": f"9RF{len(self.refunds)}", "status": self.refund_status, "amount": amount}
                self.refunds[refund["id"]] = refund
                return 201, refund
            case ["v2", "payments", "refunds", number] if number in self.refunds:
                return 200, self.refunds[number]
        return 404, problem("RESOURCE_NOT_FOUND", "The specified resource does not exist.")

    def _create(self, sent: dict[str, Any]) -> tuple[int, Any]:
        unit = sent["purchase_units"][0]
        money = unit["amount"]
        if sent["intent"] != "CAPTURE" or not isinstance(money["value"], str) or len(unit["custom_id"]) > 127:
            return 400, problem("INVALID_REQUEST", "Request is not well-formed.")
        if Decimal(money["value"]) < 1:
            return 422, problem("UNPROCESSABLE_ENTITY", "The amount is too small.", "CANNOT_BE_ZERO_OR_NEGATIVE")
        if any(one.facts.get("invoice_id") == unit["invoice_id"] for one in self.opened.values()):
            return 422, problem("UNPROCESSABLE_ENTITY", "Duplicate Invoice ID detected.", "DUPLICATE_INVOICE_ID")
        opened = self._open(unit["custom_id"], Decimal(money["value"]), money["currency_code"])
        opened.facts["invoice_id"] = unit["invoice_id"]
        opened.done_url = sent["payment_source"]["paypal"]["experience_context"]["return_url"]
        opened.webhook_url = self.registered_url
        return 200, self._order(opened)

    def _capture(self, opened: Opened, number: str, money: dict[str, str], state: str) -> dict[str, Any]:
        fee = {"currency_code": money["currency_code"], "value": "0.79"}
        capture = {
            "id": number,
            "status": {"PAID": "COMPLETED"}.get(state, state),
            "amount": money,
            "custom_id": opened.reference,
            "seller_receivable_breakdown": {"paypal_fee": fee},
            "supplementary_data": {"related_ids": {"order_id": opened.id}},
        }
        if state == "PENDING":
            capture["status_details"] = {"reason": "PENDING_REVIEW"}
        self.captures[number] = capture
        opened.facts.setdefault("captures", []).append(number)
        opened.state = "COMPLETED"
        return capture

    def _any_capture(self, opened: Opened) -> str:
        if not opened.facts.get("captures"):
            money = {"currency_code": opened.currency, "value": f"{opened.amount:.2f}"}
            self._capture(opened, "3C679366HH901", money, "PAID")
        return str(opened.facts["captures"][0])

    def _order(self, opened: Opened) -> dict[str, Any]:
        captures = [self.captures[number] for number in opened.facts.get("captures", ())]
        unit = {"custom_id": opened.reference, "payments": {"captures": captures}} if captures else {}
        return {
            "id": opened.id,
            "status": opened.state,
            "purchase_units": [{"custom_id": opened.reference} | unit],
            "links": [
                {"rel": "self", "href": f"https://api.paypal.com/v2/checkout/orders/{opened.id}"},
                {"rel": "payer-action", "href": self.page_url(opened)},
            ],
        }


def problem(name: str, message: str, issue: str = "") -> dict[str, Any]:
    return {"name": name, "message": message, "details": [{"issue": issue, "description": message}] if issue else []}
