"""Template tags and filters: icons, amounts, numbers, times, statuses, and links."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, EmailField
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from orders.catalog.customer_pricing import CustomerPricing
from orders.models import DeliveryStats, Order, Service, Transfer
from orders.rules.amounts import plain as money_text
from orders.rules.amounts import round_down
from storefront.currencies import display
from storefront.shop import delivery_times, order_list, order_status, transactions
from storefront.shop.icons import ICONS
from storefront.web import formats

register = template.Library()
CENT = Decimal("0.01")
TONES = {"debug": "", "error": "danger"}


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Render an icon: ``{% icon "search" %}``. Use ``extra="dir"`` for an arrow that follows the writing direction."""
    return format_html(
        '<svg class="icon{}" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        f" {extra}" if extra else "",
        ICONS[name],
    )


@register.filter
def money(amount: Decimal | None) -> SafeString:
    """Format an amount of the store currency, isolated from the direction of the surrounding text."""
    return format_html("<bdi>{}</bdi>", formats.money(amount or Decimal(0)))


@register.filter
def short_money(amount: Decimal) -> SafeString:
    """Format an amount in cents, rounded down; amounts below 1 keep all their digits."""
    return money(amount if amount < 1 else round_down(amount, CENT))


@register.filter
def approx(amount: Decimal | None) -> SafeString | str:
    """Format the approximate amount in the reader's display currency, or "" if they chose none."""
    display_currency = display.current()
    if display_currency is None or not amount:
        return ""
    return format_html(
        '<small class="approx">≈ <bdi>{}</bdi></small>',
        formats.money(display_currency.of(amount), display_currency.code),
    )


@register.filter
def bonus_label(transfer: Transfer) -> str:
    return transactions.bonus_label(transfer)


@register.filter
def signed(amount: Decimal) -> SafeString:
    """Format an amount with its sign, a plus as well."""
    return format_html("<bdi>{}</bdi>", formats.money(amount, is_signed=True))


@register.filter
def plain(amount: Decimal) -> str:
    """Format an amount for a URL or an input: without currency, with a decimal point in every language."""
    return money_text(amount)


@register.filter
def rate_for(service: Service, by: CustomerPricing) -> Decimal:
    """Return the reader's price of ``service``, per 1,000 or each: ``{{ service|rate_for:pricing }}``."""
    return by.rate(service)


@register.filter
def number(value: int | None) -> str:
    return "" if value is None else formats.number(value)


@register.filter
def percent(value: Decimal | int) -> str:
    """Format a percentage as the reader's language writes it: "12.5%", "12,5 %" or "%12,5"."""
    return _("%(number)s%%") % {"number": formats.number(value)}


@register.filter
def percent_change(value: Decimal) -> str:
    """Format a change in percent with its sign, a plus as well."""
    sign = formats.MINUS if value < 0 else "+" if value else ""
    return f"{sign}{percent(abs(value))}"


@register.simple_tag
def moment(at: datetime, form: str = "full") -> SafeString:
    """Render a point in time.

    Args:
        form: "full" for date and time, "short" for the time of today or the date of other days, "ago" for the time
            that has passed, in one unit.
    """
    local = timezone.localtime(at)
    if form == "full":
        text = date_format(local, "DATETIME_FORMAT")
    elif form == "ago":
        is_now = timezone.now() - at < timedelta(minutes=1)
        text = _("Just now") if is_now else _("%(span)s ago") % {"span": timesince(at, depth=1)}
    elif local.date() == timezone.localdate():
        text = _("Today %(time)s") % {"time": date_format(local, "TIME_FORMAT")}
    else:
        text = date_format(local, "DATE_FORMAT")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), text)


@register.filter
def time_taken(order: Order) -> str:
    """Format how long a finished order took from its start, in the units of delivery times."""
    started_at = order.starts_at or order.created_at
    return (
        delivery_times.duration(max(0, round((order.ended_at - started_at).total_seconds()))) if order.ended_at else ""
    )


@register.filter
def status_label(order: Order) -> order_status.OrderStatusLabel:
    return order_status.status_label(order.status)


@register.filter
def can_be_refilled(order: Order) -> bool:
    return order_list.can_be_refilled(order)


@register.filter
def web_link(text: str) -> str:
    """Return ``text`` if it is a web address, else "": customers also order for plain usernames."""
    return text if text.lower().startswith(("https://", "http://")) else ""


@register.filter
def time_bar(measure: DeliveryStats) -> delivery_times.TimeBar | None:
    return delivery_times.time_bar(measure)


@register.filter
def duration(seconds: int | None) -> str:
    return delivery_times.duration(seconds)


@register.filter
def tone(level: str) -> str:
    """Return the alert tone of a message level."""
    return TONES.get(level, level)


@register.filter
def initials(email: str) -> str:
    return email[:2].upper()


@register.simple_tag(takes_context=True)
def query(context: Mapping[str, Any], **changes: Any) -> str:
    """Return the query string of this page with ``changes``; "" and None remove a parameter."""
    params: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value in ("", None):
            params.pop(name, None)
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}" if params else "?"


@register.filter
def deduction(amount: Decimal) -> SafeString:
    """Format an amount that is subtracted from a sum."""
    return signed(-amount)


@register.filter
def balance_change(transfer: Transfer) -> Decimal:
    """Return the change of the wallet by a transfer."""
    return transactions.balance_change(transfer)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def render_field(field: BoundField) -> SafeString:
    """Render a form field in our style; ``aria-invalid``, which Django sets, gives invalid fields their color."""
    attrs: dict[str, str | bool] = {} if is_checkbox(field) else {"class": "input"}
    if isinstance(field.field, EmailField):
        attrs["dir"] = "ltr"
    # The label is enough: a placeholder that repeats it disappears while typing.
    attrs["placeholder"] = ""
    # Focus the first invalid field, even if it is far down the page.
    if field.errors and field.name == next(iter(field.form.errors)):
        attrs["autofocus"] = True
    return field.as_widget(attrs=attrs)
