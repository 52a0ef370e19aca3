"""Sign-in limits: guessing is slow, and the owner is not locked out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from storefront.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-one"
EMAIL = "nadia@example.com"
LOGIN = "/account/login/"
ATTACKER, HOME, OFFICE = "198.51.100.66", "203.0.113.7", "203.0.113.99"
START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def person(db: None) -> User:
    return factories.customer(email=EMAIL, password=PASSWORD)


def attempt(client: Client, password: str = "wrong", email: str = EMAIL) -> str:
    """Return the text of the page; "" if the sign-in succeeded."""
    response = client.post(LOGIN, {"login": email, "password": password})
    return "" if response.status_code == 302 else unescape(response.content.decode())


def client_at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def test_slow_guessing_does_not_lock_out_the_owner() -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _minute in range(180):
            attempt(client_at(ATTACKER))
            clock.shift(60)
        assert attempt(client_at(HOME), PASSWORD) == ""


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_five_attempts_per_address_in_five_minutes(email: str) -> None:
    """The response is the same for unknown accounts."""
    said = [attempt(client_at(ATTACKER), email=email) for _ in range(5)]
    assert all("not correct" in text for text in said)
    assert "Too many failed login attempts" in attempt(client_at(ATTACKER), PASSWORD, email), (
        "the right one comes too late"
    )


def test_twenty_attempts_per_address_in_an_hour() -> None:
    with time_machine.travel(START, tick=False) as clock:
        tried = 0
        for _minute in range(58):
            tried += "not correct" in attempt(client_at(ATTACKER))
            clock.shift(60)
    assert tried == 20


def test_ipv6_addresses_are_counted_by_network() -> None:
    for number in range(5):
        attempt(client_at(f"2001:db8:1:2::{number + 1:x}"))
    assert "Too many" in attempt(client_at("2001:db8:1:2:ffff::1"), PASSWORD)
    assert attempt(client_at("2001:db8:1:3::1"), PASSWORD) == ""


def test_hundred_attempts_per_account_in_an_hour() -> None:
    tried = sum("not correct" in attempt(client_at(f"198.51.{n // 4}.{n % 4 + 1}")) for n in range(110))
    assert tried == 100


def test_known_browser_can_sign_in_during_an_attack() -> None:
    mine = client_at(OFFICE)
    assert attempt(mine, PASSWORD) == ""
    mine.post("/account/logout/")
    for number in range(105):
        attempt(client_at(f"198.51.{number // 4}.{number % 4 + 1}"))
    for _ in range(6):
        attempt(client_at(OFFICE))  # the attacker sits behind the same address
    assert "Too many" in attempt(client_at("192.0.2.1"), PASSWORD)
    assert attempt(mine, PASSWORD) == ""


def test_attempts_of_a_known_browser_are_limited() -> None:
    stolen = client_at(OFFICE)
    attempt(stolen, PASSWORD)
    stolen.post("/account/logout/")
    said = [attempt(stolen) for _ in range(11)]
    assert ["Too many" in text for text in said] == [False] * 10 + [True]


@pytest.mark.parametrize("change", ["forged", "another account"])
def test_invalid_device_cookie_is_ignored(change: str) -> None:
    factories.customer(email="attacker@example.com", password=PASSWORD)
    attacker = client_at(ATTACKER)
    attempt(attacker, PASSWORD, "attacker@example.com")
    attacker.post("/account/logout/")
    if change == "forged":
        attacker.cookies["device"] = "WzEsICJ4Il0:1abc:forged"
    for _ in range(5):
        attempt(attacker)
    assert "Too many" in attempt(attacker, PASSWORD)


def test_successful_sign_ins_do_not_count() -> None:
    for _ in range(12):
        assert attempt(client_at(HOME), PASSWORD) == ""


def test_device_cookie_is_http_only_and_does_not_sign_in() -> None:
    mine = client_at(OFFICE)
    attempt(mine, PASSWORD)
    cookie = mine.cookies["device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    only = Client()
    only.cookies["device"] = cookie.value
    assert only.get("/account/profile/").status_code == 302


def test_failed_sign_ins_are_logged_without_typed_text(
    person: User, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    caplog.set_level(logging.INFO, "vitrine.security")
    client = client_at(ATTACKER)
    attempt(client, "hunter2-secret")
    attempt(client, PASSWORD, "hunter2-secret@example.com")
    for _ in range(5):
        attempt(client, "hunter2-secret")
    attempt(client_at(HOME), PASSWORD)
    lines = [record.getMessage() for record in caplog.records if record.name == "vitrine.security"]
    assert lines[0] == f"sign_in_failed user={person.pk} address={ATTACKER} reason=password"
    assert lines[1] == f"sign_in_failed user=- address={ATTACKER} reason=unknown_account"
    assert lines[-2] == f"sign_in_blocked user={person.pk} address={ATTACKER}"
    assert lines[-1] == f"signed_in user={person.pk} address={HOME}"
    assert not any("hunter2" in line or PASSWORD in line for line in lines)
