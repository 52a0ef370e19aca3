"""A customer who walks through the shop, what they see everywhere, and the first steps of every walk."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO
from typing import Any

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from orders.models import Account, Category, Service, Transfer
from storefront.mail import sending
from storefront.web import formats
from tests.browser.reading import left_in_english, words_of

EMAIL, PASSWORD = "nadia@example.com", "a-long-enough-one"
LINK = "https://example.com/harp"
#: Seconds, more than any page waits until it looks again.
LATER = 30


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
        self.page.clock.fast_forward(LATER * 1000)

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


def walk_in(page: Page, language: str) -> Walker:
    """A stranger at the door of a shop whose wares are named."""
    wares = (*Service.objects.values_list("name", flat=True), *Category.objects.values_list("name", flat=True))
    return Walker(page, language, data=[EMAIL, "Vitrine", "USD", "UTC", *wares])


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
    expect(page.locator("[name=password1]")).to_be_focused()
    walker.look("a password that is too short")
    page.locator("[name=password1]").fill(PASSWORD)
    walker.button("Create account").click()
    expect(page.locator("#balance")).to_contain_text(walker.money("0"))
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


def read_the_statement(walker: Walker) -> None:
    """What came in and went out is what is left: on the page, in the file and in the books."""
    page = walker.page
    page.get_by_role("banner").get_by_role("link", name=walker.word("Transactions"), exact=True).click()
    wallet = Account.objects.get(user__email=EMAIL)
    balance = wallet.balance or Decimal(0)
    entries = page.locator("main tbody tr")
    expect(entries).to_have_count(Transfer.objects.filter(wallet=wallet).count())
    expect(entries.first).to_contain_text(walker.money(balance))
    walker.look("the wallet")
    address = str(walker.link("Download CSV").get_attribute("href"))
    _head, *rows = csv.reader(StringIO(page.request.get(address).text()))
    left = Decimal(0)
    for row in reversed(rows):
        left += Decimal(row[5])
        assert left == Decimal(row[6]), row
    assert left == balance
    call_command("audit_ledger", stdout=StringIO())
