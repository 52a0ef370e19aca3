"""Emails to staff about disputes, reversals and refunds. ``storefront.payments`` calls this by a dotted path."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from storefront.accounts.models import User
from storefront.mail import outbox
from storefront.mail.layout import EmailContent
from storefront.mail.models import EmailKind
from storefront.web import formats

#: Staff with this permission are notified of payments.
PERMISSION = "payments.change_payment"


def keep(payment: Any, *, reason: str, amount: Decimal) -> None:
    """Put an email for everyone who may decide about payments into the outbox; call it in the transaction."""
    for user in _staff():
        outbox.write(user, kind=EmailKind.STAFF, content=lambda: _content(payment, reason, amount))


def _staff() -> Sequence[User]:
    people: Any = User.objects.filter(is_active=True, is_staff=True).order_by("pk")
    return [user for user in people if user.has_perm(PERMISSION)]


def _content(payment: Any, reason: str, amount: Decimal) -> EmailContent:
    if reason == "disputed":
        subject = _("Payment %(reference)s is disputed")
        texts = [_("The customer disputes the payment at the gateway. Answer the dispute there in time.")]
    elif reason == "number":
        subject = _("Payment %(reference)s: transaction number used twice")
        texts = [
            _("The customer entered a transaction number that another payment has. The first one keeps it."),
            _("The internal notes on the payment's page name both. Compare them with your bank account."),
        ]
    elif reason == "refund":
        subject = _("Refund of payment %(reference)s: outcome unknown")
        texts = [
            _("The gateway did not answer. Find out there whether it refunded, and record it on the payment's page.")
        ]
    else:
        subject = _("Payment %(reference)s was reversed")
        texts = [
            _("The gateway gave the money back to the customer, so it was taken from the customer's balance."),
            _("What the balance did not cover is booked as a debt, which the next payments settle."),
        ]
    page = reverse("admin:payments_payment_change", args=[payment.pk])
    return EmailContent(
        subject=subject % {"reference": payment.reference},
        paragraphs=texts,
        facts=[
            (_("Amount"), formats.money(amount)),
            (_("Customer"), str(payment.user)),
            (_("Paid with"), payment.label),
        ],
        button=(_("View payment"), f"{settings.SHOP_URL}{page}"),
    )
