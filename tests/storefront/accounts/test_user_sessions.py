"""The list of a user's sessions."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from storefront.accounts import user_agents
from storefront.accounts.models import User
from tests import factories

PASSWORD = "a-long-enough-one"
LIST = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def person(db: None) -> User:
    return factories.customer(email="nadia@example.com", password=PASSWORD)


def browser(user: User, agent: str = FIREFOX, address: str = "203.0.113.7") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"User-Agent": agent})
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/profile/").status_code == 200


def test_sessions_are_listed_with_browser_and_address(person: User) -> None:
    browser(person, IPHONE, "198.51.100.20")
    text = text_of(browser(person).get(LIST))
    for expected in ("Firefox, Windows", "203.0.113.7", "This session", "Safari, iPhone", "198.51.100.20"):
        assert expected in text


def test_another_session_can_be_ended(person: User) -> None:
    phone, desk, tablet = browser(person, IPHONE), browser(person), browser(person, "curl/8")
    row = UserSession.objects.get(session_key=phone.session.session_key)
    assert desk.post(f"{LIST}{row.pk}/end/").headers["Location"] == LIST
    assert [is_signed_in(client) for client in (phone, desk, tablet)] == [False, True, True]


def test_all_other_sessions_can_be_ended(person: User) -> None:
    others = [browser(person) for _ in range(3)]
    here = browser(person)
    assert "3 other sessions ended" in text_of(here.post(f"{LIST}end/", follow=True))
    assert [is_signed_in(client) for client in (*others, here)] == [False, False, False, True]
    assert UserSession.objects.count() == 1


def test_sessions_of_other_users_cannot_be_ended(person: User) -> None:
    stranger = factories.customer(email="omar@example.com", password=PASSWORD)
    theirs, mine = browser(stranger), browser(person)
    row = UserSession.objects.get(user=stranger)
    assert mine.post(f"{LIST}{row.pk}/end/").status_code == 404
    mine.post(f"{LIST}end/")
    assert is_signed_in(theirs)


@pytest.mark.parametrize("what", ["1/end/", "end/"])
def test_get_ends_no_session(what: str, person: User) -> None:
    assert browser(person).get(f"{LIST}{what}").status_code == 405


def test_expired_sessions_are_not_listed(person: User) -> None:
    browser(person, IPHONE)
    gone = browser(person, "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36")
    Session.objects.filter(session_key=gone.session.session_key).update(expire_date=timezone.now() - timedelta(1))
    person.set_password("another-long-one")
    person.save()
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/account/login/", {"login": person.email, "password": "another-long-one"})
    text = text_of(client.get(LIST))
    assert "Firefox" in text
    assert "iPhone" not in text
    assert "Linux" not in text


def test_last_activity_is_updated_at_intervals(person: User) -> None:
    client = browser(person)
    first = UserSession.objects.get().last_seen_at
    client.get("/wallet/")
    assert UserSession.objects.get().last_seen_at == first
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        client.get("/wallet/", REMOTE_ADDR="198.51.100.9")
        seen = UserSession.objects.get()
    assert (seen.last_seen_at > first, seen.ip) == (True, "198.51.100.9")


def test_number_of_queries_does_not_depend_on_rows(person: User, django_assert_max_num_queries: Any) -> None:
    for _ in range(8):
        browser(person)
    here = browser(person)
    # Queries: the session, the user, the list, its sessions, and the balance in the page header.
    with django_assert_max_num_queries(5):
        here.get(LIST)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Windows"),
        (IPHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.9", ""),
        ("", ""),
    ],
)
def test_browser_name_from_user_agent(agent: str, name: str) -> None:
    assert user_agents.browser_name(agent) == name
