"""PayTR: cards in Turkey, on a form in an iframe. Notifications sign four fields and want the answer ``OK``.

Wire facts: the pages "iFrame API" of dev.paytr.com, and the library paytr-python 0.3.0, whose signatures agree with
ours. Not proven: whether PayTR reports chargebacks.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from storefront.payments.gateway import (
    ConfigField,
    Customer,
    CustomerField,
    Frame,
    Gateway,
    GatewayRejected,
    GatewayReport,
    GatewayUnreachable,
    Next,
    PaymentDetails,
    RefundResult,
    RefundState,
    ReportedState,
    Urls,
    Webhook,
    WebhookAnswer,
    WebhookRejected,
)
from storefront.payments.wire import reading, signatures

#: Their codes of currencies that differ from ISO 4217.
_CURRENCIES = {"TRY": "TL"}
_STATES = {"success": ReportedState.PAID, "failed": ReportedState.DECLINED}


class PayTR(Gateway):
    name = "paytr"
    label = "PayTR"
    description = _("Cards in Turkey, on a form inside your shop.")
    config_fields = (
        ConfigField(name="merchant_id", label=_("Merchant ID"), help_text=_("In the PayTR panel, under Information.")),
        ConfigField(
            name="merchant_key",
            label=_("Merchant key"),
            help_text=_("In the PayTR panel, under Information."),
            is_secret=True,
        ),
        ConfigField(
            name="merchant_salt",
            label=_("Merchant salt"),
            help_text=_("In the PayTR panel, under Information."),
            is_secret=True,
        ),
    )
    customer_fields = (CustomerField.NAME, CustomerField.PHONE, CustomerField.ADDRESS)
    api_url = "https://www.paytr.com"
    frame_hosts = ("www.paytr.com",)
    currencies = ("TRY", "EUR", "USD", "GBP", "RUB")
    has_test_keys = True
    can_query = True
    can_refund = True

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        if not customer.ip:
            raise GatewayRejected("PayTR needs the customer's IPv4 address, and this customer's is not known")
        merchant, is_test = self.config["merchant_id"], str(int(self.is_test))
        amount = str(reading.to_minor(payment.amount, payment.currency))
        basket = json.dumps([[payment.description[:100], format(payment.amount, "f"), 1]])
        fields = {
            "merchant_id": merchant,
            "user_ip": customer.ip,
            "merchant_oid": payment.compact_reference,
            "email": customer.email if customer.email.isascii() else f"customer{customer.number}@example.com",
            "payment_amount": amount,
            "user_basket": base64.b64encode(basket.encode()).decode(),
            # Without installments, the customer pays exactly the amount.
            "no_installment": "1",
            "max_installment": "0",
            "currency": _CURRENCIES.get(payment.currency, payment.currency),
            "test_mode": is_test,
        }
        token = self._sign("".join(fields.values()))
        fields |= {
            "paytr_token": token,
            "user_name": customer.name[:60],
            "user_address": customer.address[:400],
            "user_phone": customer.phone[:20],
            "merchant_ok_url": urls.done,
            "merchant_fail_url": urls.canceled,
            "timeout_limit": "30",
            "debug_on": "0",
            "lang": "tr" if customer.language == "tr" else "en",
            "iframe_v2": "1",
        }
        answer = self.request("POST", self.url("/odeme/api/get-token"), form=fields)
        data = answer.json()
        frame_token = reading.text(data, "token")
        if reading.text(data, "status") != "success" or not frame_token.isalnum():
            is_refused = reading.text(data, "status") == "failed"
            raise self.refusal(answer, reading.text(data, "reason"), is_definite=is_refused)
        return Next(action=Frame(url=self.url(f"/odeme/guvenli/{frame_token}")), upstream_id=payment.compact_reference)

    def read_webhook(self, webhook: Webhook) -> GatewayReport | None:
        fields = webhook.form
        order, status, total = (fields.get(name, "") for name in ("merchant_oid", "status", "total_amount"))
        if not (self.config["merchant_key"] and self.config["merchant_salt"]):
            raise WebhookRejected("the merchant key is not set")
        expected = self._sign(order + self.config["merchant_salt"] + status + total, is_salted=True)
        if not signatures.is_equal(expected, fields.get("hash", "")):
            raise WebhookRejected("the signature is wrong")
        state = _STATES.get(status)
        # The fields are signed without separators. A letter in the reference or a digit in the status would move one.
        if state is None or len(order) != _ORDER_LENGTH or not order.isalnum() or not total.isdecimal():
            raise WebhookRejected("the notification is not one of ours")
        return GatewayReport(
            state=state,
            reference=order,
            entry_id=order,
            # The currency is not signed, so it is that of the payment; all currencies of PayTR have two decimals.
            amount=Decimal(total).scaleb(-2) if state is ReportedState.PAID else None,
            # Nor is the flag of a test payment, which only ever keeps money from being credited.
            is_test=fields.get("test_mode") == "1",
            note=reading.text(fields, "failed_reason_msg") or reading.text(fields, "payment_type"),
        )

    def answer_webhook(self, webhook: Webhook) -> WebhookAnswer:
        return WebhookAnswer("OK", "text/plain; charset=utf-8")

    def query(self, payment: PaymentDetails) -> GatewayReport | None:
        merchant, order = self.config["merchant_id"], payment.compact_reference
        data = self._ask("/odeme/durum-sorgu", {"merchant_id": merchant, "merchant_oid": order}, merchant + order)
        if reading.text(data, "status") != "success":
            return None  # unknown, or nobody has paid it yet
        return GatewayReport(
            state=ReportedState.PAID,
            reference=order,
            entry_id=order,
            amount=reading.amount(data, "payment_total"),
            currency={"TL": "TRY"}.get(reading.currency(data, "currency"), reading.currency(data, "currency")),
            is_test=reading.text(data, "test_mode") == "1",
        )

    def refund(self, payment: PaymentDetails, *, amount: Decimal, key: str) -> RefundResult:
        """Refund. PayTR refunds again if it is asked again, so the shop never repeats the call by itself."""
        merchant, order, returned = self.config["merchant_id"], payment.compact_reference, format(amount, ".2f")
        number = "".join(letter for letter in key if letter.isalnum())
        fields = {
            "merchant_id": merchant,
            "merchant_oid": order,
            "return_amount": returned,
            "reference_no": number,
        }
        data = self._ask("/odeme/iade", fields, merchant + order + returned)
        status = reading.text(data, "status")
        if status == "error":
            raise GatewayRejected(reading.text(data, "err_msg") or "refused without a reason")
        if status != "success":
            raise GatewayUnreachable("paytr answered without a status")
        return RefundResult(state=RefundState.DONE, refund_id=number)

    def _ask(self, path: str, fields: Mapping[str, str], text: str) -> dict[str, object]:
        answer = self.request("POST", self.url(path), form={**fields, "paytr_token": self._sign(text)})
        if not answer.is_success or not answer.json():
            raise self.refusal(answer)
        return answer.json()

    def _sign(self, text: str, *, is_salted: bool = False) -> str:
        """Return the signature of ``text``. Requests end with the salt; notifications have it inside."""
        salt = "" if is_salted else self.config["merchant_salt"]
        if not self.config["merchant_key"]:
            raise GatewayRejected("the merchant key is not set")
        return signatures.hmac_base64(self.config["merchant_key"], text + salt)


#: Letters and digits of a reference.
_ORDER_LENGTH = 12
