"""CoinPayments, the API that followed the one with IPN: cryptocurrency invoices.

Wire facts: CoinPayments's documentation (the OpenAPI files of "Invoices API" and "Invoice Webhooks API", the page
"Authentication") and the library coinpayments-woocommerce, whose signatures agree with ours. The fields of a new
invoice are those of public code that says it was tried with an account. Webhooks state amounts in other units than the
API in some places, so a webhook only names the invoice, which is then asked for. Not proven: which instance and version
an account uses; hosts of pay pages other than those listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
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
    ReportedState,
    Urls,
    Webhook,
    WebhookRejected,
)
from storefront.payments.wire import exact_json, memory, reading, signatures
from storefront.payments.wire.http import GatewayAnswer

#: The vendor's numbers of currencies that shops use most; others are asked for and kept for a day.
_CURRENCY_IDS = {"USD": "5057"}
_DAY = 86_400
_EVENTS = ("invoicePending", "invoicePaid", "invoiceCompleted", "invoiceCancelled", "invoiceTimedOut")

_STATES = {
    "draft": ReportedState.PENDING,
    "scheduled": ReportedState.PENDING,
    "unpaid": ReportedState.PENDING,
    "pending": ReportedState.PENDING,
    "paid": ReportedState.PENDING,  # seen on the blockchain, but not yet in the merchant's balance
    "completed": ReportedState.PAID,
    "cancelled": ReportedState.DECLINED,
    "timedout": ReportedState.DECLINED,
    "deleted": ReportedState.DECLINED,
}


class CoinPayments(Gateway):
    name = "coinpayments"
    label = "CoinPayments"
    description = _("Cryptocurrencies, on the gateway's payment page.")
    icon = "wallet"
    is_beta = True
    config_fields = (
        ConfigField(
            name="client_id",
            label=_("Client ID"),
            help_text=_("Under Integrations > API integrations > your integration."),
        ),
        ConfigField(
            name="client_secret",
            label=_("Client secret"),
            help_text=_("Shown once when you create the integration. It also signs webhooks."),
            is_secret=True,
        ),
        ConfigField(
            name="instance",
            label=_("API address"),
            help_text=_("The address that CoinPayments shows for your integration."),
            choices=tuple((letter, f"{letter}-api.coinpayments.net") for letter in "abc"),
        ),
    )
    api_url = "https://a-api.coinpayments.net"
    hosts = ("coinpayments.net", ".coinpayments.net", "coinpayments.com", ".coinpayments.com")
    webhook_networks = ("23.183.244.249/32", "23.183.244.250/32", "23.183.244.98/32")
    is_webhook_registered = False
    can_query = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        amount = format(payment.amount, "f")
        item = {
            "name": payment.description or payment.reference,
            "quantity": {"value": 1, "type": "quantity"},
            "amount": amount,
        }
        answer = self._call(
            "POST",
            "api/v2/merchant/invoices",
            {
                "currency": self._currency_id(payment.currency),
                "items": [item],
                "amount": {"breakdown": {"subtotal": amount}, "total": amount},
                "invoiceId": payment.reference,
                "refundEmail": customer.email,
                "hideShoppingCart": True,
                "successUrl": urls.done,
                "cancelUrl": urls.canceled,
                "webhooks": [{"notificationsUrl": urls.webhook, "notifications": list(_EVENTS)}],
            },
        )
        invoice = reading.value(answer.json(), "invoices", 0)
        url = reading.text(invoice, "checkoutLink") or reading.text(invoice, "link")
        number = reading.text(invoice, "id")
        if not answer.is_success or not url or not number:
            raise self._refusal(answer)
        return Next(action=Redirect(url=url), upstream_id=number)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        self._check_signature(webhook)
        event = webhook.json()
        kind, number = reading.text(event, "type"), reading.text(event, "invoice", "id")
        # Documented in camel case and sent in Pascal case.
        if kind.lower() not in [name.lower() for name in _EVENTS]:
            return None
        owner = reading.text(event, "invoice", "merchantClientId")
        if owner and owner.replace("-", "").lower() != self.config["client_id"].replace("-", "").lower():
            raise WebhookRejected("the invoice is another integration's")
        answer = self._call("GET", f"api/v1/merchant/invoices/{_path_part(number)}")
        invoice = answer.json()
        if not answer.is_success or reading.text(invoice, "id") != number:
            raise GatewayUnreachable(str(self._refusal(answer)))
        reference = reading.text(invoice, "invoiceId")
        return self._report(invoice, reference=reference) if reference else None

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        if not payment.upstream_id:
            return None
        answer = self._call("GET", f"api/v1/merchant/invoices/{_path_part(payment.upstream_id)}")
        if answer.status == 404:
            return None
        invoice = answer.json()
        if not answer.is_success or reading.text(invoice, "invoiceId") != payment.reference:
            raise self._refusal(answer)
        try:
            return self._report(invoice, reference=payment.reference)
        except InvalidAmount:
            raise GatewayUnreachable("coinpayments answered without a valid amount") from None

    def check(self) -> str:
        answer = self._call("GET", "api/v1/merchant/wallets")
        if not answer.is_success:
            raise self._refusal(answer)
        return gettext("The keys work.")

    def _report(self, invoice: Mapping[str, Any], *, reference: str) -> GatewayReport | None:
        status = reading.text(invoice, "status") or reading.text(invoice, "state")
        state = _STATES.get(status.lower())
        if state is None:
            return None
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=reading.text(invoice, "id"),
            amount=_amount(invoice) if state is ReportedState.PAID else None,
            currency=reading.currency(invoice, "currency", "symbol"),
            note=status,
        )

    def _currency_id(self, code: str) -> str:
        """Return the vendor's number of a currency.

        Raises:
            GatewayRejected: The vendor has no such currency.
            GatewayUnreachable.
        """
        found = _CURRENCY_IDS.get(code) or memory.get("coinpayments", "currency", code)
        if not found:
            url = self._url("api/v1/currencies", {"types": "fiat", "q": code})  # public, so it is not signed
            answer = self.request("GET", url)
            try:
                currencies = exact_json.loads(answer.text)
            except ValueError:
                currencies = None
            if not answer.is_success or not isinstance(currencies, list):
                raise self._refusal(answer)
            matching = [one for one in currencies if reading.currency(one, "symbol") == code]
            found = reading.text(matching, 0, "id")
            if not found:
                raise GatewayRejected(f"coinpayments does not know the currency {code}")
            memory.keep(found, "coinpayments", "currency", code, seconds=_DAY)
        return str(found)

    # --- signatures --------------------------------------------------------------------------------------------------

    def _check_signature(self, webhook: Webhook) -> None:
        given, sent_at = webhook.header("X-CoinPayments-Signature"), webhook.header("X-CoinPayments-Timestamp")
        if not self.config["client_id"] or not self.config["client_secret"]:
            raise WebhookRejected("the client ID or secret is not set")
        if webhook.header("X-CoinPayments-Client") != self.config["client_id"]:
            raise WebhookRejected("the webhook is for another integration")
        if not signatures.is_equal(self._sign(webhook.method, webhook.url, sent_at, webhook.body), given):
            raise WebhookRejected("the signature is wrong")

    def _sign(self, method: str, url: str, sent_at: str, body: bytes) -> str:
        if not self.config["client_secret"]:
            raise GatewayRejected("the client secret is not set")
        # The byte order mark at the start is part of the scheme.
        head = f"\ufeff{method}{url}{self.config['client_id']}{sent_at}".encode(errors="replace")
        return signatures.hmac_base64(self.config["client_secret"], head + body)

    def _call(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> GatewayAnswer:
        url, sent_at = self._url(path), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        body = b"" if content is None else exact_json.dumps(content).encode()
        headers = {
            "X-CoinPayments-Client": self.config["client_id"],
            "X-CoinPayments-Timestamp": sent_at,
            "X-CoinPayments-Signature": self._sign(method, url, sent_at, body),
        }
        return self.request(method, url, content=body or None, headers=headers)

    def _url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        url = self.url(path, base=f"https://{self.config['instance']}-api.coinpayments.net")
        return url + (f"?{urlencode(query)}" if query else "")

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        problem = answer.json()
        return self.refusal(answer, reading.text(problem, "detail") or reading.text(problem, "title"))


def _amount(invoice: Mapping[str, Any]) -> Decimal:
    """Return the amount of an invoice in units of its currency.

    Raises:
        InvalidAmount: It is missing, or its unit is not certain.
    """
    if reading.text(invoice, "amount", "valueAsDecimal"):
        return reading.amount(invoice, "amount", "valueAsDecimal")
    places = reading.text(invoice, "currency", "decimalPlaces")
    value = reading.amount(invoice, "amount", "value")
    if not (places.isascii() and places.isdecimal() and int(places[:4]) <= 18) or value != value.to_integral_value():
        raise InvalidAmount("the unit of the amount is not known")
    return value.scaleb(-int(places))


def _path_part(number: str) -> str:
    """Return an invoice's number for use in a path. They consist of letters, digits and dashes."""
    if not number or not number.isascii() or not number.replace("-", "").isalnum():
        raise GatewayUnreachable("coinpayments named an invoice with a malformed number")
    return number
