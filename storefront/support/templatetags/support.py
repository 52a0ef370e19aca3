"""What templates need of support: statuses in words, texts as safe HTML, what a person can be asked for."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.safestring import SafeString, mark_safe

from orders.models import Order, PriceChange
from storefront.support import markup, order_requests, price_updates, ticket_list
from storefront.support.models import Ticket

register = template.Library()


@register.filter
def document(text: str) -> SafeString:
    """A text of the shop, with headings and lists."""
    return mark_safe(markup.document(text))  # noqa: S308  # it escapes every sign that it did not write itself


@register.filter
def message(text: str) -> SafeString:
    return mark_safe(markup.message(text))  # noqa: S308  # as above


@register.filter
def shown_ticket(ticket: Ticket) -> ticket_list.TicketStatusLabel:
    return ticket_list.SHOWN[ticket.status]


@register.filter
def percent(change: PriceChange) -> Decimal | None:
    return price_updates.percent(change)


@register.filter
def askable(order: Order) -> list[tuple[str, object]]:
    """What a person can be asked to do for the order, with the button's words."""
    return [(kind.value, order_requests.LABELS[kind]) for kind in order_requests.possible(order)]
