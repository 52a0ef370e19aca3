"""Two-factor authentication and the limits on guessing codes."""

from __future__ import annotations

import logging
import re
from html import unescape
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client

from orders.db import encryption
from storefront.accounts.models import User
from tests import factories
from tests.storefront.accounts import totp

PASSWORD = "a-long-enough-one"
EMAIL = "nadia@example.com"
LOGIN = "/account/login/"
STEP = "/account/second-factor/authenticate/"
SET_UP = "/account/second-factor/totp/activate/"
CODES = "/account/second-factor/recovery-codes/"


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def person(db: None) -> User:
    user = factories.customer(email=EMAIL, password=PASSWORD)
    EmailAddress.objects.create(user=user, email=EMAIL, primary=True, verified=True)
    return user


def sign_in(password: str = PASSWORD, **extra: Any) -> tuple[Client, Any]:
    client = Client()
    return client, client.post(LOGIN, {"login": EMAIL, "password": password}, **extra)


def sign_in_and_confirm() -> Client:
    """Return a browser that signed in and confirmed the password again, as security settings require."""
    client, _response = sign_in()
    assert client.get(SET_UP).headers["Location"].startswith("/account/reauthenticate/")
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/profile/").status_code == 200


@pytest.fixture
def secret(person: User) -> str:
    """Set up an authenticator app for the account and return its secret."""
    client = sign_in_and_confirm()
    found = re.search(r'<code id="secret" dir="ltr">([A-Z2-7]+)</code>', text_of(client.get(SET_UP)))
    assert found
    assert client.post(SET_UP, {"code": totp.code(found[1])}).headers["Location"] == CODES
    return found[1]


def test_qr_code_is_inline_svg(person: User) -> None:
    text = text_of(sign_in_and_confirm().get(SET_UP))
    assert '<div class="qr"' in text
    assert "<svg" in text
    assert "data:image" not in text


def test_secrets_are_encrypted_at_rest(person: User, secret: str) -> None:
    kept = {row.type: row.data for row in Authenticator.objects.filter(user=person)}
    assert secret not in str(kept)
    assert encryption.decrypt(kept["totp"]["secret"]) == secret
    assert encryption.decrypt(kept["recovery_codes"]["seed"])


def test_password_alone_does_not_sign_in(secret: str) -> None:
    client, response = sign_in()
    assert response.headers["Location"] == STEP
    assert not is_signed_in(client)
    client.post(STEP, {"code": "000000"})
    assert not is_signed_in(client)


def test_code_signs_in_once(secret: str) -> None:
    once = totp.code(secret, steps_ahead=1)
    client, _response = sign_in()
    assert client.post(STEP, {"code": once}).status_code == 302
    assert is_signed_in(client)
    again, _response = sign_in()
    again.post(STEP, {"code": once})
    assert not is_signed_in(again)


def test_used_code_is_refused_within_the_clock_tolerance(person: User) -> None:
    with time_machine.travel("2030-01-01T00:00:05Z", tick=False) as clock:
        client = sign_in_and_confirm()
        found = re.search(r'<code id="secret" dir="ltr">([A-Z2-7]+)</code>', text_of(client.get(SET_UP)))
        assert found
        client.post(SET_UP, {"code": totp.code(found[1])})
        once = totp.code(found[1], steps_ahead=1)
        first, _response = sign_in()
        first.post(STEP, {"code": once})
        assert is_signed_in(first)
        clock.shift(50)  # within the code's own step: who read it over a shoulder tries it now
        again, _response = sign_in()
        again.post(STEP, {"code": once})
        assert not is_signed_in(again)
        again.post(STEP, {"code": totp.code(found[1])[::-1]})
        again.post(STEP, {"code": totp.code(found[1], steps_ahead=1)})
        assert is_signed_in(again)


def test_a_recovery_code_signs_in_once(secret: str) -> None:
    client, _response = sign_in()
    client.post(STEP, {"code": totp.code(secret, steps_ahead=1)})
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    codes = re.findall(r'<code dir="ltr">(\d{8})</code>', text_of(client.get(CODES)))
    assert len(codes) == 10
    for is_good in (True, False):
        fresh, _response = sign_in()
        fresh.post(STEP, {"code": codes[0]})
        assert is_signed_in(fresh) is is_good


def test_unconfirmed_email_cannot_set_up_a_second_factor(person: User) -> None:
    EmailAddress.objects.update(verified=False)
    client, _response = sign_in()
    assert client.get(SET_UP).headers["Location"] == "/account/second-factor/"
    assert "verified" in text_of(client.get("/account/second-factor/"))
    assert not Authenticator.objects.exists()


def test_back_office_requires_the_second_factor(person: User, secret: str) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    client = Client()
    asked = client.get("/admin/", follow=True)
    assert asked.request["PATH_INFO"] == LOGIN
    data = {"login": EMAIL, "password": PASSWORD, "next": "/admin/"}
    assert client.post(LOGIN, data).headers["Location"].startswith(STEP)
    assert client.get("/admin/").status_code == 302
    assert client.post("/admin/login/", {"username": EMAIL, "password": PASSWORD}).headers["Location"].startswith(LOGIN)
    assert client.post(STEP, {"code": totp.code(secret, steps_ahead=1)}).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_codes_cannot_be_guessed(secret: str) -> None:
    client, _response = sign_in()
    for guess in range(6):
        client.post(STEP, {"code": f"{guess:06}"})
    client.post(STEP, {"code": totp.code(secret, steps_ahead=1)})
    assert not is_signed_in(client)


def test_passwords_cannot_be_guessed_from_many_made_up_addresses(person: User, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    for guess in range(6):
        sign_in("wrong", headers={"X-Forwarded-For": f"10.0.0.{guess}, 198.51.100.1"})
    client, _response = sign_in(headers={"X-Forwarded-For": "10.0.0.99, 198.51.100.1"})
    assert not is_signed_in(client)


@pytest.mark.parametrize("known", [True, False])
def test_reset_requests_per_address_are_limited(known: bool, person: User) -> None:
    email = EMAIL if known else "nobody@example.com"
    asked = [
        Client(REMOTE_ADDR=f"198.51.100.{n}").post("/account/password/reset/", {"email": email}).status_code
        for n in range(6)
    ]
    assert asked == [302] * 5 + [429]


def test_session_key_changes_at_sign_in(person: User) -> None:
    client = Client()
    client.get(SET_UP)
    planted = client.session
    planted["x"] = 1
    planted.save()
    client.cookies["sessionid"] = planted.session_key
    client.post(LOGIN, {"login": EMAIL, "password": PASSWORD})
    assert is_signed_in(client)
    assert client.session.session_key != planted.session_key
    attacker = Client()
    attacker.cookies["sessionid"] = planted.session_key
    assert not is_signed_in(attacker)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_sign_in_does_not_redirect_to_other_sites(elsewhere: str, person: User) -> None:
    response = Client().post(LOGIN, {"login": EMAIL, "password": PASSWORD, "next": elsewhere})
    assert response.headers["Location"] == "/services/"
    client, _response = sign_in()
    assert "evil" not in client.post("/account/logout/", {"next": elsewhere}).headers["Location"]


@pytest.mark.parametrize(
    "address", ["", "totp/activate/", "webauthn/", "webauthn/add/", "reauthenticate/", "recovery-codes/generate/"]
)
def test_second_factor_pages_use_our_layout(address: str, person: User) -> None:
    text = text_of(sign_in_and_confirm().get(f"/account/second-factor/{address}", follow=True))
    assert re.search(r'class="page (account|narrow)"', text)
    assert "<script>" not in text
    assert text.count('class="btn primary') <= 1


def test_failed_second_factor_is_logged_without_the_code(
    secret: str, person: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vitrine.security")
    once = totp.code(secret, steps_ahead=1)
    first, _response = sign_in()
    first.post(STEP, {"code": "123456"})
    first.post(STEP, {"code": once})
    again, _response = sign_in()
    again.post(STEP, {"code": once})
    lines = [record.getMessage() for record in caplog.records if record.name == "vitrine.security"]
    failures = [line for line in lines if line.startswith("second_factor_failed")]
    assert failures == [f"second_factor_failed user={person.pk} address=127.0.0.1 reason=code"] * 2
    assert f"signed_in user={person.pk} address=127.0.0.1" in lines
    assert not any(code in line for line in lines for code in ("123456", once, secret))


def test_failed_passkey_is_logged(person: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vitrine.security")
    client = Client()
    client.get("/account/second-factor/webauthn/login/", headers={"Accept": "application/json"})
    client.post("/account/second-factor/webauthn/login/", {"credential": '{"id": "x"}'})
    assert "second_factor_failed user=- address=127.0.0.1 reason=passkey" in caplog.text
