"""Signing up and in, and API keys."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from orders.models import Account
from storefront.accounts.models import ApiKey, User, digest
from tests import factories
from tests.storefront.shop.forms import text_of

PASSWORD = "a-long-enough-one"


def test_signing_up_opens_a_wallet_and_leads_on(client: Client) -> None:
    data = {"email": "New@Example.com", "password1": PASSWORD, "next": "/orders/"}
    response = client.post("/account/signup/", data)
    assert response.headers["Location"] == "/orders/"
    assert Account.objects.get(user__email="new@example.com").balance == 0


def test_signing_in_leads_to_where_one_was_going(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    text = text_of(client.get("/account/login/?next=/wallet/"))
    assert '<input type="hidden" name="next" value="/wallet/"' in text
    data = {"login": "nadia@example.com", "password": PASSWORD, "next": "/wallet/"}
    assert client.post("/account/login/", data).headers["Location"] == "/wallet/"


def test_signing_in_never_leads_elsewhere(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    data = {"login": "nadia@example.com", "password": PASSWORD, "next": "https://evil.example/"}
    assert client.post("/account/login/", data).headers["Location"] == "/services/"


def test_a_wrong_password_is_said_without_telling_which_part(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    text = text_of(client.post("/account/login/", {"login": "nadia@example.com", "password": "wrong"}))
    assert 'class="alert" data-tone="danger"' in text


def test_a_forgotten_password_is_set_anew(client: Client) -> None:
    factories.user("nadia@example.com", password=PASSWORD)
    assert client.post("/account/password/reset/", {"email": "nadia@example.com"}).status_code == 302
    assert "Look into your mail" in text_of(client.get("/account/password/reset/done/"))
    link = re.search(r"https?://[^/]+(/account/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link
    form = client.get(link[1], follow=True)
    assert "Set the password" in text_of(form)
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
def test_the_log_in_librarys_pages_are_in_our_design(address: str, client: Client) -> None:
    text = text_of(client.get(address))
    assert 'class="page narrow"' in text
    assert text.count('class="btn primary') <= 1


@pytest.mark.parametrize("address", ["/account/logout/", "/account/email/", "/account/password/change/"])
def test_the_accounts_pages_are_in_our_design(address: str, client: Client) -> None:
    client.force_login(factories.user(password=PASSWORD))
    assert 'class="page narrow"' in text_of(client.get(address))


def test_a_key_is_shown_once(page: Client, nadia: User) -> None:
    response = page.post("/account/keys/", {"name": "shop two"}, follow=True)
    shown = re.search(r'<code id="new-key">([0-9a-f]{64})</code>', text_of(response))
    assert shown
    assert ApiKey.objects.get(user=nadia).digest == digest(shown[1])
    again = text_of(page.get("/account/keys/"))
    assert shown[1] not in again
    assert shown[1][:8] in again
    assert "no-store" in response.headers["Cache-Control"]


def test_a_revoked_key_is_gone_and_stays_so(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="old")
    page.post(f"/account/keys/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at
    page.post(f"/account/keys/{key.pk}/revoke/")
    assert ApiKey.objects.get(pk=key.pk).revoked_at == key.revoked_at


def test_nobody_revokes_anothers_key(page: Client) -> None:
    key, _text = ApiKey.objects.issue(factories.user())
    assert page.post(f"/account/keys/{key.pk}/revoke/").status_code == 404
    assert page.get(f"/account/keys/{key.pk}/revoke/").status_code == 405
    key.refresh_from_db()
    assert key.revoked_at is None


def test_keys_have_a_name_and_a_limit(page: Client, nadia: User) -> None:
    page.post("/account/keys/", {"name": ""})
    assert not ApiKey.objects.exists()
    for number in range(20):
        ApiKey.objects.issue(nadia, name=str(number))
    assert "Revoke one first" in text_of(page.post("/account/keys/", {"name": "one more"}))
