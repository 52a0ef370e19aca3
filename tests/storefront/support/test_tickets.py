"""The rules of tickets: waiting, reopening, requests, merging, and the customer's limits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.models import Order
from storefront.accounts.models import User
from storefront.support import order_requests, tickets
from storefront.support.errors import (
    HandledAutomatically,
    NotMergeable,
    NotTheirOrder,
    RequestAlreadyMade,
    TextRefused,
    TooFast,
    TooManyOpen,
    TooMuch,
)
from storefront.support.models import Attachment, Message, Ticket, TicketOrder
from storefront.support.models.ticket import TicketKind, TicketStatus
from tests import factories
from tests.orders.parallel import together
from tests.uploads import png

PNG = png()
told: list[Message] = []


def listen(message: Message) -> None:
    told.append(message)


def open_ticket(user: User, text: str = "Where is it?", **details: Any) -> Ticket:
    return tickets.open_ticket(user, subject=details.pop("subject", "A question"), text=text, **details)


def now(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def travel(minutes: int = 30) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)


# ------------------------------------------------------------------------------------------------ whose turn it is


def test_a_new_ticket_waits_for_staff(nadia: User) -> None:
    ticket = open_ticket(nadia)
    assert (ticket.status, ticket.is_unread_by_staff, ticket.is_unread_by_customer) == ("open", True, False)
    assert ticket.waiting_since is not None
    assert ticket.last_message == Message.objects.get().pk


def test_a_reply_ends_the_wait_and_assigns_the_ticket(nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    tickets.answer(ticket, author=agent, text="Here.", status=TicketStatus.WAITING)
    row = now(ticket)
    assert (row.status, row.waiting_since, row.assignee) == ("waiting", None, agent)
    assert (row.is_unread_by_customer, row.is_unread_by_staff) == (True, False)


def test_a_reply_by_a_colleague_keeps_the_assignee(nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    other = User.objects.create_superuser("other@example.com", "x")
    tickets.assign(ticket, assignee=other)
    tickets.answer(ticket, author=agent, text="Here.")
    assert now(ticket).assignee == other


def test_waiting_time_counts_from_the_first_unanswered_message(nadia: User) -> None:
    ticket = open_ticket(nadia)
    with travel():
        tickets.reply(ticket, text="Hello?")
    assert now(ticket).waiting_since == ticket.waiting_since


def test_a_customers_reply_reopens_a_closed_ticket(nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    tickets.answer(ticket, author=agent, text="Done.", status=TicketStatus.CLOSED)
    assert now(ticket).closed_at is not None
    tickets.reply(ticket, text="It is not.")
    row = now(ticket)
    assert (row.status, row.closed_at, row.is_unread_by_staff) == ("open", None, True)


def test_a_note_changes_nothing_for_the_customer(nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    tickets.note(ticket, author=agent, text="A known one.")
    assert now(ticket).last_message == ticket.last_message
    assert now(ticket).waiting_since == ticket.waiting_since
    assert not now(ticket).is_unread_by_customer


def test_a_staff_reply_calls_the_configured_function(nadia: User, agent: User, settings: Any) -> None:
    settings.SUPPORT_ANSWER_LISTENER = "tests.storefront.support.test_tickets.listen"
    told.clear()
    ticket = open_ticket(nadia)
    tickets.reply(ticket, text="More")
    tickets.note(ticket, author=agent, text="Hm")
    assert told == []
    said = tickets.answer(ticket, author=agent, text="Here.")
    # The setting imports this module by its path, which may create a second copy of it.
    heard = __import__("tests.storefront.support.test_tickets", fromlist=["told"]).told
    assert heard == [said]


def test_a_reply_during_reading_stays_unread(nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    tickets.answer(ticket, author=agent, text="One")
    as_drawn = now(ticket)
    tickets.answer(ticket, author=agent, text="Two")
    tickets.read_by_customer(as_drawn)
    assert now(ticket).is_unread_by_customer
    tickets.read_by_customer(now(ticket))
    assert not now(ticket).is_unread_by_customer


def test_the_database_refuses_a_ticket_that_waits_without_being_open(nadia: User) -> None:
    ticket = open_ticket(nadia)
    with pytest.raises(IntegrityError, match="ticket_open_waits"), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(status="answered")


# ------------------------------------------------------------------------------------------------ limits


@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "x" * 5001])
def test_an_empty_or_too_long_text_is_rejected(text: str, nadia: User) -> None:
    with pytest.raises(TextRefused):
        open_ticket(nadia, text)
    assert not Ticket.objects.exists()


def test_the_number_of_open_tickets_is_limited(nadia: User, settings: Any) -> None:
    settings.SUPPORT_OPEN_TICKETS = 2
    first = open_ticket(nadia)
    open_ticket(nadia)
    with pytest.raises(TooManyOpen):
        open_ticket(nadia)
    tickets.close(first)
    open_ticket(nadia)
    with pytest.raises(TooManyOpen):
        tickets.reply(first, text="Opens it again")
    open_ticket(factories.customer())


def test_the_message_rate_is_limited(nadia: User) -> None:
    ticket = open_ticket(nadia)
    for number in range(tickets.MAX_MESSAGES - 1):
        tickets.reply(ticket, text=str(number))
    with pytest.raises(TooFast):
        tickets.reply(ticket, text="one more")
    with pytest.raises(TooFast):
        open_ticket(nadia)
    with travel(11):
        tickets.reply(ticket, text="one more")


def test_the_daily_size_of_files_is_limited(nadia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MAX_DAILY_BYTES", 2 * len(PNG))
    ticket = open_ticket(nadia, uploads=[SimpleUploadedFile("a.png", PNG)])
    tickets.reply(ticket, text="one more", uploads=[SimpleUploadedFile("b.png", PNG)])
    with pytest.raises(TooMuch):
        tickets.reply(ticket, text="too many", uploads=[SimpleUploadedFile("c.png", PNG)])
    tickets.reply(ticket, text="none")
    open_ticket(factories.customer(), uploads=[SimpleUploadedFile("d.png", PNG)])
    with travel(24 * 60):
        tickets.reply(ticket, text="tomorrow", uploads=[SimpleUploadedFile("e.png", PNG)])


def test_only_own_orders_can_be_attached(nadia: User) -> None:
    own, foreign = factories.order(nadia), factories.order()
    with pytest.raises(NotTheirOrder) as refused:
        open_ticket(nadia, orders=[own.pk, foreign.pk])
    assert refused.value.number == str(foreign.pk)
    ticket = open_ticket(nadia, orders=[own.pk, own.pk])
    assert list(ticket.attached.values_list("order_id", flat=True)) == [own.pk]


def test_a_rejected_ticket_leaves_no_file(nadia: User, settings: Any) -> None:
    def stored_files() -> list[Path]:
        return [path for path in Path(settings.PRIVATE_DIR).rglob("*") if path.is_file()]

    files = [SimpleUploadedFile("a.png", PNG)]
    settings.SUPPORT_OPEN_TICKETS = 1
    open_ticket(nadia, uploads=files)
    assert len(stored_files()) == Attachment.objects.count() == 1
    with pytest.raises(TooManyOpen):
        open_ticket(nadia, uploads=[SimpleUploadedFile("b.png", PNG)])
    with pytest.raises(ValidationError):
        tickets.reply(
            Ticket.objects.get(),
            text="x",
            uploads=[SimpleUploadedFile("c.png", PNG), SimpleUploadedFile("d.exe", b"MZ\x00")],
        )
    assert len(stored_files()) == Attachment.objects.count() == 1


# ------------------------------------------------------------------------------------------------ requests for an order


def create_order(user: User, status: str, **details: Any) -> Order:
    order = factories.order(user, factories.service(**details), status=status)
    ended = {"remains": 0, "ended_at": timezone.now()} if status == "completed" else {}
    Order.objects.filter(pk=order.pk).update(**ended)
    return Order.objects.select_related("service", "user").get(pk=order.pk)


@pytest.mark.parametrize(
    ("status", "sold", "kinds"),
    [
        ("in_progress", {}, ["speed_up", "cancel"]),
        ("in_progress", {"has_cancel": True}, ["speed_up"]),
        ("completed", {}, ["refill"]),
        ("completed", {"has_refill": True}, []),
        ("canceled", {}, []),
    ],
)
def test_requests_are_possible_only_where_no_button_exists(
    status: str, sold: dict[str, Any], kinds: list[str], nadia: User
) -> None:
    order = create_order(nadia, status, **sold)
    assert order_requests.possible(order) == kinds
    for kind in (TicketKind.SPEED_UP, TicketKind.CANCEL, TicketKind.REFILL):
        if kind not in kinds:
            with pytest.raises(HandledAutomatically):
                order_requests.open_request(order, kind=kind)


def test_a_refill_after_its_window_can_be_requested_from_staff(nadia: User) -> None:
    order = create_order(nadia, "completed", has_refill=True, refill_days=30)
    assert order_requests.possible(order) == []
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert order_requests.possible(order) == [TicketKind.REFILL]


def test_a_request_names_its_order_and_is_made_once(nadia: User, agent: User) -> None:
    order = create_order(nadia, "in_progress")
    ticket = order_requests.open_request(order, kind=TicketKind.SPEED_UP)
    assert (ticket.kind, ticket.wanted_for) == ("speed_up", order)
    assert TicketOrder.objects.get().order == order
    with pytest.raises(RequestAlreadyMade) as asked:
        order_requests.open_request(order, kind=TicketKind.SPEED_UP)
    assert asked.value.ticket == ticket
    order_requests.open_request(order, kind=TicketKind.CANCEL)
    tickets.set_status(ticket, status=TicketStatus.CLOSED)
    assert order_requests.open_request(order, kind=TicketKind.SPEED_UP) != ticket


def test_a_reopened_request_beside_a_newer_one_becomes_a_question(nadia: User) -> None:
    order = create_order(nadia, "in_progress")
    old = order_requests.open_request(order, kind=TicketKind.SPEED_UP)
    tickets.close(old)
    new = order_requests.open_request(order, kind=TicketKind.SPEED_UP)
    tickets.reply(old, text="And?")
    assert (now(old).kind, now(old).status, now(new).kind) == ("question", "open", "speed_up")


# ------------------------------------------------------------------------------------------------ merge


def test_merged_tickets_keep_messages_in_order(nadia: User, agent: User) -> None:
    orders = [factories.order(nadia).pk for _ in range(2)]
    first = open_ticket(nadia, "1", orders=orders[:1])
    second = open_ticket(nadia, "2", orders=orders)
    tickets.reply(first, text="3")
    tickets.answer(second, author=agent, text="4")
    merged = tickets.merge(second, into=first, actor=agent)
    assert [row.text for row in Message.objects.public().filter(ticket=first)] == ["1", "2", "3", "4"]
    assert list(merged.attached.values_list("order_id", flat=True)) == orders
    assert merged.last_message == Message.objects.public().last().pk  # type: ignore[union-attr]
    assert (merged.status, merged.waiting_since) == ("open", now(first).waiting_since)
    assert merged.is_unread_by_customer
    assert (now(second).status, now(second).merged_into) == ("closed", merged)


def test_a_reply_to_a_merged_ticket_goes_to_its_target(nadia: User, agent: User) -> None:
    first, second, third = (open_ticket(nadia) for _ in range(3))
    tickets.merge(third, into=second, actor=agent)
    tickets.merge(second, into=first, actor=agent)
    assert now(third).merged_into == first
    assert tickets.reply(third, text="Still here?").ticket == first
    assert tickets.answer(second, author=agent, text="Yes.").ticket == first


def test_a_merge_keeps_the_request(nadia: User, agent: User) -> None:
    order = create_order(nadia, "in_progress")
    question, request = open_ticket(nadia), order_requests.open_request(order, kind=TicketKind.SPEED_UP)
    merged = tickets.merge(request, into=question, actor=agent)
    assert (merged.kind, merged.wanted_for) == ("speed_up", order)
    with pytest.raises(RequestAlreadyMade) as asked:
        order_requests.open_request(order, kind=TicketKind.SPEED_UP)
    assert asked.value.ticket == question


def test_invalid_merges_are_rejected(nadia: User, agent: User) -> None:
    one, two, foreign = open_ticket(nadia), open_ticket(nadia), open_ticket(factories.customer())
    for gone, kept in ((one, one), (one, foreign)):
        with pytest.raises(NotMergeable):
            tickets.merge(gone, into=kept, actor=agent)
    tickets.merge(one, into=two, actor=agent)
    for gone, kept in ((one, two), (two, one)):
        with pytest.raises(NotMergeable):
            tickets.merge(gone, into=kept, actor=agent)


# ------------------------------------------------------------------------------------------------ many at once


@pytest.mark.django_db(transaction=True)
def test_concurrent_mutual_merges_leave_one_ticket(settings: Any) -> None:
    nadia = factories.customer()
    agent = User.objects.create_superuser("agent@example.com", "x")
    one, two = open_ticket(nadia, "1"), open_ticket(nadia, "2")
    made = together(
        [lambda: tickets.merge(one, into=two, actor=agent), lambda: tickets.merge(two, into=one, actor=agent)] * 3
    )
    assert sum(isinstance(outcome, Ticket) for outcome in made) == 1
    assert sum(isinstance(outcome, NotMergeable) for outcome in made) == 5
    left = Ticket.objects.get(merged_into=None)
    assert sorted(left.messages.filter(is_internal=False).values_list("text", flat=True)) == ["1", "2"]


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_lose_no_message(settings: Any) -> None:
    nadia = factories.customer()
    agent = User.objects.create_superuser("agent@example.com", "x")
    one, two = open_ticket(nadia, "1"), open_ticket(nadia, "2")
    acts = [
        lambda: tickets.merge(one, into=two, actor=agent),
        lambda: tickets.reply(one, text="3"),
        lambda: tickets.close(one),
        lambda: tickets.answer(one, author=agent, text="4"),
        lambda: tickets.close(two),
        lambda: tickets.reply(two, text="5"),
    ]
    assert [outcome for outcome in together(acts) if isinstance(outcome, Exception)] == []
    left = Ticket.objects.get(merged_into=None)
    assert sorted(Message.objects.public().filter(ticket=left).values_list("text", flat=True)) == list("12345")
    assert left.last_message == Message.objects.public().last().pk  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_respect_limits_and_open_one_ticket(settings: Any) -> None:
    settings.SUPPORT_OPEN_TICKETS = 3
    nadia = factories.customer()
    made = together([lambda: open_ticket(nadia)] * 6)
    assert sum(isinstance(outcome, TooManyOpen) for outcome in made) == 3
    assert Ticket.objects.count() == 3
    Ticket.objects.all().delete()
    order = create_order(nadia, "in_progress")
    asked = together([lambda: order_requests.open_request(order, kind=TicketKind.SPEED_UP)] * 5)
    assert sum(isinstance(outcome, RequestAlreadyMade) for outcome in asked) == 4
    assert Ticket.objects.count() == 1
