"""A check of every response to one customer: it must reveal nothing of another customer."""

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
OWN_IDS = (5_500_000_001, 5_500_000_002, 5_500_000_003, 5_500_000_004)
#: The id of the other customer's order and of its refill. No random request contains it by chance.
STRANGERS_ID = "7301000777"


@dataclass
class IsolationCheck:
    """Sends requests as ``caller``, and checks that they neither reveal nor change anything of ``stranger``."""

    caller: Reseller
    stranger: Reseller
    services: dict[str, int]
    initial_balance: Decimal
    strangers_rows: Any
    requests_sent: int = 0
    secrets: list[str] = field(default_factory=list)

    @classmethod
    def set_up(cls) -> IsolationCheck:
        """Create a service of every type, and orders and a refill of both customers with distinctive ids."""
        stranger, caller = reseller("4321.987654"), reseller("1000000")
        flags = {"has_refill": True, "has_cancel": True, "has_dripfeed": True}
        services = {one.code: service(one.code, is_flat=one.is_flat, **flags).pk for one in SERVICE_TYPES.values()}
        sold = Service.objects.get(pk=services["default"])
        create_order(caller.user, sold, OWN_IDS[0], "completed")
        create_order(caller.user, sold, OWN_IDS[1], "in_progress")
        create_order(caller.user, sold, OWN_IDS[2], "queued")
        Refill.objects.create(pk=OWN_IDS[3], order_id=OWN_IDS[0], actor=caller.user)
        create_order(stranger.user, sold, int(STRANGERS_ID), "completed", link="https://a-stranger.example/was-here")
        Refill.objects.create(pk=int(STRANGERS_ID), order_id=int(STRANGERS_ID), actor=stranger.user)
        found = cls(caller, stranger, services, caller.balance, None)
        found.secrets = [STRANGERS_ID, "a-stranger", stranger.key, stranger.user.email, "4321.98"]
        found.strangers_rows = found.read_strangers_rows()
        return found

    def read_strangers_rows(self) -> Any:
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
    def orders_placed(self) -> int:
        return Order.objects.filter(user=self.caller.user).exclude(pk__in=OWN_IDS).count()

    def send(
        self, body: bytes, content_type: str, *, action: str, method: str = "POST", query: str = "", asked: str = ""
    ) -> str:
        """Send a request with a valid key and action in the query; check and return the response.

        ``asked`` is an id in the request, which the response may repeat.
        """
        path = f"/api/v2?{urlencode({'key': self.caller.key, 'action': action})}&{query}"
        response = self.caller.client.generic(method, path, body, content_type=content_type)
        self.requests_sent += 1
        text = response.content.decode()
        assert response.status_code == 200, (response.status_code, text)
        answer = json.loads(text)
        assert isinstance(answer, (dict, list))
        if isinstance(answer, dict) and "error" in answer:
            assert list(answer) == ["error"]
            assert isinstance(answer["error"], str)
            assert answer["error"]
        self.check_text(text, asked=asked)
        return text

    def check_text(self, text: str, *, asked: str = "") -> None:
        """Check that ``text`` reveals nothing of the other customer, and that only orders were charged."""
        assert [secret for secret in self.secrets if secret in text and secret != asked] == []
        assert self.caller.balance + self.spent == self.initial_balance

    def check_stranger(self) -> None:
        assert self.read_strangers_rows() == self.strangers_rows
        assert list(audit.findings()) == []


def create_order(user: User, sold: Service, number: int, status: str, **details: Any) -> Order:
    """Create a free order with this id."""
    return Order.objects.create(
        pk=number, user=user, service=sold, status=status, quantity=100, rate=sold.rate, charge=Decimal(0),
        ended_at=timezone.now() if status == "completed" else None, **{"link": "https://example.com/own", **details},
    )  # fmt: skip


def few_or_many(few: int, many: int) -> Any:
    """Parametrize a test with the number of requests: few in `make test`, many in `make prove`."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.prove)])


def run_examples(
    holds: Callable[..., Any], examples: int, isolation: IsolationCheck, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run ``holds`` on this many examples, audit the ledger and, after many examples, print the number of requests."""
    before = isolation.requests_sent
    settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(holds)()
    isolation.check_stranger()
    assert isolation.requests_sent - before >= examples
    if examples >= 1000:
        with capsys.disabled():
            print(f"\n{isolation.requests_sent:,} requests, {isolation.orders_placed:,} orders")
