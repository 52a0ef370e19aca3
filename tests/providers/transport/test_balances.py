"""Every reading of a provider's balance is stored with what makes it usable as evidence."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from providers.models import Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.pricelists import importer, onboarding
from providers.reconciling import evidence
from providers.transport import funds
from tests.providers.conftest import buy, customer

pytestmark = pytest.mark.django_db

READERS: dict[str, Callable[[Provider], object]] = {
    "price list": importer.import_offers,
    "connection test": onboarding.test_connection,
    "status sync": lambda provider: evidence.refresh(provider, seconds=0),
    "rejection for lack of funds": lambda provider: funds.hold_back(provider, cost=Decimal(1)),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_reading_without_orders_under_way_is_the_idle_balance(
    panel: Panel, provider: Provider, read: Callable[[Provider], object]
) -> None:
    Provider.objects.update(balance=None, balance_seen_at=None, idle_balance=None, idle_balance_at=None)
    provider.refresh_from_db()
    read(provider)
    stored = Provider.objects.get()
    assert (stored.balance, stored.idle_balance) == (panel.balance, panel.balance)
    assert stored.idle_balance_at == stored.balance_seen_at


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_reading_while_an_outcome_is_unknown_leaves_the_idle_balance(
    panel: Panel, provider: Provider, read: Callable[[Provider], object]
) -> None:
    buy(customer(), provider.offers.filter(service_type="default", routes__isnull=False)[0].routes.get().service)
    panel.fault("add", "reset_after")
    submission.submit_due(provider)
    Provider.objects.update(idle_balance=Decimal(7), idle_balance_at=None, paused_until=None)
    provider.refresh_from_db()
    read(provider)
    stored = Provider.objects.get()
    assert (stored.balance, stored.idle_balance) == (panel.balance, Decimal(7))
