"""Session limits and the caching of account pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from storefront.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-one"
START = datetime(2030, 1, 1, tzinfo=UTC)


def signed_in(user: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/profile/").status_code == 200


def person(**details: Any) -> User:
    return factories.customer(password=PASSWORD, **details)


@pytest.mark.parametrize(("is_staff", "hours"), [(False, 14 * 24), (True, 8)])
def test_idle_session_expires(is_staff: bool, hours: int) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in(person(is_staff=is_staff))
        clock.shift(timedelta(hours=hours - 1))
        assert is_signed_in(client)
        clock.shift(timedelta(hours=hours - 1))
        assert is_signed_in(client)
        clock.shift(timedelta(hours=hours, minutes=1))
        assert not is_signed_in(client)
        assert not Session.objects.filter(session_key=client.session.session_key, expire_date__gt=START).exists()


@pytest.mark.parametrize(("is_staff", "step", "most"), [(False, 24 * 10, 24 * 90), (True, 6, 24)])
def test_session_expires_after_its_absolute_limit(is_staff: bool, step: int, most: int) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in(person(is_staff=is_staff))
        for _ in range(most // step):
            clock.shift(timedelta(hours=step))
            assert is_signed_in(client)
        clock.shift(timedelta(hours=1))
        assert not is_signed_in(client)


def test_session_limits_are_configurable(settings: Any) -> None:
    settings.STAFF_SESSION_LIMITS = {"idle": 600, "absolute": 3600}
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in(person(is_staff=True))
        clock.shift(timedelta(minutes=11))
        assert not is_signed_in(client)


def test_staff_limits_apply_as_soon_as_a_customer_becomes_staff() -> None:
    user = person()
    with time_machine.travel(START, tick=False) as clock:
        client = signed_in(user)
        User.objects.filter(pk=user.pk).update(is_staff=True)
        clock.shift(timedelta(hours=9))
        assert not is_signed_in(client)


@pytest.mark.parametrize(
    "address",
    [
        "/account/second-factor/recovery-codes/", "/account/second-factor/totp/activate/", "/account/profile/",
        "/account/keys/", "/account/second-factor/recovery-codes/download/",
    ],
)  # fmt: skip
def test_account_pages_are_not_cached(address: str) -> None:
    client = signed_in(person())
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    cache_control = client.get(address, follow=True).headers["Cache-Control"]
    assert "no-store" in cache_control
    assert "no-store" in client.get(address).headers["Cache-Control"]
