"""Favorites: adding and removing them with and without JavaScript, and the list of favorites."""

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


def test_adding_and_removing_a_favorite_can_be_repeated(page: Client, nadia: User) -> None:
    service = factories.service()
    star(page, service.pk)
    star(page, service.pk)
    assert Favorite.objects.get().user == nadia, "a double click adds one favorite"
    star(page, service.pk, is_on=False)
    star(page, service.pk, is_on=False)
    assert not Favorite.objects.exists()


def test_without_javascript_the_customer_returns_to_the_same_page(page: Client) -> None:
    service = factories.service()
    response = star(page, service.pk, data={"next": "/services/?q=lamps&page=2"})
    assert response.headers["Location"] == "/services/?q=lamps&page=2"


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "\x00"])
def test_the_redirect_never_leads_to_another_site(there: str, page: Client) -> None:
    service = factories.service()
    assert star(page, service.pk, data={"next": there}).headers["Location"] == f"/services/{service.pk}/"


def test_with_javascript_only_the_star_is_replaced(page: Client) -> None:
    service = factories.service(name="Lamps <b>")
    text = star(page, service.pk, headers=HTMX).content.decode()
    assert 'aria-pressed="true"' in text
    assert 'value="0"' in text, "the next click removes it"
    assert "Favorite: Lamps &lt;b&gt;" in text
    assert "<html" not in text
    assert 'aria-pressed="false"' in star(page, service.pk, is_on=False, headers=HTMX).content.decode()


def test_favorites_require_signing_in(client: Client) -> None:
    service = factories.service()
    assert "star" not in client.get("/services/").content.decode().replace("start", "")
    assert star(client, service.pk).headers["Location"].startswith("/account/login/")
    assert star(client, service.pk, headers=HTMX).headers["HX-Refresh"] == "true"
    assert not Favorite.objects.exists()


def test_favorites_require_post_and_a_csrf_token(page: Client, nadia: User) -> None:
    service = factories.service()
    assert page.get(f"/services/{service.pk}/star/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(nadia)
    assert star(strict, service.pk).status_code == 403
    assert not Favorite.objects.exists()


def test_services_off_sale_cannot_become_favorites(page: Client) -> None:
    gone = factories.service(is_active=False)
    assert star(page, gone.pk).status_code == 404
    assert star(page, 10**17).status_code == 404


def test_the_filter_shows_only_the_customers_own_favorites(page: Client, client: Client) -> None:
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


def test_an_empty_list_explains_how_to_add_favorites(page: Client) -> None:
    factories.service()
    assert "Services you star appear here" in text_of(page.get("/services/?favorites=1"))


def test_visitors_cannot_filter_by_favorites(client: Client) -> None:
    factories.service(name="Everybody sees it")
    assert "Everybody sees it" in text_of(client.get("/services/?favorites=1"))
