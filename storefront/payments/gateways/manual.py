"""Manual payment: the customer follows the shop's instructions and uploads a proof, and staff review it."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from orders.rules import amounts
from storefront.payments.gateway import ConfigField, Customer, Details, Gateway, Next, PaymentDetails, Urls


class Manual(Gateway):
    # Do not use "manual": in the ledger it marks credits that operators make on the command line.
    name = "transfer"
    label = _("Manual payment")
    description = _("You describe how to pay, customers upload a proof, and staff approve it.")
    icon = "bank"
    config_fields = (
        ConfigField(
            name="instructions",
            label=_("instructions"),
            help_text=_("Plain text. {amount} and {reference} are replaced with those of the payment."),
            is_multiline=True,
        ),
        ConfigField(
            name="details",
            label=_("account details"),
            help_text=_("One detail per line, such as “IBAN: TR00 0000”. Each gets a copy button."),
            is_multiline=True,
            is_required=False,
        ),
        ConfigField(
            name="transaction_number",
            label=_("transaction number"),
            help_text=_("The customer types it from the receipt. Each number counts once."),
            choices=(("no", _("Do not ask for it")), ("yes", _("Ask for it"))),
        ),
    )
    is_webhook_registered = False
    takes_proofs = True
    expires_after = timedelta(days=14)

    @property
    def asks_for_transaction_number(self) -> bool:
        return self.config["transaction_number"] == "yes"

    def start(self, payment: PaymentDetails, *, customer: Customer, urls: Urls) -> Next:
        """Return the instructions. No external service is called."""
        action = Details(
            instructions=_filled(self.config["instructions"], payment),
            rows=[_row(line) for line in _filled(self.config["details"], payment).splitlines() if line.strip()],
        )
        return Next(action=action, is_waiting=False)


def _row(line: str) -> tuple[str, str]:
    label, colon, value = line.partition(":")
    return (label.strip(), value.strip()) if colon and value.strip() else ("", line.strip())


def _filled(text: str, payment: PaymentDetails) -> str:
    """Fill in the amount and the reference.

    Only these two placeholders are replaced. ``str.format`` would let the text of a method read attributes of our
    objects.
    """
    amount = f"{amounts.plain(payment.amount)} {payment.currency}"
    return text.replace("{amount}", amount).replace("{reference}", payment.reference)
