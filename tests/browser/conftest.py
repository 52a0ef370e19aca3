"""A real browser on the live server. It looks at 127.0.0.1 and nothing else."""

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

#: The pages look every five or ten seconds, and the machine may have other work.
expect.set_options(timeout=20_000)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
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
    """Chromium as the system has it. Without one these tests are skipped, in CI they fail."""
    program = os.environ.get("CHROMIUM") or next((found for found in map(shutil.which, NAMES) if found), None)
    if program is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed and CHROMIUM names none"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The driver runs an event loop in this thread; the tests are as synchronous as any.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def shop(chromium: Browser, transactional_db: None, live_server: Any, settings: Any) -> Iterator[str]:
    """The shop's address; nobody upstream is woken."""
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    cache.clear()
    yield live_server.url
    cache.clear()


@pytest.fixture
def visit(chromium: Browser, shop: str) -> Iterator[Callable[..., Page]]:
    """Opens a browser window of its own. Any error on its console, CSP's among them, fails the test at the end.

    ``forgives``: words of an error that is meant to be there.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_window(forgives: str = "", **options: Any) -> Page:
        def listen(line: ConsoleMessage) -> None:
            if line.type in ("error", "warning") and not (forgives and forgives in line.text):
                problems.append(line.text)

        context = chromium.new_context(base_url=shop, **options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda sent: problems.append(sent.url) if not sent.url.startswith(shop) else None)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert problems == []


def enter(page: Page, user: User) -> None:
    """Signs ``user`` in without the form: its cookie is put into the window's jar."""
    client = Client()
    client.force_login(user)
    name = configured.SESSION_COOKIE_NAME
    jar = page.context
    jar.add_cookies([{"name": name, "value": client.cookies[name].value, "domain": "localhost", "path": "/"}])
