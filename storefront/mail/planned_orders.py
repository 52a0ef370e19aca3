"""The email about an order that was not placed after its payment. ``storefront.shop`` calls it by a dotted path."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from storefront.mail import outbox
from storefront.mail.layout import EmailContent
from storefront.mail.models import EmailKind
from storefront.web import formats


def keep(planned: Any) -> None:
    """Put an email about ``planned`` into the outbox. Call it in the transaction that stores the outcome."""
    outbox.write(planned.user, kind=EmailKind.ORDERS, content=lambda: _content(planned))


def _content(planned: Any) -> EmailContent:
    address = f"{reverse('shop:order_new')}?service={planned.service_id}"
    return EmailContent(
        subject=_("Your payment arrived, but your order was not placed"),
        paragraphs=[
            str(planned.get_problem_display()),
            _("Nothing was bought. The money is in your balance, and you can order at any time."),
        ],
        facts=[
            (_("Service"), planned.service.name),
            (_("Planned price"), formats.money(planned.charge)),
            (_("Payment"), planned.payment_reference),
        ],
        button=(_("Order again"), f"{settings.SHOP_URL}{address}"),
    )
