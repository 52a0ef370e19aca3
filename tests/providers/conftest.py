"""Fixtures of the provider tests: a real panel on loopback, a provider for it, a customer with money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from orders.buying import checkout
from orders.ledger import transfers
from orders.models import Order, Service
from providers.http import policy
from providers.http.client import Limits
from providers.models import Provider
from providers.panels import simulators
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import Panel
from providers.placing import recording
from providers.placing.claiming import PlacementAttempt, PlacementClaim
from providers.placing.queue import Queue
from providers.placing.recording import AttemptOutcome
from providers.placing.window import SendWindow
from providers.pricelists import importer, onboarding

#: Something to send for every input of every service type.
INPUTS = {
    "link": "https://x.example.com/p/1",
    "comments": "\n".join(f"comment {number}" for number in range(1, 13)),
    "usernames": "\n".join(f"user{number}" for number in range(1, 61)),
    "hashtags": "one\ntwo",
    "hashtag": "one",
    "username": "nadia",
    "media": "https://x.example.com/p/2",
    "answer_number": "2",
    "groups": "https://x.example.com/g1\nhttps://x.example.com/g2",
    "keywords": "lamps, chairs",
    "min": "100",
    "max": "200",
    "posts": "2",
    "delay": "30",
    "expiry": "11/11/2027",
    "country": "US",
    "device": "1",
    "type_of_traffic": "1",
    "google_keyword": "lamps",
}


@pytest.fixture
def start_panel() -> Iterator[Callable[..., Panel]]:
    """Start panels on loopback, and stop them all at the end."""
    running: list[Panel] = []

    def start(dialect: str, **options: Any) -> Panel:
        running.append(simulators.start(dialect, **{"balance": 100_000, **options}))
        return running[-1]

    yield start
    for panel in running:
        panel.stop()


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    """A panel of the standard dialect; a test module may have a fixture of its own with this name."""
    return start_panel("v2")


@pytest.fixture
def provider(panel: Panel) -> Provider:
    """A provider for ``panel``, its price list imported and published."""
    return provider_at(panel, "v2")


def provider_at(panel: Panel, dialect: str, **details: Any) -> Provider:
    """Return a provider for ``panel``, its price list imported and published."""
    provider = onboarding.save_provider(
        details.pop("name", f"at-{dialect}"),
        url=panel.url,
        key=panel.key,
        dialect_name=dialect,
        currency=panel.currency,
        exchange_rate=details.pop("exchange_rate", Decimal(1)),
        **details,
    )
    importer.import_offers(provider)
    importer.publish(provider, markup_percent=Decimal(30))
    return provider


def customer(email: str = "buyer@example.com", amount: str = "100000") -> Any:
    user = get_user_model().objects.create_user(email)
    transfers.credit_payment(transfers.open_wallet(user), amount=Decimal(amount), gateway="manual", reference=email)
    return user


def buy(user: Any, service: Service, **inputs: str) -> Order:
    """Return an order for the minimum quantity, with an example for every input."""
    link = service.link_example or INPUTS["link"]
    quantity = str(max(service.min_quantity, min(100, service.max_quantity)))
    return checkout.place_order(user, service=service, inputs={**INPUTS, "link": link, "quantity": quantity, **inputs})


def claim(provider: Provider, *, limit: int = 10, is_now: bool = False) -> list[PlacementAttempt]:
    """Claim up to ``limit`` orders and send nothing, like a process that is killed after its claim."""
    candidates = Queue(provider, is_now=is_now).take(limit, SendWindow(limit, start=limit))
    return PlacementClaim(provider, candidates, is_now=is_now).commit()


def record(provider: Provider, attempt: PlacementAttempt, outcome: Any) -> str:
    """Record the outcome of one attempt and return its name."""
    return recording.record(provider, AttemptOutcome.read(provider, attempt, outcome))


@pytest.fixture(autouse=True)
def no_wake(settings: Any) -> None:
    """Orders are placed when a test calls for it, not by a task."""
    settings.ORDERS_WAKE = "tests.providers.conftest.stay_asleep"


def stay_asleep(order: Order) -> None:
    """Do nothing, instead of ``providers.tasks.wake``."""


@pytest.fixture
def quick_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit calls to panels to one second, so that a panel that hangs does not delay the tests."""
    limits = Limits(connect=1.0, total=1.0, allow_private=True)
    monkeypatch.setattr(policy, "limits", lambda verb: limits)


ALL_DIALECTS = pytest.mark.parametrize("dialect", list(DIALECTS))
