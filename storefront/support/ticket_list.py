"""What customers see of their tickets: tabs, pages, the conversation. Reads only, and public messages only."""

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
TALK_SIZE = 50


@dataclass(frozen=True, slots=True)
class TicketStatusLabel:
    """A status in the customer's words. ``mark`` is its sign in the style sheet."""

    label: Promise
    mark: str


SHOWN: Mapping[str, TicketStatusLabel] = {
    TicketStatus.OPEN: TicketStatusLabel(_("We will answer"), "pending"),
    TicketStatus.WAITING: TicketStatusLabel(_("Needs your answer"), "partial"),
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
    """Two queries whatever the number of tickets."""
    own = Ticket.objects.of(user)
    counts = {row["status"]: row["count"] for row in own.order_by().values("status").annotate(count=Count("pk"))}
    code = query.get("status", "")
    code = code if code in SHOWN else ""
    tabs = [TicketTab("", _("All"), sum(counts.values()), not code)]
    tabs += [TicketTab(status, shown.label, counts.get(status, 0), status == code) for status, shown in SHOWN.items()]
    rows = (own.filter(status=code) if code else own).select_related("category")
    total = next(tab.count for tab in tabs if tab.is_current)
    return TicketPage(tabs, total, keyset.page(rows, query, PAGE_SIZE, key="last_message"))


def talk(ticket: Ticket, query: QueryDict) -> keyset.KeysetPage[Message]:
    """A page of the conversation, newest first. Two queries."""
    return keyset.page(_told(ticket), query, TALK_SIZE)


def newer(ticket: Ticket, seen: int) -> list[Message]:
    """What was said after message ``seen``, newest first."""
    return list(_told(ticket).filter(pk__gt=seen).order_by("-pk")[:TALK_SIZE])


def mark(ticket: Ticket) -> str:
    """What the page shows that can change, short enough for an address."""
    return f"{ticket.last_message or 0}-{ticket.status}"


def seen(query: QueryDict) -> int:
    """The newest message of the page that asks."""
    return query_params.number(query.get("seen", "").partition("-")[0]) or 0


def orders_of(ticket: Ticket) -> list[Order]:
    return list(Order.objects.filter(tickets__ticket=ticket).with_service().order_by("tickets__id"))


def _told(ticket: Ticket) -> Any:
    return Message.objects.public().filter(ticket=ticket).prefetch_related("attachments")
