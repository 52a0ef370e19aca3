"""iyzico checkout form: cards in Turkey. The result is retrieved with a token and signed.

Wire facts: the pages "Checkout Form" and "Webhook" of docs.iyzico.com, and the vendor's library iyzipay-python 1.0.46,
whose signatures of requests and answers agree with ours. Not proven: the signature of webhooks (official text and
public handlers only), and which of two documented paths opens a form.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
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
    CustomerField,
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

_OPEN = "/payment/iyzipos/checkoutform/initialize/auth/ecom"
_RETRIEVE = "/payment/iyzipos/checkoutform/auth/ecom/detail"
_CHECK = "/payment/test"
_EVENT_FIELDS = ("iyziEventType", "iyziPaymentId", "token", "paymentConversationId", "status")
_ANSWER_FIELDS = ("paymentStatus", "paymentId", "currency", "basketId", "conversationId", "paidPrice", "price", "token")


class Iyzico(Gateway):
    name = "iyzico"
    label = "iyzico"
    description = _("Cards in Turkey.")
    config_fields = (
        ConfigField(name="api_key", label=_("API key"), help_text=_("In iyzico, under Settings > Merchant settings.")),
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("In iyzico, under Settings > Merchant settings."),
            is_secret=True,
        ),
    )
    customer_fields = (CustomerField.NAME, CustomerField.PHONE, CustomerField.TAX_ID, CustomerField.ADDRESS)
    api_url = "https://api.iyzipay.com"
    test_api_url = "https://sandbox-api.iyzipay.com"
    hosts = (".iyzipay.com",)
    currencies = ("TRY", "USD", "EUR", "GBP")
    can_query = True
    can_check = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        price = f"{payment.amount:.2f}"
        name, surname = _names(customer.name)
        address = {"address": customer.address, "city": "-", "country": customer.country or "Turkey"}
        body = {
            "locale": "tr" if customer.language == "tr" else "en",
            "conversationId": payment.reference,
            "price": price,
            "paidPrice": price,
            "currency": payment.currency,
            "basketId": payment.reference,
            "paymentGroup": "PRODUCT",
            "callbackUrl": urls.done,
            "enabledInstallments": [1],
            "buyer": {
                "id": str(customer.number),
                "name": name,
                "surname": surname,
                "identityNumber": customer.tax_id,
                "email": customer.email,
                "gsmNumber": customer.phone,
                "ip": customer.ip,
                "registrationAddress": customer.address,
                "city": "-",
                "country": customer.country or "Turkey",
            },
            "billingAddress": {"contactName": f"{name} {surname}", **address},
            "basketItems": [
                {
                    "id": payment.reference,
                    "name": payment.description[:100],
                    "category1": "Balance",
                    "itemType": "VIRTUAL",
                    "price": price,
                }
            ],
        }
        answer = self._call(_OPEN, body)
        data = answer.json()
        url, token = reading.text(data, "paymentPageUrl"), reading.text(data, "token")
        if not url or not token:
            raise self._refusal(answer)
        self._check_signature(data, ("conversationId", "token"))
        return Next(action=Redirect(url=url), upstream_id=token)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        """Retrieve the payment that the webhook names. Only some merchants have signed webhooks."""
        data = webhook.json()
        token, reference = reading.text(data, "token"), reading.text(data, "paymentConversationId")
        given = webhook.header("X-IYZ-SIGNATURE-V3")
        if given:
            text = self.config["secret_key"] + "".join(reading.text(data, name) for name in _EVENT_FIELDS)
            if not signatures.is_equal(signatures.hmac_hex(self.config["secret_key"] or "-", text), given.lower()):
                raise WebhookRejected("the signature is wrong")
        if not token or not reference:
            raise WebhookRejected("the webhook names no payment")
        return self._retrieve(token, reference)

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        return self._retrieve(payment.upstream_id, payment.reference) if payment.upstream_id else None

    def check(self) -> str:
        answer = self._call(_CHECK, None)
        if reading.text(answer.json(), "status") != "success":
            raise self._refusal(answer)
        return gettext("The service answers. Make a small payment to test the keys.")

    def _retrieve(self, token: str, reference: str) -> GatewayReport | None:
        answer = self._call(_RETRIEVE, {"locale": "en", "conversationId": reference, "token": token})
        data = answer.json()
        if not answer.is_success or reading.text(data, "status") not in ("success", "failure"):
            raise self._refusal(answer)
        status = reading.text(data, "paymentStatus")
        if not status:
            return None  # nobody has paid yet, or the token is not known
        self._check_signature(data, _ANSWER_FIELDS)
        if reading.text(data, "token") != token or reading.text(data, "basketId") != reference:
            raise GatewayUnreachable("iyzico answered with another payment")
        try:
            return self._report(data, status, token, reference)
        except InvalidAmount:
            raise GatewayUnreachable("iyzico answered without a valid amount") from None

    def _report(self, data: Mapping[str, Any], status: str, token: str, reference: str) -> GatewayReport | None:
        # 0 is under review by iyzico, -1 was refused.
        fraud = reading.text(data, "fraudStatus")
        if status == "SUCCESS":
            state = {"1": ReportedState.PAID, "-1": ReportedState.DECLINED}.get(fraud, ReportedState.PENDING)
        elif status == "FAILURE":
            state = ReportedState.DECLINED
        else:
            state = ReportedState.PENDING
        return GatewayReport(
            state=state,
            reference=reference,
            upstream_id=token,
            entry_id=reading.text(data, "paymentId"),
            amount=reading.amount(data, "paidPrice") if state is ReportedState.PAID else None,
            currency=reading.currency(data, "currency"),
            fee=reading.optional_amount(data, "iyziCommissionRateAmount"),
            fee_currency=reading.currency(data, "currency"),
            note=reading.text(data, "errorMessage"),
        )

    def _check_signature(self, data: Mapping[str, Any], names: tuple[str, ...]) -> None:
        """Raise GatewayUnreachable unless the answer is signed. Prices are signed without trailing zeros."""
        values = [_price(data, name) if name.endswith("rice") else reading.text(data, name) for name in names]
        expected = signatures.hmac_hex(self.config["secret_key"] or "-", ":".join(values))
        if not signatures.is_equal(expected, reading.text(data, "signature")):
            raise GatewayUnreachable("iyzico's answer is not signed")

    def _call(self, path: str, body: Mapping[str, Any] | None) -> GatewayAnswer:
        content = b"" if body is None else exact_json.dumps(dict(body)).encode()
        random = secrets.token_hex(8)
        headers = {
            "Authorization": authorization(self.config["api_key"], self.config["secret_key"], random, path, content),
            "x-iyzi-rnd": random,
        }
        if body is None:
            return self.request("GET", self.url(path), headers=headers)
        return self.request("POST", self.url(path), content=content, headers=headers)

    def _refusal(self, answer: GatewayAnswer) -> GatewayError:
        is_refused = reading.text(answer.json(), "status") == "failure"
        return self.refusal(answer, reading.text(answer.json(), "errorMessage"), is_definite=is_refused)


def authorization(api_key: str, secret_key: str, random: str, path: str, body: bytes) -> str:
    """Return the header that signs a request: the random text, the path and the body as sent."""
    signature = signatures.hmac_hex(secret_key or "-", f"{random}{path}".encode() + body)
    text = f"apiKey:{api_key}&randomKey:{random}&signature:{signature}"
    return f"IYZWSv2 {b64encode(text.encode()).decode()}"


def _names(name: str) -> tuple[str, str]:
    """Return the first names and the surname; both must not be empty."""
    first, _space, last = name.strip().rpartition(" ")
    return (first or last or "-"), last or "-"


def _price(data: Mapping[str, Any], name: str) -> str:
    """Return a price as it is signed: 34.50 as "34.5", 34.00 as "34"."""
    try:
        number: Decimal = reading.amount(data, name)
    except InvalidAmount:
        return ""
    return amounts.plain(number, least_places=0)
