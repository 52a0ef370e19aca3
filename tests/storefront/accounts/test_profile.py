"""Who a person is, and the language and time they read in."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from storefront.accounts.models import ApiKey, User
from tests import factories

PROFILE = "/account/profile/"


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def test_a_profile_is_kept(page: Client, nadia: User) -> None:
    data = {"name": "Nadia", "language": "tr", "time_zone": "Asia/Tokyo", "is_staff": "on", "email": "x@example.com"}
    assert page.post(PROFILE, data).headers["Location"] == PROFILE
    nadia.refresh_from_db()
    assert (nadia.name, nadia.language, nadia.time_zone) == ("Nadia", "tr", "Asia/Tokyo")
    assert (nadia.is_staff, nadia.email) == (False, User.objects.get().email)


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../etc/passwd"}])
def test_an_unknown_language_or_zone_is_refused(wrong: dict[str, str], page: Client, nadia: User) -> None:
    assert page.post(PROFILE, {"name": "Nadia", **wrong}).status_code == 200
    nadia.refresh_from_db()
    assert (nadia.name, nadia.language, nadia.time_zone) == ("", "", "")


def test_pages_are_in_the_persons_language_whatever_the_browser_asks(page: Client, nadia: User) -> None:
    assert '<html lang="tr"' in text_of(page.get("/services/", headers={"Accept-Language": "tr"}))
    User.objects.filter(pk=nadia.pk).update(language="ar")
    assert '<html lang="ar" dir="rtl"' in text_of(page.get("/services/", headers={"Accept-Language": "tr"}))
    # The next visitor of the same thread is somebody else.
    assert '<html lang="en"' in text_of(Client().get("/services/"))


def test_times_are_the_persons(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    User.objects.filter(pk=nadia.pk).update(time_zone="Asia/Tokyo")
    assert "+09:00" in text_of(page.get(f"/account/keys/{key.pk}/revoke/"))
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_zone_this_machine_does_not_know_harms_nobody(page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(time_zone="Mars/Olympus", language="xx")
    assert page.get(PROFILE).status_code == 200


@pytest.mark.django_db
def test_the_account_leads_to_the_profile_and_strangers_to_the_log_in(client: Client) -> None:
    assert client.get("/account/").headers["Location"] == PROFILE
    assert client.get(PROFILE).headers["Location"].startswith("/account/login/")
    factories.user()
