"""The tags and filters of our pages: icons, amounts, numbers, moments, statuses, safe links."""

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
    """``{% icon "search" %}``; ``extra`` is "dir" for an arrow that turns with the direction of writing."""
    return format_html(
        '<svg class="icon{}" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        f" {extra}" if extra else "",
        ICONS[name],
    )


@register.filter
def money(amount: Decimal | None) -> SafeString:
    """An amount or price of the store currency, isolated from the direction of the text around it."""
    return format_html("<bdi>{}</bdi>", formats.money(amount or Decimal(0)))


@register.filter
def about(amount: Decimal) -> SafeString:
    """An amount where its millionths do not matter, such as a balance beside other things: cents, rounded down."""
    return money(amount if amount < 1 else round_down(amount, CENT))


@register.filter
def approx(amount: Decimal | None) -> SafeString | str:
    """About how much ``amount`` is in the currency that the reader chose to see; nothing for who chose none."""
    shown = display.current()
    if shown is None or not amount:
        return ""
    return format_html('<small class="approx">≈ <bdi>{}</bdi></small>', formats.money(shown.of(amount), shown.code))


@register.filter
def signed(amount: Decimal) -> SafeString:
    """An amount with its sign, a plus as well."""
    return format_html("<bdi>{}</bdi>", formats.money(amount, is_signed=True))


@register.filter
def plain(amount: Decimal) -> str:
    """An amount for an address or an input: no sign of a currency, a point in every language."""
    return money_text(amount)


@register.filter
def paid(service: Service, by: CustomerPricing) -> Decimal:
    """What the reader pays for ``service``, per 1,000 or for one: ``{{ service|paid:terms }}``."""
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
    """A point in time. "short" leaves out what the reader knows: the date of today, the time of other days.

    "ago" says how long ago it was, to one unit.
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
def took(order: Order) -> str:
    """How long an order that has ended took, from when it could begin; as exact as a measured time."""
    begun = order.starts_at or order.created_at
    return delivery_times.duration(max(0, round((order.ended_at - begun).total_seconds()))) if order.ended_at else ""


@register.filter
def shown_status(order: Order) -> order_status.OrderStatusLabel:
    return order_status.status_label(order.status)


@register.filter
def can_be_refilled(order: Order) -> bool:
    return order_list.can_be_refilled(order)


@register.filter
def web_link(text: str) -> str:
    """``text`` if it may be followed from a page of ours, else nothing: customers also order for plain names."""
    return text if text.lower().startswith(("https://", "http://")) else ""


@register.filter
def bar(measure: DeliveryStats) -> delivery_times.TimeBar | None:
    return delivery_times.bar(measure)


@register.filter
def duration(seconds: int | None) -> str:
    return delivery_times.duration(seconds)


@register.filter
def tone(level: str) -> str:
    """The tone of a message's level."""
    return TONES.get(level, level)


@register.filter
def initials(email: str) -> str:
    return email[:2].upper()


@register.simple_tag(takes_context=True)
def query(context: Mapping[str, Any], **changes: Any) -> str:
    """This page's query with ``changes``: "" and None take a name away."""
    asked: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value in ("", None):
            asked.pop(name, None)
        else:
            asked[name] = str(value)
    return f"?{asked.urlencode()}" if asked else "?"


@register.filter
def taken(amount: Decimal) -> SafeString:
    """An amount that is taken off a sum."""
    return signed(-amount)


@register.filter
def change(transfer: Transfer) -> Decimal:
    """What an entry did to the wallet."""
    return transactions.change(transfer)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def drawn(field: BoundField) -> SafeString:
    """A form's field in our style; the colour of a wrong one follows ``aria-invalid``, which Django sets."""
    attrs: dict[str, str | bool] = {} if is_checkbox(field) else {"class": "input"}
    if isinstance(field.field, EmailField):
        attrs["dir"] = "ltr"
    # The label says it; a placeholder that repeats it vanishes when one types.
    attrs["placeholder"] = ""
    # After a refused form one starts at the first thing to mend, also where it is far down the page.
    if field.errors and field.name == next(iter(field.form.errors)):
        attrs["autofocus"] = True
    return field.as_widget(attrs=attrs)
