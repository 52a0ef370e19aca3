"""The tickets as customers see them: tabs, pages and the conversation. Only public messages are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from storefront.support.models import Message, Ticket
from storefront.support.models.ticket import TicketStatus
from storefront.web import keyset, query_params

PAGE_SIZE = 25
CONVERSATION_SIZE = 50


@dataclass(frozen=True, slots=True)
class TicketStatusLabel:
    """The customer's label of a status. ``mark`` is its class in the style sheet."""

    label: Promise
    mark: str


STATUS_LABELS: Mapping[str, TicketStatusLabel] = {
    TicketStatus.OPEN: TicketStatusLabel(_("Awaiting our reply"), "pending"),
    TicketStatus.WAITING: TicketStatusLabel(_("Awaiting your reply"), "partial"),
    TicketStatus.ANSWERED: TicketStatusLabel(_("Answered"), "completed"),
    TicketStatus.CLOSED: TicketStatusLabel(_("Closed"), "canceled"),
}


@dataclass(frozen=True, slots=True)
class TicketTab:
    code: str
    label: str | Promise
    count: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class TicketPage:
    tabs: list[TicketTab]
    total: int
    page: keyset.KeysetPage[Ticket]


def list_tickets(user: Any, query: QueryDict) -> TicketPage:
    """Return the page of the selected tab, with two queries for any number of tickets."""
    own = Ticket.objects.of(user)
    counts = {row["status"]: row["count"] for row in own.order_by().values("status").annotate(count=Count("pk"))}
    code = query.get("status", "")
    code = code if code in STATUS_LABELS else ""
    tabs = [TicketTab("", _("All"), sum(counts.values()), not code)]
    tabs += [
        TicketTab(status, shown.label, counts.get(status, 0), status == code) for status, shown in STATUS_LABELS.items()
    ]
    rows = (own.filter(status=code) if code else own).select_related("category")
    total = next(tab.count for tab in tabs if tab.is_current)
    return TicketPage(tabs, total, keyset.page(rows, query, PAGE_SIZE, key="last_message"))


def conversation(ticket: Ticket, query: QueryDict) -> keyset.KeysetPage[Message]:
    """Return a page of the conversation, newest first, with two queries."""
    return keyset.page(_public_messages(ticket), query, CONVERSATION_SIZE)


def newer(ticket: Ticket, seen: int) -> list[Message]:
    """Return the messages after message ``seen``, newest first."""
    return list(_public_messages(ticket).filter(pk__gt=seen).order_by("-pk")[:CONVERSATION_SIZE])


def mark(ticket: Ticket) -> str:
    """Return a short text for a URL that changes whenever the ticket's page has to change."""
    return f"{ticket.last_message or 0}-{ticket.status}"


def newest_seen(query: QueryDict) -> int:
    """Return the newest message that the requesting page already shows."""
    return query_params.number(query.get("seen", "").partition("-")[0]) or 0


def orders_of(ticket: Ticket) -> list[Order]:
    return list(Order.objects.filter(tickets__ticket=ticket).with_service().order_by("tickets__id"))


def _public_messages(ticket: Ticket) -> Any:
    return Message.objects.public().filter(ticket=ticket).prefetch_related("attachments")
