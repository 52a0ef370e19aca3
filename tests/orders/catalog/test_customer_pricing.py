"""Customer pricing: price levels, custom rates, low balance alerts, and the catalog version."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection

from orders import events
from orders.buying import checkout
from orders.catalog import customer_pricing
from orders.errors import InsufficientFunds
from orders.events import Topic
from orders.ledger import audit, transfers
from orders.models import Account, CatalogVersion, Category, CustomerRate, Order, PriceLevel, Service
from orders.rules import charges
from tests import factories
from tests.factories import INPUTS
from tests.orders.parallel import together

pytestmark = pytest.mark.django_db

#: The events that ``hear`` received.
heard: list[events.ShopEvent] = []


def hear(told: list[events.ShopEvent]) -> None:
    heard.extend(told)


@pytest.fixture
def listening(settings: Any) -> list[events.ShopEvent]:
    heard.clear()
    settings.ORDERS_EVENT_LISTENERS = [f"{__name__}.hear"]
    return heard


def buy(user: Any, service: Service, quantity: str = "1000") -> Order:
    return checkout.place_order(user, service=service, inputs={**INPUTS, "quantity": quantity})


# ------------------------------------------------------------------------------------------------ prices
@pytest.mark.parametrize(
    ("rate", "percent", "paid"),
    [
        ("1", "0", "1"),
        ("1", "2.5", "0.975"),
        ("0.00000001", "50", "0.00000001"),
        ("3", "33.33", "2.0001"),
        ("5", "100", "0"),
    ],
)
def test_a_discounted_rate_is_rounded_up(rate: str, percent: str, paid: str) -> None:
    assert charges.apply_discount(Decimal(rate), Decimal(percent)) == Decimal(paid)


def test_the_level_discount_does_not_apply_to_a_custom_rate() -> None:
    buyer, service, other = factories.customer("10"), factories.service(rate="1"), factories.service(rate="1")
    assert buy(buyer, service).charge == Decimal(1)
    gold = PriceLevel.objects.create(name="Gold", discount=Decimal("12.5"))
    transfers.set_price_level(buyer.wallet, level=gold, is_pinned=True)
    CustomerRate.objects.create(user=buyer, service=other, rate=Decimal("0.5"))
    assert [buy(buyer, sold).charge for sold in (service, other)] == [Decimal("0.875"), Decimal("0.5")]
    assert buy(factories.customer("10"), other).charge == Decimal(1), "the custom rate is for one customer only"
    assert Order.objects.filter(service=other, user=buyer).get().rate == Decimal("0.5")
    assert customer_pricing.pricing_for(buyer, service.pk).own == {}
    assert customer_pricing.pricing_for(buyer).own == {other.pk: Decimal("0.5")}


def test_levels_rise_with_spending_and_never_fall() -> None:
    silver = PriceLevel.objects.create(name="Silver", discount=Decimal(2), from_spend=Decimal(1))
    gold = PriceLevel.objects.create(name="Gold", discount=Decimal(5), from_spend=Decimal(3))
    gift = PriceLevel.objects.create(name="Gift", discount=Decimal(3))
    poor, good, best, given, pinned = (factories.customer("10") for _ in range(5))
    service = factories.service(rate="1")
    for buyer, count in ((good, 1), (best, 4), (given, 1), (pinned, 4)):
        for number in range(count):
            buy(buyer, service, str(1000 + number))
    transfers.set_price_level(given.wallet, level=gift, is_pinned=False)
    transfers.set_price_level(pinned.wallet, level=None, is_pinned=True)
    assert transfers.raise_price_levels() == 2
    assert transfers.raise_price_levels() == 0
    found = dict(Account.objects.filter(kind="wallet").values_list("user", "level"))
    assert found == {poor.pk: None, good.pk: silver.pk, best.pk: gold.pk, given.pk: gift.pk, pinned.pk: None}


def test_refunds_are_subtracted_from_spending() -> None:
    order = factories.order()
    Account.objects.get(user=order.user)
    transfers.refund(order, target=Decimal("0.04"))
    assert Account.objects.get(user=order.user).spent == Decimal("0.05")
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ a low balance
def test_a_charge_below_the_alert_limit_is_published_once(listening: list[events.ShopEvent]) -> None:
    buyer, service = factories.customer("3"), factories.service(rate="1")
    transfers.set_low_balance_alert(buyer.wallet, below=Decimal("1.5"))
    for number in range(3):
        buy(buyer, service, str(1000 - number))
    (told,) = listening
    assert (told.topic, told.user_id) == (Topic.LOW_BALANCE, buyer.pk)
    assert told.data == {"balance": "1.001", "below": "1.50"}
    transfers.credit_payment(buyer.wallet, amount=Decimal(5), gateway="test", reference="again")
    buy(buyer, service, "5000")
    assert len(listening) == 2, "the balance was above the limit in between"


def test_a_failed_purchase_publishes_no_low_balance(listening: list[events.ShopEvent]) -> None:
    buyer = factories.customer("1")
    transfers.set_low_balance_alert(buyer.wallet, below=Decimal("0.5"))
    with pytest.raises(InsufficientFunds):
        buy(buyer, factories.service(rate="1.01"))
    assert listening == []


@pytest.mark.django_db(transaction=True)
def test_concurrent_purchases_publish_one_low_balance(listening: list[events.ShopEvent]) -> None:
    buyer, service = factories.customer("2"), factories.service(rate="0.1")
    transfers.set_low_balance_alert(buyer.wallet, below=Decimal(1))
    found = together([partial(buy, buyer, service, str(1000 - number)) for number in range(20)])
    assert all(isinstance(order, Order) for order in found)
    assert len(listening) == 1
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ the catalog version
def test_every_change_of_the_price_list_changes_the_catalog_version() -> None:
    seen = []

    def look() -> None:
        seen.append(CatalogVersion.objects.get().version)

    service = factories.service()
    look()
    Service.objects.update(rate=Decimal(2))
    look()
    service.name = "Another"
    service.save()
    look()
    Category.objects.update(name="Renamed")
    look()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_service SET max_quantity = 77")
    look()
    PriceLevel.objects.create(name="Gold", discount=Decimal(5))
    look()
    service.delete()
    look()
    assert len(set(seen)) == len(seen) == 7
    factories.customer("1")
    look()
    assert seen[-1] == seen[-2], "other changes do not change the version"
