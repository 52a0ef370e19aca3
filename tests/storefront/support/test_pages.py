"""The customer's support pages show the customer's own tickets and files, and nothing internal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders.db.encrypted_field import Secret
from orders.models import Order
from providers.models import Offer, Placement, Provider
from storefront.accounts.models import User
from storefront.support import ticket_list, tickets
from storefront.support.models import Attachment, Message, Ticket, TicketCategory
from storefront.support.models.ticket import TicketStatus
from tests import factories
from tests.storefront.shop.forms import text_of
from tests.storefront.support.test_tickets import PNG, open_ticket

EVIL = '<script>alert(1)</script>"onmouseover="alert(2)'


def many(user: User, count: int) -> None:
    first = Ticket.objects.count()
    rows = Ticket.objects.bulk_create(
        Ticket(user=user, subject=f"s{n}", status="answered", last_message=10_000_000 + first + n) for n in range(count)
    )
    Message.objects.bulk_create(Message(ticket=row, author=user, text="x") for row in rows)


# ------------------------------------------------------------------------------------------------ one ticket


def test_a_ticket_is_opened_with_orders_and_files(page: Client, nadia: User) -> None:
    category = TicketCategory.objects.create(name="Orders")
    TicketCategory.objects.create(name="Old", is_active=False)
    orders = [factories.order(nadia).pk for _ in range(2)]
    form = text_of(page.get(f"/support/new/?order={orders[0]}"))
    assert f'value="{orders[0]}"' in form
    assert "Old" not in form
    data = {
        "subject": "Where?",
        "category": category.pk,
        "orders": f"{orders[0]}, #{orders[1]}",
        "text": "It is late.",
        "uploads": [SimpleUploadedFile("shot.png", PNG), SimpleUploadedFile("log.txt", b"text")],
    }
    response = page.post("/support/new/", data, follow=True)
    ticket = Ticket.objects.get()
    assert response.redirect_chain == [(f"/support/{ticket.pk}/", 302)]
    text = text_of(response)
    for part in ("Where?", "It is late.", "shot.png", "log.txt", f"/orders/{orders[1]}/", "Awaiting our reply"):
        assert part in text
    assert ticket.category == category


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"orders": "99999"}, "Order 99999 is not one of your orders"),
        ({"orders": "12, abc"}, "“abc” is not an order number"),
        ({"orders": " ".join(map(str, range(1, 30)))}, "at most 20 orders"),
        ({"subject": ""}, "This field is required"),
        ({"text": "x" * 5001}, "at most 5000"),
        ({"uploads": [SimpleUploadedFile("x.exe", b"MZ\x00\x01")]}, "“x.exe” is not a supported file type"),
        ({"uploads": [SimpleUploadedFile(f"{n}.png", PNG) for n in range(6)]}, "at most 5 files"),
    ],
)
def test_an_invalid_form_shows_the_error_and_keeps_the_text(change: dict[str, Any], told: str, page: Client) -> None:
    response = page.post("/support/new/", {"subject": "Sub", "text": "A text of mine", **change})
    assert response.status_code == 200
    assert told in text_of(response)
    assert "text" in change or "A text of mine" in text_of(response)
    assert not Ticket.objects.exists()


def test_reaching_a_limit_shows_an_error(page: Client, nadia: User, settings: Any) -> None:
    settings.SUPPORT_OPEN_TICKETS = 1
    ticket = open_ticket(nadia)
    text = text_of(page.post("/support/new/", {"subject": "S", "text": "T"}))
    assert "You already have 1 open tickets" in text
    for number in range(tickets.MAX_MESSAGES):
        last = page.post(f"/support/{ticket.pk}/", {"text": f"m{number}"})
    assert "You have sent too many messages" in text_of(last)


def test_replying_and_closing_work_as_plain_forms(page: Client, nadia: User) -> None:
    ticket = open_ticket(nadia)
    response = page.post(f"/support/{ticket.pk}/", {"text": "More"}, follow=True)
    assert "More" in text_of(response)
    response = page.post(f"/support/{ticket.pk}/close/", follow=True)
    assert "Reply to reopen it" in text_of(response)
    assert "Close ticket" not in text_of(response)


def test_a_request_from_an_order_opens_one_ticket(page: Client, nadia: User) -> None:
    order = factories.order(nadia, status="in_progress")
    shown = text_of(page.get(f"/orders/{order.pk}/"))
    assert f"/support/new/?order={order.pk}" in shown
    assert 'name="kind" value="speed_up"' in shown
    data = {"order": order.pk, "kind": "speed_up"}
    first = page.post("/support/requests/", data)
    again = page.post("/support/requests/", data, follow=True)
    assert again.redirect_chain == [(first.headers["Location"], 302)]
    assert "You have already requested this" in text_of(again)
    assert Ticket.objects.count() == 1
    refused = page.post("/support/requests/", {"order": order.pk, "kind": "refill"}, follow=True)
    assert "Refills are available only after" in text_of(refused)
    assert "Choose what you want to request" in text_of(
        page.post("/support/requests/", {"order": order.pk}, follow=True)
    )


# ------------------------------------------------------------------------------------------------ ownership


def test_another_customers_ticket_is_not_found(page: Client) -> None:
    other = factories.customer()
    foreign = open_ticket(other, "secret words", uploads=[SimpleUploadedFile("a.png", PNG)])
    order = factories.order(other, status="in_progress")
    for address in (f"/support/{foreign.pk}/", f"/support/{foreign.pk}/live/", "/support/99999/"):
        assert page.get(address).status_code == 404
    assert page.post(f"/support/{foreign.pk}/", {"text": "x"}).status_code == 404
    assert page.post(f"/support/{foreign.pk}/close/").status_code == 404
    assert page.post("/support/requests/", {"order": order.pk, "kind": "speed_up"}).status_code == 404
    assert page.post("/support/requests/", {"order": "x", "kind": "speed_up"}).status_code == 404
    assert f"/support/{foreign.pk}/" not in text_of(page.get("/support/"))
    assert Message.objects.count() == 1


def test_a_file_is_visible_to_its_customer_and_support_staff_only(page: Client, nadia: User, staff: Any) -> None:
    open_ticket(nadia, uploads=[SimpleUploadedFile("a.png", PNG)])
    address = f"/support/files/{Attachment.objects.get().pk}/"
    answer = page.get(address)
    assert b"".join(answer.streaming_content) == PNG  # type: ignore[attr-defined]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    other = Client()
    assert other.get(address).status_code == 404
    other.force_login(factories.customer())
    assert other.get(address).status_code == 404
    assert staff("view_order").get(address).status_code == 404
    assert staff("view_ticket").get(address).status_code == 200
    assert page.get("/support/files/0/").status_code == 404


def test_files_have_no_public_url(page: Client, nadia: User, settings: Any) -> None:
    open_ticket(nadia, uploads=[SimpleUploadedFile("a.png", PNG)])
    kept = Attachment.objects.get()
    for prefix in ("/", "/static/", "/media/", "/private/"):
        assert page.get(prefix + kept.key).status_code == 404
    assert not str(settings.PRIVATE_DIR).startswith(str(settings.STATIC_ROOT))


def test_internal_notes_are_never_shown_to_the_customer(page: Client, nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    seen = ticket_list.mark(ticket)
    tickets.note(ticket, author=agent, text="AcmePanel is slow", uploads=[SimpleUploadedFile("n.png", PNG)])
    assert page.get(f"/support/{ticket.pk}/live/?seen={seen}").status_code == 204
    tickets.answer(ticket, author=agent, text="We look at it.")
    shown = text_of(page.get(f"/support/{ticket.pk}/"))
    live = text_of(page.get(f"/support/{ticket.pk}/live/?seen={seen}"))
    for text in (shown, live):
        assert "We look at it." in text
        assert "AcmePanel" not in text
        assert "n.png" not in text
        assert "agent@example.com" not in text
    assert page.get(f"/support/files/{Attachment.objects.get().pk}/").status_code == 404


def test_the_provider_of_an_order_is_never_shown_to_the_customer(page: Client, nadia: User) -> None:
    order = factories.order(nadia, status="in_progress")
    placed_at(order)
    ticket = open_ticket(nadia, orders=[order.pk])
    text = text_of(page.get(f"/support/{ticket.pk}/")) + text_of(page.get(f"/support/{ticket.pk}/live/"))
    assert str(order.pk) in text
    assert "AcmePanel" not in text
    assert "up-77" not in text


def placed_at(order: Order) -> None:
    provider = Provider.objects.create(
        name="AcmePanel", url="https://p.example.com/api", dialect_name="v2", key=Secret.hide("k" * 32)
    )
    offer = Offer.objects.create(
        provider=provider, upstream_id="9", name="Offer", rate=1, min_quantity=1, max_quantity=9
    )
    Placement.objects.create(
        order=order,
        provider=provider,
        offer=offer,
        state="accepted",
        upstream_id="up-77",
        quantity=1,
        cost=1,
        currency="USD",
        exchange_rate=1,
        lease_until=order.created_at,
    )


def test_a_merged_ticket_redirects_to_its_target(page: Client, nadia: User, agent: User) -> None:
    one, two = open_ticket(nadia), open_ticket(nadia, "the second")
    tickets.merge(two, into=one, actor=agent)
    assert page.get(f"/support/{two.pk}/").headers["Location"] == f"/support/{one.pk}/"
    assert page.get(f"/support/{two.pk}/live/").headers["HX-Refresh"] == "true"
    said = page.post(f"/support/{two.pk}/", {"text": "late"})
    assert said.headers["Location"] == f"/support/{one.pk}/"
    assert text_of(page.get("/support/")).count(f"/support/{two.pk}/") == 0


@pytest.mark.parametrize("address", ["/support/", "/support/new/", "/support/1/"])
def test_a_visitor_is_asked_to_sign_in(address: str, client: Client, db: None) -> None:
    assert client.get(address).headers["Location"] == f"/account/login/?next={address}"
    assert client.get("/support/1/live/").headers["HX-Refresh"] == "true"


# ------------------------------------------------------------------------------------------------ content and cost


def test_user_text_is_escaped_on_every_page(page: Client, desk: Client, nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia, EVIL, subject=EVIL, uploads=[SimpleUploadedFile(f"{EVIL}.png", PNG)])
    tickets.answer(ticket, author=agent, text=EVIL)
    pages = (
        page.get("/support/"),
        page.get(f"/support/{ticket.pk}/"),
        page.get(f"/support/{ticket.pk}/live/"),
        desk.get("/admin/support/ticket/?queue=all"),
        desk.get(f"/admin/support/ticket/{ticket.pk}/change/"),
    )
    for response in pages:
        assert response.status_code == 200
        source = response.content.decode()
        assert "<script>alert" not in source
        assert '"onmouseover="' not in source
        assert "&lt;script&gt;" in source


def test_an_unread_answer_is_marked_until_it_is_read(page: Client, nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia)
    assert "(unread)" not in text_of(page.get("/support/"))
    tickets.answer(ticket, author=agent, text="Here.")
    assert "(unread)" in text_of(page.get("/support/"))
    page.get(f"/support/{ticket.pk}/")
    assert "(unread)" not in text_of(page.get("/support/"))


def test_live_updates_contain_only_new_messages(page: Client, nadia: User, agent: User) -> None:
    ticket = open_ticket(nadia, "the first words")
    clock = re.search(r'hx-get="(/support/\d+/live/\?seen=[^"]+)"', text_of(page.get(f"/support/{ticket.pk}/")))
    assert clock
    assert page.get(clock[1]).status_code == 204
    tickets.answer(ticket, author=agent, text="the answer", status=TicketStatus.WAITING)
    text = text_of(page.get(clock[1]))
    assert "the answer" in text
    assert "the first words" not in text
    assert "Awaiting your reply" in text
    assert "<html" not in text
    clock = re.search(r'hx-get="(/support/\d+/live/\?seen=[^"]+)"', text)
    assert clock
    assert page.get(clock[1]).status_code == 204
    assert not Ticket.objects.get().is_unread_by_customer


@pytest.mark.parametrize("count", [30, 1000])
def test_the_list_needs_the_same_queries_for_any_length(
    count: int, page: Client, nadia: User, django_assert_num_queries: Any
) -> None:
    many(nadia, count)
    page.get("/support/")
    with django_assert_num_queries(5):  # session, customer, counts, page, balance
        text = text_of(page.get("/support/"))
    assert text.count('<th scope="row"') == ticket_list.PAGE_SIZE


@pytest.mark.parametrize("count", [60, 1000])
def test_a_conversation_needs_the_same_queries_for_any_length(
    count: int, page: Client, nadia: User, django_assert_num_queries: Any
) -> None:
    ticket = open_ticket(nadia)
    Message.objects.bulk_create(Message(ticket=ticket, author=nadia, text=f"m{n}") for n in range(count))
    page.get(f"/support/{ticket.pk}/")
    with django_assert_num_queries(7):  # session, customer, ticket, orders, messages, files, balance
        text = text_of(page.get(f"/support/{ticket.pk}/"))
    assert text.count('<li class="message') == ticket_list.CONVERSATION_SIZE
    older = re.search(r'href="(\?before=\d+)" rel="next"', text)
    assert older
    assert "hx-trigger" not in text_of(page.get(f"/support/{ticket.pk}/{older[1]}"))


def test_paging_shows_every_ticket_once(page: Client, nadia: User) -> None:
    many(nadia, 60)
    seen, address = [], "/support/"
    while address:
        text = text_of(page.get(address))
        seen += [int(pk) for pk in re.findall(r'class="name" href="/support/(\d+)/"', text)]
        older = re.search(r'href="(\?[^"]*before=\d+)" rel="next"', text)
        address = f"/support/{older[1]}" if older else ""
    assert seen == list(Ticket.objects.order_by("-last_message").values_list("pk", flat=True))


def test_tabs_show_the_tickets_they_count(page: Client, nadia: User, agent: User) -> None:
    open_ticket(nadia)
    tickets.answer(open_ticket(nadia), author=agent, text="x")
    text = re.sub(r"<[^>]*>", " ", text_of(page.get("/support/?status=answered")))
    assert re.search(r"All\s+2\s+Awaiting our reply\s+1\s+Awaiting your reply\s+0\s+Answered\s+1\s+Closed\s+0", text)
    assert "1 ticket" in text


@pytest.mark.parametrize("query", ["status=<x>", "before=x", "after=²", "before=99999999999999999999", "seen=%00-x"])
def test_an_invalid_query_string_is_ignored(query: str, page: Client, nadia: User) -> None:
    ticket = open_ticket(nadia)
    for address in ("/support/", f"/support/{ticket.pk}/", f"/support/{ticket.pk}/live/", "/support/new/", "/updates/"):
        assert page.get(f"{address}?{query}").status_code in (200, 204)
    assert page.get("/support/new/?order=%00").status_code == 200
