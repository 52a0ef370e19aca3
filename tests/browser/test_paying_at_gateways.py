"""A customer pays in a real browser at every pretend gateway, and the balance is credited once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orders.ledger import audit as books
from orders.models import Transfer
from storefront.payments.gateway import CustomerField
from storefront.payments.gateways import GATEWAYS
from storefront.payments.models import Payment, PaymentMethod
from tests import factories
from tests.browser.test_shop import EMAIL, PASSWORD, sign_in
from tests.storefront.payments.gateways.pretend import PretendGateway
from tests.storefront.payments.gateways.test_every_gateway import PRETEND, create_method

DETAILS = {
    CustomerField.NAME: "Nadia Karim",
    CustomerField.PHONE: "+919876543210",
    CustomerField.TAX_ID: "12345678909",
    CustomerField.ADDRESS: "1 Example Street, Izmir",
}


def start(page: Page, method: PaymentMethod) -> Payment:
    """Choose the method on the form and continue to the gateway."""
    page.goto(f"/wallet/add-funds/?amount=100&method={method.pk}")
    page.locator(f"input[name=method][value='{method.pk}']").check()
    for field in GATEWAYS[method.gateway].customer_fields:
        page.locator(f"[name=customer_{field.value}]").fill(DETAILS[field])
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: "/wallet/add-funds/" not in url)
    return Payment.objects.get(method=method)


def pay(page: Page, pretend: PretendGateway, payment: Payment) -> None:
    """Pay on the gateway's page, in its frame, or with the details on the payment's page."""
    kind = payment.action["kind"]
    if kind == "details":
        [opened] = pretend.opened.values()
        assert pretend.pay(opened) == 200
        return
    button = page.frame_locator("iframe").get_by_role("button") if kind == "frame" else page.get_by_role("button")
    button.click()
    if kind == "redirect":
        page.wait_for_load_state()
        page.goto(f"/wallet/payments/{payment.reference}/")


@pytest.mark.parametrize("name", sorted(PRETEND))
def test_a_payment_is_credited_once(name: str, visit: Callable[..., Page], shop: str, settings: Any) -> None:
    settings.SHOP_URL = shop
    pretend = PRETEND[name]()
    settings.PAYMENT_GATEWAY_URLS = {name: pretend.url}
    factories.customer("0", email=EMAIL, password=PASSWORD)
    try:
        method = create_method(pretend)
        pretend.registered_url = method.webhook_url
        page = visit(other_server=pretend.url)
        sign_in(page)
        payment = start(page, method)
        pay(page, pretend, payment)
        expect(page.locator("#payment")).to_contain_text("$100.00 added to your balance")
    finally:
        pretend.stop()
    assert list(Transfer.objects.filter(kind="payment").values_list("amount", flat=True)) == [Decimal(100)]
    assert list(books.findings()) == []
