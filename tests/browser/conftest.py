"""Fixtures for tests in a real browser. A request to any other server than the live server fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from storefront.accounts.models import User
from tests.providers.conftest import start_panel

__all__ = ["start_panel"]

#: Live parts of pages are updated every five or ten seconds, and the machine may be busy.
expect.set_options(timeout=20_000)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
    # One process draws all pages, without a graphics card: starting others takes longer than most of the tests.
    "--disable-gpu",
    "--in-process-gpu",
    "--renderer-process-limit=1",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="package")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Start the system's Chromium. Without one these tests are skipped; in CI they fail."""
    program = os.environ.get("CHROMIUM") or next((found for found in map(shutil.which, NAMES) if found), None)
    if program is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed and CHROMIUM names none"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)  # a developer may have no browser; CI must have one
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The driver runs an event loop in this thread, so Django would refuse the synchronous queries of the tests.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def shop(chromium: Browser, transactional_db: None, live_server: Any, settings: Any) -> Iterator[str]:
    """Return the shop's address. New orders do not wake the worker."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    cache.clear()
    yield live_server.url
    cache.clear()


@pytest.fixture
def visit(chromium: Browser, shop: str) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a separate browser window.

    Any error on its console, violations of the content security policy included, fails the test at the end. The
    argument ``expected_error`` is part of the text of an error that the test expects, and ``other_server`` the address
    of a server that may be asked besides the shop.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_window(expected_error: str = "", other_server: str = "", **options: Any) -> Page:
        allowed = (shop, other_server) if other_server else (shop,)

        def listen(line: ConsoleMessage) -> None:
            if line.type in ("error", "warning") and not (expected_error and expected_error in line.text):
                problems.append(line.text)

        context = chromium.new_context(base_url=shop, **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda sent: problems.append(sent.url) if not sent.url.startswith(allowed) else None)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert problems == []


def sign_in_by_cookie(page: Page, user: User) -> None:
    """Sign ``user`` in without the form, by setting the session cookie."""
    client = Client()
    client.force_login(user)
    name = configured.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "domain": "localhost", "path": "/"}])
