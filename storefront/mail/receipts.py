"""The receipt for money that arrived in a wallet. The room of top-ups calls it by a dotted path and is not imported."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from storefront import formats
from storefront.mail import outbox
from storefront.mail.layout import Content
from storefront.mail.models import Kind


def keep(topup: Any) -> None:
    """``topup`` was credited, in this transaction."""
    outbox.write(topup.user, kind=Kind.RECEIPT, content=lambda: _receipt(topup))


def _receipt(topup: Any) -> Content:
    amount = formats.money(topup.paid_amount)
    at = date_format(timezone.localtime(topup.credited_at), "DATETIME_FORMAT")
    return Content(
        subject=_("Receipt: %(amount)s is in your wallet") % {"amount": amount},
        paragraphs=[_("Your payment has arrived and is in your wallet.")],
        facts=[
            (_("Amount"), amount),
            (_("Paid with"), topup.label),
            (_("Reference"), topup.reference),
            (_("Credited"), at),
            *([(_("Note"), topup.note)] if topup.note else []),
        ],
        button=(_("See the payment"), f"{settings.SHOP_URL}{reverse('topups:topup', args=[topup.reference])}"),
    )
