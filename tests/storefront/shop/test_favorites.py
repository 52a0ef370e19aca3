"""The star on a service: given and taken with and without scripts, and the list of what has one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from storefront.accounts.models import User
from storefront.shop.models import Favorite
from tests import factories
from tests.storefront.shop.forms import text_of

HTMX = {"hx-request": "true"}


def star(client: Client, pk: int, is_on: bool = True, **options: Any) -> Any:
    data = {"star": "1" if is_on else "0", **options.pop("data", {})}
    return client.post(f"/services/{pk}/star/", data, **options)


def test_a_star_is_given_once_and_taken_once(page: Client, nadia: User) -> None:
    service = factories.service()
    star(page, service.pk)
    star(page, service.pk)
    assert Favorite.objects.get().user == nadia, "a double click gives one star"
    star(page, service.pk, is_on=False)
    star(page, service.pk, is_on=False)
    assert not Favorite.objects.exists()


def test_without_scripts_one_comes_back_to_the_page_one_was_on(page: Client) -> None:
    service = factories.service()
    response = star(page, service.pk, data={"next": "/services/?q=lamps&page=2"})
    assert response.headers["Location"] == "/services/?q=lamps&page=2"


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "\x00"])
def test_nobody_is_sent_to_another_site(there: str, page: Client) -> None:
    service = factories.service()
    assert star(page, service.pk, data={"next": there}).headers["Location"] == f"/services/{service.pk}/"


def test_with_scripts_the_star_alone_is_drawn_anew(page: Client) -> None:
    service = factories.service(name="Lamps <b>")
    text = star(page, service.pk, headers=HTMX).content.decode()
    assert 'aria-pressed="true"' in text
    assert 'value="0"' in text, "the next press takes it"
    assert "Favorite: Lamps &lt;b&gt;" in text
    assert "<html" not in text
    assert 'aria-pressed="false"' in star(page, service.pk, is_on=False, headers=HTMX).content.decode()


def test_a_star_needs_somebody_who_is_signed_in(client: Client) -> None:
    service = factories.service()
    assert "star" not in client.get("/services/").content.decode().replace("start", "")
    assert star(client, service.pk).headers["Location"].startswith("/account/login/")
    assert star(client, service.pk, headers=HTMX).headers["HX-Refresh"] == "true"
    assert not Favorite.objects.exists()


def test_a_star_is_given_by_posting_only(page: Client, nadia: User) -> None:
    service = factories.service()
    assert page.get(f"/services/{service.pk}/star/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert star(strict, service.pk).status_code == 403
    assert not Favorite.objects.exists()


def test_what_is_not_on_sale_gets_no_star(page: Client) -> None:
    gone = factories.service(is_active=False)
    assert star(page, gone.pk).status_code == 404
    assert star(page, 10**17).status_code == 404


def test_the_filter_shows_ones_own_favorites_and_nobody_elses(page: Client, client: Client) -> None:
    mine, other = factories.service(name="Mine"), factories.service(name="Theirs")
    star(page, mine.pk)
    client.force_login(factories.customer())
    star(client, other.pk)
    text = text_of(page.get("/services/?favorites=1"))
    assert "Mine" in text
    assert "Theirs" not in text
    assert "1 filter" not in text
    assert text_of(page.get("/services/")).count('aria-pressed="true"') == 1
    assert 'aria-pressed="true"' in text_of(page.get(f"/services/{mine.pk}/"))
    assert 'aria-pressed="true"' not in text_of(page.get(f"/services/{other.pk}/"))


def test_no_favorites_yet_says_how_to_get_some(page: Client) -> None:
    factories.service()
    assert "Services you star appear here" in text_of(page.get("/services/?favorites=1"))


def test_a_visitors_filter_for_favorites_is_no_filter(client: Client) -> None:
    factories.service(name="Everybody sees it")
    assert "Everybody sees it" in text_of(client.get("/services/?favorites=1"))
