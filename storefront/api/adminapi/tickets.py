"""The endpoints of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from storefront.accounts.models import User
from storefront.api.adminapi import audit, envelope, inputs, pages, shapes
from storefront.api.adminapi.base import AdminApiView
from storefront.api.adminapi.models import Group, StaffKey
from storefront.api.adminapi.order_rows import date
from storefront.api.adminapi.users import find_user
from storefront.support import markup, tickets
from storefront.support.models import Message, Ticket
from storefront.support.models.ticket import TicketStatus

STATUS_WORDS: Mapping[TicketStatus, str] = {status: word for word, status in inputs.TICKET_STATUSES.items()}


class TicketsView(AdminApiView):
    group = Group.TICKETS
    data_shape = shapes.listed(shapes.TICKET)
    is_page = True
    query_class = inputs.TicketsQuery

    def get(self, request: Request) -> Response:
        query = self.read_query()
        found = Ticket.objects.filter(merged_into=None).select_related("user", "assignee").order_by("-id")
        if "user" in query:
            found = found.filter(user__email=query["user"].strip().lower())
        if "status" in query:
            status = inputs.TICKET_STATUSES[query["status"]]
            found = found.filter(status=status)
            if status == TicketStatus.OPEN:
                found = found.filter(waiting_since__isnull=False)  # the condition of their partial index
        return pages.answer(request, query, [_row(ticket) for ticket in pages.cut(found, query)])


class TicketView(AdminApiView):
    group = Group.TICKETS
    data_shape = shapes.CONVERSATION

    def get(self, request: Request, pk: int) -> Response:
        ticket = _find(pk)
        messages = Message.objects.public().filter(ticket=ticket).select_related("author").order_by("id")
        return envelope.success({**_row(ticket), "messages": [_message(message) for message in messages]})


class ReplyView(AdminApiView):
    group = Group.TICKETS
    data_shape = shapes.TICKET_NUMBER
    body_class = inputs.TicketReply

    def post(self, request: Request, pk: int) -> Response:
        given = self.read_body()
        author = _author(self.key, given["staff_name"])
        with transaction.atomic():
            ticket = _find(pk)
            message = tickets.answer(ticket, author=author, text=given["message"])
            after = Ticket.objects.get(pk=message.ticket_id)
            changes = {"status": (ticket.status, after.status), "message": ("", given["message"])}
            audit.record(self.key, after, "tickets/reply", changes)
        return envelope.success({"ticket_id": after.pk})


class AddTicketView(AdminApiView):
    group = Group.TICKETS
    data_shape = shapes.TICKET_NUMBER
    body_class = inputs.NewTicket

    def post(self, request: Request) -> Response:
        given = self.read_body()
        author, user = _author(self.key, given["staff_name"]), find_user(given["username"])
        if user is None:
            raise envelope.CannotDo("There is no user with this username")
        with transaction.atomic():
            ticket = tickets.open_by_staff(user, subject=given["subject"], text=given["message"], author=author)
            changes = {"subject": ("", ticket.subject), "message": ("", given["message"])}
            audit.record(self.key, ticket, "tickets/add", changes)
        return envelope.success({"ticket_id": ticket.pk})


def _author(key: StaffKey, staff_name: str | None) -> User:
    """Return the member of staff with this name or email address; without one, the person of the key."""
    name = (staff_name or "").strip()
    if not name:
        return key.user
    staff = User.objects.filter(Q(email=name.lower()) | Q(name__iexact=name), is_staff=True, is_active=True)
    found = staff.order_by("pk").first()
    if found is None:
        raise ValidationError({"staff_name": "No active member of staff has this name or email address."})
    return found


def _find(pk: int) -> Ticket:
    ticket = Ticket.objects.select_related("user", "assignee").filter(pk=pk).first()
    if ticket is None:
        raise NotFound("Ticket not found")
    return ticket


def _row(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.pk,
        "user": ticket.user.email,
        "subject": ticket.subject,
        "status": STATUS_WORDS[TicketStatus(ticket.status)],
        "assignee": str(ticket.assignee.name or ticket.assignee.email) if ticket.assignee else "",
        "created": date(ticket.created_at),
        "last_update": date(ticket.changed_at),
    }


def _message(message: Message) -> dict[str, Any]:
    """Return a message as programs read it: they take its text for HTML."""
    return {
        "id": message.pk,
        "sender_name": message.author.name or message.author.email,
        "is_staff": message.is_staff,
        "message": markup.message(message.text),
        "created": date(message.created_at),
    }
