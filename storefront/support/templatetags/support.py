"""Template filters of support: status labels, texts as safe HTML, and requests for an order."""

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
    """Render a text of the shop, with headings and lists."""
    return mark_safe(markup.document(text))  # noqa: S308  # it escapes every character that it did not write itself


@register.filter
def message(text: str) -> SafeString:
    return mark_safe(markup.message(text))  # noqa: S308  # as above


@register.filter
def ticket_status(ticket: Ticket) -> ticket_list.TicketStatusLabel:
    return ticket_list.STATUS_LABELS[ticket.status]


@register.filter
def percent(change: PriceChange) -> Decimal | None:
    return price_updates.percent(change)


@register.filter
def support_requests(order: Order) -> list[tuple[str, object]]:
    """Return the requests that a customer can make about the order, each with the text of its button."""
    return [(kind.value, order_requests.LABELS[kind]) for kind in order_requests.possible(order)]
