"""A temporary shop for measurements, with its own database, a simulated panel in another process, and queued orders."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def prepare() -> None:
    """Set up Django for a temporary database: SQLite in a temporary folder, or one on the server of DATABASE_URL."""
    sys.path.insert(0, str(ROOT))
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="vitrine-bench-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.setdefault("ALLOW_PRIVATE_PANELS", "true")  # the simulated panel runs on this machine
    import django  # imported here: the environment must be set first

    django.setup()


@contextmanager
def database() -> Iterator[str]:
    """Create the database, yield its name and version, and remove it at the end."""
    from django.db import connection  # imported here: after prepare()
    from django.test.utils import setup_databases, teardown_databases  # imported here: after prepare()

    # Named after this process, because other measurements and tests may use the same server.
    name = f"bench_vitrine_{os.getpid()}"
    if connection.vendor == "sqlite":
        name = str(Path(os.environ["VAR_DIR"]) / f"{name}.sqlite3")
    connection.settings_dict["TEST"]["NAME"] = name
    old = setup_databases(verbosity=0, interactive=False)
    try:
        with connection.cursor() as cursor:
            question = "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version"
            cursor.execute(question)
            yield f"{connection.display_name} {cursor.fetchone()[0].split()[0]}"
    finally:
        teardown_databases(old, verbosity=0)


@contextmanager
def panel(latency: float) -> Iterator[str]:
    """Run a v2 panel in another process that answers after ``latency`` seconds; yield its address."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "runpanel", "v2", "--latency", str(latency)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[3]
    finally:
        process.terminate()
        process.wait(timeout=10)


def queue_orders(url: str, count: int) -> None:
    """Create a provider at ``url`` and ``count`` orders that wait to be placed there."""
    from django.contrib.auth import get_user_model  # imported here: after prepare()

    from orders.ledger import transfers
    from orders.models import Order, Service
    from orders.rules import charges  # imported here: after prepare()
    from providers.pricelists import importer, onboarding

    provider = onboarding.save_provider("bench", url=url, key="simulator-key", dialect_name="v2", currency="USD")
    importer.import_offers(provider)
    importer.publish(provider, markup_percent=Decimal(30))
    user = get_user_model().objects.create_user(email="bench@example.com")
    transfers.open_wallet(user)
    service = Service.objects.filter(service_type="default").order_by("rate")[0]
    Order.objects.bulk_create(
        [
            Order(
                user=user,
                service=service,
                link=f"https://x.example.com/{number}",
                quantity=service.min_quantity,
                rate=service.rate,
                charge=charges.charge(service.rate, service.min_quantity, is_flat=False),
            )
            for number in range(count)
        ],
        batch_size=1000,
    )


class Stopwatch:
    """Measures the wall-clock and CPU seconds of this process since its creation."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu
