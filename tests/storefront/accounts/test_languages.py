"""The language switch in the footer, stored in the browser and with the account."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.views import defaults

from storefront.accounts.models import User
from storefront.web import maintenance

CHOOSE = "/language/"
NAMES = {"en": "English", "ru": "Русский", "tr": "Türkçe", "ar": "العربيّة"}


@pytest.fixture
def visitor(db: None) -> Client:
    return Client()


def text_of(answer: HttpResponse) -> str:
    return unescape(answer.content.decode())


def choices(text: str) -> dict[str, tuple[str, bool]]:
    """Return the label of each button and whether it is marked as current, by language code."""
    form = text.partition(f'action="{CHOOSE}"')[2].partition("</form>")[0]
    found = re.findall(r'<button name="language" value="(\w+)" lang="\1" (aria-current="true")?><bdi>(.*?)</bdi>', form)
    return {code: (name, bool(mark)) for code, mark, name in found}


@pytest.mark.parametrize("path", ["/", "/services/", "/account/login/", "/account/signup/", "/api/", "/nothing/here/"])
def test_every_page_lists_all_languages_by_their_native_names(path: str, visitor: Client) -> None:
    offered = choices(text_of(visitor.get(path, follow=True)))
    assert {code: name for code, (name, _is_current) in offered.items()} == NAMES
    assert [code for code, (_name, is_current) in offered.items() if is_current] == ["en"]


def test_visitor_chooses_a_language_and_returns_to_the_page(visitor: Client) -> None:
    page = text_of(visitor.get("/services/?q=lamp&sort=price"))
    back = re.search(r'name="next" value="([^"]*)"', page)
    assert back
    answer = visitor.post(CHOOSE, {"language": "ar", "next": back[1]})
    assert answer.headers["Location"] == "/services/?q=lamp&sort=price"
    cookie = answer.cookies[shop_settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["samesite"], bool(cookie["httponly"])) == ("ar", "Lax", True)
    assert cookie["max-age"] > 86_400 * 300
    text = text_of(visitor.get("/services/", headers={"Accept-Language": "tr"}))
    assert '<html lang="ar" dir="rtl"' in text
    assert choices(text)["ar"] == (NAMES["ar"], True)
    assert not choices(text)["en"][1]


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example/x", "/\\evil.example", "javascript:alert(1)"]
)
def test_language_switch_does_not_redirect_to_other_sites(place: str, visitor: Client) -> None:
    for headers in ({}, {"Referer": place}):
        answer = visitor.post(CHOOSE, {"language": "tr", "next": place}, headers=headers)
        assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("language", ["xx", "", "../en", "en\r\nSet-Cookie: a=b"])
def test_an_unknown_language_changes_nothing(language: str, page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(language="tr")
    answer = page.post(CHOOSE, {"language": language, "next": "/services/"})
    assert answer.headers["Location"] == "/services/"
    assert shop_settings.LANGUAGE_COOKIE_NAME not in answer.cookies
    nadia.refresh_from_db()
    assert nadia.language == "tr"


def test_account_remembers_the_language(page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(language="tr")
    page.post(CHOOSE, {"language": "ru", "next": "/services/"})
    nadia.refresh_from_db()
    assert nadia.language == "ru"
    assert '<html lang="ru"' in text_of(page.get("/services/"))
    # In another browser as well, which has no cookie.
    other = Client()
    other.force_login(nadia)
    assert '<html lang="ru"' in text_of(other.get("/services/"))


def test_visitor_choice_changes_no_account(visitor: Client, nadia: User) -> None:
    visitor.post(CHOOSE, {"language": "ru", "next": "/"})
    nadia.refresh_from_db()
    assert nadia.language == ""


def test_language_changes_only_by_post_with_csrf_token(nadia: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert strict.get(f"{CHOOSE}?language=ru").status_code == 405
    assert strict.post(CHOOSE, {"language": "ru"}).status_code == 403
    nadia.refresh_from_db()
    assert nadia.language == ""


def test_language_form_works_without_javascript(db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    form = text_of(strict.get("/services/")).partition(f'action="{CHOOSE}"')[2].partition("</form>")[0]
    data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.partition("<button")[0]))
    assert strict.post(CHOOSE, {**data, "language": "tr"}).headers["Location"] == "/services/"


def test_error_pages_offer_the_language_switch_if_they_have_a_request(rf: RequestFactory) -> None:
    request: HttpRequest = rf.get("/somewhere/?a=1")
    text = defaults.permission_denied(request, PermissionError()).content.decode()
    assert {code: name for code, (name, _mark) in choices(text).items()} == NAMES
    assert 'name="next" value="/somewhere/?a=1"' in text
    # Without a request, as for a server error, there is no token; a button that is refused would help nobody.
    assert CHOOSE not in render_to_string("500.html")


def test_language_can_be_chosen_during_maintenance(visitor: Client, settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    maintenance.flag().touch()
    closed = visitor.get("/services/")
    assert (closed.status_code, set(choices(text_of(closed)))) == (503, set(NAMES))
    assert visitor.post(CHOOSE, {"language": "tr", "next": "/services/"}).status_code == 302
    assert '<html lang="tr"' in text_of(visitor.get("/services/"))
