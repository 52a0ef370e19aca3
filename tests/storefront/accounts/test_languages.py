"""The language is chosen in the foot of every page, by a form: a visitor's browser keeps it, and so does an account."""

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
    """By code: the name on the button, and whether it is marked as the current one."""
    form = text.partition(f'action="{CHOOSE}"')[2].partition("</form>")[0]
    found = re.findall(r'<button name="language" value="(\w+)" lang="\1" (aria-current="true")?><bdi>(.*?)</bdi>', form)
    return {code: (name, bool(mark)) for code, mark, name in found}


@pytest.mark.parametrize("path", ["/", "/services/", "/account/login/", "/account/signup/", "/api/", "/nothing/here/"])
def test_every_page_offers_every_language_in_its_own_name(path: str, visitor: Client) -> None:
    offered = choices(text_of(visitor.get(path, follow=True)))
    assert {code: name for code, (name, _is_current) in offered.items()} == NAMES
    assert [code for code, (_name, is_current) in offered.items() if is_current] == ["en"]


def test_a_visitor_chooses_and_is_back_on_the_page(visitor: Client) -> None:
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
def test_it_leads_to_no_other_site(place: str, visitor: Client) -> None:
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


def test_an_account_remembers_it(page: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(language="tr")
    page.post(CHOOSE, {"language": "ru", "next": "/services/"})
    nadia.refresh_from_db()
    assert nadia.language == "ru"
    assert '<html lang="ru"' in text_of(page.get("/services/"))
    # In another browser as well, which has no cookie.
    other = Client()
    other.force_login(nadia)
    assert '<html lang="ru"' in text_of(other.get("/services/"))


def test_a_visitor_changes_nobodys_account(visitor: Client, nadia: User) -> None:
    visitor.post(CHOOSE, {"language": "ru", "next": "/"})
    nadia.refresh_from_db()
    assert nadia.language == ""


def test_neither_a_link_nor_a_form_of_another_site_changes_it(nadia: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert strict.get(f"{CHOOSE}?language=ru").status_code == 405
    assert strict.post(CHOOSE, {"language": "ru"}).status_code == 403
    nadia.refresh_from_db()
    assert nadia.language == ""


def test_the_form_works_without_a_script_with_the_token_it_carries(db: None) -> None:
    strict = Client(enforce_csrf_checks=True)
    form = text_of(strict.get("/services/")).partition(f'action="{CHOOSE}"')[2].partition("</form>")[0]
    data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.partition("<button")[0]))
    assert strict.post(CHOOSE, {**data, "language": "tr"}).headers["Location"] == "/services/"


def test_errors_offer_it_too_where_a_form_can_be_sent(rf: RequestFactory) -> None:
    request: HttpRequest = rf.get("/somewhere/?a=1")
    text = defaults.permission_denied(request, PermissionError()).content.decode()
    assert {code: name for code, (name, _mark) in choices(text).items()} == NAMES
    assert 'name="next" value="/somewhere/?a=1"' in text
    # Without a request, as for a server error, there is no token; a button that is refused would help nobody.
    assert CHOOSE not in render_to_string("500.html")


def test_it_can_be_chosen_while_the_shop_is_closed(visitor: Client, settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    maintenance.flag().touch()
    closed = visitor.get("/services/")
    assert (closed.status_code, set(choices(text_of(closed)))) == (503, set(NAMES))
    assert visitor.post(CHOOSE, {"language": "tr", "next": "/services/"}).status_code == 302
    assert '<html lang="tr"' in text_of(visitor.get("/services/"))
