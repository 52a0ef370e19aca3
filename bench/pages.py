"""Measure every page of the shop and of the back office in a small shop and in a large one.

The table shows for each page: SQL queries in both shops, which must be equal; median and 99th percentile of the time in
milliseconds; CPU time, with the database's backend, in milliseconds and as a multiple of an empty page, which is
requested alternately; compressed size in kilobytes. On a shared machine only the multiple is meaningful. Requests go
through the WSGI application in this process. Exits with 1 if the queries of a page grow, a page fails, or
tests/pages.py does not list a page.

Run: [DATABASE_URL=postgres://...] python bench/pages.py [services] [orders] [requests a page] [part of a name]
"""

from __future__ import annotations

import gzip
import io
import os
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import shop

SMALL = (30, 20)
#: The maximum time in seconds for which a page is measured.
MAX_SECONDS = 3.0
#: The CPU time in milliseconds above which a page is marked as slow.
SLOW = 100
FRAME = "/nothing-but-the-frame/"


@dataclass
class Row:
    """The measurements of a page."""

    name: str
    page: Any
    #: None if the small shop has no such page.
    few: int | None
    many: int = -1
    times: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    size: int = 0
    problem: str = ""

    @property
    def is_wrong(self) -> bool:
        return bool(self.problem) or self.few not in (None, self.many)

    @property
    def is_slow(self) -> bool:
        return statistics.median(self.spent) * 1000 > SLOW


def main(services: int = 10_000, orders: int = 100_000, requests: int = 20, wanted: str = "") -> int:
    os.environ["LOG_LEVEL"] = "CRITICAL"  # the table shows pages that return 403
    shop.prepare()
    from django.core.management import call_command  # imported here: after prepare()
    from django.db import connection
    from django.utils import timezone

    with shop.database() as name:
        from tests import pages  # imported here: the tables it reads must be there
        from tests.large_shop import LargeShop

        add_frame()
        large_shop = LargeShop.open()
        large_shop.grow(services=SMALL[0], orders=SMALL[1], until=timezone.now() - timedelta(days=700))
        with browsers(large_shop) as browser:
            few = {key: queries(browser, page) for key, page in named(large_shop, wanted)}
            connection.close()
            large_shop.grow(services=services, orders=orders)
            analyze()
            call_command("audit_ledger")
            print(f"{name}; {services} services, {orders} orders; queries compared with {SMALL[0]} and {SMALL[1]}; "
                  f"{requests} requests a page; CPU as a multiple of an empty page")  # fmt: skip
            print(f"{'':<78}{'few':>5}{'SQL':>5}{'ms':>8}{'p99':>8}{'CPU ms':>8}{'CPU':>7}{'kB':>7}")
            rows = [measure(browser, Row(key, page, few.get(key, (None, ""))[0]), requests)
                    for key, page in named(large_shop, wanted)]  # fmt: skip
        return print_summary(rows, set(pages.url_names()))


def named(large_shop: Any, wanted: str) -> Iterator[tuple[str, Any]]:
    """Yield each page with a key, which is the same in shops of any size."""
    from tests import pages  # imported here: after prepare()

    seen: dict[str, int] = {}
    for name, page in (*pages.shop_pages(large_shop), *pages.back_office_pages(large_shop)):
        key = f"{name} {page.key}"
        seen[key] = seen.get(key, 0) + 1
        if wanted in key and seen[key] == 1:
            yield key, page


# --------------------------------------------------------------------------------------------- requests
def add_frame() -> None:
    """Add the address of a page without content, which the other pages are compared with."""
    from django.shortcuts import render  # imported here: after prepare()
    from django.urls import path

    from storefront import urls

    urls.urlpatterns.insert(0, path(FRAME[1:], lambda request: render(request, "base.html")))


class Browser:
    """Sends requests to the WSGI application as a web server would, signed in as the page's reader."""

    def __init__(self, application: Any, cookies: dict[str, str]) -> None:
        self.application, self.cookies = application, cookies

    def get(self, page: Any) -> tuple[int, bytes]:
        path, _, query = page.path.partition("?")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": quote(query, safe="=&%+:/.,@"),
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_COOKIE": self.cookies.get(page.reader, ""), "HTTP_ACCEPT_LANGUAGE": "en", "SCRIPT_NAME": "",
            "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
            "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        if page.is_live:
            environ["HTTP_HX_REQUEST"] = "true"
        status: list[str] = []
        answer = self.application(environ, lambda line, headers, *_: status.append(line))
        body = b"".join(answer)
        answer.close()
        return int(status[0][:3]), body


@contextmanager
def browsers(large_shop: Any) -> Iterator[Browser]:
    from django.conf import settings  # imported here: after prepare()
    from django.core.wsgi import get_wsgi_application
    from django.test import Client

    from tests import pages

    cookies = {}
    for reader, user in ((pages.CUSTOMER, large_shop.customer), (pages.OPERATOR, large_shop.operator)):
        client = Client()
        client.force_login(user)
        cookies[reader] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    yield Browser(get_wsgi_application(), cookies)


def queries(browser: Browser, page: Any) -> tuple[int, str]:
    """Return the queries of a request with warm caches, and what is wrong with the response."""
    from django.db import connection  # imported here: after prepare()
    from django.test.utils import CaptureQueriesContext

    counts = []
    browser.get(page)
    # Twice, because a cache may expire during the first request.
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            status, _body = browser.get(page)
        counts.append(len(asked))
    return min(counts), "" if status in page.statuses else f"status {status}"


def analyze() -> None:
    from django.db import connection  # imported here: after prepare()

    connection.ensure_connection()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")


# --------------------------------------------------------------------------------------------- measuring
def cpu() -> float:
    """Return the CPU seconds of this process and of its database backend, if that is on this machine."""
    from django.db import connection  # imported here: after prepare()

    spent = time.process_time()
    if connection.vendor == "postgresql" and connection.connection is not None:
        try:
            spent += int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            pass
    return spent


def measure(browser: Browser, row: Row, requests: int) -> Row:
    from tests.pages import Page  # imported here: after prepare()

    frame = Page(FRAME)
    row.many, row.problem = queries(browser, row.page)
    browser.get(frame)
    began = time.perf_counter()
    while len(row.times) < requests and (len(row.times) < 3 or time.perf_counter() - began < MAX_SECONDS):
        started = cpu()
        browser.get(frame)
        between, at = cpu(), time.perf_counter()
        _status, body = browser.get(row.page)
        row.times.append(time.perf_counter() - at)
        row.spent.append(cpu() - between)
        row.ratios.append(row.spent[-1] / (between - started))
    row.size = len(gzip.compress(body, 6))
    print(line(row), flush=True)
    return row


def line(row: Row) -> str:
    median, last = statistics.median(row.times) * 1000, p99(row.times) * 1000
    mark = f" {row.problem}" if row.problem else " GROWS" if row.is_wrong else " slow" if row.is_slow else ""
    return (f"{row.name[:76]:<78}{'-' if row.few is None else row.few:>5}{row.many:>5}{median:>8.1f}{last:>8.1f}"
            f"{statistics.median(row.spent) * 1000:>8.1f}"
            f"{statistics.median(row.ratios):>7.1f}{row.size / 1000:>7.1f}{mark}")  # fmt: skip


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[98]


def print_summary(rows: Iterable[Row], names: set[str]) -> int:
    from tests import pages  # imported here: after prepare()

    rows = list(rows)
    unlisted = (names - set(pages.SHOP) - pages.POSTS - set(pages.ELSEWHERE)) | pages.models_without_search()
    unlisted |= pages.extra_url_names() - set(pages.EXTRA_PAGES) - pages.EXTRA_ACTIONS
    wrong = [row for row in rows if row.is_wrong]
    slow = [row for row in rows if row.is_slow]
    print(f"\n{len(rows)} pages; {len(wrong)} wrong, {len(slow)} above {SLOW} ms of CPU time")
    for row in (*wrong, *(row for row in slow if row not in wrong)):
        print(line(row))
    for name in sorted(unlisted):
        print(f"not listed: {name}")
    return 1 if wrong or unlisted else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4]), *sys.argv[4:5]))
