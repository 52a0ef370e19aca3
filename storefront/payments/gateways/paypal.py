"""PayPal Orders v2: the customer approves an order at PayPal, and the shop captures it.

Wire facts: PayPal's OpenAPI files for Orders v2, Payments v2, Webhooks and Disputes, its pages "Integrate webhooks" and
"Idempotency", and ``notifications.py`` of PayPal-Python-SDK for the signed text. The signature covers only a CRC of the
body, so what credits or refunds is asked for again by our own request. Not proven: nothing was tried with an account;
whether a reversal names its capture by a link or is the capture itself (both are read).
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cryptography import x509
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayError,
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    RefundResult,
    RefundState,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import memory, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

_WITHOUT_CENTS = frozenset(("HUF", "JPY", "TWD"))
_CERTIFICATE = re.compile(
    r"https://(?P<host>api(-m)?\.(?P<sandbox>sandbox\.)?paypal\.com)(?P<path>/v1/notifications/certs/[A-Za-z0-9-]{1,100})"
)
#: Seconds to keep a certificate.
_DAY = 86_400

_CAPTURE_STATES = {
    "COMPLETED": ReportedState.PAID,
    "PARTIALLY_REFUNDED": ReportedState.PAID,
    "PENDING": ReportedState.PENDING,
    "DECLINED": ReportedState.DECLINED,
    "FAILED": ReportedState.DECLINED,
}
_CAPTURE_EVENTS = frozenset(f"PAYMENT.CAPTURE.{word}" for word in ("COMPLETED", "PENDING", "DENIED", "DECLINED"))


class PayPal(Gateway):
    name = "paypal"
    label = "PayPal"
    description = _("PayPal balance, cards and bank accounts, on PayPal's pages.")
    config_fields = (
        ConfigField(
            name="client_id",
            label=_("Client ID"),
            help_text=_("Under Apps & Credentials in PayPal's developer dashboard."),
        ),
        ConfigField(
            name="client_secret", label=_("Client secret"), help_text=_("Next to the client ID."), is_secret=True
        ),
        ConfigField(
            name="webhook_id",
            label=_("Webhook ID"),
            help_text=_("Shown in the settings of your app after you add the webhook URL."),
            is_known_later=True,
        ),
    )
    api_url = "https://api-m.paypal.com"
    test_api_url = "https://api-m.sandbox.paypal.com"
    hosts = ("www.paypal.com", "www.sandbox.paypal.com")
    currencies = tuple(
        "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD".split()  # noqa: SIM905
    )
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        unit = {
            "reference_id": payment.reference,
            "custom_id": payment.reference,
            "invoice_id": payment.reference,
            "description": payment.description[:127] or payment.reference,
            "amount": _money(payment.amount, payment.currency),
        }
        experience = {
            "return_url": urls.done,
            "cancel_url": urls.canceled,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        }
        order = {
            "intent": "CAPTURE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": experience}},
        }
        answer = self._call("POST", "v2/checkout/orders", order, key=payment.reference)
        created = answer.json()
        url, number = _link(created, "payer-action") or _link(created, "approve"), reading.text(created, "id")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        self._check_signature(webhook)
        event = webhook.json()
        kind, thing = reading.text(event, "event_type"), reading.value(event, "resource")
        number = reading.text(thing, "id")
        if kind == "CHECKOUT.ORDER.APPROVED":
            # The order is captured when the customer returns or by ``query``: not here, where it is not known yet
            # whether it is an order of this shop.
            reference = reading.text(thing, "purchase_units", 0, "custom_id")
            return (
                GatewayReport(state=ReportedState.PENDING, reference=reference, upstream_id=number)
                if reference
                else None
            )
        if kind in _CAPTURE_EVENTS:
            return self._capture_report(self._fetch(f"v2/payments/captures/{_path_part(number)}"), note=kind)
        if kind == "PAYMENT.CAPTURE.REFUNDED":
            refund = self._fetch(f"v2/payments/refunds/{_path_part(number)}")
            is_done = reading.text(refund, "status") == "COMPLETED"
            return self._reversal_report(refund, ReportedState.REFUNDED, note=kind) if is_done else None
        if kind == "PAYMENT.CAPTURE.REVERSED":
            return self._reversal_report(thing, ReportedState.CHARGED_BACK, note=kind)
        if kind in ("CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED"):
            return _dispute_report(thing, is_resolved=kind.endswith("RESOLVED"))
        return None

    def read_return(self, payment: PaymentDetails, params: Mapping[str, str]) -> GatewayReport | None:
        return self.query(payment)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        """Return the state of the order, and capture it if the customer has approved it."""
        order = self._order(payment)
        if order is not None and reading.text(order, "status") == "APPROVED":
            order = self._capture(payment)
        if order is None:
            return None
        capture = reading.value(order, "purchase_units", 0, "payments", "captures", 0)
        if isinstance(capture, dict):
            own = {
                "custom_id": payment.reference,
                "supplementary_data": {"related_ids": {"order_id": payment.upstream_id}},
            }
            try:
                return self._capture_report(capture | own, note=reading.text(order, "status"))
            except (InvalidAmount, WebhookRejected):
                raise GatewayUnreachable("paypal answered without a valid amount") from None
        state = ReportedState.DECLINED if reading.text(order, "status") == "VOIDED" else ReportedState.PENDING
        return GatewayReport(
            state=state,
            reference=payment.reference,
            upstream_id=payment.upstream_id,
            note=reading.text(order, "status"),
        )

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        capture = payment.data.get("capture_id") or reading.text(
            self._order(payment), "purchase_units", 0, "payments", "captures", 0, "id"
        )
        if not capture:
            raise GatewayRejected("the order was not captured at PayPal, so it was not paid")
        content = {"amount": _money(amount, payment.currency), "custom_id": payment.reference}
        answer = self._call("POST", f"v2/payments/captures/{_path_part(capture)}/refund", content, key=key)
        refund = answer.json()
        number, status = reading.text(refund, "id"), reading.text(refund, "status")
        if not answer.is_success or not number:
            raise self._refusal(answer)
        if status in ("FAILED", "CANCELLED"):
            raise GatewayRejected(f"the refund {number} is {status.lower()}")
        return RefundResult(state=RefundState.DONE if status == "COMPLETED" else RefundState.PENDING, refund_id=number)

    def check(self) -> str:
        answer = self._call("GET", f"v1/notifications/webhooks/{_path_part(self.config['webhook_id'])}")
        if answer.status == 404:
            raise GatewayRejected(gettext("The client ID and secret work, but this webhook ID does not exist."))
        if not answer.is_success or reading.text(answer.json(), "id") != self.config["webhook_id"]:
            raise self._refusal(answer)
        return gettext("The keys work.")

    # --- orders ------------------------------------------------------------------------------------------------------

    def _order(self, payment: PaymentDetails) -> dict[str, Any] | None:
        if not payment.upstream_id:
            return None
        answer = self._call("GET", f"v2/checkout/orders/{_path_part(payment.upstream_id)}")
        if answer.status == 404:
            return None
        order = answer.json()
        if not answer.is_success or reading.text(order, "purchase_units", 0, "custom_id") != payment.reference:
            raise self._refusal(answer)
        return order

    def _capture(self, payment: PaymentDetails) -> dict[str, Any] | None:
        path = f"v2/checkout/orders/{_path_part(payment.upstream_id)}/capture"
        answer = self._call("POST", path, {}, key=f"{payment.reference}-capture")
        if reading.text(answer.json(), "details", 0, "issue") == "ORDER_ALREADY_CAPTURED":
            return self._order(payment)
        order = answer.json()
        if not answer.is_success or reading.text(order, "id") != payment.upstream_id:
            raise self._refusal(answer)
        return order

    def _capture_report(self, capture: Mapping[str, Any], *, note: str) -> GatewayReport | None:
        number, reference = reading.text(capture, "id"), reading.text(capture, "custom_id")
        state = _CAPTURE_STATES.get(reading.text(capture, "status"))
        if state is None or not reference:
            return None
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=reading.text(capture, "supplementary_data", "related_ids", "order_id"),
            entry_id=number,
            amount=reading.amount(capture, "amount", "value") if state is ReportedState.PAID else None,
            currency=reading.currency(capture, "amount", "currency_code"),
            fee=reading.optional_amount(capture, "seller_receivable_breakdown", "paypal_fee", "value"),
            fee_currency=reading.currency(capture, "seller_receivable_breakdown", "paypal_fee", "currency_code"),
            data={"capture_id": number} if number else {},
            note=reading.text(capture, "status_details", "reason") or note,
        )

    def _reversal_report(self, thing: Any, state: ReportedState, *, note: str) -> GatewayReport | None:
        """Return the report about a refund or reversal, whose payment may be named by its capture only."""
        number, reference = reading.text(thing, "id"), reading.text(thing, "custom_id")
        if not reference:
            capture = _link(thing, "up").rpartition("/captures/")[2] or number
            reference = reading.text(self._fetch(f"v2/payments/captures/{_path_part(capture)}"), "custom_id")
        if not reference or not number:
            return None
        return GatewayReport(
            state=state,
            reference=reference,
            entry_id=number,
            amount=reading.amount(thing, "amount", "value"),
            currency=reading.currency(thing, "amount", "currency_code"),
            note=note,
        )

    # --- the signature of webhooks -----------------------------------------------------------------------------------

    def _check_signature(self, webhook: Webhook) -> None:
        if not self.config["webhook_id"]:
            raise WebhookRejected("the webhook ID is not set")
        if webhook.header("PAYPAL-AUTH-ALGO") != "SHA256withRSA":
            raise WebhookRejected("the signature is missing or of an unknown kind")
        text = signed_text(
            webhook.header("PAYPAL-TRANSMISSION-ID"),
            webhook.header("PAYPAL-TRANSMISSION-TIME"),
            self.config["webhook_id"],
            webhook.body,
        )
        key = self._public_key(webhook.header("PAYPAL-CERT-URL"))
        if not signatures.is_rsa_sha256(key, text, webhook.header("PAYPAL-TRANSMISSION-SIG")):
            raise WebhookRejected("the signature is wrong")

    def _public_key(self, url: str) -> Any:
        """Return the key in the certificate at ``url``, which must be PayPal's own for the same environment."""
        found = _CERTIFICATE.fullmatch(url)
        if not found or bool(found["sandbox"]) != self.is_test:
            raise WebhookRejected("the certificate is not at PayPal's address")
        certificate = memory.get("paypal", url)
        if certificate is None:
            answer = self.request("GET", self.url(found["path"], base=f"https://{found['host']}"))
            if not answer.is_success:
                raise GatewayUnreachable(f"paypal answered {answer.status} when asked for its certificate")
            try:
                certificate = x509.load_pem_x509_certificate(answer.text.encode())
            except ValueError:
                raise GatewayUnreachable("paypal answered without a certificate") from None
            memory.keep(certificate, "paypal", url, seconds=_DAY)
        if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
            raise WebhookRejected("the certificate has expired")
        return certificate.public_key()

    # --- requests ----------------------------------------------------------------------------------------------------

    def _fetch(self, path: str) -> dict[str, Any]:
        """Return the object at ``path``, which a webhook names."""
        answer = self._call("GET", path)
        found = answer.json()
        if not answer.is_success or reading.text(found, "id") != path.rpartition("/")[2]:
            raise GatewayUnreachable(str(self._refusal(answer)))
        return found

    def _call(self, method: str, path: str, content: Any = None, *, key: str = "") -> GatewayAnswer:
        headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
        if key:
            headers["PayPal-Request-Id"] = key
        for is_new in (False, True):
            headers["Authorization"] = f"Bearer {self._token(is_new=is_new)}"
            answer = self.request(method, self.url(path), json=content, headers=headers)
            if answer.status != 401:  # a token that was revoked before its time
                break
        return answer

    def _token(self, *, is_new: bool) -> str:
        pair = f"{self.config['client_id']}:{self.config['client_secret']}"
        place = ("paypal", self.url(""), signatures.hash_hex(pair, "sha256"))
        token = None if is_new else memory.get(*place)
        if token is None:
            answer = self.request(
                "POST",
                self.url("v1/oauth2/token"),
                form={"grant_type": "client_credentials"},
                headers={"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
            )
            token = reading.text(answer.json(), "access_token")
            if not answer.is_success or not token:
                raise self.refusal(answer, reading.text(answer.json(), "error_description"))
            seconds = reading.optional_amount(answer.json(), "expires_in") or Decimal(0)
            memory.keep(token, *place, seconds=max(0.0, float(min(seconds, Decimal(_DAY))) - 60))
        return str(token)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        problem = answer.json()
        detail = reading.text(problem, "details", 0, "description") or reading.text(problem, "details", 0, "issue")
        return self.refusal(answer, detail or reading.text(problem, "message"))


def signed_text(transmission_id: str, transmission_time: str, webhook_id: str, body: bytes) -> bytes:
    """Return the text that PayPal signs for a webhook."""
    return f"{transmission_id}|{transmission_time}|{webhook_id}|{zlib.crc32(body)}".encode(errors="replace")


def _dispute_report(dispute: Any, *, is_resolved: bool) -> GatewayReport | None:
    """Return the report about a dispute. One that is lost is reported as a reversal, so it is left out here."""
    transaction = reading.value(dispute, "disputed_transactions", 0)
    reference = reading.text(transaction, "custom") or reading.text(transaction, "invoice_number")
    outcome = reading.text(dispute, "dispute_outcome", "outcome_code")
    if not reference or (is_resolved and outcome != "RESOLVED_SELLER_FAVOUR"):
        return None
    return GatewayReport(
        state=ReportedState.DISPUTE_WON if is_resolved else ReportedState.DISPUTED,
        reference=reference,
        entry_id=reading.text(dispute, "dispute_id"),
        amount=None if is_resolved else reading.amount(dispute, "dispute_amount", "value"),
        currency=reading.currency(dispute, "dispute_amount", "currency_code"),
        note=outcome or reading.text(dispute, "reason"),
    )


def _money(amount: Decimal, code: str) -> dict[str, str]:
    """Return ``amount`` as PayPal takes it.

    Raises:
        GatewayRejected: PayPal takes only whole amounts of this currency.
    """
    places = 0 if code in _WITHOUT_CENTS else 2
    try:
        units = amounts.to_units(amount, places)
    except InvalidAmount:
        raise GatewayRejected(f"paypal takes {code} with at most {places} decimal places") from None
    return {"currency_code": code, "value": format(amounts.from_units(units, places), "f")}


def _link(thing: Any, rel: str) -> str:
    links = reading.value(thing, "links")
    found = [one for one in links if reading.text(one, "rel") == rel] if isinstance(links, list) else []
    return reading.text(found, 0, "href")


def _path_part(number: str) -> str:
    """Return an object's number for use in a path. PayPal's consist of letters, digits and dashes."""
    if not number or not number.isascii() or not number.replace("-", "").isalnum():
        raise GatewayUnreachable("paypal named an object with a malformed number")
    return number
