"""Announcements, price changes, new services and info pages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import PriceChange, Service
from storefront.accounts.models import User
from storefront.demo import content
from storefront.support import price_updates, site_notices
from storefront.support.models import Announcement, InfoPage, PageText
from tests import factories
from tests.storefront.shop.forms import text_of

pytestmark = pytest.mark.django_db


def announce(title: str = "Down on Sunday", **details: Any) -> Announcement:
    made = Announcement.objects.create(title=title, **details)
    site_notices.clear_cache()
    return made


def change_price(service: Service, old: str, new: str) -> PriceChange:
    return PriceChange.objects.create(service=service, old_rate=Decimal(old), new_rate=Decimal(new))


# ------------------------------------------------------------------------------------------------ announcements


def test_a_pinned_announcement_is_on_every_page_until_dismissed(client: Client) -> None:
    one, other = announce(is_pinned=True, text="x"), announce("Second", is_pinned=True)
    for address in ("/", "/services/", "/nothing-here/"):
        assert "Down on Sunday" in text_of(client.get(address))
    answer = client.post(f"/updates/{one.pk}/dismiss/", {"next": "/services/?q=a"})
    assert answer.headers["Location"] == "/services/?q=a"
    assert answer.cookies[site_notices.COOKIE]["httponly"]
    text = text_of(client.get("/services/"))
    assert "Down on Sunday" not in text
    assert "Second" in text
    assert "Down on Sunday" in text_of(client.get("/updates/"))
    client.post(f"/updates/{other.pk}/dismiss/")
    assert "Second" not in text_of(client.get("/services/"))


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_dismissing_redirects_only_within_the_shop(target: str, client: Client) -> None:
    assert client.post("/updates/1/dismiss/", {"next": target}).headers["Location"] == "/updates/"


@pytest.mark.parametrize("cookie", ["x", "1.x.²", "9" * 500, "." * 999, "<script>"])
def test_an_invalid_cookie_is_ignored(cookie: str, client: Client) -> None:
    one = announce(is_pinned=True)
    client.cookies[site_notices.COOKIE] = cookie
    assert client.get("/").status_code == 200
    assert client.post(f"/updates/{one.pk}/dismiss/").status_code == 302
    assert "Down on Sunday" not in text_of(client.get("/"))


def test_an_announcement_is_shown_between_start_and_end(client: Client) -> None:
    now, hour = timezone.now(), timedelta(hours=1)
    announce("To come", is_pinned=True, starts_at=now + hour)
    announce("Over", is_pinned=True, starts_at=now - 2 * hour, ends_at=now - hour)
    announce("Is on", is_pinned=True, starts_at=now - hour, ends_at=now + hour)
    bar = text_of(client.get("/"))
    assert ("To come" in bar, "Over" in bar, "Is on" in bar) == (False, False, True)
    page = text_of(client.get("/updates/"))
    assert ("To come" in page, "Over" in page, "Is on" in page) == (False, True, True)


def test_site_notices_need_no_query_on_later_pages(client: Client, django_assert_num_queries: Any) -> None:
    for number in range(30):
        announce(f"a{number}", is_pinned=True)
        InfoPage.objects.create(slug=f"p{number}", title=f"p{number}", text="x", is_published=True)
    site_notices.clear_cache()
    with django_assert_num_queries(5):  # twice what is around; then the landing page itself
        first = client.get("/style/")
        client.get("/")
    assert text_of(first).count('class="notice"') == site_notices.MAX_PINNED


# ------------------------------------------------------------------------------------------------ prices and services


def test_price_changes_show_both_prices_and_the_percentage(client: Client) -> None:
    change_price(factories.service(name="Cheap"), "2", "1.5")
    change_price(factories.service(name="Dear"), "1", "1.005")
    change_price(factories.service(name="Free before"), "0", "1")
    change_price(factories.service(name="Gone", is_active=False), "1", "2")
    text = text_of(client.get("/updates/?show=prices"))
    for part in ("25% lower", "0.5% higher", "$2.00", "$1.50", "Free before"):
        assert part in text
    assert "Gone" not in text


def test_price_changes_can_be_limited_to_ordered_services(page: Client, nadia: User, client: Client) -> None:
    ordered = factories.service(name="Mine")
    factories.order(nadia, ordered)
    change_price(ordered, "1", "2")
    change_price(factories.service(name="Not mine"), "1", "2")
    text = text_of(page.get("/updates/?show=prices&own=1"))
    assert "Mine" in text
    assert "Not mine" not in text
    assert "Not mine" in text_of(client.get("/updates/?show=prices&own=1"))


def test_new_services_are_active_and_newest_first(client: Client) -> None:
    factories.service(name="Older one")
    factories.service(name="Newer one")
    factories.service(name="Off sale", is_active=False)
    text = text_of(client.get("/updates/?show=services"))
    assert text.index("Newer one") < text.index("Older one")
    assert "Off sale" not in text


@pytest.mark.parametrize("show", ["", "prices", "services"])
@pytest.mark.parametrize("count", [5, 500])
def test_updates_need_the_same_queries_for_any_number_of_rows(
    show: str, count: int, client: Client, django_assert_num_queries: Any
) -> None:
    category = factories.category()
    services = [factories.service(category=category) for _ in range(5)]
    PriceChange.objects.bulk_create(
        PriceChange(service=services[n % 5], old_rate=Decimal(1), new_rate=Decimal(2)) for n in range(count)
    )
    Announcement.objects.bulk_create(Announcement(title=f"a{n}") for n in range(count))
    client.get("/")
    with django_assert_num_queries(1):
        assert client.get(f"/updates/?show={show}").status_code == 200


def test_older_announcements_are_on_the_next_page(client: Client) -> None:
    Announcement.objects.bulk_create(Announcement(title=f"a{n}") for n in range(price_updates.PAGE_SIZE + 1))
    assert 'rel="next"' in text_of(client.get("/updates/"))


# ------------------------------------------------------------------------------------------------ pages


def test_an_info_page_falls_back_to_the_default_language(client: Client) -> None:
    page = InfoPage.objects.create(slug="terms", title="Terms", text="# One\nTwo", is_published=True)
    PageText.objects.create(page=page, language="ru", title="Условия", text="Три")
    russian = text_of(client.get("/pages/terms/", headers={"accept-language": "ru"}))
    assert "Три" in russian
    assert ">Условия</a>" in russian
    turkish = text_of(client.get("/pages/terms/", headers={"accept-language": "tr"}))
    assert "<h2>One</h2>" in turkish
    assert ">Terms</a>" in turkish


def test_only_published_pages_are_shown(client: Client) -> None:
    InfoPage.objects.create(slug="draft", title="Draft page", text="x")
    assert client.get("/pages/draft/").status_code == 404
    assert client.get("/pages/none/").status_code == 404
    assert "Draft page" not in text_of(client.get("/"))


def test_text_from_the_back_office_is_escaped(client: Client, desk: Client) -> None:
    evil = "<script>alert(1)</script>"
    desk.post(
        "/admin/support/infopage/add/",
        {
            "title": evil, "slug": "evil", "text": f"# {evil}\n- {evil}", "position": "0", "is_published": "on",
            "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0",
        },
    )  # fmt: skip
    announce(evil, text=evil, is_pinned=True)
    change_price(factories.service(name=evil), "1", "2")
    for address in ("/pages/evil/", "/updates/", "/updates/?show=prices", "/updates/?show=services"):
        source = client.get(address).content.decode()
        assert "<script>alert" not in source
        assert "&lt;script&gt;" in source


def test_a_change_in_the_back_office_is_shown_immediately(
    client: Client, desk: Client, django_capture_on_commit_callbacks: Any
) -> None:
    page = InfoPage.objects.create(slug="terms", title="Terms", text="x", is_published=True)
    assert ">Terms</a>" in text_of(client.get("/"))
    data = {
        "title": "Rules", "slug": "terms", "text": "x", "position": "0", "is_published": "on",
        "texts-TOTAL_FORMS": "0", "texts-INITIAL_FORMS": "0",
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.post(f"/admin/support/infopage/{page.pk}/change/", data).status_code == 302
    assert ">Rules</a>" in text_of(client.get("/"))
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(f"/admin/support/infopage/{page.pk}/delete/", {"post": "yes"})
    assert ">Rules</a>" not in text_of(client.get("/"))


def test_an_announcement_cannot_end_before_it_starts(desk: Client) -> None:
    data = {
        "title": "x", "kind": "news", "starts_at_0": "2026-11-21", "starts_at_1": "10:00",
        "ends_at_0": "2026-11-20", "ends_at_1": "10:00",
    }  # fmt: skip
    assert "The end must be after the start." in text_of(desk.post("/admin/support/announcement/add/", data))
    assert not Announcement.objects.exists()


def test_the_demos_info_pages_render_completely(client: Client) -> None:
    for slug, title, text in content.PAGES:
        InfoPage.objects.create(slug=slug, title=title, text=text, is_published=True)
        shown = text_of(client.get(f"/pages/{slug}/"))
        assert "<h2>" in shown
        assert "<ul>" in shown
        assert "# " not in shown.partition("<article")[2].partition("</article>")[0]
