"""The profile page: name, language and time zone."""

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


def test_profile_is_saved(page: Client, nadia: User) -> None:
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


def test_account_language_overrides_the_browser(page: Client, nadia: User) -> None:
    assert '<html lang="tr"' in text_of(page.get("/services/", headers={"Accept-Language": "tr"}))
    User.objects.filter(pk=nadia.pk).update(language="ar")
    assert '<html lang="ar" dir="rtl"' in text_of(page.get("/services/", headers={"Accept-Language": "tr"}))
    # The next visitor of the same thread is someone else.
    assert '<html lang="en"' in text_of(Client().get("/services/"))


def test_times_use_the_account_time_zone(page: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    User.objects.filter(pk=nadia.pk).update(time_zone="Asia/Tokyo")
    assert "+09:00" in text_of(page.get(f"/account/keys/{key.pk}/revoke/"))
    assert timezone.get_current_timezone_name() == "UTC"


def test_unknown_time_zone_falls_back_to_the_shop(page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(time_zone="Mars/Olympus", language="xx")
    assert page.get(PROFILE).status_code == 200


@pytest.mark.django_db
def test_account_page_redirects_to_profile_or_sign_in(client: Client) -> None:
    assert client.get("/account/").headers["Location"] == PROFILE
    assert client.get(PROFILE).headers["Location"].startswith("/account/login/")
    factories.user()
