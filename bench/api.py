"""Compare the panel API with lower bounds: the same SQL sent by pgbench, and views that do nothing.

The price list is compared with a no-op view of Django REST framework, and that view with a plain Django view.

Reference and shop are measured alternately on one temporary PostgreSQL database. The table shows requests per second,
the 99th percentile, SQL statements per call, and the CPU ratio: the CPU time of a call in pgbench and its backends,
divided by that in gunicorn and its backends. On a shared machine only the ratio is meaningful.

Run: DATABASE_URL=postgres://... python bench/api.py [rounds] [seconds a round] [row ...]
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import shop

CUSTOMERS, SERVICES, ORDERS = 1000, 5000, 100_000
CLIENTS = 8
TICK = os.sysconf("SC_CLK_TCK")
#: The minimum ratios of CPU time. `balance` has none: its reference costs a tenth of a view that does nothing.
TARGETS = {
    "add": 0.33,
    "add, one wallet": 0.33,
    "status of 100": 0.22,
    "services": 0.60,
    "services, 304": 0.60,
}


@dataclass
class World:
    """The rows that requests refer to."""

    keys: list[str]
    users: list[int]
    digests: list[str]
    services: list[int]
    first_order: int


@dataclass
class Measured:
    """Per round: requests a second, and CPU milliseconds a request; all latencies in seconds."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


def main(rounds: int = 5, seconds: float = 3.0, *wanted: str) -> None:
    shop.prepare()
    os.environ |= {"API_CALLS_PER_MINUTE": "0", "API_ADDRESS_CALLS_PER_MINUTE": "0", "LOG_LEVEL": "ERROR"}
    from django.db import connection  # imported here: after prepare()

    if connection.vendor != "postgresql":
        print(
            "The API is compared with pgbench: set DATABASE_URL to a PostgreSQL server where you may create databases."
        )
        return
    with shop.database() as name:
        world = fill()
        statements = counted(world)
        connection.close()
        os.environ["DATABASE_URL"] = url_of(connection.settings_dict)
        print(f"{name}, {CUSTOMERS} customers, {SERVICES} services, {ORDERS} orders; {CLIENTS} clients, "
              f"{rounds} rounds of {seconds:g} s")  # fmt: skip
        print(f"{'':<16}{'req/s':>8}{'p99 ms':>8}{'SQL':>5}{'CPU ms':>8}{'ref ms':>8}{'ratio':>7}  (range)     target")
        with served("storefront.wsgi:application") as port, served("noop:application") as noop:
            print(framework_cost(noop, rounds, seconds), flush=True)
            for row, (request, reference) in rows(world, noop).items():
                if not wanted or row in wanted:
                    ours, limit = interleaved(port, request, reference, rounds, seconds)
                    print_row(row, ours, limit, statements[row])


# --------------------------------------------------------------------------------------------- the world
def fill() -> World:
    from django.contrib.auth import get_user_model  # imported here: after prepare()

    from orders.models import Account, Category, Order, Service
    from storefront.accounts.models import ApiKey, digest

    users = get_user_model().objects.bulk_create(
        [get_user_model()(email=f"c{number}@bench.example", password="!") for number in range(CUSTOMERS)]
    )
    Account.objects.bulk_create(
        [Account(kind="wallet", user=user, currency="USD", balance=Decimal(9_000_000)) for user in users]
    )
    keys = [secrets.token_hex(32) for _ in users]
    ApiKey.objects.bulk_create(
        [ApiKey(user=user, prefix=key[:8], digest=digest(key)) for user, key in zip(users, keys, strict=True)]
    )
    categories = Category.objects.bulk_create([Category(name=f"Category {number}") for number in range(50)])
    services = Service.objects.bulk_create(
        [
            Service(
                category=categories[number % 50],
                name=f"Followers, worldwide, refill {number} days, up to {number * 10} a day",
                rate=Decimal(number % 700 + 1) / 100,
                min_quantity=10,
                max_quantity=100_000,
                description="Starts within an hour. Public profiles only.",
                has_refill=bool(number % 2),
            )
            for number in range(SERVICES)
        ]
    )
    orders = Order.objects.bulk_create(
        [
            Order(
                user=users[number % CUSTOMERS],
                service=services[number % SERVICES],
                status="in_progress",
                link=f"https://photos.example.com/p/{number}",
                quantity=100,
                rate=Decimal("0.9"),
                charge=Decimal("0.09"),
            )
            for number in range(ORDERS)
        ],
        batch_size=2000,
    )
    with shop_cursor() as cursor:
        cursor.execute("ANALYZE")
    return World(keys, [user.pk for user in users], [digest(key) for key in keys],
                 [service.pk for service in services], orders[0].pk)  # fmt: skip


@contextmanager
def shop_cursor() -> Iterator[Any]:
    from django.db import connection  # imported here: after prepare()

    with connection.cursor() as cursor:
        yield cursor


def url_of(details: dict[str, Any]) -> str:
    host = details["HOST"] or details["OPTIONS"].get("host", "")
    login = f"{details['USER']}{':' + details['PASSWORD'] if details['PASSWORD'] else ''}"
    if host.startswith("/"):
        return f"postgres://{login}@/{details['NAME']}?host={host}"
    return f"postgres://{login}@{host}:{details['PORT'] or 5432}/{details['NAME']}"


# --------------------------------------------------------------------------------------------- the rows
Request = Callable[[int], tuple[str, bytes, dict[str, str]]]


def rows(world: World, noop: int) -> dict[str, tuple[Request, Callable[[float], tuple[float, float]]]]:
    """Return for each row its n-th request and the function that measures its reference: (requests/s, CPU ms)."""
    return {
        "add": (adds(world, CUSTOMERS), lambda seconds: pgbench(world, ADD, seconds, wallets=CUSTOMERS)),
        "add, one wallet": (adds(world, 1), lambda seconds: pgbench(world, ADD, seconds, wallets=1)),
        "status of 100": (statuses(world), lambda seconds: pgbench(world, STATUS, seconds)),
        "balance": (asks(world, action="balance"), lambda seconds: pgbench(world, BALANCE, seconds)),
        "services": (asks(world, {"Accept-Encoding": "gzip"}, action="services"), nothing(noop, "/drf")),
        "services, 304": (unchanged(world), nothing(noop, "/drf")),
    }


def asks(world: World, headers: dict[str, str] | None = None, **params: str) -> Request:
    def request(number: int) -> tuple[str, bytes, dict[str, str]]:
        body = urlencode({"key": world.keys[number % CUSTOMERS], **params}).encode()
        return "POST", body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}

    return request


def adds(world: World, wallets: int) -> Request:
    def request(number: int) -> tuple[str, bytes, dict[str, str]]:
        params = {"action": "add", "service": str(world.services[number * 7 % SERVICES]), "quantity": "100",
                  "link": f"https://photos.example.com/{secrets.token_hex(8)}"}  # fmt: skip
        return asks(world, **params)(number % wallets)

    return request


def statuses(world: World) -> Request:
    def request(number: int) -> tuple[str, bytes, dict[str, str]]:
        customer = number % CUSTOMERS
        first = world.first_order + customer
        asked = range(first, first + 100 * CUSTOMERS, CUSTOMERS)
        return asks(world, action="status", orders=",".join(map(str, asked)))(customer)

    return request


def unchanged(world: World) -> Request:
    """Return GET requests for the price list with the ETag of an earlier response."""
    known: dict[str, str] = {}

    def request(number: int) -> tuple[str, bytes, dict[str, str]]:
        return f"GET ?{urlencode({'key': world.keys[number % CUSTOMERS], 'action': 'services'})}", b"", known

    request.known = known  # type: ignore[attr-defined]
    return request


def counted(world: World) -> dict[str, int]:
    """Count the SQL statements of each row's second call; the first one fills the caches."""
    from django.db import connection  # imported here: after prepare()
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    found = {}
    for row, (request, _reference) in rows(world, 0).items():
        for number in (1, 2, 1):
            method, body, headers = request(number)
            with CaptureQueriesContext(connection) as queries:
                Client().generic(
                    method.split()[0],
                    "/api/v2" + method.partition(" ")[2],
                    body,
                    content_type=headers.get("Content-Type", ""),
                )
        found[row] = len(queries)
    return found


# --------------------------------------------------------------------------------------------- references
ADD = r"""
\set customer random(1, :wallets)
\set user :customer + :first_user - 1
\set service random(0, :services - 1) + :first_service
BEGIN;
SELECT k.id, k.user_id, u.is_active, w.balance FROM accounts_apikey k JOIN accounts_user u ON u.id = k.user_id
  JOIN orders_account w ON w.user_id = u.id WHERE k.digest = (:digests)[:customer] AND k.revoked_at IS NULL;
SELECT s.rate, s.min_quantity, s.max_quantity, s.is_active, c.is_active FROM orders_service s
  JOIN orders_category c ON c.id = s.category_id WHERE s.id = :service;
SELECT o.rate, o.is_flat, p.exchange_rate FROM providers_route r JOIN providers_offer o ON o.id = r.offer_id
  JOIN providers_provider p ON p.id = o.provider_id
  WHERE r.service_id = :service AND r.is_active AND o.is_available AND o.problem = '' AND p.is_active;
UPDATE orders_account SET balance = balance - 90000, spent = spent + 90000
  WHERE user_id = :user AND balance >= 90000 RETURNING id, balance \gset
INSERT INTO orders_order (user_id, service_id, status, link, quantity, fields, rate, is_flat, charge, refunded, source,
  fingerprint, runs, "interval", created_at) VALUES (:user, :service, 'queued',
  'https://photos.example.com/' || random(), 100, '{}', 90000000, false, 90000, 0, 'api',
  (random() * 9e18)::bigint, 1, 0, now()) RETURNING id AS placed \gset
INSERT INTO orders_transfer (kind, reference, source_id, target_id, amount, wallet_id, wallet_after, order_id, note,
  created_at) VALUES ('charge', 'charge:' || :placed, :id,
  (SELECT id FROM orders_account WHERE code = 'sales'), 90000, :id, :balance, :placed, '', now());
COMMIT;
"""
BALANCE = r"""
\set customer random(1, :wallets)
SELECT k.id, k.user_id, u.is_active, w.balance FROM accounts_apikey k JOIN accounts_user u ON u.id = k.user_id
  JOIN orders_account w ON w.user_id = u.id WHERE k.digest = (:digests)[:customer] AND k.revoked_at IS NULL;
"""
STATUS = (
    BALANCE
    + r"""
\set user :customer + :first_user - 1
\set first :first_order + :customer - 1
\set last :first + 99000
SELECT id, status, quantity, charge - refunded, start_count, remains FROM orders_order
  WHERE user_id = :user AND id = ANY(ARRAY(SELECT generate_series(:first::bigint, :last::bigint, 1000)));
"""
)


def pgbench(world: World, script: str, seconds: float, *, wallets: int = CUSTOMERS) -> tuple[float, float]:
    """Run ``script`` with ``CLIENTS`` clients; return transactions per second and CPU ms per transaction."""
    from django.db import connection  # imported here: after prepare()

    # pgbench variables cannot hold text, so the digests are in a table.
    with shop_cursor() as cursor:
        cursor.execute("CREATE OR REPLACE FUNCTION bench_digest(n int) RETURNS text LANGUAGE sql IMMUTABLE AS "
                       f"$$ SELECT (ARRAY[{','.join(repr(digest) for digest in world.digests)}])[n] $$")  # fmt: skip
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_digests (n int PRIMARY KEY, digest text)")
        cursor.execute("TRUNCATE bench_digests")
        cursor.execute("INSERT INTO bench_digests SELECT n, bench_digest(n) FROM generate_series(1, %s) n", [CUSTOMERS])
        cursor.execute("ANALYZE bench_digests")
    connection.close()
    text = script.replace("(:digests)[:customer]", "(SELECT digest FROM bench_digests WHERE n = :customer)")
    details = connection.settings_dict
    variables = {"wallets": wallets, "services": SERVICES, "first_service": world.services[0],
                 "first_user": world.users[0], "first_order": world.first_order}  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(text)
        file.flush()
        process = subprocess.Popen(
            ["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds) or 1),
             "-f", file.name, *(f"-D{name}={value}" for name, value in variables.items()), str(details["NAME"])],
            env={**os.environ, "PGHOST": str(details["HOST"] or details["OPTIONS"].get("host", "")),
                 "PGUSER": str(details["USER"]), "PGPASSWORD": str(details["PASSWORD"] or ""),
                 "PGPORT": str(details["PORT"] or 5432)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with Watch() as watch:
            out, err = process.communicate()
            own = watch.of_child()
    done = re.search(r"actually processed: (\d+)", out)
    speed = re.search(r"tps = ([\d.]+)", out)
    if not done or not speed or process.returncode:
        sys.exit(f"pgbench failed: {err[-2000:]}")
    return float(speed[1]), (watch.backends() + own) / int(done[1]) * 1000


def nothing(port: int, path: str) -> Callable[[float], tuple[float, float]]:
    def measure(seconds: float) -> tuple[float, float]:
        done, _latencies, cpu = hammer(port, lambda number: ("GET", b"", {}), seconds, path=path)
        return done / seconds, cpu / done * 1000

    return measure


def framework_cost(port: int, rounds: int, seconds: float) -> str:
    """Return what a request costs a plain view that does nothing, and one of Django REST framework, in CPU ms."""
    measured = [(nothing(port, "/api/v2")(seconds)[1], nothing(port, "/drf")(seconds)[1]) for _ in range(rounds)]
    plain, framework = (statistics.median(column) for column in zip(*measured, strict=True))
    return f"no-op view {plain:.2f} ms, no-op view of Django REST framework {framework:.2f} ms"


# --------------------------------------------------------------------------------------------- measuring
class Watch:
    """Measures the CPU seconds of the database backends, including those that end meanwhile."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._children = os.times().children_user + os.times().children_system
        self._sample(first=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self._sample()

    def of_child(self) -> float:
        """Return the CPU seconds of the child process that ended meanwhile."""
        return os.times().children_user + os.times().children_system - self._children

    def backends(self) -> float:
        return sum(last - first for first, last in self._seen.values())

    def _look(self) -> None:
        while not self._over.wait(0.05):
            self._sample()

    def _sample(self, *, first: bool = False) -> None:
        from django.db import connection  # imported here: after prepare()

        name = str(connection.settings_dict["NAME"]).encode()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if b"postgres" in (line := (path / "cmdline").read_bytes()) and name in line:
                    spent = cpu_of(int(path.name))
                    began = self._seen.get(int(path.name), (spent if first else 0.0, 0.0))[0]
                    self._seen[int(path.name)] = (began, spent)
            except OSError:
                continue


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def hammer(port: int, request: Request, seconds: float, *, path: str = "/api/v2") -> tuple[int, list[float], float]:
    """Send requests over ``CLIENTS`` connections; return their number, their latencies and their CPU seconds."""
    latencies: list[list[float]] = [[] for _ in range(CLIENTS)]
    until = time.perf_counter() + seconds
    pids = workers(port)

    def client(index: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        line.connect()
        line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = index
        while (began := time.perf_counter()) < until:
            method, body, headers = request(number)
            line.request(method.split()[0], path + method.partition(" ")[2], body, headers)
            answer = line.getresponse()
            text = answer.read()
            latencies[index].append(time.perf_counter() - began)
            if answer.status not in (200, 304) or text.startswith(b'{"error"'):
                raise RuntimeError(f"{answer.status} {text[:200]!r}")
            number += CLIENTS

    before = sum(map(cpu_of, pids))
    with Watch() as watch:
        threads = [threading.Thread(target=client, args=(index,)) for index in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    spent = sum(map(cpu_of, pids)) - before + watch.backends()
    done = [latency for each in latencies for latency in each]
    return len(done), done, spent


def interleaved(
    port: int, request: Request, reference: Callable[[float], tuple[float, float]], rounds: int, seconds: float
) -> tuple[Measured, Measured]:
    known = getattr(request, "known", None)
    if known is not None:
        method, _body, _headers = request(0)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        line.request("GET", "/api/v2" + method.partition(" ")[2])
        known["If-None-Match"] = line.getresponse().headers["ETag"]
    hammer(port, request, 8)  # warm up, so that every service has been ordered once
    ours, limit = Measured(), Measured()
    for _ in range(rounds):
        speed, cpu = reference(seconds)
        limit.rates.append(speed)
        limit.cpu.append(cpu)
        done, latencies, spent = hammer(port, request, seconds)
        ours.rates.append(done / seconds)
        ours.cpu.append(spent / done * 1000)
        ours.latencies += latencies
    return ours, limit


def print_row(row: str, ours: Measured, limit: Measured, statements: int) -> None:
    ratios = [reference / own for reference, own in zip(limit.cpu, ours.cpu, strict=True)]
    target = f"{TARGETS[row]:.2f}" if row in TARGETS else "none"
    p99 = statistics.quantiles(ours.latencies, n=100)[98] * 1000
    print(
        f"{row:<16}{statistics.median(ours.rates):>8.0f}{p99:>8.1f}{statements:>5}"
        f"{statistics.median(ours.cpu):>8.2f}{statistics.median(limit.cpu):>8.2f}{statistics.median(ratios):>7.2f}"
        f"  ({min(ratios):.2f}-{max(ratios):.2f})   {target}",
        flush=True,
    )


@contextmanager
def served(application: str) -> Iterator[int]:
    """Run gunicorn with the shop's settings; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, "-b", f"127.0.0.1:{port}", "--log-level", "error"],
        cwd=shop.ROOT,
        env={**os.environ, "PYTHONPATH": f"{shop.ROOT}:{shop.ROOT / 'bench'}", "DEBUG": "false", "ALLOWED_HOSTS": "*",
             "SECRET_KEY": secrets.token_hex(32), "HTTPS": "false", "ENCRYPTION_KEYS": encryption_key()},
    )  # fmt: skip
    _served[port] = process.pid
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


_served: dict[int, int] = {}


def workers(port: int) -> list[int]:
    master = _served[port]
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [master, *map(int, children)]


def encryption_key() -> str:
    from cryptography.fernet import Fernet  # imported here: only the server needs one

    return Fernet.generate_key().decode()


if __name__ == "__main__":
    main(*(int(sys.argv[1:2][0]) if sys.argv[1:2] else 5,), *map(float, sys.argv[2:3]), *sys.argv[3:])
