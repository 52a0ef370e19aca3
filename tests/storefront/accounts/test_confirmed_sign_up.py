"""Sign-up in production: accounts need a confirmed address, and responses reveal no accounts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from storefront.accounts.models import User
from storefront.mail import sending
from storefront.mail.models import Email
from tests import factories
from tests.storefront.shop.forms import text_of

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-one"
EMAIL = "new@example.com"


@pytest.fixture(autouse=True)
def _confirmed_first(settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


def sign_up(email: str, client: Client | None = None) -> Any:
    return (client or Client()).post("/account/signup/", {"email": email, "password1": PASSWORD}, follow=True)


def without_token(text: str) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", text)


def last_email_to(address: str) -> str:
    sending.deliver_due()
    return str(next(message.body for message in reversed(mail.outbox) if message.to == [address]))


def test_sign_up_response_is_the_same_for_known_and_new_addresses() -> None:
    factories.customer(email="known@example.com", password=PASSWORD)
    new, known = sign_up(EMAIL), sign_up("known@example.com")
    assert new.redirect_chain == known.redirect_chain == [("/account/confirm-email/", 302)]
    assert without_token(text_of(new)).replace(EMAIL, "") == without_token(text_of(known)).replace(
        "known@example.com", ""
    )
    assert "Check your email" in text_of(new)


def test_owner_of_a_known_address_is_notified() -> None:
    user = factories.customer(email="known@example.com", password="their-own-password")
    sign_up("known@example.com")
    text = last_email_to("known@example.com")
    assert "already have" in text
    assert "/account/password/reset/" in text
    user.refresh_from_db()
    assert user.check_password("their-own-password")
    assert User.objects.count() == 1


def test_an_account_opens_when_its_address_is_confirmed() -> None:
    client = Client()
    sign_up(EMAIL, client)
    assert client.get("/account/profile/").status_code == 302
    link = re.search(r"https?://[^/]+(/account/confirm-email/\S+)", last_email_to(EMAIL))
    assert link
    client.post(link[1])
    assert client.get("/account/profile/").status_code == 200
    assert User.objects.get().email_confirmed_at is not None


def test_unconfirmed_account_cannot_create_keys() -> None:
    attacker = Client()
    sign_up("victim@example.com", attacker)
    attacker.post("/account/login/", {"login": "victim@example.com", "password": PASSWORD})
    assert attacker.get("/account/keys/").status_code == 302


def test_reset_sends_nothing_to_unknown_addresses() -> None:
    Client().post("/account/password/reset/", {"email": "stranger@example.com"})
    assert not Email.objects.exists()


def test_first_superuser_signs_in_without_email_confirmation() -> None:
    boss = User.objects.create_superuser("boss@example.com", PASSWORD)
    client = Client()
    client.post("/account/login/", {"login": boss.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 200
