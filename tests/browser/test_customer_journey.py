"""The journey of a new customer in every language: from creating an account to a reply of the support.

The panel is a local HTTP server, emails are read from the outbox, and a signed webhook credits the payment.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orders.models import Account, Order, Service
from providers.models import Placement, Provider, UpstreamRequest
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import status_sync, upstream_requests
from storefront.accounts.models import User
from storefront.payments.models import Payment
from storefront.support import tickets
from storefront.support.models import Ticket
from tests.browser.customer_journey import (
    EMAIL,
    LINK,
    PASSWORD,
    Shopper,
    check_transactions,
    confirm,
    sign_up,
    start_journey,
)
from tests.providers.conftest import provider_at
from tests.storefront.payments import payments

#: Texts without letters, which the search for untranslated words must not find.
SUBJECT, QUESTION, REPLY = "☂ 1?", "☂ 2", "☂ 3"
#: Four journeys with every language, and each width in light and dark.
JOURNEYS = [("en", 1440, "light"), ("ru", 390, "dark"), ("tr", 1440, "dark"), ("ar", 390, "light")]
ALL = [
    (language, width, colors)
    for language in ("en", "ru", "tr", "ar")
    for width in (390, 1440)
    for colors in ("light", "dark")
]


@pytest.fixture(autouse=True)
def _demo_shop(settings: Any, shop: str, tmp_path: Path) -> None:
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    settings.VAR_DIR, settings.PRIVATE_DIR = tmp_path, tmp_path / "private"
    settings.STORAGES = {**settings.STORAGES}
    settings.SHOP_URL = shop


@pytest.mark.parametrize(("language", "width", "colors"), JOURNEYS)
def test_a_new_customer_completes_the_journey(
    language: str, width: int, colors: str, visit: Callable[..., Page], start_panel: Callable[..., Panel]
) -> None:
    complete_journey(visit, start_panel, language=language, width=width, colors=colors)


@pytest.mark.prove
@pytest.mark.parametrize(("language", "width", "colors"), ALL)
def test_the_journey_works_in_every_language_width_and_color_scheme(
    language: str, width: int, colors: str, visit: Callable[..., Page], start_panel: Callable[..., Panel]
) -> None:
    complete_journey(visit, start_panel, language=language, width=width, colors=colors)


def complete_journey(
    visit: Callable[..., Page], start_panel: Callable[..., Panel], *, language: str, width: int, colors: str
) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    service = Service.objects.get(name="Photo followers, worldwide")
    page = visit(viewport={"width": width, "height": 900}, locale=language, color_scheme=colors)
    page.clock.install()
    shopper = start_journey(page, language)
    shopper.data.append(payments.demo_method().name)

    sign_up(shopper)
    confirm(shopper)
    add_funds(shopper)
    find_service(shopper, service)
    order = buy(shopper)
    follow_delivery(shopper, order, provider, panel)
    request_refill(shopper, order, provider, panel)
    contact_support(shopper, order)
    for step, place in (("the orders", "/orders/"), ("tickets", "/support/"), ("the account", "/account/profile/")):
        page.goto(place)
        shopper.check_page(step)
    check_transactions(shopper)
    assert Account.objects.get(user__email=EMAIL).balance == Decimal(25) - order.charge
    assert panel.violations == []


def add_funds(shopper: Shopper) -> None:
    page = shopper.page
    page.get_by_role("banner").get_by_role("link", name=shopper.translate("Transactions"), exact=True).click()
    expect(page.get_by_text(shopper.translate("No transactions yet"))).to_be_visible()
    shopper.check_page("an empty wallet")
    shopper.link("Add funds").click()
    shopper.button("Continue").click()
    expect(page.locator("#e-amount")).to_be_visible()
    shopper.check_page("no amount")
    page.get_by_role("button", name=shopper.format_money("25")).first.click()
    page.get_by_role("radio").check()
    shopper.check_page("an amount and a payment method")
    shopper.button("Continue").click()
    shopper.data.append(Payment.objects.get().reference)
    expect(page.locator("main .price")).to_have_text(shopper.format_money("25"))
    shopper.check_page("the bank's page")
    shopper.button("Pay %(amount)s", amount=shopper.format_money("25")).click()
    expect(page.locator("#payment .status")).to_have_text(shopper.translate("Added to balance"))
    expect(page.locator("#balance")).to_contain_text(shopper.format_money("25"))
    shopper.check_page("paid")
    assert "25" in shopper.receive_email().subject


def find_service(shopper: Shopper, service: Service) -> None:
    page = shopper.page
    page.get_by_role("banner").get_by_role("link", name=shopper.translate("Services"), exact=True).click()
    shopper.check_page("the catalog")
    page.locator("main [name=q]").fill("no such service")
    shopper.advance_clock()
    expect(page.locator("#results .empty")).to_be_visible()
    shopper.data.append("no such service")
    shopper.check_page("nothing found")
    page.locator("main [name=q]").fill("followers worldwide")
    shopper.advance_clock()
    expect(page.locator("#results a.name")).to_have_count(1)
    shopper.check_page("results")
    page.get_by_role("link", name=service.name, exact=True).click()
    shopper.check_page("the service")


def buy(shopper: Shopper) -> Order:
    page = shopper.page
    shopper.link("Order this service").click()
    shopper.field("Link").fill(LINK)
    shopper.field("Quantity").fill("7")
    shopper.button("Place order").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    shopper.check_page("a quantity that is too low")
    shopper.field("Quantity").fill("1000")
    expect(page.locator("#quantity-e")).to_be_hidden()
    shopper.advance_clock()
    expect(page.locator("#price output")).to_have_text(shopper.format_money("1.17"))
    shopper.check_page("the price")
    shopper.button("Place order").click()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("Pending"))
    shopper.check_page("placed")
    return Order.objects.get()


def follow_delivery(shopper: Shopper, order: Order, provider: Provider, panel: Panel) -> None:
    """Check that the open order page shows what the panel reports, without being reloaded."""
    page = shopper.page
    page.evaluate("document.body.dataset.opened = 'once'")
    submission.submit_due(provider)
    number = Placement.objects.get(order=order).upstream_id
    panel.report(number, panel.statuses.running, remains=400, start_count=3572)
    status_sync.sync_statuses(provider, is_now=True)
    shopper.advance_clock()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("In progress"))
    shopper.check_page("in progress")
    panel.report(number, panel.statuses.completed)
    status_sync.sync_statuses(provider, is_now=True)
    shopper.advance_clock()
    expect(page.locator("#order .status")).to_have_text(shopper.translate("Completed"))
    assert page.evaluate("document.body.dataset.opened") == "once"
    shopper.check_page("delivered")


def request_refill(shopper: Shopper, order: Order, provider: Provider, panel: Panel) -> None:
    page = shopper.page
    shopper.button("Request refill").click()
    timeline = page.locator(".timeline")
    expect(timeline).to_contain_text(shopper.translate("Refill requested"))
    shopper.check_page("refill requested")
    upstream_requests.run(provider, is_now=True)
    shopper.advance_clock()
    expect(timeline).to_contain_text(shopper.translate("Refill accepted"))
    panel.report_refill(UpstreamRequest.objects.get().upstream_id, "Completed")
    upstream_requests.run(provider, is_now=True)
    shopper.advance_clock()
    expect(timeline).to_contain_text(shopper.translate("Refill completed"))
    shopper.check_page("refilled")
    page.goto("/refills/")
    expect(page.locator("main")).to_contain_text(str(order.pk))
    shopper.check_page("the list of refills")
    page.goto(f"/orders/{order.pk}/")


def contact_support(shopper: Shopper, order: Order) -> None:
    page = shopper.page
    shopper.link("Contact support about this order").click()
    expect(shopper.field("Order numbers")).to_have_value(str(order.pk))
    shopper.check_page("a new ticket")
    shopper.field("Subject").fill(SUBJECT)
    shopper.field("Message").fill(QUESTION)
    shopper.button("Submit ticket").click()
    expect(page.locator(".conversation")).to_contain_text(QUESTION)
    shopper.check_page("ticket submitted")
    agent = User.objects.create_superuser("agent@example.com", PASSWORD)
    tickets.answer(Ticket.objects.get(), author=agent, text=REPLY)
    shopper.advance_clock()
    expect(page.locator(".conversation")).to_contain_text(REPLY)
    shopper.check_page("answered")
    assert SUBJECT in shopper.receive_email().subject
