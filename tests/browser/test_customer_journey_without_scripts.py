"""The journey of a customer without JavaScript, on a phone, in Turkish."""

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
from tests.browser.customer_journey import LINK, PASSWORD, Shopper, check_transactions, confirm, sign_up, start_journey
from tests.browser.test_shop import sign_in
from tests.providers.conftest import provider_at
from tests.storefront.payments import payments

METHOD, IBAN = "☂ 1", "TR33 0006 1005 1978 6457 8413 26"
SUBJECT, QUESTION, REPLY = "☂ 2?", "☂ 3", "☂ 4"


@pytest.fixture(autouse=True)
def _own_files(settings: Any, shop: str, tmp_path: Path) -> None:
    settings.VAR_DIR, settings.PRIVATE_DIR = tmp_path, tmp_path / "private"
    settings.STORAGES = {**settings.STORAGES}
    settings.SHOP_URL, settings.DEMO_GATEWAY = shop, False


def test_the_journey_works_without_javascript(visit: Callable[..., Page], start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    page = visit(viewport={"width": 390, "height": 844}, locale="tr", java_script_enabled=False)
    shopper = start_journey(page, "tr")
    shopper.data += [METHOD, SUBJECT]
    sign_up(shopper)
    confirm(shopper)
    open_add_funds_without_payment_methods(shopper)
    browse(shopper)
    order_with_too_low_balance(shopper)
    pay_manually(shopper, visit())
    order = buy(shopper)
    receive_delivery_and_refill(shopper, order, provider, panel)
    buy_again_and_cancel(shopper, order)
    contact_support(shopper, order)
    check_transactions(shopper)
    assert panel.violations == []


def open_add_funds_without_payment_methods(shopper: Shopper) -> None:
    """Check that the page leads to support while there is no payment method; then add one."""
    page = shopper.page
    page.goto("/wallet/add-funds/")
    shopper.check_page("no payment method")
    shopper.link("Contact support").click()
    shopper.check_page("a question about paying")
    payments.bank(METHOD, instructions="{amount} {reference}", details=IBAN)


def browse(shopper: Shopper) -> None:
    page = shopper.page
    page.get_by_role("banner").get_by_role("link", name=shopper.translate("Services"), exact=True).click()
    page.locator("#categories").get_by_role("link", name="Photo network").click()
    expect(page.locator("#categories [aria-current]")).to_contain_text("Photo network")
    page.locator("main [name=q]").fill("photo")
    page.locator("main [name=refill]").check()
    page.locator("main [name=type]").select_option("default")
    page.locator("main [name=sort]").select_option("price")
    page.locator("main [name=to]").fill("1,20")
    shopper.button("Apply filters").click()
    service = Service.objects.get(name="Photo followers, worldwide")
    expect(page.locator("#results a.name")).to_have_text([service.name])
    for name, value in (("q", "photo"), ("type", "default"), ("sort", "price"), ("to", "1.20")):
        expect(page.locator(f"main [name={name}]")).to_have_value(value)
    shopper.data.append("photo")
    shopper.check_page("filtered")
    page.locator(f"#star-{service.pk}").click()
    expect(page.locator(f"#star-{service.pk}")).to_have_attribute("aria-pressed", "true")
    page.locator("#results a.name").click()
    shopper.link("Order this service").click()


def order_with_too_low_balance(shopper: Shopper) -> None:
    page = shopper.page
    shopper.field("Link").fill(LINK)
    shopper.field("Quantity").fill("1000")
    shopper.button("Check price").click()
    expect(page.locator("#price output")).to_have_text(shopper.format_money("1.17"))
    shopper.check_page("the checked price")
    shopper.button("Place order").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    shopper.check_page("balance too low")
    assert not Order.objects.exists()
    page.locator("#price").get_by_role("link", name=shopper.translate("Add funds")).click()


def pay_manually(shopper: Shopper, office: Page) -> None:
    page = shopper.page
    page.get_by_role("button", name=shopper.format_money("10")).click()
    page.get_by_role("radio").check()
    shopper.button("Continue").click()
    payment = Payment.objects.get()
    shopper.data.append(payment.reference)
    expect(page.locator("#detail-1")).to_have_text(IBAN)
    expect(page.locator("[data-copy]:visible")).to_have_count(0)
    shopper.check_page("how to pay")
    wrong: Any = {"name": "dekont.png", "mimeType": "image/png", "buffer": b"<html>"}
    page.locator("[name=file]").set_input_files(wrong)
    shopper.button("Send proof").click()
    expect(page.locator("#e-file")).to_be_in_viewport()
    shopper.check_page("no picture")
    page.locator("[name=file]").set_input_files({**wrong, "buffer": payments.png()})
    shopper.button("Send proof").click()
    expect(page.locator("#payment .status")).to_have_text(shopper.translate("Under review"))
    expect(page.get_by_text(shopper.translate("Reload this page to see the current status."))).to_be_visible()
    expect(
        page.get_by_text(shopper.translate("This page updates automatically when the amount is added to your balance."))
    ).to_be_hidden()
    shopper.check_page("proven")

    User.objects.create_superuser("agent@example.com", PASSWORD)
    sign_in(office, "agent@example.com")
    office.goto(f"/admin/payments/payment/{payment.pk}/change/")
    expect(office.locator(".proof img")).to_be_visible()
    office.get_by_role("button", name="Approve payment").click()
    expect(office.locator(".messagelist")).to_contain_text("Payment approved")

    page.reload()
    expect(page.locator("#balance")).to_contain_text(shopper.format_money("10"))
    shopper.check_page("paid manually")
    assert "10" in shopper.receive_email().subject
    shopper.link("Back to your order").click()


def buy(shopper: Shopper) -> Order:
    page = shopper.page
    expect(shopper.field("Quantity")).to_have_value("1000")
    expect(shopper.field("Link")).to_have_value(LINK)
    shopper.button("Place order").click()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("Pending"))
    return Order.objects.get()


def receive_delivery_and_refill(shopper: Shopper, order: Order, provider: Provider, panel: Panel) -> None:
    page = shopper.page
    submission.submit_due(provider)
    panel.report(Placement.objects.get(order=order).upstream_id, panel.statuses.completed, start_count=3572)
    status_sync.sync_statuses(provider, is_now=True)
    page.reload()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("Completed"))
    shopper.button("Request refill").click()
    expect(page.locator(".timeline")).to_contain_text(shopper.translate("Refill requested"))
    upstream_requests.run(provider, is_now=True)
    panel.report_refill(UpstreamRequest.objects.get().upstream_id, "Completed")
    upstream_requests.run(provider, is_now=True)
    page.reload()
    expect(page.locator(".timeline")).to_contain_text(shopper.translate("Refill completed"))
    shopper.check_page("refilled without scripts")


def buy_again_and_cancel(shopper: Shopper, first: Order) -> None:
    """Cancel a second order, which no panel has yet: it ends at once and is refunded."""
    page = shopper.page
    shopper.link("Order again").click()
    shopper.button("Place order").click()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("Pending"))
    expect(page.locator("#balance")).to_contain_text(shopper.format_money(Decimal(10) - 2 * first.charge))
    shopper.button("Cancel order").click()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("Canceled"))
    expect(page.locator("#balance")).to_contain_text(shopper.format_money(Decimal(10) - first.charge))
    shopper.check_page("canceled")
    page.goto("/orders/")
    expect(page.locator("main tbody tr")).to_have_count(2)
    shopper.check_page("two orders")
    page.goto(f"/orders/{first.pk}/")


def contact_support(shopper: Shopper, order: Order) -> None:
    page = shopper.page
    shopper.link("Contact support about this order").click()
    shopper.field("Subject").fill(SUBJECT)
    shopper.field("Message").fill(QUESTION)
    picture: Any = {"name": "ekran.png", "mimeType": "image/png", "buffer": payments.png()}
    page.locator("[name=uploads]").set_input_files(picture)
    shopper.button("Submit ticket").click()
    expect(page.locator(".conversation")).to_contain_text(QUESTION)
    address = page.locator(".files a").get_attribute("href")
    assert page.request.get(str(address)).body() == payments.png()
    ticket = Ticket.objects.get()
    assert list(TicketOrder.objects.values_list("ticket", "order")) == [(ticket.pk, order.pk)]
    tickets.answer(ticket, author=User.objects.get(email="agent@example.com"), text=REPLY)
    page.reload()
    expect(page.locator(".conversation")).to_contain_text(REPLY)
    shopper.check_page("answered without scripts")
    message = shopper.receive_email()
    assert SUBJECT in message.subject
    assert re.search(rf"/support/{ticket.pk}/", str(message.body))
