"""The API reference in a real browser: the key is sent only to the API, and its form makes real calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from orders.models import Order
from tests import factories
from tests.browser.test_shop import overflow_width
from tests.storefront.api.reseller import Reseller, reseller


@pytest.fixture
def caller(transactional_db: None) -> Reseller:
    return reseller()


def test_a_test_call_is_answered_and_the_key_is_sent_nowhere_else(visit: Callable[..., Page], caller: Reseller) -> None:
    factories.service()
    page, sent = visit(), []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "", request.all_headers())))
    page.goto("/api/")
    page.evaluate("document.cookie = 'visited=yes'")
    page.get_by_label("Your API key, for the examples").fill(caller.key)
    expect(page.locator("#balance-curl")).to_contain_text(f"key={caller.key}")
    assert "YOUR_KEY" not in page.locator("#add-python").text_content()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-told]")).to_have_text("HTTP 200")
    expect(page.locator("[data-took]")).to_contain_text("ms")
    expect(page.locator("[data-answer]")).to_have_text('{\n  "balance": "100.84292",\n  "currency": "USD"\n}')

    with_key = [url for url, body, headers in sent if caller.key in f"{url} {body} {headers}"]
    assert with_key == [page.url.split("/api/")[0] + "/api/v2"]
    assert "cookie" not in next(headers for url, _body, headers in sent if url.endswith("/api/v2"))
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert caller.key not in kept
    page.reload()
    expect(page.locator("#balance-curl")).to_contain_text("YOUR_KEY")
    expect(page.get_by_label("Your API key, for the examples")).to_have_value("")


def test_a_test_order_sends_only_the_inputs_of_its_type(visit: Callable[..., Page], caller: Reseller) -> None:
    factories.service()
    poll = factories.service("poll")
    page, bodies = visit(), []
    page.on("request", lambda request: bodies.append(parse_qs(request.post_data)) if request.post_data else None)
    page.goto("/api/")
    page.locator("#try-key").fill(caller.key)
    choose_action(page, "status")
    page.locator("#try-order").fill("7")
    expect(page.locator("#try-service")).to_be_hidden()
    choose_action(page, "add")
    expect(page.get_by_text("This places a real order")).to_be_visible()
    expect(page.locator("#try-answer_number")).to_be_hidden()
    page.locator("#try-runs").fill("5")
    page.get_by_label("Service type").select_option("Poll")
    page.locator("#try-service").fill(str(poll.pk))
    page.locator("#try-link").fill("https://example.com/poll")
    page.locator("#try-quantity").fill("9")
    page.locator("#try-runs").fill("")
    page.locator("#try-answer_number").fill("2")
    page.get_by_role("button", name="Send and place order").click()
    expect(page.locator("[data-answer]")).to_contain_text('"order"')
    assert [set(body) for body in bodies] == [{"key", "action", "service", "link", "quantity", "answer_number"}]
    assert Order.objects.get().fields == {"answer_number": 2}
    page.get_by_label("Service type").select_option("Package")
    expect(page.locator("#try-quantity")).to_be_hidden()


def test_the_chosen_language_is_remembered(visit: Callable[..., Page], db: Any) -> None:
    factories.service()
    page = visit()
    page.goto("/api/")
    expect(page.locator("#balance-curl")).to_be_visible()
    page.locator("#balance").get_by_text("Python", exact=True).click()
    expect(page.locator("#add-python")).to_be_visible()
    expect(page.locator("#add-curl")).to_be_hidden()
    page.reload()
    expect(page.locator("#status-python")).to_be_visible()
    expect(page.locator("#callback-python")).to_be_visible()


def test_the_visible_code_is_copied(visit: Callable[..., Page], db: Any) -> None:
    factories.service()
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/api/")
    page.locator("#balance").get_by_text("Node", exact=True).click()
    page.locator("#balance").get_by_role("button", name="Copy").click()
    expect(page.locator("#balance").get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#balance-node").text_content()


def test_the_reference_works_without_javascript(visit: Callable[..., Page], caller: Reseller) -> None:
    factories.service()
    page = visit(java_script_enabled=False)
    page.goto("/api/")
    expect(page.get_by_label("Your API key, for the examples")).to_be_hidden()
    page.locator("#balance").get_by_text("PHP", exact=True).click()
    expect(page.locator("#balance-php")).to_be_visible()
    expect(page.locator("#balance-curl")).to_be_hidden()
    page.locator("#try-key").fill(caller.key)
    choose_action(page, "add")
    expect(page.locator("#try-link")).to_be_visible()
    choose_action(page, "status")
    expect(page.locator("#try-link")).to_be_hidden()
    order = factories.order(caller.user)
    page.locator("#try-order").fill(str(order.pk))
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Send").click()
    expect(opened.value.locator("body")).to_contain_text('"status":"Pending"')


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(scheme: str, language: str, visit: Callable[..., Page], db: Any) -> None:
    factories.service(link_example="https://example.com/" + "x" * 200)
    page = visit(viewport={"width": 390, "height": 844}, locale=language, color_scheme=scheme)
    assert overflow_width(page, "/api/") == 0
    for action in ("add", "status", "refill_status"):
        choose_action(page, action)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#add-curl").evaluate("node => getComputedStyle(node).direction") == "ltr"


def choose_action(page: Page, action: str) -> None:
    page.locator(f".try [name=action][value={action}]").check()
