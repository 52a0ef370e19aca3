"""What becomes of the display currencies of before rates were used for payments."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from storefront.currencies import display, rates
from storefront.currencies.models import Currency, RateRecord
from storefront.currencies.rates import NoRate

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_display_currencies_stay_for_display_only_and_their_rates_are_recorded() -> None:
    executor = MigrationExecutor(connection)
    newest = [node for node in executor.loader.graph.leaf_nodes() if node[0] == "currencies"]
    try:
        executor.migrate([("currencies", "0001_initial")])
        old = executor.loader.project_state([("currencies", "0001_initial")]).apps.get_model("currencies", "Currency")
        old.objects.create(code="EUR", rate=Decimal("0.92"))
        old.objects.update(updated_at=BEFORE)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(newest)
    euro = Currency.objects.get()
    assert (euro.rate, euro.margin, euro.is_payable, euro.confirmed_at) == (Decimal("0.92"), 0, False, BEFORE)
    with pytest.raises(NoRate):
        rates.payment_rate("EUR")
    display.clear_cache()
    assert display.active()["EUR"].rate == Decimal("0.92")
    assert rates.rate_at("EUR", BEFORE) == Decimal("0.92")
    assert RateRecord.objects.values_list("origin", "by").get() == ("entered", "")
    display.clear_cache()
