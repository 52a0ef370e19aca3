"""Tickets in real browsers: a customer's page and the back office side by side, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from storefront.accounts.models import User
from storefront.support import tickets
from storefront.support.models import Announcement, Ticket
from tests import factories
from tests.browser.test_shop import EMAIL, PASSWORD, overflow_widths, sign_in
from tests.storefront.support.test_markup import EVIL


@pytest.fixture(autouse=True)
def _private(settings: Any, tmp_path: Path) -> None:
    settings.PRIVATE_DIR = tmp_path / "private"


def test_a_reply_appears_on_the_customers_page(visit: Callable[..., Page]) -> None:
    buyer = factories.customer("10", email=EMAIL, password=PASSWORD)
    order = factories.order(buyer, status="in_progress")
    User.objects.create_superuser("agent@example.com", PASSWORD)
    customer, agent = visit(), visit()
    sign_in(customer)
    customer.goto(f"/orders/{order.pk}/")
    customer.get_by_role("link", name="Contact support about this order").click()
    expect(customer.get_by_label("Order numbers")).to_have_value(str(order.pk))
    customer.get_by_label("Subject").fill("Is it on its way?")
    customer.get_by_label("Message").fill("I see nothing yet.")
    customer.get_by_label("Files").set_input_files({"name": "log.txt", "mimeType": "", "buffer": b"nothing"})
    customer.get_by_role("button", name="Submit ticket").click()
    expect(customer.locator("#ticket-head")).to_have_text("Awaiting our reply")
    customer.get_by_label("Message").fill("a draft that is not sent yet")
    before = customer.get_by_label("Message").bounding_box()

    agent.goto("/admin/")
    agent.locator("[name=login]").fill("agent@example.com")
    agent.locator("[name=password]").fill(PASSWORD)
    agent.locator("main .primary").click()
    agent.get_by_role("link", name="View tickets").click()
    agent.get_by_role("link", name="Is it on its way?").click()
    expect(agent.locator(".conversation")).to_contain_text("I see nothing yet.")
    agent.get_by_label("Message").fill("It has begun: https://shop.example/status")
    agent.keyboard.press("Control+Enter")
    expect(agent.get_by_text("Reply sent for ticket")).to_be_visible()

    expect(customer.locator(".conversation")).to_contain_text("It has begun")
    expect(customer.locator("#ticket-head")).to_have_text("Answered")
    expect(customer.get_by_label("Message")).to_have_value("a draft that is not sent yet")
    assert customer.get_by_label("Message").bounding_box() == before
    customer.get_by_role("button", name="Close ticket").click()
    expect(customer.locator("#ticket-head")).to_have_text("Closed")


def test_tickets_work_without_javascript(visit: Callable[..., Page]) -> None:
    factories.customer("10", email=EMAIL, password=PASSWORD)
    Announcement.objects.create(title="Down on Sunday", is_pinned=True)
    page = visit(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Down on Sunday")).to_have_count(0)
    page.goto("/support/")
    page.get_by_role("link", name="New ticket").click()
    page.get_by_label("Subject").fill("A question")
    page.get_by_label("Message").fill("One")
    page.get_by_role("button", name="Submit ticket").click()
    page.get_by_label("Message").fill("Two")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator(".message")).to_have_count(2)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_of_support_scrolls_sideways(language: str, visit: Callable[..., Page]) -> None:
    buyer = factories.customer("10", email=EMAIL, password=PASSWORD)
    long = "without-any-blank-" * 8
    ticket = tickets.open_ticket(buyer, subject=long, text="\n".join([*EVIL, "x" * 600, f"https://e.example/{long}"]))
    Announcement.objects.create(title=long, text=long * 9, is_pinned=True)
    page = visit(locale=language)
    page.goto("/account/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main .primary").click()
    expect(page.locator("#balance")).to_be_visible()
    for address in ("/support/", "/support/new/", f"/support/{ticket.pk}/", "/updates/", "/updates/?show=prices"):
        assert overflow_widths(page, address) == {390: 0, 1440: 0}, address
    assert Ticket.objects.count() == 1
