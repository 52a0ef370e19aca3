"""Scripts turned off, on a phone, in Turkish: signing up, browsing, paying by hand, ordering and asking all work."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orders.models import Order, Service
from providers.models import Placement, Provider, UpstreamRequest
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import status_sync, upstream_requests
from storefront.accounts.models import User
from storefront.payments.models import Payment
from storefront.support import tickets
from storefront.support.models import Ticket, TicketOrder
from tests.browser.test_shop import sign_in
from tests.browser.walking import LINK, PASSWORD, Walker, confirm, read_the_statement, sign_up, walk_in
from tests.providers.conftest import provider_at
from tests.storefront.payments import payments

WAY, IBAN = "☂ 1", "TR33 0006 1005 1978 6457 8413 26"
SUBJECT, ASKED, ANSWERED = "☂ 2?", "☂ 3", "☂ 4"


@pytest.fixture(autouse=True)
def _own_files(settings: Any, shop: str, tmp_path: Path) -> None:
    settings.VAR_DIR, settings.PRIVATE_DIR = tmp_path, tmp_path / "private"
    settings.STORAGES = {**settings.STORAGES}
    settings.SHOP_URL, settings.DEMO_GATEWAY = shop, False


def test_without_scripts_nothing_is_missing(visit: Callable[..., Page], start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    page = visit(viewport={"width": 390, "height": 844}, locale="tr", java_script_enabled=False)
    walker = walk_in(page, "tr")
    walker.data += [WAY, SUBJECT]
    sign_up(walker)
    confirm(walker)
    ask_how_to_pay(walker)
    browse(walker)
    order_without_money(walker)
    pay_by_hand(walker, visit())
    order = buy(walker)
    see_it_delivered_and_refilled(walker, order, provider, panel)
    buy_again_and_cancel(walker, order)
    ask_the_staff(walker, order)
    read_the_statement(walker)
    assert panel.violations == []


def ask_how_to_pay(walker: Walker) -> None:
    """No payment method is set up yet: the page says what to do."""
    page = walker.page
    page.goto("/wallet/add-funds/")
    walker.look("no way to pay")
    walker.link("Contact support").click()
    walker.look("a question about paying")
    payments.bank(WAY, instructions="{amount} {reference}", details=IBAN)


def browse(walker: Walker) -> None:
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Services"), exact=True).click()
    page.locator("#categories").get_by_role("link", name="Photo network").click()
    expect(page.locator("#categories [aria-current]")).to_contain_text("Photo network")
    page.locator("main [name=q]").fill("photo")
    page.locator("main [name=refill]").check()
    page.locator("main [name=type]").select_option("default")
    page.locator("main [name=sort]").select_option("price")
    page.locator("main [name=to]").fill("1,20")
    walker.button("Apply filters").click()
    service = Service.objects.get(name="Photo followers, worldwide")
    expect(page.locator("#results a.name")).to_have_text([service.name])
    for name, value in (("q", "photo"), ("type", "default"), ("sort", "price"), ("to", "1.20")):
        expect(page.locator(f"main [name={name}]")).to_have_value(value)
    walker.data.append("photo")
    walker.look("filtered")
    page.locator(f"#star-{service.pk}").click()
    expect(page.locator(f"#star-{service.pk}")).to_have_attribute("aria-pressed", "true")
    page.locator("#results a.name").click()
    walker.link("Order this service").click()


def order_without_money(walker: Walker) -> None:
    page = walker.page
    walker.field("Link").fill(LINK)
    walker.field("Quantity").fill("1000")
    walker.button("Check price").click()
    expect(page.locator("#price output")).to_have_text(walker.money("1.17"))
    walker.look("a price that is checked")
    walker.button("Place order").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    walker.look("no money")
    assert not Order.objects.exists()
    page.locator("#price").get_by_role("link", name=walker.word("Add funds")).click()


def pay_by_hand(walker: Walker, office: Page) -> None:
    page = walker.page
    page.get_by_role("link", name=walker.money("10")).click()
    page.get_by_role("radio").check()
    walker.button("Continue").click()
    payment = Payment.objects.get()
    walker.data.append(payment.reference)
    expect(page.locator("#details")).to_have_text(IBAN)
    expect(page.locator("[data-copy]")).to_be_hidden()
    walker.look("how to pay")
    wrong: Any = {"name": "dekont.png", "mimeType": "image/png", "buffer": b"<html>"}
    page.locator("[name=file]").set_input_files(wrong)
    walker.button("Send proof").click()
    expect(page.locator("#e-file")).to_be_in_viewport()
    walker.look("no picture")
    page.locator("[name=file]").set_input_files({**wrong, "buffer": payments.png()})
    walker.button("Send proof").click()
    expect(page.locator("#payment .status")).to_have_text(walker.word("Under review"))
    expect(page.get_by_text(walker.word("Reload this page to see the current status."))).to_be_visible()
    expect(
        page.get_by_text(walker.word("This page updates automatically when the amount is added to your balance."))
    ).to_be_hidden()
    walker.look("proven")

    User.objects.create_superuser("agent@example.com", PASSWORD)
    sign_in(office, "agent@example.com")
    office.goto(f"/admin/payments/payment/{payment.pk}/change/")
    expect(office.locator(".proof img")).to_be_visible()
    office.get_by_role("button", name="Approve payment").click()
    expect(office.locator(".messagelist")).to_contain_text("Payment approved")

    page.reload()
    expect(page.locator("#balance")).to_contain_text(walker.money("10"))
    walker.look("paid by hand")
    assert "10" in walker.letter().subject
    walker.link("Back to your order").click()


def buy(walker: Walker) -> Order:
    page = walker.page
    expect(walker.field("Quantity")).to_have_value("1000")
    expect(walker.field("Link")).to_have_value(LINK)
    walker.button("Place order").click()
    expect(page.locator("#order .status")).to_have_text(walker.word("Pending"))
    return Order.objects.get()


def see_it_delivered_and_refilled(walker: Walker, order: Order, provider: Provider, panel: Panel) -> None:
    page = walker.page
    submission.submit_due(provider)
    panel.report(Placement.objects.get(order=order).upstream_id, panel.statuses.completed, start_count=3572)
    status_sync.sync_statuses(provider, is_now=True)
    page.reload()
    expect(page.locator("#order .status")).to_have_text(walker.word("Completed"))
    walker.button("Request refill").click()
    expect(page.locator(".timeline")).to_contain_text(walker.word("Refill requested"))
    upstream_requests.run(provider, is_now=True)
    panel.report_refill(UpstreamRequest.objects.get().upstream_id, "Completed")
    upstream_requests.run(provider, is_now=True)
    page.reload()
    expect(page.locator(".timeline")).to_contain_text(walker.word("Refill completed"))
    walker.look("refilled without scripts")


def buy_again_and_cancel(walker: Walker, first: Order) -> None:
    """No panel has the second one yet: it ends at once, and its price comes back."""
    page = walker.page
    walker.link("Order again").click()
    walker.button("Place order").click()
    expect(page.locator("#order .status")).to_have_text(walker.word("Pending"))
    expect(page.locator("#balance")).to_contain_text(walker.money(Decimal(10) - 2 * first.charge))
    walker.button("Cancel order").click()
    expect(page.locator("#order .status")).to_have_text(walker.word("Canceled"))
    expect(page.locator("#balance")).to_contain_text(walker.money(Decimal(10) - first.charge))
    walker.look("canceled")
    page.goto("/orders/")
    expect(page.locator("main tbody tr")).to_have_count(2)
    walker.look("two orders")
    page.goto(f"/orders/{first.pk}/")


def ask_the_staff(walker: Walker, order: Order) -> None:
    page = walker.page
    walker.link("Contact support about this order").click()
    walker.field("Subject").fill(SUBJECT)
    walker.field("Message").fill(ASKED)
    picture: Any = {"name": "ekran.png", "mimeType": "image/png", "buffer": payments.png()}
    page.locator("[name=uploads]").set_input_files(picture)
    walker.button("Submit ticket").click()
    expect(page.locator(".conversation")).to_contain_text(ASKED)
    address = page.locator(".files a").get_attribute("href")
    assert page.request.get(str(address)).body() == payments.png()
    ticket = Ticket.objects.get()
    assert list(TicketOrder.objects.values_list("ticket", "order")) == [(ticket.pk, order.pk)]
    tickets.answer(ticket, author=User.objects.get(email="agent@example.com"), text=ANSWERED)
    page.reload()
    expect(page.locator(".conversation")).to_contain_text(ANSWERED)
    walker.look("answered without scripts")
    letter = walker.letter()
    assert SUBJECT in letter.subject
    assert re.search(rf"/support/{ticket.pk}/", str(letter.body))
