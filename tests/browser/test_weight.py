"""Pages stay small, make few requests and do not shift while they load, when served as in production."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from playwright.sync_api import Browser, Page, expect

from orders.lifecycle import fulfillment
from orders.rules.state_machine import Progress, Status
from tests import factories, processes
from tests.browser.conftest import sign_in_by_cookie
from tests.browser.sample_shop import create_sample_shop

KILOBYTE = 1000
#: The limit of all responses that a page needs when nothing is cached, compressed, with headers.
MAX_BYTES = 100 * KILOBYTE
MAX_REQUESTS = 6
#: The largest pages are a full page of the catalog and the API reference.
MAX_ELEMENTS = 3000
PRODUCTION = {
    "DEBUG": "false", "HTTPS": "false", "HSTS_SECONDS": "0", "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "SECRET_KEY": "for-the-tests-only", "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}  # fmt: skip
#: Sums up the layout shifts that no input caused.
MEASURE_SHIFTS = """
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
def production_shop(
    chromium: Browser, transactional_db: None, settings: Any, tmp_path: Any
) -> Iterator[tuple[str, Any]]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.PRIVATE_DIR = tmp_path / "private"
    shop = create_sample_shop(settings)
    for number in range(60):  # a full page of the catalog
        factories.service(name=f"Likes from country number {number}", category=shop.services[0].category)
    with processes.web(**PRODUCTION) as (port, _log):
        yield f"http://localhost:{port}", shop


def requests_of(page: Page, address: str) -> list[tuple[str, int]]:
    """Open ``address`` with an empty cache; return the address and the transferred bytes of every request."""
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


def test_pages_are_small_and_do_not_shift(chromium: Browser, production_shop: tuple[str, Any]) -> None:
    url, shop = production_shop
    order = shop.orders["in_progress"].pk
    visitor = ("/", "/services/", f"/services/{shop.services[0].pk}/", "/account/signup/", "/api/")
    customer = ("/services/", "/orders/", f"/orders/{order}/", "/wallet/", "/orders/mass/", "/support/")
    for user, paths in ((None, visitor), (shop.nadia, customer)):
        for width in (390, 1440):
            context = chromium.new_context(base_url=url, viewport={"width": width, "height": 844})
            context.add_init_script(MEASURE_SHIFTS)
            page = context.new_page()
            if user:
                sign_in_by_cookie(page, user)
            for path in paths:
                check_page(page, path)
            context.close()


def check_page(page: Page, path: str) -> None:
    requests = requests_of(page, path)
    listing = "\n".join(f"{size:>8} {address}" for address, size in requests)
    assert sum(size for _address, size in requests) < MAX_BYTES, f"{path}\n{listing}"
    assert len(requests) <= MAX_REQUESTS, f"{path}\n{listing}"
    assert page.evaluate("document.querySelectorAll('*').length") < MAX_ELEMENTS, path
    blocking = "[...document.querySelectorAll('head script:not([defer]):not([type=module])')].length"
    assert page.evaluate(blocking) == 0, path
    seen = page.evaluate("window.seen")
    assert seen["shift"] < 0.01, f"{path}: {seen}"


@pytest.mark.parametrize("width", [390, 1440])
def test_live_updates_do_not_shift_the_page(width: int, shop: str, settings: Any, visit: Callable[..., Page]) -> None:
    sample = create_sample_shop(settings)
    order = sample.orders["pending"]
    context = {"viewport": {"width": width, "height": 844}}
    one, many = visit(**context), visit(**context)
    for page, path in ((one, f"/orders/{order.pk}/"), (many, "/orders/")):
        page.add_init_script(MEASURE_SHIFTS)
        sign_in_by_cookie(page, sample.nadia)
        page.goto(path)
    for remains in (900, 450):
        progress = Progress(status=Status.IN_PROGRESS, remains=remains, start_count=70)
        fulfillment.apply_progress(order.pk, progress=progress)
        delivered = f"{1000 - remains}"
        expect(one.locator("#order")).to_contain_text(delivered)
        expect(many.locator(f"#order-{order.pk}")).to_contain_text(delivered)
    for page in (one, many):
        seen = page.evaluate("window.seen")
        assert seen["shift"] < 0.01, f"{page.url}: {seen}"
