"""Every page shows the customer's price, with the list price if that is higher, and charges the price it shows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.buying import checkout
from orders.catalog import customer_pricing
from orders.ledger import audit, transfers
from orders.models import Account, CustomerRate, Order, PriceLevel, Service
from storefront.accounts.models import User
from tests import factories
from tests.factories import INPUTS
from tests.storefront.shop.forms import ADDRESS, form_data, inputs_on, send, text_of


def cost_of_one(service: Service, *, quantity: int, catalog_version: int | None = None) -> Decimal:
    """Return a cost of 1 per 1,000 for any service."""
    return Decimal(quantity) / 1000


def set_level(user: User, discount: str, name: str = "Silver") -> PriceLevel:
    level = PriceLevel.objects.create(name=name, discount=Decimal(discount))
    transfers.set_price_level(Account.objects.get(user=user), level=level, is_pinned=False)
    return level


def plain(response: Any) -> str:
    """Return the page without the elements around amounts."""
    text = text_of(response)
    for mark in ("<bdi>", "</bdi>", "<strong>", "</strong>"):
        text = text.replace(mark, "")
    return text


def addresses(service: Service) -> list[str]:
    return [
        "/services/",
        "/services/found/",
        f"/services/{service.pk}/",
        f"{ADDRESS}?service={service.pk}",
        f"{ADDRESS}?q={service.pk}",
    ]


def test_every_page_shows_the_levels_price_and_strikes_the_list_price_through(page: Client, nadia: User) -> None:
    service = factories.service(rate="2.00")
    set_level(nadia, "10")
    for address in addresses(service):
        text = plain(page.get(address))
        assert "<s>$2.00</s>" in text, address
        assert "$1.80" in text, address
        assert "List price" in text, address
        assert "Your price" in text, address
    text = plain(page.post("/orders/price/", {"service": service.pk, "quantity": "1000"}))
    assert "<s>$2.00</s>" in text
    assert '<output class="price" form="order-form">$1.80</output>' in text


def test_a_custom_rate_overrides_the_level_for_its_customer_only(page: Client, nadia: User, client: Client) -> None:
    service = factories.service(rate="2.00")
    set_level(nadia, "10")
    CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("1.25"))
    client.force_login(factories.customer("1"))
    for address in addresses(service):
        text = plain(page.get(address))
        assert "$1.25" in text, address
        assert "$1.80" not in text, address
        other = plain(client.get(address))
        assert "$1.25" not in other, address
        assert "<s>" not in other, address


def test_a_price_above_the_list_is_shown_alone(page: Client, nadia: User) -> None:
    service = factories.service(rate="2.00")
    CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("3.50"))
    for address in addresses(service):
        text = plain(page.get(address))
        assert "$3.50" in text, address
        assert "<s>" not in text, address


def test_ordered_services_are_offered_at_the_custom_rate(page: Client, nadia: User) -> None:
    service = factories.service(rate="2.00")
    factories.order(nadia, service)
    CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("1.25"))
    assert "$1.25" in plain(page.get(ADDRESS))


@pytest.mark.parametrize("own", [None, "1.25", "0.33333333", "7"])
@pytest.mark.parametrize("discount", ["0", "2.5", "33.33"])
def test_the_price_shown_is_the_price_charged(discount: str, own: str | None, page: Client, nadia: User) -> None:
    service = factories.service(rate="1.11111111")
    set_level(nadia, discount)
    if own:
        CustomerRate.objects.create(user=nadia, service=service, rate=Decimal(own))
    data = form_data(page, service, quantity="777")
    order = Order.objects.get(pk=int(send(page, data).headers["Location"].split("/")[2]))
    assert order.rate == customer_pricing.pricing_for(nadia, service.pk).rate(service)
    assert data["shown_price"] == f"{order.rate.normalize():f}/1000" or order.rate == order.rate.to_integral()
    assert Account.objects.get(user=nadia).balance == 100 - order.charge
    assert list(audit.findings()) == []


@pytest.mark.parametrize("change", ["level", "own"])
def test_a_price_that_changed_for_this_customer_is_shown_before_it_is_charged(
    change: str, page: Client, nadia: User
) -> None:
    service = factories.service(rate="0.90")
    data = form_data(page, service, quantity="1000")
    if change == "level":
        set_level(nadia, "50")
    else:
        CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("0.45"))
    response = send(page, data)
    assert "The price has changed" in text_of(response)
    assert "The price is now $0.45" in plain(response)
    assert not Order.objects.exists()
    send(page, inputs_on(response))
    assert Order.objects.get().charge == Decimal("0.45")


def test_nothing_is_sold_below_cost(page: Client, nadia: User, settings: Any) -> None:
    settings.ORDERS_COST_FLOOR = f"{__name__}.cost_of_one"
    service = factories.service(rate="2.00")
    CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("0.50"))
    assert "This service is temporarily unavailable at your price" in text_of(
        page.get(ADDRESS, {"service": service.pk})
    )
    response = send(page, form_data(page, service))
    assert response.status_code == 200
    text = text_of(response)
    assert "This service is temporarily unavailable at your price</strong>" in text
    assert "Nothing was charged" in text
    assert Account.objects.get(user=nadia).balance == 100
    typed = page.post("/orders/price/", {"service": service.pk, "quantity": "1000"})
    assert "This service is temporarily unavailable at your price" in text_of(typed)


def test_other_customers_can_order_a_service_that_one_custom_rate_blocks(
    client: Client, nadia: User, settings: Any
) -> None:
    settings.ORDERS_COST_FLOOR = f"{__name__}.cost_of_one"
    service = factories.service(rate="2.00")
    CustomerRate.objects.create(user=nadia, service=service, rate=Decimal("0.50"))
    client.force_login(factories.customer("10"))
    assert send(client, form_data(client, service)).status_code == 302


def test_the_api_and_the_page_charge_the_same(page: Client, nadia: User) -> None:
    service = factories.service(rate="1.23456789")
    set_level(nadia, "12.5")
    send(page, form_data(page, service, quantity="1000"))
    by_program = checkout.place_order(
        nadia, service=service, inputs={**INPUTS, "quantity": "1000", "link": "https://example.com/other"}
    )
    assert Order.objects.exclude(pk=by_program.pk).get().charge == by_program.charge


def test_a_visitor_and_staff_without_a_wallet_see_list_prices(client: Client) -> None:
    service = factories.service(rate="2.00")
    assert "<s>" not in text_of(client.get("/services/"))
    client.force_login(factories.user(is_staff=True))
    for address in addresses(service):
        assert "$2.00" in plain(client.get(address)), address
