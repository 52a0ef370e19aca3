"""Formatting of amounts, times, statuses and events for the back office, in the reader's language, without queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import format_currency, format_percent
from django.conf import settings
from django.db.models import TextChoices
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.models.event_codes import DecidedBy, EventDecision, EventStep, Oddity, RejectionReason
from orders.models.order import EventKind, Order, OrderEvent, Status
from orders.rules import amounts

NONE = "–"

#: Texts for the data of an event, in display order. A key that is missing here is shown unchanged.
FACTS: Mapping[str, Any] = {
    "run": _("Run %s"),
    "oddity": "%s",
    "decision": "%s",
    "by": "%s",
    "step": "%s",
    "status": _("Status: %s"),
    "provider": _("Provider: %s"),
    "upstream_id": _("Provider order ID: %s"),
    "start_count": _("Start count: %s"),
    "remains": _("Not delivered: %s"),
    "amount": _("Amount: %s"),
    "panel_status": _("Provider status: “%s”"),
    "panel_error": _("Provider message: “%s”"),
    "reason": _("Reason: %s"),
    "why": _("Reason: %s"),
    "lower": _("Searched above order ID %s"),
    "upper": _("Searched below order ID %s"),
}
#: The enums of the codes that the data of an event can have, by key.
CODES: Mapping[str, tuple[type[TextChoices], ...]] = {
    "decision": (EventDecision,),
    "by": (DecidedBy,),
    "step": (EventStep, EventKind),
    "status": (Status,),
    "oddity": (Oddity,),
    "why": (RejectionReason,),
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
    text = _("%s. Not sold, because the price is below the cost.") % amount_text(cost)
    return format_html('<strong class="tone" data-tone="danger">{}</strong>', text)


def rounded(value: Decimal) -> SafeString:
    """Format a sum in the store currency rounded to the currency's decimals, for display only."""
    return format_html("<bdi>{}</bdi>", format_currency(value, settings.STORE_CURRENCY, locale=_locale()))


def percent(share: Decimal | float, *, is_signed: bool = False) -> str:
    """Format ``share``, where 1 is the whole, with one decimal: "33.3%", "33,3 %" or "%33,3".

    Args:
        is_signed: Whether a positive share gets a plus sign.
    """
    pattern = Locale.parse(_locale()).percent_formats[None].pattern.replace("0", "0.0")
    return str(format_percent(share, f"+{pattern};-{pattern}" if is_signed else pattern, locale=_locale()))


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


def describe_event(event: OrderEvent, names: Mapping[Any, str], *, describe_note: Callable[[str], str] = str) -> str:
    """Describe the data of ``event``.

    Args:
        names: The providers' names by id.
        describe_note: Returns the text of a note that the layer above has stored in code.
    """
    return " · ".join(fact for fact in _facts(event.data, names, describe_note) if fact)


def _facts(data: Mapping[str, Any], names: Mapping[Any, str], describe_note: Callable[[str], str]) -> Iterator[str]:
    order = list(FACTS)
    for name in sorted(data, key=lambda name: order.index(name) if name in order else len(order)):
        value = data[name]
        if value in (None, ""):
            continue
        match name:
            case "provider":
                value = names.get(value, f"#{value}")
            case "asked":
                continue  # the event of the cancellation already shows it
            case "run" if not value:
                continue  # the event is about the whole order
            case "remains" | "start_count" if isinstance(value, int):
                value = count(value)
            case "amount":
                with suppress(InvalidAmount):
                    value = amount_text(amounts.parse(value))
            case "panel_error" if describe_note(value) != value:
                name, value = "why", describe_note(value)  # our own reason, because the provider gave no message
            case _ if isinstance(value, str):
                value = code_label(name, value) or describe_note(value)
        yield str(FACTS[name]) % value if name in FACTS else f"{name}: {value}"


def code_label(name: str, value: str) -> str:
    """Return the label of the code ``value`` of the key ``name`` in an event's data, or "" if it is not a code."""
    return next((str(codes(value).label) for codes in CODES.get(name, ()) if value in codes.values), "")


def _locale() -> str:
    return (get_language() or settings.LANGUAGE_CODE).replace("-", "_")
