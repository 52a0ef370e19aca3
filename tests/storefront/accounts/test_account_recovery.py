"""Changes of the email address, and what a password reset revokes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.utils import timezone

from storefront.accounts.models import ApiKey, User
from storefront.mail import sending
from storefront.mail.models import Email
from storefront.webhooks import endpoints
from storefront.webhooks.models import Endpoint
from tests import factories
from tests.storefront.shop.forms import text_of

pytestmark = pytest.mark.django_db
PASSWORD, NEW_PASSWORD = "a-long-enough-one", "another-long-one"
VICTIM, ATTACKER = "victim@example.com", "attacker@example.com"
EMAIL_PAGE = "/account/email/"
FLAGS = {"has_orders": True, "has_refills": True, "has_balance": True, "has_prices": False}


def signed_in(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/account/login/", {"login": email, "password": password})
    return client


def sign_in_and_confirm(email: str, password: str = PASSWORD) -> Client:
    """Return a browser that signed in and confirmed the password again."""
    client = signed_in(email, password)
    client.post("/account/reauthenticate/", {"password": password})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/profile/").status_code == 200


def mails(to: str) -> list[str]:
    """Return the emails sent to an address, newest last."""
    sending.deliver_due()
    return [str(sent.body) for sent in mail.outbox if sent.to == [to]]


def link(text: str, path: str) -> str:
    found = re.search(rf"https?://[^/]+({path}\S+)", text)
    assert found, text
    return found[1]


def reset(email: str, password: str = NEW_PASSWORD) -> tuple[Client, Any]:
    """Reset the password as the owner of the mailbox; return the browser and the response."""
    client = Client()
    client.post("/account/password/reset/", {"email": email})
    form = client.get(link(mails(email)[-1], "/account/password/reset/key/"), follow=True)
    return client, client.post(form.request["PATH_INFO"], {"password1": password, "password2": password})


def prepare_attack() -> tuple[User, Client, ApiKey, Endpoint]:
    """Let an attacker sign up with the victim's unconfirmed address and create a key and a webhook."""
    attacker = Client()
    attacker.post("/account/signup/", {"email": VICTIM, "password1": PASSWORD})
    user = User.objects.get(email=VICTIM)
    key, _text = ApiKey.objects.issue(user, name="mine")
    endpoint, _secret = endpoints.add(user, url="https://attacker.example/hook", **FLAGS)
    return user, attacker, key, endpoint


# ------------------------------------------------------------------------------------------------ after a reset


def test_reset_revokes_access_prepared_by_an_attacker() -> None:
    user, attacker, key, endpoint = prepare_attack()
    EmailAddress.objects.create(user=user, email=ATTACKER, verified=True)
    assert is_signed_in(attacker)
    owner, _answer = reset(VICTIM)
    assert is_signed_in(owner)
    assert not is_signed_in(attacker)
    assert not is_signed_in(signed_in(VICTIM, PASSWORD))
    assert not is_signed_in(signed_in(ATTACKER, NEW_PASSWORD))
    key.refresh_from_db()
    endpoint.refresh_from_db()
    assert key.revoked_at is not None
    assert (endpoint.is_active, endpoint.get_pause_reason_display()) == (False, "Revoked after a password reset")
    assert list(EmailAddress.objects.filter(user=user).values_list("email", "verified")) == [(VICTIM, True)]


def test_no_reset_link_is_sent_to_a_second_address() -> None:
    user, *_rest = prepare_attack()
    EmailAddress.objects.create(user=user, email=ATTACKER, verified=True)
    Client().post("/account/password/reset/", {"email": ATTACKER})
    assert not any("reset/key" in text for text in mails(ATTACKER))


def test_reset_email_lists_what_was_revoked() -> None:
    user, _thief, key, endpoint = prepare_attack()
    EmailAddress.objects.create(user=user, email=ATTACKER, verified=True)
    reset(VICTIM)
    email = mails(VICTIM)[-1]
    for words in ("was reset", key.prefix, endpoint.url, ATTACKER, "we revoked them"):
        assert words in email


def test_keys_created_after_confirmation_are_kept_and_offered_for_review() -> None:
    user = factories.customer(email=VICTIM, password=PASSWORD, email_confirmed_at=timezone.now())
    early, _text = ApiKey.objects.issue(user, name="early")
    ApiKey.objects.filter(pk=early.pk).update(created_at=timezone.now() - timedelta(days=1))
    key, _text = ApiKey.objects.issue(user, name="my shop")
    endpoint, _secret = endpoints.add(user, url="https://shop.example/hook", **FLAGS)
    owner, answer = reset(VICTIM)
    assert answer.headers["Location"] == "/account/access/"
    early.refresh_from_db()
    key.refresh_from_db()
    assert (early.revoked_at is None, key.revoked_at) == (False, None)
    email = mails(VICTIM)[-1]
    assert "still work" in email
    assert key.prefix in email
    assert "/account/access/" in email
    page = text_of(owner.get("/account/access/"))
    assert key.prefix in page
    assert endpoint.url in page
    assert early.prefix not in page
    answer = owner.post("/account/access/", {"revoke": [f"key:{key.pk}"]}, follow=True)
    assert "Access revoked for 1 item" in text_of(answer)
    key.refresh_from_db()
    endpoint.refresh_from_db()
    assert (key.revoked_at is None, endpoint.is_active) == (False, True)


def test_access_review_is_shown_at_each_sign_in_until_answered() -> None:
    user = factories.customer(email=VICTIM, password=PASSWORD, email_confirmed_at=timezone.now())
    ApiKey.objects.issue(user, name="my shop")
    reset(VICTIM)
    client = Client()
    login = {"login": VICTIM, "password": NEW_PASSWORD, "next": "/orders/"}
    assert client.post("/account/login/", login).headers["Location"] == "/account/access/"
    client.post("/account/access/", {})
    assert ApiKey.objects.active().count() == 1
    assert Client().post("/account/login/", login).headers["Location"] == "/orders/"


def test_access_of_other_customers_cannot_be_revoked() -> None:
    key, _text = ApiKey.objects.issue(factories.customer(email=VICTIM), name="x")
    stranger = Client()
    stranger.force_login(factories.customer())
    stranger.post("/account/access/", {"revoke": [f"key:{key.pk}"]})
    key.refresh_from_db()
    assert key.revoked_at is None


def test_reset_keeps_two_factor_authentication() -> None:
    user = factories.customer(email=VICTIM, password=PASSWORD)
    EmailAddress.objects.create(user=user, email=VICTIM, primary=True, verified=True)
    Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})
    owner, answer = reset(VICTIM)
    assert answer.headers["Location"] == "/account/second-factor/authenticate/"
    assert not is_signed_in(owner)


def test_unconfirmed_account_cannot_set_up_a_second_factor() -> None:
    """Otherwise a passkey would survive the owner's reset."""
    user, *_rest = prepare_attack()
    client = sign_in_and_confirm(VICTIM)
    client.get("/account/second-factor/totp/activate/")
    client.get("/account/second-factor/webauthn/add/")
    answer = client.post("/account/second-factor/totp/activate/", {"code": "000000"})
    assert "confirm" in text_of(answer).lower() or "verif" in text_of(answer).lower() or answer.status_code == 302
    assert not Authenticator.objects.filter(user=user).exists()


# ------------------------------------------------------------------------------------------------ one address


@pytest.fixture
def nadia() -> User:
    user = factories.customer(email="nadia@example.com", password=PASSWORD, email_confirmed_at=timezone.now())
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def change(client: Client, to: str) -> Any:
    return client.post(EMAIL_PAGE, {"action_add": "1", "email": to})


def test_email_changes_only_after_confirmation(nadia: User) -> None:
    client = sign_in_and_confirm(nadia.email)
    change(client, "new@example.com")
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.com"
    assert "new@example.com" in text_of(client.get(EMAIL_PAGE))
    client.post(link(mails("new@example.com")[-1], "/account/confirm-email/"))
    nadia.refresh_from_db()
    assert nadia.email == "new@example.com"
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [("new@example.com", True, True)]
    assert "is now new@example.com" in mails("nadia@example.com")[-1]
    assert is_signed_in(signed_in("new@example.com"))
    assert not is_signed_in(signed_in("nadia@example.com"))


def test_email_change_requires_the_password(nadia: User) -> None:
    answer = change(signed_in(nadia.email), "new@example.com")
    assert answer.headers["Location"].startswith("/account/reauthenticate/")
    assert not EmailAddress.objects.filter(email="new@example.com").exists()


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_unconfirmed_address_cannot_become_primary(is_confirmed: bool, nadia: User) -> None:
    EmailAddress.objects.update(verified=is_confirmed)
    client = sign_in_and_confirm(nadia.email)
    change(client, "new@example.com")
    client.post(EMAIL_PAGE, {"action_primary": "1", "email": "new@example.com"})
    client.post(EMAIL_PAGE, {"action_remove": "1", "email": nadia.email})
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.com"
    assert EmailAddress.objects.filter(user=nadia, email=nadia.email).exists()


def test_new_email_change_replaces_the_pending_one(nadia: User) -> None:
    client = sign_in_and_confirm(nadia.email)
    change(client, "first@example.com")
    change(client, "second@example.com")
    dead = link(mails("first@example.com")[-1], "/account/confirm-email/")
    client.post(dead)
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.com"
    client.post(EMAIL_PAGE, {"action_remove": "1", "email": "second@example.com"})
    client.post(link(mails("second@example.com")[-1], "/account/confirm-email/"))
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.com"


def test_reset_cancels_a_pending_email_change(nadia: User) -> None:
    change(sign_in_and_confirm(nadia.email), ATTACKER)
    pending = link(mails(ATTACKER)[-1], "/account/confirm-email/")
    reset(nadia.email)
    Client().post(pending)
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.com"


def test_email_of_another_account_cannot_be_taken_over(nadia: User) -> None:
    factories.customer(email=VICTIM, password=PASSWORD)
    change(sign_in_and_confirm(nadia.email), VICTIM)
    sent = [text for text in mails(VICTIM) if "/account/confirm-email/" in text]
    answer = Client().post(link(sent[-1], "/account/confirm-email/"), follow=True)
    assert answer.status_code == 200
    nadia.refresh_from_db()
    assert nadia.email == "nadia@example.com"
    assert is_signed_in(signed_in(VICTIM))


def test_pending_email_change_does_not_block_sign_up(nadia: User) -> None:
    change(sign_in_and_confirm(nadia.email), VICTIM)
    Client().post("/account/signup/", {"email": VICTIM, "password1": PASSWORD})
    assert User.objects.filter(email=VICTIM).exists()
    reset(VICTIM)
    assert is_signed_in(signed_in(VICTIM, NEW_PASSWORD))


def test_account_without_email_address_row_can_change_email() -> None:
    """Accounts added by an operator have no such row."""
    user = factories.customer(email="made@example.com", password=PASSWORD)
    change(sign_in_and_confirm(user.email), "new@example.com")
    Client().post(link(mails("new@example.com")[-1], "/account/confirm-email/"))
    user.refresh_from_db()
    assert user.email == "new@example.com"
    assert "is now new@example.com" in mails("made@example.com")[-1]


def test_account_without_email_address_row_receives_password_emails() -> None:
    user = factories.customer(email="made@example.com", password=PASSWORD)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    signed_in(user.email).post("/account/password/change/", data)
    assert Email.objects.filter(address=user.email).exists()
