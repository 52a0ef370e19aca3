"""Measure importing price lists: 10,000 test rows and each *.json.gz file of a folder (panel's answer under "data").

Prints the reasons why rows cannot be sold, the seconds of a first, an unchanged and a 2% changed import, and rows per
second compared with only writing the same rows (COPY on PostgreSQL, executemany on SQLite).

Run: python bench/import_list.py FOLDER
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import shop
from django.conf import settings

SYNTHETIC = 10_000
WRITES = ("INSERT", "UPDATE", "DELETE")


def main(folder: str = "") -> None:
    shop.prepare()
    settings.DEBUG = False  # otherwise Django keeps the text of every statement
    with shop.database() as name:
        print(f"database {name}\n")
        for path in sorted(Path(folder).glob("*.json.gz")) if folder else []:
            measure(path.name, answer_in(gzip.decompress(path.read_bytes()).decode()))
        measure(f"{SYNTHETIC} test rows", json.dumps(sample_rows()))


def measure(title: str, text: str) -> None:
    from django.db import connection  # imported here: after prepare()
    from django.test.utils import CaptureQueriesContext

    from providers.errors import ProviderError
    from providers.http.messages import Answer
    from providers.panels.dialects import DIALECTS
    from providers.panels.services import read_services
    from providers.pricelists import importer, onboarding

    print(title)
    provider = onboarding.save_provider(
        f"bench-{time.time_ns()}", url="http://127.0.0.1:9009/", key="k", dialect_name="v2"
    )
    try:
        reading_seconds, rows = timed(lambda: read_services(Answer(status=200, text=text), DIALECTS["v2"]))
        first, done = timed(lambda: importer.store(provider, rows))
    except ProviderError as problem:
        print(f"  not taken, {type(problem).__name__}: {problem}\n")
        return
    print(f"  {len(rows)} rows, {len(rows) - len(done.unsellable)} sellable; read in {reading_seconds:.3f} s")
    for reason, count in Counter(row.problem for row in done.unsellable).most_common():
        print(f"    {count} x {reason}")
    importer.publish(provider)
    bare = bare_write(provider)
    with CaptureQueriesContext(connection) as queries:
        importer.store(provider, rows)
    written = [query["sql"].split()[1] for query in queries if query["sql"].startswith(WRITES)]
    unchanged, _ = timed(lambda: importer.store(provider, rows))
    changed, moved = timed(lambda: importer.store(provider, raise_prices(rows)))
    for label, wall in (("bare write", bare), ("first", first), ("unchanged", unchanged), ("2% changed", changed)):
        print(f"  {label:<12}{wall:7.3f} s{len(rows) / wall:10.0f} rows/s   ratio {bare / wall:5.2f}")
    print(f"  unchanged: wrote to {written}; changed: {moved.changed} offers, {moved.repriced} prices\n")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    watch = shop.Stopwatch()
    result = work()
    return watch.read()[0], result


def answer_in(text: str) -> str:
    """Return the panel's answer from a file that wraps it; a file that is not JSON is the answer itself."""
    try:
        return json.dumps(json.loads(text)["data"])
    except ValueError:
        return text


def sample_rows() -> list[dict[str, Any]]:
    """Return rows like those of large panels."""
    return [
        {
            "service": str(number),
            "name": f"Instagram followers {number} [Max: {number}K] [Refill: 30 days] [Speed: 5K/day]",
            "type": "Default",
            "rate": f"{number % 97 + 1}.{number % 10}5",
            "min": "100",
            "max": "500000",
            "dripfeed": False,
            "refill": number % 2 == 0,
            "cancel": number % 3 == 0,
            "category": f"Instagram followers, part {number % 60}",
        }
        for number in range(1, SYNTHETIC + 1)
    ]


def raise_prices(rows: list[Any]) -> list[Any]:
    """Return ``rows`` with the rate of every 50th raised by 10%."""
    moved = rows.copy()
    for index in range(0, len(rows), 50):
        moved[index] = replace(rows[index], rate=(rows[index].rate * Decimal("1.1")).quantize(Decimal("1e-8")))
    return moved


def bare_write(provider: Any) -> float:
    """Return the seconds to copy the provider's rows into an empty table with the same keys."""
    from django.db import connection, transaction  # imported here: after prepare()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM providers_offer WHERE provider_id = %s", [provider.pk])
        rows = cursor.fetchall()
        if connection.vendor == "postgresql":
            cursor.execute("CREATE TABLE bare (LIKE providers_offer INCLUDING ALL)")
        else:
            cursor.execute("CREATE TABLE bare AS SELECT * FROM providers_offer WHERE 0")
            cursor.execute("CREATE UNIQUE INDEX bare_id ON bare (id)")
            cursor.execute("CREATE UNIQUE INDEX bare_once ON bare (provider_id, upstream_id)")
    watch = shop.Stopwatch()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy("COPY bare FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO bare VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
    seconds = watch.read()[0]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bare")
    return seconds


if __name__ == "__main__":
    main(*sys.argv[1:2])
