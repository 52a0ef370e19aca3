"""Emails at sign-up, and responses that reveal no accounts."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client

from orders.db import encryption
from storefront.accounts.api_key_pages import SHOWN_ONCE
from storefront.accounts.models import User
from storefront.mail import sending
from storefront.mail.models import Email
from tests import factories
from tests.storefront.payments import payments

PASSWORD = "a-long-enough-one"
FORM = {"email": "new@example.com", "password1": PASSWORD}

pytestmark = pytest.mark.django_db


class Unplugged(BaseEmailBackend):
    """Configure a mail server that does not exist."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


def test_sign_up_sends_a_confirmation_link(client: Client) -> None:
    assert client.post("/account/signup/", FORM).headers["Location"] == "/services/"
    assert not EmailAddress.objects.get().verified
    sending.deliver_due()
    link = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", str(mail.outbox[0].body))
    assert link
    assert "Confirm" in client.get(link[1]).content.decode()
    client.post(link[1])
    assert EmailAddress.objects.get().verified


def test_used_link_points_to_the_email_page(client: Client) -> None:
    response = client.get("/account/confirm-email/made-up/")
    assert "This link no longer works" in response.content.decode()
    assert 'href="/account/email/"' in response.content.decode()


@pytest.mark.parametrize(("asked", "language"), [("tr-TR,tr;q=0.9,en;q=0.5", "tr"), ("xx", "en")])
def test_emails_use_the_language_of_the_sign_up(asked: str, language: str, client: Client, settings: Any) -> None:
    """Receipts are written outside a browser's request, so the language has to be stored."""
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    client.post("/account/signup/", FORM, headers={"Accept-Language": asked})
    payments.deliver(payments.webhook_of(payments.demo(User.objects.get())))
    assert list(Email.objects.values_list("kind", "language")) == [("receipt", language), ("confirmation", language)]


def test_sign_up_works_while_the_mail_server_is_down(client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Unplugged"
    assert client.post("/account/signup/", FORM).headers["Location"] == "/services/"
    assert client.get("/account/profile/").status_code == 200
    assert User.objects.get().wallet.balance == 0


def test_sign_up_error_does_not_reveal_an_account(client: Client) -> None:
    factories.user("new@example.com")
    text = unescape(client.post("/account/signup/", FORM).content.decode())
    assert "You can't use this email address" in text
    assert "already" not in text
    assert User.objects.count() == 1


def test_reset_response_is_the_same_for_unknown_addresses(client: Client) -> None:
    factories.user("new@example.com", password=PASSWORD)
    known, unknown = (
        client.post("/account/password/reset/", {"email": email}) for email in ("new@example.com", "no@example.com")
    )
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])


def test_new_key_is_encrypted_in_the_session(page: Client) -> None:
    page.post("/account/keys/", {"name": "bot", "has_read_scope": "on"})
    kept = page.session[SHOWN_ONCE]
    assert re.fullmatch(r"[0-9a-f]{64}", encryption.decrypt(kept))
    assert not re.fullmatch(r"[0-9a-f]{64}", kept)
