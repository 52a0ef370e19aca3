"""A new customer's whole way, in every language: from signing up to the answer of the staff, nothing by a shortcut.

The panel is a real one on loopback, the letters are those of the outbox, the money comes by a signed webhook.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from orders.models import Account, Category, Order, Service
from providers import errands, submission, syncing
from providers.models import Errand, Placement, Provider
from providers.simulators import Panel
from storefront import formats
from storefront.accounts.models import User
from storefront.mail import sending
from storefront.support import tickets
from storefront.support.models import Ticket
from storefront.topups.models import TopUp
from tests.browser.reading import left_in_english, words_of
from tests.providers.conftest import provider_at
from tests.storefront.topups import payments

expect.set_options(timeout=15_000)
EMAIL, PASSWORD = "nadia@example.com", "a-long-enough-one"
LINK = "https://example.com/harp"
SUBJECT, ASKED, ANSWERED = "☂ 1?", "☂ 2", "☂ 3"
SECONDS = 30  # more than any page waits until it looks again

#: Every language, and each width in light and dark, in four walks.
WALKS = [("en", 1440, "light"), ("ru", 390, "dark"), ("tr", 1440, "dark"), ("ar", 390, "light")]
ALL = [
    (language, width, colours)
    for language in ("en", "ru", "tr", "ar")
    for width in (390, 1440)
    for colours in ("light", "dark")
]


@pytest.fixture(autouse=True)
def _demo_shop(settings: Any, shop: str, tmp_path: Path) -> None:
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    settings.VAR_DIR, settings.PRIVATE_DIR = tmp_path, tmp_path / "private"
    settings.STORAGES = {**settings.STORAGES}
    settings.SHOP_URL = shop


@dataclass
class Walker:
    """A customer who reads one language, and what they meet everywhere: after each step they look around."""

    page: Page
    language: str
    data: list[str]

    def word(self, text: str, context: str = "", **values: Any) -> str:
        """A text of the shop as this customer reads it."""
        with translation.override(self.language):
            found = translation.pgettext(context, text) if context else translation.gettext(text)
        return found % values if values else found

    def money(self, amount: Decimal | str) -> str:
        with translation.override(self.language):
            return formats.money(Decimal(amount))

    def button(self, text: str, **values: Any) -> Locator:
        return self.page.locator("main").get_by_role("button", name=self.word(text, **values), exact=True)

    def link(self, text: str) -> Locator:
        return self.page.locator("main").get_by_role("link", name=self.word(text), exact=True)

    def field(self, text: str) -> Locator:
        return self.page.get_by_label(self.word(text), exact=True)

    def look(self, step: str) -> None:
        """The page is in their language, runs the right way, fits the window and has its words translated."""
        root = self.page.locator("html")
        expect(root).to_have_attribute("lang", self.language)
        expect(root).to_have_attribute("dir", "rtl" if self.language == "ar" else "ltr")
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, step
        left = left_in_english(words_of(self.page), self.language, data=self.data)
        assert left == [], step

    def let_time_pass(self) -> None:
        """The page's own clock goes on, so that nobody waits for its next look; it is never loaded again."""
        self.page.clock.fast_forward(SECONDS * 1000)

    def letter(self) -> EmailMultiAlternatives:
        """The one letter that has come since the last."""
        mail.outbox.clear()
        assert sending.deliver_due() == {"sent": 1}
        [letter] = mail.outbox
        assert isinstance(letter, EmailMultiAlternatives)
        assert letter.to == [EMAIL]
        html = str(letter.alternatives[0][0])
        assert f'lang="{self.language}"' in html
        assert ('dir="rtl"' in html) == (self.language == "ar")
        text = re.sub(r"https?://\S+", " ", f"{letter.subject}\n{letter.body}")
        assert left_in_english(text.splitlines(), self.language, data=self.data) == []
        return letter


@pytest.mark.parametrize(("language", "width", "colours"), WALKS)
def test_a_new_customer_walks_through_the_shop(
    language: str, width: int, colours: str, visit: Callable[..., Page], start_panel: Callable[..., Panel]
) -> None:
    whole_way(visit, start_panel, language=language, width=width, colours=colours)


@pytest.mark.prove
@pytest.mark.parametrize(("language", "width", "colours"), ALL)
def test_a_new_customer_walks_in_every_language_width_and_colour(
    language: str, width: int, colours: str, visit: Callable[..., Page], start_panel: Callable[..., Panel]
) -> None:
    whole_way(visit, start_panel, language=language, width=width, colours=colours)


def whole_way(
    visit: Callable[..., Page], start_panel: Callable[..., Panel], *, language: str, width: int, colours: str
) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    service = Service.objects.get(name="Photo followers, worldwide")
    page = visit(viewport={"width": width, "height": 900}, locale=language, color_scheme=colours)
    page.clock.install()
    walker = Walker(page, language, data=[EMAIL, "Vitrine", "USD", "UTC"])
    walker.data += [*Service.objects.values_list("name", flat=True), *Category.objects.values_list("name", flat=True)]

    sign_up(walker)
    confirm(walker)
    top_up(walker)
    find(walker, service)
    order = buy(walker)
    watch(walker, order, provider, panel)
    ask_for_a_refill(walker, order, provider, panel)
    ask_the_staff(walker, order)
    read_the_statement(walker, order)
    assert panel.violations == []


def sign_up(walker: Walker) -> None:
    page = walker.page
    page.goto("/")
    walker.look("landing")
    page.get_by_role("banner").get_by_role("link", name=walker.word("Create account"), exact=True).click()
    walker.look("the form")
    walker.button("Create account").click()
    page.locator("[name=email]").fill(EMAIL)
    page.locator("[name=password1]").fill("short")
    walker.button("Create account").click()
    expect(page.locator(".field-error").first).to_be_visible()
    walker.look("a password that is too short")
    page.locator("[name=password1]").fill(PASSWORD)
    walker.button("Create account").click()
    expect(page.locator("#purse")).to_contain_text(walker.money("0"))
    walker.look("signed up")


def confirm(walker: Walker) -> None:
    page = walker.page
    letter = walker.letter()
    link = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", str(letter.body))
    assert link
    page.goto(link[1])
    walker.look("the link of the letter")
    page.locator("main button.primary").click()
    expect(page.get_by_role("status").first).to_contain_text(EMAIL)
    walker.look("confirmed")


def top_up(walker: Walker) -> None:
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Wallet"), exact=True).click()
    expect(page.get_by_text(walker.word("No entries yet"))).to_be_visible()
    walker.look("an empty wallet")
    walker.link("Add money").click()
    walker.button("Continue").click()
    expect(page.locator("#e-amount")).to_be_visible()
    walker.look("no amount")
    page.get_by_role("link", name=walker.money("25")).click()
    page.get_by_role("radio").check()
    walker.look("an amount and a way of paying")
    walker.button("Continue").click()
    walker.data.append(TopUp.objects.get().reference)
    expect(page.locator("main .price")).to_have_text(walker.money("25"))
    walker.look("the bank's page")
    walker.button("Pay %(amount)s", amount=walker.money("25")).click()
    expect(page.locator("#topup .status")).to_have_text(walker.word("Added"))
    expect(page.locator("#purse")).to_contain_text(walker.money("25"))
    walker.look("paid")
    assert "25" in walker.letter().subject


def find(walker: Walker, service: Service) -> None:
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Services"), exact=True).click()
    walker.look("the catalogue")
    page.locator("main [name=q]").fill("nothing like it")
    walker.let_time_pass()
    expect(page.locator("#found .empty")).to_be_visible()
    walker.data.append("nothing like it")
    walker.look("nothing found")
    page.locator("main [name=q]").fill("followers worldwide")
    walker.let_time_pass()
    expect(page.locator("#found a.name")).to_have_count(1)
    walker.look("found")
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
    panel.report(number, panel.words.running, remains=400, start_count=3572)
    syncing.sync_statuses(provider, is_now=True)
    walker.let_time_pass()
    expect(page.locator("#order .status")).to_have_text(walker.word("In progress"))
    walker.look("under way")
    panel.report(number, panel.words.completed)
    syncing.sync_statuses(provider, is_now=True)
    walker.let_time_pass()
    expect(page.locator("#order .status")).to_have_text(walker.word("Completed"))
    assert page.evaluate("document.body.dataset.opened") == "once"
    walker.look("delivered")


def ask_for_a_refill(walker: Walker, order: Order, provider: Provider, panel: Panel) -> None:
    page = walker.page
    walker.button("Ask for a refill").click()
    timeline = page.locator(".timeline")
    expect(timeline).to_contain_text(walker.word("You asked for a refill"))
    walker.look("a refill is asked for")
    errands.run(provider, is_now=True)
    walker.let_time_pass()
    expect(timeline).to_contain_text(walker.word("Refill accepted"))
    panel.report_refill(Errand.objects.get().upstream_id, "Completed")
    errands.run(provider, is_now=True)
    walker.let_time_pass()
    expect(timeline).to_contain_text(walker.word("Refill delivered"))
    walker.look("refilled")
    page.goto("/refills/")
    expect(page.locator("main")).to_contain_text(str(order.pk))
    walker.look("the list of refills")
    page.goto(f"/orders/{order.pk}/")


def ask_the_staff(walker: Walker, order: Order) -> None:
    page = walker.page
    walker.link("Ask about this order").click()
    expect(walker.field("Order numbers")).to_have_value(str(order.pk))
    walker.look("a new ticket")
    walker.field("Subject").fill(SUBJECT)
    walker.field("Message").fill(ASKED)
    walker.button("Send").click()
    expect(page.locator(".talk")).to_contain_text(ASKED)
    walker.look("asked")
    agent = User.objects.create_superuser("agent@example.com", PASSWORD)
    tickets.answer(Ticket.objects.get(), author=agent, text=ANSWERED)
    walker.let_time_pass()
    expect(page.locator(".talk")).to_contain_text(ANSWERED)
    walker.look("answered")
    assert SUBJECT in walker.letter().subject


def read_the_statement(walker: Walker, order: Order) -> None:
    """What came in and went out is what is left: on the page, in the file and in the books."""
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Wallet"), exact=True).click()
    wallet = Account.objects.get(user__email=EMAIL)
    assert wallet.balance == Decimal("25") - order.charge
    expect(page.locator("main tbody tr")).to_have_count(2)
    expect(page.locator("main tbody tr").first).to_contain_text(walker.money(wallet.balance))
    walker.look("the wallet")
    address = str(walker.link("Export CSV").get_attribute("href"))
    _head, *rows = csv.reader(StringIO(page.request.get(address).text()))
    assert sum(Decimal(row[5]) for row in rows) == wallet.balance
    assert {Decimal(row[6]) for row in rows} == {Decimal(25), wallet.balance}
    for step, place in (("the orders", "/orders/"), ("tickets", "/support/"), ("the account", "/account/profile/")):
        page.goto(place)
        walker.look(step)
    call_command("audit_ledger", stdout=StringIO())
