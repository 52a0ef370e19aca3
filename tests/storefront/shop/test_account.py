"""Creating an account, signing in and resetting a password."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from orders.models import Account
from storefront.mail import sending
from tests import factories
from tests.storefront.shop.forms import text_of

PASSWORD = "a-long-enough-one"


def test_signing_up_opens_a_wallet_and_redirects_to_next(client: Client) -> None:
    data = {"email": "New@Example.com", "password1": PASSWORD, "next": "/orders/"}
    response = client.post("/account/signup/", data)
    assert response.headers["Location"] == "/orders/"
    assert Account.objects.get(user__email="new@example.com").balance == 0


def test_signing_in_redirects_to_the_requested_page(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    text = text_of(client.get("/account/login/?next=/wallet/"))
    assert '<input type="hidden" name="next" value="/wallet/"' in text
    data = {"login": "nadia@example.com", "password": PASSWORD, "next": "/wallet/"}
    assert client.post("/account/login/", data).headers["Location"] == "/wallet/"


def test_signing_in_never_redirects_to_another_site(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    data = {"login": "nadia@example.com", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/account/login/", data).headers["Location"] == "/services/"


def test_a_wrong_password_shows_an_error(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    text = text_of(client.post("/account/login/", {"login": "nadia@example.com", "password": "wrong"}))
    assert 'class="alert" data-tone="danger"' in text


def test_a_forgotten_password_can_be_reset(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    assert client.post("/account/password/reset/", {"email": "nadia@example.com"}).status_code == 302
    assert "Check your email" in text_of(client.get("/account/password/reset/done/"))
    sending.deliver_due()
    link = re.search(r"https?://[^/]+(/account/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link
    form = client.get(link[1], follow=True)
    assert "Set password" in text_of(form)
    data = {"password1": "another-long-one", "password2": "another-long-one"}
    client.post(form.request["PATH_INFO"], data)
    assert client.login(email="nadia@example.com", password="another-long-one")


@pytest.mark.parametrize(
    "address",
    [
        "/account/login/",
        "/account/signup/",
        "/account/password/reset/",
        "/account/password/reset/done/",
        "/account/password/reset/key/1-x/",
        "/account/password/reset/key/done/",
        "/account/inactive/",
    ],
)
def test_pages_of_allauth_use_the_shops_templates(address: str, client: Client) -> None:
    text = text_of(client.get(address))
    assert 'class="page narrow"' in text
    assert text.count('class="btn primary') <= 1


@pytest.mark.parametrize("address", ["/account/logout/", "/account/email/", "/account/password/change/"])
def test_account_pages_use_the_shops_templates(address: str, client: Client) -> None:
    client.force_login(factories.user(password=PASSWORD))
    assert 'class="page account"' in text_of(client.get(address))
