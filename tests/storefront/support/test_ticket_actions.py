"""The admin pages of tickets: the queue, one ticket, its actions, and their permissions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from storefront.accounts.models import User
from storefront.support import tickets
from storefront.support.models import CannedReply, Message, Ticket, TicketCategory
from tests import factories
from tests.storefront.shop.forms import text_of
from tests.storefront.support.test_pages import placed_at
from tests.storefront.support.test_tickets import PNG, open_ticket

LIST = "/admin/support/ticket/"


def change(ticket: Ticket) -> str:
    return f"{LIST}{ticket.pk}/change/"


def write(desk: Client, ticket: Ticket, do: str, **data: Any) -> Any:
    return desk.post(f"{LIST}{ticket.pk}/write/", {"do": do, "text": "", "status": "answered", **data}, follow=True)


def act(desk: Client, ticket: Ticket, name: str, **data: Any) -> str:
    return text_of(desk.post(f"{LIST}{ticket.pk}/act/{name}/", data, follow=True))


def listed_numbers(desk: Client, query: str = "") -> list[int]:
    """Return the ticket numbers of the list, from top to bottom."""
    source = text_of(desk.get(f"{LIST}?{query}"))
    return [int(pk) for pk in re.findall(r'class="field-number"><a href="/admin/support/ticket/(\d+)/', source)]


# ------------------------------------------------------------------------------------------------ the queue


def test_the_longest_waiting_ticket_is_first(desk: Client, nadia: User, agent: User) -> None:
    waiting = [open_ticket(nadia).pk for _ in range(3)]
    answered = open_ticket(nadia)
    tickets.answer(answered, author=agent, text="x")
    Ticket.objects.filter(pk=waiting[2]).update(waiting_since=timezone.now() - timedelta(days=1))
    assert listed_numbers(desk) == [waiting[2], waiting[0], waiting[1]]
    assert listed_numbers(desk, "queue=all") == [answered.pk, *reversed(waiting)]
    tickets.set_status(answered, status="closed")
    assert answered.pk not in listed_numbers(desk, "queue=open")


def test_the_queue_is_filtered_by_assignee_and_category(desk: Client, nadia: User, agent: User) -> None:
    category = TicketCategory.objects.create(name="Payments")
    free, mine = open_ticket(nadia, category=category), open_ticket(nadia)
    tickets.assign(mine, assignee=agent)
    assert listed_numbers(desk, "assignee=me") == [mine.pk]
    assert listed_numbers(desk, "assignee=nobody") == [free.pk]
    assert listed_numbers(desk, f"category__id__exact={category.pk}") == [free.pk]


def test_tickets_are_found_by_customer_order_and_number_even_when_closed(desk: Client, nadia: User) -> None:
    order = factories.order(nadia)
    about, other = open_ticket(nadia, orders=[order.pk]), open_ticket(factories.customer(email="zoe@example.com"))
    tickets.close(about)
    assert about.pk in listed_numbers(desk, f"q={order.pk}")
    assert listed_numbers(desk, "q=nadia@") == [about.pk]
    assert listed_numbers(desk, f"q={other.pk}")[:1] == [other.pk] or other.pk in listed_numbers(desk, f"q={other.pk}")
    assert listed_numbers(desk, "q=nonsense") == []


@pytest.mark.parametrize("address", [LIST, f"{LIST}?queue=all", f"{LIST}?q=nadia@"])
def test_the_list_needs_the_same_queries_for_any_number_of_rows(address: str, desk: Client, nadia: User) -> None:
    def queries() -> int:
        desk.get(address)
        with CaptureQueriesContext(connection) as caught:
            assert desk.get(address).status_code == 200
        return len(caught)

    def more(count: int) -> None:
        base = Ticket.objects.count()
        Ticket.objects.bulk_create(
            Ticket(user=nadia, subject=f"s{n}", last_message=90_000 + base + n, waiting_since=timezone.now())
            for n in range(count)
        )

    more(2)
    few = queries()
    more(1000)
    assert queries() == few


def test_the_start_page_counts_waiting_tickets_for_permitted_staff(
    desk: Client, nadia: User, staff: Callable[..., Client]
) -> None:
    assert "waiting for a reply" not in text_of(desk.get("/admin/"))
    open_ticket(nadia), open_ticket(nadia)
    assert "2 tickets waiting for a reply" in text_of(desk.get("/admin/"))
    assert "2 tickets waiting" in text_of(staff("view_ticket").get("/admin/"))
    assert "tickets waiting" not in text_of(staff("view_order").get("/admin/"))


# ------------------------------------------------------------------------------------------------ one ticket


def test_the_page_shows_customer_orders_and_submissions(desk: Client, nadia: User) -> None:
    order = factories.order(nadia, status="in_progress")
    placed_at(order)
    ticket = open_ticket(nadia, "Where is it?", orders=[order.pk])
    text = text_of(desk.get(change(ticket)))
    for part in (
        "Where is it?",
        "nadia@example.com",
        "AcmePanel",
        "up-77",
        "$99.91",
        "Total spent",
        f"/{order.pk}/change/",
    ):
        assert part in text
    assert not Ticket.objects.get().is_unread_by_staff


@pytest.mark.parametrize("count", [1, 1000])
def test_the_page_needs_the_same_queries_for_any_conversation(
    count: int, desk: Client, nadia: User, agent: User
) -> None:
    order = factories.order(nadia)
    ticket = open_ticket(nadia, orders=[order.pk])
    Message.objects.bulk_create(Message(ticket=ticket, author=agent, text=f"m{n}", is_staff=True) for n in range(count))
    desk.get(change(ticket))
    with CaptureQueriesContext(connection) as caught:
        assert desk.get(change(ticket)).status_code == 200
    assert len(caught) <= 14, "\n".join(query["sql"][:150] for query in caught.captured_queries)


def test_the_customer_sees_replies_but_not_notes(desk: Client, page: Client, nadia: User) -> None:
    ticket = open_ticket(nadia)
    files = {"uploads": SimpleUploadedFile("a.png", PNG)}
    text = text_of(write(desk, ticket, "answer", text="Here you are.", status="waiting", **files))
    assert f"Reply sent for ticket {ticket.pk}." in text
    write(desk, ticket, "note", text="He was angry.")
    seen = text_of(page.get(f"/support/{ticket.pk}/"))
    assert "Here you are." in seen
    assert "a.png" in seen
    assert "Awaiting your reply" in seen
    assert "angry" not in seen
    assert "angry" in text_of(desk.get(change(ticket)))


def test_send_and_next_opens_the_next_ticket(desk: Client, nadia: User) -> None:
    first, second = open_ticket(nadia), open_ticket(nadia)
    assert write(desk, first, "next", text="x").redirect_chain == [(change(second), 302)]
    assert write(desk, second, "next", text="x").redirect_chain == [(change(second), 302)]


def test_inserting_a_canned_reply_sends_nothing(desk: Client, nadia: User) -> None:
    order = factories.order(nadia)
    ticket = open_ticket(nadia, orders=[order.pk])
    canned = CannedReply.objects.create(title="Late", text="Dear {name}, {order} is late. {0} {x.y}")
    text = text_of(write(desk, ticket, "insert", canned=canned.pk, text="Begun."))
    assert f"Begun.\n\nDear Nadia, {order.pk} is late. {{0}} {{x.y}}" in text
    assert Message.objects.count() == 1
    bare = open_ticket(factories.customer(email="zoe@example.com"))
    assert "Dear zoe,  is late" in text_of(write(desk, bare, "insert", canned=canned.pk))


def test_an_invalid_reply_shows_an_error(desk: Client, nadia: User) -> None:
    ticket = open_ticket(nadia)
    assert "This field is required" in text_of(write(desk, ticket, "answer"))
    assert "not a supported file type" in text_of(
        write(desk, ticket, "answer", text="x", uploads=SimpleUploadedFile("x.exe", b"MZ\x00"))
    )
    assert "not one of the available" in text_of(write(desk, ticket, "answer", text="x", status="open"))
    assert Message.objects.count() == 1


def test_a_ticket_can_be_assigned_closed_and_merged(desk: Client, nadia: User, agent: User) -> None:
    one, two = open_ticket(nadia), open_ticket(nadia)
    assert "Assigned to agent@example.com" in act(desk, one, "assign", assignee=agent.pk)
    assert "valid choice" in act(desk, one, "assign", assignee=nadia.pk)
    assert "Closed" in act(desk, one, "status", status="closed")
    assert Ticket.objects.get(pk=one.pk).status == "closed"
    assert "Ticket 99999 does not exist" in act(desk, one, "merge", into=99999)
    foreign = open_ticket(factories.customer())
    assert "different customers" in act(desk, one, "merge", into=foreign.pk)
    assert f"merged into ticket {one.pk}" in act(desk, two, "merge", into=one.pk)
    assert desk.get(change(two)).headers["Location"] == change(one)
    assert desk.post(f"{LIST}{one.pk}/act/explode/").status_code == 403


def test_tickets_can_be_assigned_and_closed_in_bulk(desk: Client, nadia: User, agent: User) -> None:
    rows = [open_ticket(nadia).pk for _ in range(2)]
    desk.post(LIST, {"action": "take", "_selected_action": rows})
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {agent.pk}
    desk.post(LIST, {"action": "close", "_selected_action": rows})
    assert set(Ticket.objects.values_list("status", flat=True)) == {"closed"}


# ------------------------------------------------------------------------------------------------ permissions


def test_support_pages_require_permissions(nadia: User, staff: Callable[..., Client]) -> None:
    order = factories.order(nadia)
    placed_at(order)
    ticket = open_ticket(nadia, orders=[order.pk])
    nobody, reader = staff("view_order", "view_placement"), staff("view_ticket")
    assert nobody.get(LIST).status_code == 403
    assert nobody.get(change(ticket)).status_code == 403
    text = text_of(reader.get(change(ticket)))
    assert "Where is it?" in text
    for hidden in ("Send reply", "AcmePanel", "up-77", "Balance", "Total spent", "Recent orders"):
        assert hidden not in text
    assert Ticket.objects.get().is_unread_by_staff
    for client in (nobody, reader):
        for address, data in (
            (f"{LIST}{ticket.pk}/write/", {"do": "answer", "text": "x", "status": "closed"}),
            (f"{LIST}{ticket.pk}/act/status/", {"status": "closed"}),
            (change(ticket), {"subject": "x"}),
        ):
            assert client.post(address, data).status_code == 403
    reader.post(LIST, {"action": "close", "_selected_action": ticket.pk})
    assert Ticket.objects.get().status == "open"
    agent = staff("view_ticket", "change_ticket")
    assert agent.post(f"{LIST}{ticket.pk}/act/status/", {"status": "closed"}).status_code == 302


def test_tickets_cannot_be_added_or_deleted_in_admin(desk: Client, nadia: User) -> None:
    ticket = open_ticket(nadia)
    assert desk.post(f"{LIST}{ticket.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.get(f"{LIST}{ticket.pk}/write/").status_code == 405


def test_links_in_customers_messages_are_not_clickable_for_staff(desk: Client, nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia, "look at https://evil.example/")
    tickets.answer(ticket, author=agent, text="see https://good.example/")
    source = desk.get(change(ticket)).content.decode()
    assert 'href="https://evil.example/' not in source
    assert 'href="https://good.example/"' in source
