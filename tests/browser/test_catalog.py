"""Live search and favorites of the catalog in a real browser, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from storefront.shop.models import Favorite
from tests import factories
from tests.browser.test_shop import EMAIL, PASSWORD, sign_in


@pytest.fixture
def services(shop: str) -> None:
    customer = factories.customer(email=EMAIL)
    customer.set_password(PASSWORD)
    customer.save()
    category = factories.category("Photo")
    for number in range(30):
        factories.service(name=f"Photo likes {number}", category=category)
    factories.service(name="Harp lessons", description="With strings")


@pytest.mark.usefixtures("services")
def test_live_search_updates_the_results_without_moving_them(visit: Callable[..., Page]) -> None:
    page = visit(viewport={"width": 1440, "height": 900})
    page.goto("/services/")
    search, found = page.get_by_placeholder("Service name or ID"), page.locator("#results")
    before = found.bounding_box()
    search.press_sequentially("strings", delay=30)
    expect(found.locator("a.name")).to_have_count(1)
    expect(found).to_contain_text("Harp lessons")
    expect(page.locator("#categories")).not_to_contain_text("Photo")
    expect(page.locator("#results-count")).to_have_text("1 service found")
    expect(search).to_be_focused()
    after = found.bounding_box()
    assert before is not None
    assert after is not None
    assert (before["x"], before["y"], before["width"]) == (after["x"], after["y"], after["width"])
    page.get_by_role("link", name="Harp lessons", exact=True).click()
    expect(page.locator("h1")).to_have_text("Harp lessons")
    page.go_back()
    expect(search).to_have_value("strings")
    expect(found.locator("a.name")).to_have_count(1)


@pytest.mark.usefixtures("services")
def test_a_favorite_is_added_and_removed_without_reloading(visit: Callable[..., Page]) -> None:
    page = visit()
    sign_in(page)
    page.goto("/services/?q=harp")
    star = page.get_by_role("button", name="Favorite: Harp lessons")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    assert Favorite.objects.count() == 1
    page.get_by_placeholder("Service name or ID").fill("")
    page.get_by_label("Favorites").check()
    expect(page.locator("#results a.name")).to_have_text(["Harp lessons"])
    # Wait for the last response, which sets the address: an earlier one would show the star's old state.
    expect(page).to_have_url(re.compile(r"/services/\?favorites=1$"))
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    assert Favorite.objects.count() == 0


@pytest.mark.usefixtures("services")
def test_favorites_and_search_work_without_javascript(visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    sign_in(page)
    page.goto("/services/")
    page.get_by_placeholder("Service name or ID").fill("strings")
    page.get_by_role("button", name="Apply").click()
    star = page.get_by_role("button", name="Favorite: Harp lessons")
    star.click()
    expect(page).to_have_url(re.compile("q=strings"))
    expect(star).to_have_attribute("aria-pressed", "true")
    assert Favorite.objects.count() == 1
