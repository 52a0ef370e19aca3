"""The receipt for a credited payment. ``storefront.payments`` calls it by a dotted path and does not import it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from storefront.mail import outbox
from storefront.mail.layout import EmailContent
from storefront.mail.models import EmailKind
from storefront.web import formats


def keep(payment: Any, *, amount: Decimal) -> None:
    """Put the receipt for ``payment`` into the outbox. Call it in the transaction that credits ``amount``."""
    outbox.write(payment.user, kind=EmailKind.RECEIPT, content=lambda: _receipt(payment, amount))


def _receipt(payment: Any, credited: Decimal) -> EmailContent:
    amount = formats.money(credited)
    at = date_format(timezone.localtime(payment.credited_at), "DATETIME_FORMAT")
    return EmailContent(
        subject=_("Payment received: %(amount)s added to your balance") % {"amount": amount},
        paragraphs=[_("We received your payment and added it to your balance.")],
        facts=[
            (_("Amount"), amount),
            (_("Paid with"), payment.label),
            (_("Reference"), payment.reference),
            (_("Credited"), at),
            *([(_("Note"), payment.note)] if payment.note else []),
        ],
        button=(_("View payment"), f"{settings.SHOP_URL}{reverse('payments:payment', args=[payment.reference])}"),
    )
