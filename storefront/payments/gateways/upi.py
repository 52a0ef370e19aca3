"""UPI by hand: the customer pays to the shop's UPI ID and enters the transaction number (UTR), and staff review it.

The form of the ``upi://pay`` address is that of the UPI linking specification of NPCI. A UTR proves nothing by itself:
the payment is credited when a person has found it in the bank's list.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote, urlencode

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.rules import amounts
from storefront.payments.gateway import ConfigField, Customer, Details, Gateway, Next, PaymentDetails, Urls


class Upi(Gateway):
    name = "upi"
    label = _("UPI (manual)")
    description = _("Customers in India pay to your UPI ID and enter the transaction number; staff approve it.")
    icon = "phone"
    config_fields = (
        ConfigField(name="upi_id", label=_("UPI ID"), help_text=_("The address that receives payments: name@bank.")),
        ConfigField(name="payee", label=_("Payee name"), help_text=_("The name that the customer's app shows.")),
    )
    currencies = ("INR",)
    is_webhook_registered = False
    takes_transaction_number = True
    #: The UTR of a UPI payment has 12 digits.
    transaction_number_pattern = r"\d{12}"
    expires_after = timedelta(days=1)

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        """Return the UPI ID and the QR code. No external service is called."""
        amount = amounts.plain(payment.amount)
        parameters = {
            "pa": self.config["upi_id"],
            "pn": self.config["payee"],
            "am": amount,
            "cu": payment.currency,
            "tn": payment.reference,
        }
        action = Details(
            # Apps read %20 and not a plus sign as a space.
            qr_text=f"upi://pay?{urlencode(parameters, quote_via=quote, safe='@')}",
            rows=[(gettext("UPI ID"), self.config["upi_id"]), (gettext("Payee name"), self.config["payee"])],
            amount=amount,
            currency=payment.currency,
            instructions=gettext("Pay with any UPI app. Then enter the transaction number (UTR) below."),
        )
        return Next(action=action, is_waiting=False)
