"""Mercado Pago in Latin America: Checkout Pro, a payment page with cards and cash, and Pix, a code for bank apps.

Wire facts: the pages "Checkout Pro", "Pix", "Payments", "Refunds" and "Webhooks" of mercadopago.com/developers, and the
vendor's library mercadopago 3.6.0, whose check of signatures agrees with ours. A webhook holds only the number of a
payment, so the shop asks for the payment. Not proven: whether letters in a number are signed in lower case (both are
accepted), the unit of the signed time (so it is not limited), refunds, and the end of disputes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.payments.gateway import (
    ConfigField,
    Customer,
    CustomerField,
    Details,
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

_STATES = {
    "pending": ReportedState.PENDING,
    "in_process": ReportedState.PENDING,
    "authorized": ReportedState.PENDING,
    "approved": ReportedState.PAID,
    "rejected": ReportedState.DECLINED,
    "cancelled": ReportedState.DECLINED,
    "refunded": ReportedState.REFUNDED,
    "in_mediation": ReportedState.DISPUTED,
    "charged_back": ReportedState.CHARGED_BACK,
}
_REFUND_STATES = {"approved": RefundState.DONE, "in_process": RefundState.PENDING}
#: Seconds to remember the number of the account that an access token belongs to.
_DAY = 86_400


class _MercadoPago(Gateway):
    """What both ways to pay share: keys, webhooks, questions and refunds."""

    config_fields = (
        ConfigField(
            name="access_token",
            label=_("Access token"),
            help_text=_("In Mercado Pago, under Your integrations > your application > Credentials."),
            is_secret=True,
        ),
        ConfigField(
            name="webhook_secret",
            label=_("Webhook secret"),
            help_text=_("Shown after you add the webhook URL under Your integrations > your application > Webhooks."),
            is_known_later=True,
            is_secret=True,
        ),
    )
    api_url = "https://api.mercadopago.com"
    has_test_keys = True
    can_query = True
    can_refund = True
    can_check = True
    #: Whether a rejected payment ends ours. On a payment page, the customer can try another card.
    is_rejection_final: ClassVar[bool] = True

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Ask about the payment that the webhook names."""
        data = webhook.json()
        if reading.text(data, "type") != "payment":
            return None
        number = webhook.query.get("data.id") or reading.text(data, "data", "id")
        self._check_signature(webhook, number)
        if not re.fullmatch(r"[0-9A-Za-z]{1,40}", number):
            raise WebhookRejected("the webhook names no payment")
        return self._ask(number)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        found = self._call("GET", "/v1/payments/search", query={"external_reference": payment.reference})
        results = reading.value(found.json(), "results")
        if not found.is_success or not isinstance(results, list):
            raise self._refusal(found)
        # Several attempts may carry one reference: the one that moved money counts.
        reports = [self._report(one) for one in results if reading.text(one, "external_reference") == payment.reference]
        known = [one for one in reports if one is not None]
        moved = [one for one in known if one.state not in (ReportedState.PENDING, ReportedState.DECLINED)]
        return next(iter([*moved, *known]), None)

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        number = payment.data.get("payment", "")
        if not number:
            raise GatewayRejected("the number of the payment at Mercado Pago is not known")
        answer = self._call("POST", f"/v1/payments/{number}/refunds", body={"amount": amount}, key=key)
        status, refund_id = reading.text(answer.json(), "status"), reading.text(answer.json(), "id")
        if not answer.is_success or status not in _REFUND_STATES or not refund_id:
            raise self.refusal(answer, _reason(answer), is_definite=status in ("rejected", "cancelled"))
        return RefundResult(state=_REFUND_STATES[status], refund_id=refund_id)

    def check(self) -> str:
        self._account()
        return gettext("The keys work.")

    def _check_signature(self, webhook: Webhook, number: str) -> None:
        if not self.config["webhook_secret"]:
            raise WebhookRejected("the webhook secret is not set")
        parts = dict(part.strip().partition("=")[::2] for part in webhook.header("x-signature").split(","))
        for signed in {number, number.lower()}:
            facts = {"id": signed, "request-id": webhook.header("x-request-id"), "ts": parts.get("ts", "")}
            manifest = "".join(f"{name}:{value};" for name, value in facts.items() if value)
            expected = signatures.hmac_hex(self.config["webhook_secret"], manifest)
            if signatures.is_equal(expected, parts.get("v1", "")):
                return
        raise WebhookRejected("the signature is wrong")

    def _ask(self, number: str) -> GatewayReport | None:
        answer = self._call("GET", f"/v1/payments/{number}")
        if answer.status == 404:
            return None
        if not answer.is_success or reading.text(answer.json(), "id") != number:
            raise self._refusal(answer)
        return self._report(answer.json())

    def _report(self, data: Any) -> GatewayReport | None:
        """Return the facts in a payment of Mercado Pago; None if it is not one of this shop."""
        number, reference = reading.text(data, "id"), reading.text(data, "external_reference")
        state = _STATES.get(reading.text(data, "status"))
        if not number or state is None:
            raise GatewayUnreachable("mercadopago answered without a number or a known status")
        if not reference or reading.text(data, "collector_id") != self._account():
            return None  # of another program, or received by somebody else
        detail = reading.text(data, "status_detail")
        refunded = reading.optional_amount(data, "transaction_amount_refunded")
        if state is ReportedState.PAID and refunded:
            state = ReportedState.REFUNDED  # a part of it
        if state is ReportedState.CHARGED_BACK and detail == "reimbursed":
            state = ReportedState.DISPUTE_WON
        if state is ReportedState.DECLINED and reading.text(data, "status") == "rejected":
            state = ReportedState.DECLINED if self.is_rejection_final else ReportedState.PENDING
        is_moved = state in (ReportedState.PAID, ReportedState.CHARGED_BACK)
        entries = {ReportedState.REFUNDED: f"{number}-refunds", ReportedState.CHARGED_BACK: f"{number}-chargeback"}
        try:
            amount = reading.amount(data, "transaction_amount") if is_moved else None
            if state is ReportedState.REFUNDED:
                amount = refunded or reading.amount(data, "transaction_amount")
        except InvalidAmount:
            raise GatewayUnreachable("mercadopago answered without a valid amount") from None
        currency = reading.currency(data, "currency_id")
        if amount is not None and not currency:
            raise GatewayUnreachable("mercadopago answered without a currency")
        net = reading.optional_amount(data, "transaction_details", "net_received_amount")
        has_fee = state is ReportedState.PAID and amount is not None and net is not None and net <= amount
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=number,
            entry_id=entries.get(state, number),
            amount=amount,
            currency=currency,
            fee=amounts.parse(amount - net) if has_fee and amount is not None and net is not None else None,
            fee_currency=currency,
            data={"payment": number} if state is ReportedState.PAID else {},
            is_test=reading.value(data, "live_mode") is False,
            note=detail,
        )

    def _account(self) -> str:
        """Return the number of the account that the access token belongs to."""
        key = ("mercadopago", self.url(""), signatures.hash_hex(self.config["access_token"], "sha256"))
        if known := memory.get(*key):
            return str(known)
        answer = self._call("GET", "/users/me")
        number = reading.text(answer.json(), "id")
        if not answer.is_success or not number:
            raise self._refusal(answer)
        memory.keep(number, *key, seconds=_DAY)
        return number

    def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None, key: str = ""
    ) -> GatewayAnswer:
        headers = {"Authorization": f"Bearer {self.config['access_token']}"}
        if key:
            headers["X-Idempotency-Key"] = key
        return self.request(method, self.url(path), query=query, json=body, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, _reason(answer))


class MercadoPago(_MercadoPago):
    name = "mercadopago"
    label = "Mercado Pago"
    description = _("Cards, cash and bank transfers in Latin America, on the gateway's payment page.")
    hosts = (
        *(".mercadopago.com", ".mercadopago.com.ar", ".mercadopago.com.br", ".mercadopago.com.co"),
        *(".mercadopago.com.mx", ".mercadopago.com.pe", ".mercadopago.com.uy", ".mercadopago.cl"),
    )
    currencies = ("BRL", "ARS", "MXN", "CLP", "COP", "PEN", "UYU")
    is_rejection_final = False

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        item = {
            "title": payment.description[:250],
            "quantity": 1,
            "unit_price": payment.amount,
            "currency_id": payment.currency,
        }
        body: dict[str, Any] = {
            "items": [item],
            "payer": {"email": customer.email},
            "external_reference": payment.reference,
            "notification_url": urls.webhook,
            "back_urls": {"success": urls.done, "pending": urls.done, "failure": urls.canceled},
            "auto_return": "approved",
        }
        if payment.expires_at:
            body |= {"expires": True, "expiration_date_to": payment.expires_at.isoformat(timespec="milliseconds")}
        answer = self._call("POST", "/checkout/preferences", body=body, key=payment.reference)
        data = answer.json()
        url = (reading.text(data, "sandbox_init_point") if self.is_test else "") or reading.text(data, "init_point")
        number = reading.text(data, "id")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number)


class MercadoPagoPix(_MercadoPago):
    name = "mercadopago_pix"
    label = "Pix (Mercado Pago)"
    description = _("Instant bank transfers in Brazil: customers scan or copy a code in your shop.")
    icon = "bank"
    customer_fields = (CustomerField.TAX_ID,)
    currencies = ("BRL",)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        digits = re.sub(r"[.\s/-]", "", customer.tax_id)
        kind = {11: "CPF", 14: "CNPJ"}.get(len(digits))
        if kind is None or not digits.isalnum():
            raise GatewayRejected("the tax ID is neither a CPF of 11 digits nor a CNPJ of 14")
        body: dict[str, Any] = {
            "transaction_amount": payment.amount,
            "payment_method_id": "pix",
            "description": payment.description[:250],
            "payer": {"email": customer.email, "identification": {"type": kind, "number": digits}},
            "external_reference": payment.reference,
            "notification_url": urls.webhook,
        }
        if payment.expires_at:
            body["date_of_expiration"] = payment.expires_at.isoformat(timespec="milliseconds")
        answer = self._call("POST", "/v1/payments", body=body, key=payment.reference)
        data, number = answer.json(), reading.text(answer.json(), "id")
        code = reading.text(data, "point_of_interaction", "transaction_data", "qr_code")
        if not answer.is_success or not code or not number:
            raise self._refusal(answer)
        shown = Details(
            rows=((_("Pix code"), code),),
            qr_text=code,
            instructions=gettext("Scan the code in your bank's app, or copy it there under Pix > Copy and paste."),
        )
        return Next(
            action=shown,
            upstream_id=number,
            data={"payment": number},
            expires_at=reading.moment(data, "date_of_expiration"),
        )


def _reason(answer: GatewayAnswer) -> str:
    return reading.text(answer.json(), "message") or reading.text(answer.json(), "error")
