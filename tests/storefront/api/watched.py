"""A customer whose responses are all checked: they must reveal nothing of another customer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, settings

from orders.ledger import audit
from orders.models import Cancellation, Order, Refill, Service
from orders.rules.service_types import SERVICE_TYPES
from storefront.accounts.models import User
from tests.factories import service
from tests.storefront.api.reseller import Reseller, reseller

#: The customer's orders (completed, in progress, queued) and a refill of the first.
OWN = (5_500_000_001, 5_500_000_002, 5_500_000_003, 5_500_000_004)
#: The id of the other customer's order and of its refill. No random request contains it by chance.
THEIRS = "7301000777"


@dataclass
class Watched:
    caller: Reseller
    stranger: Reseller
    services: dict[str, int]
    held: Decimal
    seen: Any
    sent: int = 0
    secrets: list[str] = field(default_factory=list)

    @classmethod
    def set_up(cls) -> Watched:
        """Create a service of every type, and orders and a refill of both customers with distinctive ids."""
        stranger, caller = reseller("4321.987654"), reseller("1000000")
        flags = {"has_refill": True, "has_cancel": True, "has_dripfeed": True}
        services = {one.code: service(one.code, is_flat=one.is_flat, **flags).pk for one in SERVICE_TYPES.values()}
        sold = Service.objects.get(pk=services["default"])
        given(caller.user, sold, OWN[0], "completed")
        given(caller.user, sold, OWN[1], "in_progress")
        given(caller.user, sold, OWN[2], "queued")
        Refill.objects.create(pk=OWN[3], order_id=OWN[0], actor=caller.user)
        given(stranger.user, sold, int(THEIRS), "completed", link="https://a-stranger.example/was-here")
        Refill.objects.create(pk=int(THEIRS), order_id=int(THEIRS), actor=stranger.user)
        found = cls(caller, stranger, services, caller.balance, None)
        found.secrets = [THEIRS, "a-stranger", stranger.key, stranger.user.email, "4321.98"]
        found.seen = found.strangers_things()
        return found

    def strangers_things(self) -> Any:
        """Return everything that only the other customer may change."""
        return (
            self.stranger.balance,
            list(Order.objects.filter(user=self.stranger.user).values()),
            list(Refill.objects.filter(order__user=self.stranger.user).values()),
            Cancellation.objects.filter(order__user=self.stranger.user).count(),
        )

    @property
    def spent(self) -> Decimal:
        sums = Order.objects.filter(user=self.caller.user).aggregate(charged=Sum("charge"), back=Sum("refunded"))
        return Decimal(sums["charged"] - sums["back"])

    @property
    def bought(self) -> int:
        return Order.objects.filter(user=self.caller.user).exclude(pk__in=OWN).count()

    def check(
        self, body: bytes, content_type: str, *, action: str, method: str = "POST", query: str = "", asked: str = ""
    ) -> str:
        """Send a request with a valid key and action in the query; check and return the response.

        ``asked`` is an id in the request, which the response may repeat.
        """
        path = f"/api/v2?{urlencode({'key': self.caller.key, 'action': action})}&{query}"
        response = self.caller.client.generic(method, path, body, content_type=content_type)
        self.sent += 1
        text = response.content.decode()
        assert response.status_code == 200, (response.status_code, text)
        answer = json.loads(text)
        assert isinstance(answer, (dict, list))
        if isinstance(answer, dict) and "error" in answer:
            assert list(answer) == ["error"]
            assert isinstance(answer["error"], str)
            assert answer["error"]
        self.judge(text, asked=asked)
        return text

    def judge(self, text: str, *, asked: str = "") -> None:
        """Check that ``text`` reveals nothing of the other customer, and that only orders were charged."""
        assert [secret for secret in self.secrets if secret in text and secret != asked] == []
        assert self.caller.balance + self.spent == self.held

    def prove(self) -> None:
        assert self.strangers_things() == self.seen
        assert list(audit.findings()) == []


def given(user: User, sold: Service, number: int, status: str, **details: Any) -> Order:
    """Create a free order with this id."""
    return Order.objects.create(
        pk=number, user=user, service=sold, status=status, quantity=100, rate=sold.rate, charge=Decimal(0),
        ended_at=timezone.now() if status == "completed" else None, **{"link": "https://example.com/own", **details},
    )  # fmt: skip


def lengths(few: int, many: int) -> Any:
    """Parametrize a test with the number of requests: few in `make test`, many in `make prove`."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.prove)])


def tried(holds: Callable[..., Any], examples: int, watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    """Run ``holds`` on this many examples, audit the ledger and, after many examples, print the number of requests."""
    before = watched.sent
    settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(holds)()
    watched.prove()
    assert watched.sent - before >= examples
    if examples >= 1000:
        with capsys.disabled():
            print(f"\n{watched.sent:,} requests, {watched.bought:,} orders")
