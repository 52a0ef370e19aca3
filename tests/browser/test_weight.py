"""What a page costs who opens it first: bytes, requests, and nothing that jumps. Served as in production."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import Browser, Page, expect

from orders.lifecycle import fulfillment
from orders.rules.state_machine import Progress, Status
from tests import factories, processes
from tests.browser.conftest import enter
from tests.browser.furnished import furnish

KILOBYTE = 1000
#: Of everything that the first page makes a browser fetch, compressed, with headers.
BUDGET = 100 * KILOBYTE
REQUESTS = 6
#: A full page of the catalog, and the whole reference of the API on one page.
ELEMENTS = 3000
PRODUCTION = {
    "DEBUG": "false", "HTTPS": "false", "HSTS_SECONDS": "0", "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "SECRET_KEY": "for-the-tests-only", "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}  # fmt: skip
#: Adds up what moved without the visitor's doing.
WATCH = """
window.seen = {shift: 0, parts: []};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.seen.shift += entry.value;
    for (const { node } of entry.sources) window.seen.parts.push(node ? node.nodeName + "." + node.className : "?");
  }
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture
def served(chromium: Browser, transactional_db: None, settings: Any, tmp_path: Any) -> Iterator[tuple[str, Any]]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.PRIVATE_DIR = tmp_path / "private"
    shop = furnish(settings)
    for number in range(60):  # a full page of the catalog
        factories.service(name=f"Likes from country number {number}", category=shop.services[0].category)
    with processes.web(**PRODUCTION) as (port, _log):
        yield f"http://localhost:{port}", shop


def fetched(page: Page, address: str) -> list[tuple[str, int]]:
    """Every request that opening ``address`` with an empty cache makes: its address, and its bytes on the wire."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    names: dict[str, str] = {}
    done: list[tuple[str, int]] = []
    session.on("Network.requestWillBeSent", lambda sent: names.update({sent["requestId"]: sent["request"]["url"]}))
    session.on(
        "Network.loadingFinished", lambda end: done.append((names[end["requestId"]], int(end["encodedDataLength"])))
    )
    page.goto(address)
    page.wait_for_load_state("networkidle")
    session.detach()
    return done


def test_pages_are_light_and_stand_still(chromium: Browser, served: tuple[str, Any]) -> None:
    url, shop = served
    order = shop.orders["in_progress"].pk
    visitor = ("/", "/services/", f"/services/{shop.services[0].pk}/", "/account/signup/", "/api/")
    customer = ("/services/", "/orders/", f"/orders/{order}/", "/wallet/", "/orders/mass/", "/support/")
    for user, paths in ((None, visitor), (shop.nadia, customer)):
        for width in (390, 1440):
            context = chromium.new_context(base_url=url, viewport={"width": width, "height": 844})
            context.add_init_script(WATCH)
            page = context.new_page()
            if user:
                enter(page, user)
            for path in paths:
                weigh(page, path)
            context.close()


def weigh(page: Page, path: str) -> None:
    requests = fetched(page, path)
    told = "\n".join(f"{size:>8} {address}" for address, size in requests)
    assert sum(size for _address, size in requests) < BUDGET, f"{path}\n{told}"
    assert len(requests) <= REQUESTS, f"{path}\n{told}"
    assert page.evaluate("document.querySelectorAll('*').length") < ELEMENTS, path
    blocking = "[...document.querySelectorAll('head script:not([defer]):not([type=module])')].length"
    assert page.evaluate(blocking) == 0, path
    seen = page.evaluate("window.seen")
    assert seen["shift"] < 0.01, f"{path}: {seen}"


@pytest.mark.parametrize("width", [390, 1440])
def test_live_parts_move_nothing(width: int, shop: str, settings: Any, visit: Callable[..., Page]) -> None:
    rooms = furnish(settings)
    moving = rooms.orders["pending"]
    context = {"viewport": {"width": width, "height": 844}}
    one, many = visit(**context), visit(**context)
    for page, path in ((one, f"/orders/{moving.pk}/"), (many, "/orders/")):
        page.add_init_script(WATCH)
        enter(page, rooms.nadia)
        page.goto(path)
    for remains in (900, 450):
        progress = Progress(status=Status.IN_PROGRESS, remains=remains, start_count=70)
        fulfillment.apply_progress(moving.pk, progress=progress)
        delivered = f"{1000 - remains}"
        expect(one.locator("#order")).to_contain_text(delivered)
        expect(many.locator(f"#order-{moving.pk}")).to_contain_text(delivered)
    for page in (one, many):
        seen = page.evaluate("window.seen")
        assert seen["shift"] < 0.01, f"{page.url}: {seen}"
