"""Payeer: wallets, cards and coins, mostly for customers in Eastern Europe. A signed link and signed notifications.

Wire facts: the vendor's modules payeer/opencart and payeer/docs, whose signature of notifications agrees with ours. Not
proven: the list of sender addresses.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from storefront.payments.gateway import (
    ConfigField,
    Customer,
    Gateway,
    GatewayReport,
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

_STATES = {"success": ReportedState.PAID, "fail": ReportedState.DECLINED}
#: The fields of a notification in the order in which they are signed. ``m_params`` is only signed if it is there.
_SIGNED = (
    "m_operation_id", "m_operation_ps", "m_operation_date", "m_operation_pay_date", "m_shop", "m_orderid", "m_amount",
    "m_curr", "m_desc", "m_status",
)  # fmt: skip


class Payeer(Gateway):
    name = "payeer"
    label = "Payeer"
    description = _("Payeer wallets, cards and coins.")
    icon = "wallet"
    config_fields = (
        ConfigField(name="shop_id", label=_("Shop ID"), help_text=_("In Payeer, under API > Merchant.")),
        ConfigField(
            name="secret_key",
            label=_("Secret key"),
            help_text=_("In Payeer, under API > Merchant. It signs links and notifications."),
            is_secret=True,
        ),
    )
    api_url = "https://payeer.com"
    hosts = ("payeer.com",)
    currencies = ("USD", "EUR", "RUB")

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        """Return a signed link. No request is sent: the payment exists when the customer opens the link."""
        fields = {
            "m_shop": self.config["shop_id"],
            "m_orderid": payment.compact_reference,
            "m_amount": f"{payment.amount:.2f}",
            "m_curr": payment.currency,
            "m_desc": b64encode(payment.description.encode()).decode(),
        }
        fields["m_sign"] = self._sign(list(fields.values()))
        return Next(action=Redirect(url=f"{self.url('/merchant/')}?{urlencode(fields)}"))

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        fields = webhook.form
        if not self.config["secret_key"]:
            raise WebhookRejected("the secret key is not set")
        names = (*_SIGNED, "m_params") if fields.get("m_params") else _SIGNED
        expected = self._sign([fields.get(name, "") for name in names])
        if not signatures.is_equal(expected, fields.get("m_sign", "")):
            raise WebhookRejected("the signature is wrong")
        if fields.get("m_shop") != self.config["shop_id"]:
            raise WebhookRejected("the notification is for another shop")
        state = _STATES.get(fields.get("m_status", ""))
        if state is None:
            return None
        return GatewayReport(
            state=state,
            reference=reading.text(fields, "m_orderid"),
            entry_id=reading.text(fields, "m_operation_id"),
            amount=reading.amount(fields, "m_amount") if state is ReportedState.PAID else None,
            currency=reading.currency(fields, "m_curr"),
        )

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        return WebhookAnswer(f"{webhook.form.get('m_orderid', '')}|success", "text/plain; charset=utf-8")

    def _sign(self, values: list[str]) -> str:
        return signatures.hash_hex(":".join([*values, self.config["secret_key"]]), "sha256").upper()
