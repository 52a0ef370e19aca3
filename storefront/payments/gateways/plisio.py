"""Plisio: cryptocurrency invoices.

Wire facts: Plisio's documentation ("Create an invoice", "Operation") and the vendor's libraries
Plisio/nodejs-api-client and Plisio/woocommerce-plugin. Two forms of the signature are accepted, both over all fields:
that of the vendor's node library, whose published test answer ours equals, and that of the documented sample. Not
proven: ``pending_amount`` of expired invoices and ``return_existing`` were seen in public code only.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayError,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import exact_json, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

#: "cancelled duplicate" is not among them: the customer chose another coin, and a new invoice has the order number.
_STATES = {
    "new": ReportedState.PENDING,
    "pending": ReportedState.PENDING,
    "pending internal": ReportedState.PENDING,
    "completed": ReportedState.PAID,
    "mismatch": ReportedState.PAID,
    "expired": ReportedState.DECLINED,
    "error": ReportedState.DECLINED,
    "cancelled": ReportedState.DECLINED,
}


class Plisio(Gateway):
    name = "plisio"
    label = "Plisio"
    description = _("Cryptocurrencies, on the gateway's payment page.")
    icon = "wallet"
    config_fields = (
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("Under API > your shop. It also signs webhooks."),
            is_secret=True,
        ),
    )
    api_url = "https://api.plisio.net/api/v1"
    hosts = ("plisio.net", ".plisio.net")
    is_webhook_registered = False
    can_query = True
    can_check = True
    has_differences = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        answer = self._get(
            "invoices/new",
            {
                "order_number": payment.reference,
                "order_name": payment.description or payment.reference,
                "source_currency": payment.currency,
                "source_amount": format(payment.amount, "f"),
                # Without json=true the webhook is a form, signed over PHP's own notation.
                "callback_url": urls.webhook + ("&" if "?" in urls.webhook else "?") + "json=true",
                "success_invoice_url": urls.done,
                "fail_invoice_url": urls.canceled,
                "email": customer.email,
                "return_existing": "1",
            },
        )
        invoice = reading.value(answer.json(), "data")
        url, number = reading.text(invoice, "invoice_url"), reading.text(invoice, "txn_id")
        if not _is_success(answer) or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        data = webhook.json()
        given = data.pop("verify_hash", None)
        if not self.config["secret_key"]:
            raise WebhookRejected("the secret key is not set")
        texts = [text for text in (_sorted_text(data), exact_json.dumps(data)) if text is not None]
        expected = [signatures.hmac_hex(self.config["secret_key"], text, "sha1") for text in texts]
        if not any(signatures.is_equal(one, given) for one in expected):
            raise WebhookRejected("the signature is wrong")
        reference = reading.text(data, "order_number")
        return self._report(data, reference=reference) if reference else None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        number = payment.data.get("txn_id") or payment.upstream_id
        if not number.isalnum() or not number.isascii():
            return None
        answer = self._get(f"operations/{number}", {})
        if answer.status == 404:
            return None
        operation = reading.value(answer.json(), "data")
        reference = reading.text(operation, "order_number") or reading.text(operation, "params", "order_number")
        if not _is_success(answer) or reference not in ("", payment.reference):
            raise self._refusal(answer)
        try:
            return self._report(operation, reference=payment.reference)
        except InvalidAmount:
            raise GatewayUnreachable("plisio answered without a valid amount") from None

    def check(self) -> str:
        answer = self._get("operations", {"limit": "1"})
        if not _is_success(answer):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _report(self, data: Any, *, reference: str) -> GatewayReport | None:
        status, number = reading.text(data, "status"), reading.text(data, "txn_id") or reading.text(data, "id")
        state = _STATES.get(status)
        if state is None:
            return None
        received: Decimal | None = None
        if state is ReportedState.PAID:
            received = reading.amount(data, "source_amount")
            if status == "mismatch":  # too much was paid
                received = max(received, _share(data, reading.optional_amount(data, "amount")) or received)
        elif status == "expired":
            received = _part(data)
            state = ReportedState.PAID if received else state
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=number,
            amount=received,
            currency=reading.currency(data, "source_currency"),
            fee=reading.optional_amount(data, "invoice_commission") if state is ReportedState.PAID else None,
            fee_currency=reading.currency(data, "currency"),
            data={"txn_id": number} if number else {},
            note=status,
        )

    def _get(self, path: str, query: Mapping[str, str]) -> GatewayAnswer:
        return self.request("GET", self.url(path), query={**query, "api_key": self.config["secret_key"]})

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        said = answer.json()
        is_definite = reading.text(said, "status") == "error" and answer.status < 500
        return self.refusal(answer, reading.text(said, "data", "message"), is_definite=is_definite)


def _is_success(answer: GatewayAnswer) -> bool:
    return answer.is_success and reading.text(answer.json(), "status") == "success"


def _sorted_text(data: Mapping[str, Any]) -> str | None:
    """Return what the vendor's node library signs: sorted keys, every value as text; None if a value is an object."""
    texts: dict[str, str] = {}
    for key, value in sorted(data.items()):
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, (dict, list)) for part in parts):
            return None
        words = {None: "" if isinstance(value, list) else "null", True: "true", False: "false"}
        texts[key] = ",".join(words[part] if part is None or isinstance(part, bool) else str(part) for part in parts)
    return exact_json.dumps(texts)


def _share(data: Any, coins: Decimal | None) -> Decimal | None:
    """Return what ``coins`` are worth in the currency of the invoice, rounded down, or None if that is not known."""
    total = reading.optional_amount(data, "invoice_total_sum")
    if not coins or not total:
        return None
    worth = amounts.divide(amounts.multiply(reading.amount(data, "source_amount"), coins), total)
    try:
        return amounts.round_down(worth, Decimal(1).scaleb(-reading.places(reading.currency(data, "source_currency"))))
    except ArithmeticError:
        raise InvalidAmount("the amounts do not fit each other") from None


def _part(data: Any) -> Decimal | None:
    """Return the part of an expired invoice that was paid, or None.

    ``amount`` does not tell: without a payment it may be that of the invoice.
    """
    total, pending = reading.optional_amount(data, "invoice_total_sum"), reading.optional_amount(data, "pending_amount")
    return _share(data, total - pending) if total and pending and pending < total else None
