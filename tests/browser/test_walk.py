"""A new customer's whole way, in every language: from signing up to the answer of the staff, nothing by a shortcut.

The panel is a real one on loopback, the letters are those of the outbox, the money comes by a signed webhook.
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
from tests.browser.walking import EMAIL, LINK, PASSWORD, Walker, confirm, read_the_statement, sign_up, walk_in
from tests.providers.conftest import provider_at
from tests.storefront.payments import payments

SUBJECT, ASKED, ANSWERED = "☂ 1?", "☂ 2", "☂ 3"
#: Every language, and each width in light and dark, in four walks.
WALKS = [("en", 1440, "light"), ("ru", 390, "dark"), ("tr", 1440, "dark"), ("ar", 390, "light")]
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


@pytest.mark.parametrize(("language", "width", "colors"), WALKS)
def test_a_new_customer_walks_through_the_shop(
    language: str, width: int, colors: str, visit: Callable[..., Page], start_panel: Callable[..., Panel]
) -> None:
    whole_way(visit, start_panel, language=language, width=width, colors=colors)


@pytest.mark.prove
@pytest.mark.parametrize(("language", "width", "colors"), ALL)
def test_a_new_customer_walks_in_every_language_width_and_color(
    language: str, width: int, colors: str, visit: Callable[..., Page], start_panel: Callable[..., Panel]
) -> None:
    whole_way(visit, start_panel, language=language, width=width, colors=colors)


def whole_way(
    visit: Callable[..., Page], start_panel: Callable[..., Panel], *, language: str, width: int, colors: str
) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    service = Service.objects.get(name="Photo followers, worldwide")
    page = visit(viewport={"width": width, "height": 900}, locale=language, color_scheme=colors)
    page.clock.install()
    walker = walk_in(page, language)

    sign_up(walker)
    confirm(walker)
    payment(walker)
    find(walker, service)
    order = buy(walker)
    watch(walker, order, provider, panel)
    ask_for_a_refill(walker, order, provider, panel)
    ask_the_staff(walker, order)
    for step, place in (("the orders", "/orders/"), ("tickets", "/support/"), ("the account", "/account/profile/")):
        page.goto(place)
        walker.look(step)
    read_the_statement(walker)
    assert Account.objects.get(user__email=EMAIL).balance == Decimal(25) - order.charge
    assert panel.violations == []


def payment(walker: Walker) -> None:
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Transactions"), exact=True).click()
    expect(page.get_by_text(walker.word("No transactions yet"))).to_be_visible()
    walker.look("an empty wallet")
    walker.link("Add funds").click()
    walker.button("Continue").click()
    expect(page.locator("#e-amount")).to_be_visible()
    walker.look("no amount")
    page.get_by_role("link", name=walker.money("25")).click()
    page.get_by_role("radio").check()
    walker.look("an amount and a payment method")
    walker.button("Continue").click()
    walker.data.append(Payment.objects.get().reference)
    expect(page.locator("main .price")).to_have_text(walker.money("25"))
    walker.look("the bank's page")
    walker.button("Pay %(amount)s", amount=walker.money("25")).click()
    expect(page.locator("#payment .status")).to_have_text(walker.word("Added to balance"))
    expect(page.locator("#balance")).to_contain_text(walker.money("25"))
    walker.look("paid")
    assert "25" in walker.letter().subject


def find(walker: Walker, service: Service) -> None:
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Services"), exact=True).click()
    walker.look("the catalog")
    page.locator("main [name=q]").fill("nothing like it")
    walker.let_time_pass()
    expect(page.locator("#results .empty")).to_be_visible()
    walker.data.append("nothing like it")
    walker.look("nothing found")
    page.locator("main [name=q]").fill("followers worldwide")
    walker.let_time_pass()
    expect(page.locator("#results a.name")).to_have_count(1)
    walker.look("results")
    page.get_by_role("link", name=service.name, exact=True).click()
    walker.look("the service")


def buy(walker: Walker) -> Order:
    page = walker.page
    walker.link("Order this service").click()
    walker.field("Link").fill(LINK)
    walker.field("Quantity").fill("7")
    walker.button("Place order").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    walker.look("too few")
    walker.field("Quantity").fill("1000")
    expect(page.locator("#quantity-e")).to_be_hidden()
    walker.let_time_pass()
    expect(page.locator("#price output")).to_have_text(walker.money("1.17"))
    walker.look("the price")
    walker.button("Place order").click()
    expect(page.locator("#order .status")).to_have_text(walker.word("Pending"))
    walker.look("placed")
    return Order.objects.get()


def watch(walker: Walker, order: Order, provider: Provider, panel: Panel) -> None:
    """The page stays open; what the panel says reaches it."""
    page = walker.page
    page.evaluate("document.body.dataset.opened = 'once'")
    submission.submit_due(provider)
    number = Placement.objects.get(order=order).upstream_id
    panel.report(number, panel.statuses.running, remains=400, start_count=3572)
    status_sync.sync_statuses(provider, is_now=True)
    walker.let_time_pass()
    expect(page.locator("#order .status")).to_have_text(walker.word("In progress"))
    walker.look("under way")
    panel.report(number, panel.statuses.completed)
    status_sync.sync_statuses(provider, is_now=True)
    walker.let_time_pass()
    expect(page.locator("#order .status")).to_have_text(walker.word("Completed"))
    assert page.evaluate("document.body.dataset.opened") == "once"
    walker.look("delivered")


def ask_for_a_refill(walker: Walker, order: Order, provider: Provider, panel: Panel) -> None:
    page = walker.page
    walker.button("Request refill").click()
    timeline = page.locator(".timeline")
    expect(timeline).to_contain_text(walker.word("Refill requested"))
    walker.look("a refill is asked for")
    upstream_requests.run(provider, is_now=True)
    walker.let_time_pass()
    expect(timeline).to_contain_text(walker.word("Refill accepted"))
    panel.report_refill(UpstreamRequest.objects.get().upstream_id, "Completed")
    upstream_requests.run(provider, is_now=True)
    walker.let_time_pass()
    expect(timeline).to_contain_text(walker.word("Refill completed"))
    walker.look("refilled")
    page.goto("/refills/")
    expect(page.locator("main")).to_contain_text(str(order.pk))
    walker.look("the list of refills")
    page.goto(f"/orders/{order.pk}/")


def ask_the_staff(walker: Walker, order: Order) -> None:
    page = walker.page
    walker.link("Contact support about this order").click()
    expect(walker.field("Order numbers")).to_have_value(str(order.pk))
    walker.look("a new ticket")
    walker.field("Subject").fill(SUBJECT)
    walker.field("Message").fill(ASKED)
    walker.button("Submit ticket").click()
    expect(page.locator(".conversation")).to_contain_text(ASKED)
    walker.look("asked")
    agent = User.objects.create_superuser("agent@example.com", PASSWORD)
    tickets.answer(Ticket.objects.get(), author=agent, text=ANSWERED)
    walker.let_time_pass()
    expect(page.locator(".conversation")).to_contain_text(ANSWERED)
    walker.look("answered")
    assert SUBJECT in walker.letter().subject
