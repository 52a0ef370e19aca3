"""Stripe Checkout: cards, wallets and local payment methods on a page of Stripe.

Wire facts: Stripe's API reference ("Checkout Sessions", "Refunds", "Disputes", "Errors", "Idempotent requests"), its
pages "Supported currencies" and "Receive events in your webhook endpoint", and the library stripe 16.1.0, whose check
of signatures agrees with ours. Not proven: nothing was tried with an account.
"""

from __future__ import annotations

import time
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
from storefront.payments.wire import reading, signatures
from storefront.payments.wire.http import GatewayAnswer

#: Seconds after which a signed webhook is refused, as in Stripe's libraries. A repeated webhook is signed anew.
TOLERANCE = 300

#: Stripe's own lists, which differ from Unicode's: ISK and UGX, for example, have two places on the wire.
_WITHOUT_CENTS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_WITH_THREE_PLACES = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))

_DISPUTE_STATES = {
    "charge.dispute.created": ReportedState.DISPUTED,
    "charge.dispute.funds_withdrawn": ReportedState.CHARGED_BACK,
    "charge.dispute.funds_reinstated": ReportedState.DISPUTE_WON,
}


class Stripe(Gateway):
    name = "stripe"
    label = "Stripe"
    description = _("Cards and local payment methods, on the gateway's payment page.")
    config_fields = (
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("Starts with sk_ or rk_, under Developers > API keys."),
            is_secret=True,
        ),
        ConfigField(
            name="webhook_secret",
            label=_("Webhook secret"),
            help_text=_("Starts with whsec_, shown after you add the webhook URL under Developers > Webhooks."),
            is_known_later=True,
            is_secret=True,
        ),
    )
    api_url = "https://api.stripe.com"
    has_test_keys = True
    hosts = ("checkout.stripe.com",)
    can_query = True
    can_refund = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        answer = self._call(
            "POST",
            "v1/checkout/sessions",
            {
                "mode": "payment",
                "line_items[0][quantity]": "1",
                "line_items[0][price_data][currency]": payment.currency.lower(),
                "line_items[0][price_data][unit_amount]": str(_to_minor(payment.amount, payment.currency)),
                "line_items[0][price_data][product_data][name]": payment.description or payment.reference,
                "success_url": urls.done,
                "cancel_url": urls.canceled,
                "client_reference_id": payment.reference,
                "metadata[reference]": payment.reference,
                # Refunds and disputes name the payment intent, not the session.
                "payment_intent_data[metadata][reference]": payment.reference,
                "customer_email": customer.email,
            },
            key=payment.reference,
        )
        session = answer.json()
        url, number = reading.text(session, "url"), reading.text(session, "id")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number, expires_at=reading.moment(session, "expires_at"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        self._check_signature(webhook)
        event = webhook.json()
        kind, thing = reading.text(event, "type"), reading.value(event, "data", "object")
        if not isinstance(thing, dict):
            raise WebhookRejected("the event has no object")
        if kind.startswith("checkout.session."):
            return self._session_report(thing, kind)
        if kind.startswith("refund."):
            return self._refund_report(thing)
        if kind.startswith("charge.dispute."):
            return self._dispute_report(thing, kind)
        return None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not payment.upstream_id:
            return None
        session = self._session(payment)
        if session is None:
            return None
        kinds = {"expired": "checkout.session.expired", "complete": "checkout.session.completed"}
        try:
            return self._session_report(session, kinds.get(reading.text(session, "status"), "checkout.session.open"))
        except InvalidAmount:
            raise GatewayUnreachable("stripe answered without a valid amount") from None

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        intent = payment.data.get("payment_intent") or reading.text(self._session(payment), "payment_intent")
        if not intent:
            raise GatewayRejected("the payment has no payment intent at Stripe, so it was not paid")
        form = {
            "payment_intent": intent,
            "amount": str(_to_minor(amount, payment.currency)),
            "metadata[reference]": payment.reference,
        }
        answer = self._call("POST", "v1/refunds", form, key=key)
        refund = answer.json()
        number, status = reading.text(refund, "id"), reading.text(refund, "status")
        if not answer.is_success or not number:
            raise self._refusal(answer)
        if status in ("failed", "canceled"):
            reason = reading.text(refund, "failure_reason")
            raise GatewayRejected(f"the refund {number} is {status}" + (f": {reason}" if reason else ""))
        return RefundResult(state=RefundState.DONE if status == "succeeded" else RefundState.PENDING, refund_id=number)

    def check(self) -> str:
        if "_test_" in self.config["secret_key"][:8] and not self.is_test:
            raise GatewayRejected(gettext("This is a test key. Payments made with it are not credited."))
        answer = self._call("GET", "v1/checkout/sessions?limit=1")
        if not answer.is_success or not isinstance(reading.value(answer.json(), "data"), list):
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _check_signature(self, webhook: Webhook) -> None:
        parts = [part.partition("=") for part in webhook.header("Stripe-Signature").split(",")]
        sent_at = next((value.strip() for name, _equals, value in parts if name.strip() == "t"), "")
        given = [value.strip() for name, _equals, value in parts if name.strip() == "v1"]
        if not self.config["webhook_secret"]:
            raise WebhookRejected("the webhook secret is not set")
        if not (sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12):
            raise WebhookRejected("the signature has no time")
        expected = signatures.hmac_hex(self.config["webhook_secret"], sent_at.encode() + b"." + webhook.body)
        if not any(signatures.is_equal(expected, one) for one in given):
            raise WebhookRejected("the signature is wrong")
        if int(sent_at) < time.time() - TOLERANCE:
            raise WebhookRejected("the webhook is too old")

    def _session_report(self, session: dict[str, Any], kind: str) -> GatewayReport | None:
        reference = reading.text(session, "client_reference_id")
        if not reference or reading.text(session, "mode") not in ("payment", ""):
            return None  # another program uses the same account
        intent = reading.text(session, "payment_intent")
        is_paid = reading.text(session, "payment_status") == "paid"
        if kind in ("checkout.session.completed", "checkout.session.async_payment_succeeded"):
            state = ReportedState.PAID if is_paid else ReportedState.PENDING
        elif kind in ("checkout.session.expired", "checkout.session.async_payment_failed"):
            state = ReportedState.DECLINED
        elif kind == "checkout.session.open":
            state = ReportedState.PENDING
        else:
            return None
        code = reading.currency(session, "currency")
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=reading.text(session, "id"),
            entry_id=intent,
            amount=_from_minor(session, "amount_total", code=code) if state is ReportedState.PAID else None,
            currency=code,
            data={"payment_intent": intent} if intent else {},
            is_test=not reading.is_true(session, "livemode"),
            note=kind,
        )

    def _refund_report(self, refund: dict[str, Any]) -> GatewayReport | None:
        if reading.text(refund, "status") != "succeeded":
            return None
        return self._later_report(refund, ReportedState.REFUNDED)

    def _dispute_report(self, dispute: dict[str, Any], kind: str) -> GatewayReport | None:
        closed = {"won": ReportedState.DISPUTE_WON, "lost": ReportedState.CHARGED_BACK}
        status = reading.text(dispute, "status")
        state = closed.get(status) if kind == "charge.dispute.closed" else _DISPUTE_STATES.get(kind)
        return self._later_report(dispute, state) if state else None

    def _later_report(self, thing: dict[str, Any], state: ReportedState) -> GatewayReport | None:
        """Return the report about a refund or dispute. It names the payment intent, whose metadata name the payment."""
        intent = reading.text(thing, "payment_intent")
        number, code = reading.text(thing, "id"), reading.currency(thing, "currency")
        if not intent or not number:
            return None
        amount = _from_minor(thing, "amount", code=code)
        answer = self._call("GET", f"v1/payment_intents/{_path_part(intent)}")
        found = answer.json()
        if not answer.is_success or reading.text(found, "id") != intent:
            raise GatewayUnreachable(str(self._refusal(answer)))
        reference = reading.text(found, "metadata", "reference")
        if not reference:
            return None  # another program uses the same account
        return GatewayReport(
            state=state,
            reference=reference,
            entry_id=number,
            amount=amount,
            currency=code,
            is_test=not reading.is_true(found, "livemode"),
            note=reading.text(thing, "reason") or reading.text(thing, "status"),
        )

    def _session(self, payment: PaymentDetails) -> dict[str, Any] | None:
        answer = self._call("GET", f"v1/checkout/sessions/{_path_part(payment.upstream_id)}")
        if answer.status == 404:
            return None
        session = answer.json()
        if not answer.is_success or reading.text(session, "client_reference_id") != payment.reference:
            raise self._refusal(answer)
        return session

    def _call(self, method: str, path: str, form: dict[str, str] | None = None, *, key: str = "") -> GatewayAnswer:
        headers = {"Authorization": f"Bearer {self.config['secret_key']}"}
        if key:
            headers["Idempotency-Key"] = key
        return self.request(method, self.url(path), form=form, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        return self.refusal(answer, reading.text(answer.json(), "error", "message"))


def _places(code: str) -> int:
    return 0 if code in _WITHOUT_CENTS else 3 if code in _WITH_THREE_PLACES else 2


def _to_minor(amount: Decimal, code: str) -> int:
    """Return ``amount`` in the smallest unit; raise GatewayRejected if it has more decimals."""
    try:
        return amounts.to_units(amount, _places(code))
    except InvalidAmount:
        raise GatewayRejected(f"stripe takes {code} with at most {_places(code)} decimal places") from None


def _from_minor(data: Any, name: str, *, code: str) -> Decimal:
    units = reading.amount(data, name)
    if units != units.to_integral_value():
        raise InvalidAmount("the amount is not a whole number")
    return amounts.from_units(int(units), _places(code))


def _path_part(number: str) -> str:
    """Return an object's number for use in a path. Stripe's consist of letters, digits and underscores."""
    if not number or not number.isascii() or not number.replace("_", "").isalnum():
        raise GatewayUnreachable("stripe named an object with a malformed number")
    return number
