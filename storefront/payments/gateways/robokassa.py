"""Robokassa: cards and SBP for customers in Russia and Kazakhstan. A signed link and signed notifications.

Wire facts: docs.robokassa.ru, and the vendor's robokassa/sdk-php and robokassa/cms-wordpress, whose signatures agree
with ours. Not proven: the numbers of states other than 100.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    Redirect,
    ReportedState,
    Urls,
    Webhook,
    WebhookAnswer,
    WebhookRejected,
)
from storefront.payments.wire import reading, signatures

_STATES = {"10": ReportedState.DECLINED, "60": ReportedState.DECLINED, "100": ReportedState.PAID}


class Robokassa(Gateway):
    name = "robokassa"
    label = "Robokassa"
    description = _("Cards and SBP in Russia and Kazakhstan.")
    config_fields = (
        ConfigField(name="login", label=_("Shop ID"), help_text=_("In Robokassa, under My shops.")),
        ConfigField(
            name="password_1",
            label=_("Password 1"),
            help_text=_("In the technical settings of the shop. In test mode, the test password 1."),
            is_secret=True,
        ),
        ConfigField(
            name="password_2",
            label=_("Password 2"),
            help_text=_("In the technical settings of the shop. In test mode, the test password 2."),
            is_secret=True,
        ),
        ConfigField(
            name="algorithm",
            label=_("Hash algorithm"),
            help_text=_("The same as in the technical settings of the shop."),
            choices=(("sha256", "SHA-256"), ("sha512", "SHA-512"), ("md5", "MD5")),
        ),
    )
    api_url = "https://auth.robokassa.ru"
    has_test_keys = True
    hosts = ("auth.robokassa.ru",)
    currencies = ("RUB", "KZT")
    webhook_methods = ("GET", "POST")
    webhook_networks = ("185.59.216.65/32", "185.59.217.65/32")
    can_query = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        """Return a signed link. No request is sent: the payment exists when the customer opens the link."""
        amount = format(payment.amount, "f")
        fields = {
            "MerchantLogin": self.config["login"],
            "OutSum": amount,
            "InvId": str(payment.number),
            "Description": payment.description[:100],
            "SignatureValue": self._hash(
                self.config["login"], amount, str(payment.number), self.config["password_1"], _shp(payment.reference)
            ),
            "Culture": "ru" if customer.language == "ru" else "en",
            "Email": customer.email,
            "Shp_ref": payment.reference,
        }
        if self.is_test:
            fields["IsTest"] = "1"
        return Next(action=Redirect(url=f"{self.url('/Merchant/Index.aspx')}?{urlencode(fields)}"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        fields = webhook.form if webhook.method == "POST" and webhook.form else webhook.query
        number, reference = fields.get("InvId", ""), fields.get("Shp_ref", "")
        if not self.config["password_2"]:
            raise WebhookRejected("password 2 is not set")
        # The amount is signed as the text that was sent. The currency is always that of the shop at Robokassa.
        expected = self._hash(fields.get("OutSum", ""), number, self.config["password_2"], _shp(reference))
        if not signatures.is_equal(expected, fields.get("SignatureValue", "").lower()):
            raise WebhookRejected("the signature is wrong")
        if not re.fullmatch(r"[0-9]{1,18}", number):
            raise WebhookRejected("the invoice number is not a number")
        return GatewayReport(
            state=ReportedState.PAID,
            reference=reference,
            number=int(number),
            entry_id=number,
            amount=reading.amount(fields, "OutSum"),
            # A test payment is signed with the test passwords, so a live method rejects it before this.
            is_test=fields.get("IsTest") == "1",
            note=reading.text(fields, "PaymentMethod"),
        )

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        fields = webhook.form if webhook.method == "POST" and webhook.form else webhook.query
        return WebhookAnswer(f"OK{fields.get('InvId', '')}", "text/plain; charset=utf-8")

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        login, number = self.config["login"], str(payment.number)
        query = {
            "MerchantLogin": login,
            "InvoiceID": number,
            "Signature": self._hash(login, number, self.config["password_2"]),
        }
        answer = self.request("GET", self.url("/Merchant/WebService/Service.asmx/OpStateExt"), query=query)
        result = _element(answer.text, "Result", "Code")
        if not answer.is_success or result not in ("0", "3"):
            # "1" is a wrong signature: the passwords or the algorithm are not those of the shop.
            raise self.refusal(answer, f"result {result or '-'}", is_definite=result == "1")
        state = _STATES.get(_element(answer.text, "State", "Code"))
        if result == "3" or state is None:
            return None
        amount = _element(answer.text, "Info", "OutSum")
        if state is ReportedState.PAID and not amount:
            raise GatewayUnreachable("robokassa answered without an amount")
        return GatewayReport(
            state=state,
            reference=payment.reference,
            number=payment.number,
            entry_id=number,
            amount=reading.amount(amount) if state is ReportedState.PAID else None,
        )

    def _hash(self, *parts: str) -> str:
        return signatures.hash_hex(":".join(parts), self.config["algorithm"])


def _shp(reference: str) -> str:
    return f"Shp_ref={reference}"


def _element(xml: str, parent: str, child: str) -> str:
    """Return the text of ``child`` in the first ``parent`` of a flat XML answer, or "". No XML parser reads it."""
    within = re.search(rf"<{parent}>(.{{0,4000}}?)</{parent}>", xml[:20_000], re.DOTALL)
    found = re.search(rf"<{child}>([^<]{{0,100}})</{child}>", within[1]) if within else None
    return found[1].strip() if found else ""
