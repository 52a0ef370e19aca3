"""The customer of the journey tests: how they read pages and emails, and the steps that all journeys share."""

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
from tests.browser.visible_text import untranslated_texts, visible_texts

EMAIL, PASSWORD = "nadia@example.com", "a-long-enough-one"
LINK = "https://example.com/harp"
#: Longer than the interval at which any page updates itself.
UPDATE_SECONDS = 30


@dataclass
class Shopper:
    """A customer who reads one language, with the checks that hold on every page and in every email.

    ``data`` holds texts that are not translated, such as names.
    """

    page: Page
    language: str
    data: list[str]

    def translate(self, text: str, context: str = "", **values: Any) -> str:
        """Return a text of the shop in the customer's language."""
        with translation.override(self.language):
            found = translation.pgettext(context, text) if context else translation.gettext(text)
        return found % values if values else found

    def format_money(self, amount: Decimal | str) -> str:
        with translation.override(self.language):
            return formats.money(Decimal(amount))

    def button(self, text: str, **values: Any) -> Locator:
        return self.page.locator("main").get_by_role("button", name=self.translate(text, **values), exact=True)

    def link(self, text: str) -> Locator:
        return self.page.locator("main").get_by_role("link", name=self.translate(text), exact=True)

    def field(self, text: str) -> Locator:
        return self.page.get_by_label(self.translate(text), exact=True)

    def check_page(self, step: str) -> None:
        """Check the page's language and direction, that it fits the window and that all its texts are translated."""
        root = self.page.locator("html")
        expect(root).to_have_attribute("lang", self.language)
        expect(root).to_have_attribute("dir", "rtl" if self.language == "ar" else "ltr")
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow == 0, step
        untranslated = untranslated_texts(visible_texts(self.page), self.language, data=self.data)
        assert untranslated == [], step

    def advance_clock(self) -> None:
        """Advance the page's clock to its next update, so that the test need not wait. The page is not reloaded."""
        self.page.clock.fast_forward(UPDATE_SECONDS * 1000)

    def receive_email(self) -> EmailMultiAlternatives:
        """Send the emails that are due, of which there must be one, and check its language and direction."""
        mail.outbox.clear()
        assert sending.deliver_due() == {"sent": 1}
        [message] = mail.outbox
        assert isinstance(message, EmailMultiAlternatives)
        assert message.to == [EMAIL]
        html = str(message.alternatives[0][0])
        assert f'lang="{self.language}"' in html
        assert ('dir="rtl"' in html) == (self.language == "ar")
        text = re.sub(r"https?://\S+", " ", f"{message.subject}\n{message.body}")
        assert untranslated_texts(text.splitlines(), self.language, data=self.data) == []
        return message


def start_journey(page: Page, language: str) -> Shopper:
    """Return a new visitor. Names of services and categories count as data."""
    names = (*Service.objects.values_list("name", flat=True), *Category.objects.values_list("name", flat=True))
    return Shopper(page, language, data=[EMAIL, "Vitrine", "USD", "UTC", *names])


def sign_up(shopper: Shopper) -> None:
    page = shopper.page
    page.goto("/")
    shopper.check_page("landing")
    page.get_by_role("banner").get_by_role("link", name=shopper.translate("Create account"), exact=True).click()
    shopper.check_page("the sign-up form")
    shopper.button("Create account").click()
    page.locator("[name=email]").fill(EMAIL)
    page.locator("[name=password1]").fill("short")
    shopper.button("Create account").click()
    expect(page.locator(".field-error").first).to_be_visible()
    expect(page.locator("[name=password1]")).to_be_focused()
    shopper.check_page("a password that is too short")
    page.locator("[name=password1]").fill(PASSWORD)
    shopper.button("Create account").click()
    expect(page.locator("#balance")).to_contain_text(shopper.format_money("0"))
    shopper.check_page("signed up")


def confirm(shopper: Shopper) -> None:
    page = shopper.page
    message = shopper.receive_email()
    link = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", str(message.body))
    assert link
    page.goto(link[1])
    shopper.check_page("the link of the email")
    page.locator("main button.primary").click()
    expect(page.get_by_role("status").first).to_contain_text(EMAIL)
    shopper.check_page("confirmed")


def check_transactions(shopper: Shopper) -> None:
    """Check that page, CSV export and ledger show the same transactions, and that they add up to the balance."""
    page = shopper.page
    page.get_by_role("banner").get_by_role("link", name=shopper.translate("Transactions"), exact=True).click()
    wallet = Account.objects.get(user__email=EMAIL)
    balance = wallet.balance or Decimal(0)
    entries = page.locator("main tbody tr")
    expect(entries).to_have_count(Transfer.objects.filter(wallet=wallet).count())
    expect(entries.first).to_contain_text(shopper.format_money(balance))
    shopper.check_page("the wallet")
    address = str(shopper.link("Download CSV").get_attribute("href"))
    _head, *rows = csv.reader(StringIO(page.request.get(address).text()))
    left = Decimal(0)
    for row in reversed(rows):
        left += Decimal(row[5])
        assert left == Decimal(row[6]), row
    assert left == balance
    call_command("audit_ledger", stdout=StringIO())
