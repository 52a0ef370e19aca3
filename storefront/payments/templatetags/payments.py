"""Template tags of payments: amounts in any currency, fees, and QR codes."""

from __future__ import annotations

from decimal import Decimal

import qrcode
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from qrcode.exceptions import DataOverflowError
from qrcode.image.svg import SvgPathImage

from orders.rules import amounts
from storefront.payments.models import PaymentMethod
from storefront.web import formats

register = template.Library()
#: Longer texts give codes that phones cannot read from a screen.
_QR_MAX_LENGTH = 1000


@register.filter
def amount_in(amount: Decimal | None, currency: str) -> SafeString:
    """Format an amount of any currency; for those without a format, such as coins, as "0.0012 BTC"."""
    value = amount or Decimal(0)
    if currency in formats.locale().currencies:
        return format_html("<bdi>{}</bdi>", formats.money(Decimal(amounts.plain(value)), currency))
    return format_html('<bdi dir="ltr">{} {}</bdi>', amounts.plain(value, 0), currency)


@register.filter
def rate_text(rate: Decimal) -> str:
    """Format an exchange rate without trailing zeros, for example 41.2."""
    return formats.number(Decimal(amounts.plain(rate, 0)))


@register.filter
def fee_text(method: PaymentMethod) -> str:
    """Describe the fee of a payment method, for example "Fee 2.9% + $0.30"."""
    percent = _("%(number)s%%") % {"number": formats.number(method.fee_percent.normalize())}
    fixed = formats.money(Decimal(amounts.plain(method.fee_fixed)))
    if method.fee_percent and method.fee_fixed:
        return _("Fee %(percent)s + %(amount)s") % {"percent": percent, "amount": fixed}
    if method.fee_percent or method.fee_fixed:
        return _("Fee %s") % (percent if method.fee_percent else fixed)
    return _("No fee")


@register.simple_tag
def qr_code(text: str) -> SafeString:
    """Render ``text`` as an SVG with a QR code; "" if it is too long for one."""
    if not text or len(text) > _QR_MAX_LENGTH:
        return SafeString("")
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=2)
    code.add_data(text)
    try:
        drawn = code.make_image(image_factory=SvgPathImage).to_string(encoding="unicode")
    except DataOverflowError:
        return SafeString("")
    # The drawing consists of numbers: ``text`` itself is not in it.
    return SafeString(drawn)
