"""Formatting of amounts, times, statuses and events for the back office, in the reader's language, without queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from django.conf import settings
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.models.order import Order, OrderEvent, Status
from orders.rules import amounts

NONE = "–"

#: Texts for the data of an event, in display order. A key that is missing here is shown unchanged.
FACTS: Mapping[str, Any] = {
    "decision": _("decided: %s"),
    "step": "%s",
    "status": _("now %s"),
    "provider": _("provider %s"),
    "upstream_id": _("number there %s"),
    "start_count": _("start count %s"),
    "remains": _("%s pieces not delivered"),
    "amount": _("%s to the wallet"),
    "oddity": "%s",
    "word": _("the panel's status “%s”"),
    "words": _("the panel's words “%s”"),
    "reason": _("reason: %s"),
    "why": _("why: %s"),
}
ODDITIES: Mapping[str, Any] = {
    "unknown_word": _("a status we do not know"),
    "remains_missing": _("partial, but the panel does not say how much"),
    "remains_out_of_range": _("more left than was ordered"),
    "failed_upstream": _("the panel gave up and does not say whether it paid us back"),
    "went_back": _("the panel took a smaller number for undelivered than before"),
    "reopened": _("the panel says otherwise after the end"),
    "unknown_there": _("the panel has not known this order for over an hour"),
}
DECISIONS: Mapping[str, Any] = {
    "placed": _("it was placed"),
    "send again": _("it was not placed, send again"),
    "pay back": _("it was not placed, pay back"),
    "set partial": _("set partial"),
    "odd report seen": _("unexpected report seen"),
    "send request": _("send the request to the panel again"),
}
#: The steps of a refill or a cancellation.
STEPS: Mapping[str, Any] = {
    "asked": _("asked for"),
    "sent": _("the panel took it"),
    "in_progress": _("in progress"),
    "person": _("for a person"),
    "completed": _("completed"),
    "rejected": _("rejected"),
}


def amount(value: Decimal | None, currency: str = "") -> SafeString | str:
    """Format ``value`` with all its decimals and at least those of ``currency``, which is the store's if omitted."""
    return NONE if value is None else format_html("<bdi>{}</bdi>", amount_text(value, currency))


def amount_text(value: Decimal, currency: str = "") -> str:
    """Format as ``amount`` does, for sentences that are stored or sent as plain text."""
    exact = Decimal(amounts.plain(value))
    text = format_currency(exact, currency or settings.STORE_CURRENCY, locale=_locale(), decimal_quantization=False)
    return str(text)


def below_cost(cost: Decimal) -> SafeString:
    """Format a cost that is above the price, with a warning that the service is not sold."""
    text = _("%s: the price is below it, so this is not sold.") % amount_text(cost)
    return format_html('<strong class="tone" data-tone="danger">{}</strong>', text)


def rounded(value: Decimal) -> SafeString:
    """Format a sum in the store currency rounded to the currency's decimals, for display only."""
    return format_html("<bdi>{}</bdi>", format_currency(value, settings.STORE_CURRENCY, locale=_locale()))


def count(value: int) -> str:
    return str(formats.number_format(value, use_l10n=True, force_grouping=True))


def moment(at: datetime | None) -> SafeString | str:
    """Format a time for a list: the time if it is today, day and time in this year, otherwise the date.

    The full date and time is in the tooltip.
    """
    if at is None:
        return NONE
    here, now = timezone.localtime(at), timezone.localtime()
    form = "H:i" if here.date() == now.date() else "j M H:i" if here.year == now.year else "j M Y"
    whole = formats.date_format(here, "DATETIME_FORMAT")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', here.isoformat(), whole, formats.date_format(here, form)
    )


def ago(at: datetime | None) -> str:
    """Return how long ago ``at`` was in one unit, such as "3 hours"."""
    return timesince(at, depth=1) if at else NONE


def status_badge(status: str, *, label: Any = None) -> SafeString:
    """Return a status as a label with a mark that fills up as the order progresses."""
    return format_html(
        '<span class="status" data-status="{}">{}</span>', status.replace("_", "-"), label or Status(status).label
    )


def row(*pieces: str) -> SafeString:
    """Join links with a separator."""
    return format_html_join(" · ", "{}", ((piece,) for piece in pieces))


def left_to_right(text: str) -> SafeString:
    """Isolate ranges and paths as left-to-right text; in right-to-left pages their order would be reversed."""
    return format_html('<bdi dir="ltr">{}</bdi>', text)


def delivered(order: Order) -> SafeString:
    return left_to_right(f"{count(order.delivered)} / {count(order.quantity)}")


def limits(sold: Any) -> SafeString:
    """Format the minimum and maximum quantity of a service or an offer."""
    return left_to_right(f"{count(sold.min_quantity)} – {count(sold.max_quantity)}")


def describe_event(event: OrderEvent, names: Mapping[Any, str]) -> str:
    """Describe the data of ``event``; ``names`` are the providers' names by id."""
    return " · ".join(str(fact) for fact in _facts(event.data, names) if fact)


def _facts(data: Mapping[str, Any], names: Mapping[Any, str]) -> Iterator[str]:
    order = list(FACTS)
    for name in sorted(data, key=lambda name: order.index(name) if name in order else len(order)):
        value = data[name]
        if value in (None, ""):
            continue
        match name:
            case "provider":
                value = names.get(value, f"#{value}")
            case "status" if value in Status.values:
                value = Status(value).label
            case "oddity":
                value = ODDITIES.get(value, value)
            case "decision":
                value = DECISIONS.get(value, value)
            case "step":
                value = STEPS.get(value, value)
            case "asked":
                continue  # the event of the cancellation already shows it
            case "remains" | "start_count" if isinstance(value, int):
                value = count(value)
            case "amount":
                with suppress(InvalidAmount):
                    value = amount_text(amounts.parse(value))
        yield str(FACTS[name]) % value if name in FACTS else f"{name}: {value}"


def _locale() -> str:
    return (get_language() or settings.LANGUAGE_CODE).replace("-", "_")
