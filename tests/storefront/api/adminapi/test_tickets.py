"""Tickets that programs read, answer and open."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from storefront.support import tickets
from storefront.support.models import Ticket
from storefront.support.models.ticket import TicketStatus
from tests import factories
from tests.storefront.api.adminapi.program import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(db: Any) -> Ticket:
    maria = factories.customer(email="maria@example.com", name="Maria")
    return tickets.open_ticket(maria, subject="Late", text="Where is <b>it</b>?")


def test_tickets_are_listed_by_customer_and_status(program: Program, ticket: Ticket) -> None:
    other = tickets.open_ticket(factories.customer(), subject="Other", text="Hello")
    tickets.set_status(other, status=TicketStatus.CLOSED)
    (row,) = program.get("tickets", status="pending")["list"]
    assert row.pop("created")
    assert row.pop("last_update")
    assert row == {
        "id": ticket.pk, "user": "maria@example.com", "subject": "Late", "status": "pending", "assignee": "",
    }  # fmt: skip
    assert [row["id"] for row in program.get("tickets")["list"]] == [other.pk, ticket.pk]
    assert [row["id"] for row in program.get("tickets", user="maria@example.com")["list"]] == [ticket.pk]
    assert program.http.get("/adminapi/v2/tickets", {"status": "lost"}).status_code == 400


def test_messages_are_html_without_notes_of_staff(program: Program, ticket: Ticket) -> None:
    tickets.note(ticket, author=program.user, text="Ask the provider")
    data = program.get(f"tickets/{ticket.pk}")
    (message,) = data["messages"]
    assert message["sender_name"] == "Maria"
    assert message["is_staff"] is False
    assert message["message"] == "<p>Where is &lt;b&gt;it&lt;/b&gt;?</p>"
    assert program.http.get("/adminapi/v2/tickets/99").status_code == 404


def test_a_reply_is_an_answer_of_staff(program: Program, ticket: Ticket) -> None:
    colleague = factories.user(name="Support bot", is_staff=True)
    assert program.post(f"tickets/{ticket.pk}/reply", {"message": "On its way", "staff_name": "support BOT"}) == {
        "ticket_id": ticket.pk
    }
    ticket.refresh_from_db()
    answer = ticket.messages.last()
    assert answer is not None
    assert (ticket.status, answer.text, answer.is_staff, answer.author) == ("answered", "On its way", True, colleague)
    line = LogEntry.objects.get()
    assert line.user == program.user
    assert line.change_message.endswith("tickets/reply: status “open” → “answered”, message none → “On its way”")


def test_a_reply_without_a_name_is_of_the_person_of_the_key(program: Program, ticket: Ticket) -> None:
    program.post(f"tickets/{ticket.pk}/reply", {"message": "On its way"})
    answer = ticket.messages.last()
    assert answer is not None
    assert answer.author == program.user


@pytest.mark.parametrize(
    "given", [{}, {"message": " "}, {"message": "x" * 5001}, {"message": "x", "staff_name": "maria"}]
)
def test_a_reply_that_cannot_be_sent_is_refused(program: Program, ticket: Ticket, given: dict[str, str]) -> None:
    assert program.send(f"tickets/{ticket.pk}/reply", given).status_code == 400
    assert ticket.messages.count() == 1
    assert program.send("tickets/99/reply", {"message": "x"}).status_code == 404


def test_a_ticket_is_opened_for_a_customer(program: Program, ticket: Ticket) -> None:
    given = {"username": "maria@example.com", "subject": "Price  change", "message": "From Monday on"}
    number = program.post("tickets/add", given)["ticket_id"]
    opened = Ticket.objects.get(pk=number)
    assert (opened.user, opened.subject, opened.status) == (ticket.user, "Price change", "waiting")
    assert opened.is_unread_by_customer
    assert program.get(f"tickets/{number}")["messages"][0]["is_staff"] is True
    assert LogEntry.objects.filter(object_id=str(number)).count() == 1
    assert program.send("tickets/add", {**given, "username": "nobody"}).json()["error_code"] == 409
