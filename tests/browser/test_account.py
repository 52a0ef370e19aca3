"""Two-factor authentication in a real browser, with codes of an authenticator app and with a passkey."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.core import mail
from playwright.sync_api import Page, expect

from storefront.accounts.models import User
from storefront.mail import sending
from tests.storefront.accounts import totp

EMAIL, PASSWORD = "nadia@example.com", "a-long-enough-one"


def sign_up(page: Page) -> None:
    page.goto("/account/signup/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Create account").click()
    expect(page.locator("#balance")).to_be_visible()
    sending.deliver_due()
    link = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", str(mail.outbox[0].body))
    assert link
    page.goto(link[1])
    page.locator("main button.primary").click()


def sign_in(page: Page) -> None:
    page.goto("/account/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def open_two_factor_page(page: Page, link: str) -> None:
    """Open the page behind ``link`` from the account menu, and confirm the password again."""
    page.locator("details.menu summary").click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("link", name="Two-factor authentication").click()
    page.get_by_role("link", name=link).click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def test_authenticator_codes_and_recovery_codes_sign_in(visit: Callable[..., Page]) -> None:
    page = visit()
    sign_up(page)
    open_two_factor_page(page, "Set up")
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Authenticator code").fill(totp.code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery = page.locator("#codes code").first.inner_text()
    for code in (totp.code(secret, steps_ahead=1), recovery):
        sign_out(page)
        sign_in(page)
        expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
        page.locator("[name=code]").fill(code)
        page.locator("main .primary").click()
        expect(page.locator("#balance")).to_be_visible()


def test_a_passkey_signs_in_without_a_password(visit: Callable[..., Page]) -> None:
    page = visit()
    sign_up(page)
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": {**key, "isUserVerified": True, "automaticPresenceSimulation": True}},
    )
    open_two_factor_page(page, "Add passkey")
    page.locator("[name=passwordless]").check()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page)
    page.goto("/account/login/")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("#balance")).to_be_visible()
    assert User.objects.get().last_login


def test_passkeys_are_not_offered_without_javascript(visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/account/login/")
    expect(page.locator("main").get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_hidden()
