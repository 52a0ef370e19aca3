"""Customers with a key of the sandbox, and what must stay as it is whatever they do. The fixtures are in conftest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import time_machine
from django.utils import timezone

from orders.ledger import audit
from orders.models import Account, Cancellation, Order, OrderEvent, Refill, Service, Transfer
from providers.models import Placement
from storefront.accounts.models import ApiKey, User
from tests import factories
from tests.storefront.api.reseller import Reseller

LINK = "https://example.com/p/1"


def sandbox_customer(user: User | None = None) -> Reseller:
    """A customer, with 5 in the wallet unless one is given, who calls with a sandbox key used a moment ago."""
    owner = user or factories.customer("5")
    row, key = ApiKey.objects.issue(owner)
    ApiKey.objects.filter(pk=row.pk).update(is_sandbox=True, last_used_at=timezone.now())
    return Reseller(owner, key)


def real_rows() -> dict[str, Any]:
    """All that a sandbox must not touch."""
    counted = (Order, OrderEvent, Transfer, Placement, Refill, Cancellation)
    return {
        **{model.__name__: model.objects.count() for model in counted},
        "balances": sorted(Account.objects.values_list("pk", "balance")),
        "findings": list(audit.findings()),
    }


def buy(reseller: Reseller, what: Service, link: str = LINK, **inputs: Any) -> int:
    answer = reseller.call(action="add", service=what.pk, **{"link": link, "quantity": 100, **inputs})
    assert list(answer) == ["order"], answer
    return int(answer["order"])


def freeze(moment: datetime, *, seconds: float = 0, **later: float) -> Any:
    """The clock stands still at ``moment`` and so much later."""
    return time_machine.travel(moment + timedelta(seconds=seconds, **later), tick=False)


def order_line(reseller: Reseller, order: int) -> tuple[str, str, str]:
    """Status, remains and charge."""
    row = reseller.call(action="status", order=order)
    return row["status"], row["remains"], row["charge"]
