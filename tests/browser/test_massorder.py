"""Mass orders and refills of several orders in a real browser, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from orders.models import Order, Refill
from tests import factories
from tests.browser.test_shop import EMAIL, PASSWORD, overflow_width, sign_in


@pytest.mark.parametrize("has_scripts", [True, False])
def test_a_mass_order_is_checked_corrected_and_bought(
    has_scripts: bool, visit: Callable[..., Page], tmp_path: Path
) -> None:
    factories.customer("10", email=EMAIL, password=PASSWORD)
    service = factories.service(rate="0.90", min_quantity=50)
    page = visit(java_script_enabled=has_scripts)
    sign_in(page)
    page.get_by_role("link", name="New order").click()
    page.get_by_role("link", name="Mass order").click()
    lines = "\n".join(f"{service.pk} | https://example.com/{n} | {n}000" for n in (1, 2, 0))
    page.get_by_label("One order per line").fill(lines)
    page.get_by_role("button", name="Check lines").click()
    expect(page.locator("table.mass")).to_contain_text("The minimum quantity is 50.")
    expect(page.locator("#mass-total")).to_have_text("$2.70")
    page.get_by_role("button", name="Place 2 orders").dblclick()
    expect(page.get_by_role("status")).to_contain_text("2 orders placed")
    expect(page.locator("#balance")).to_contain_text("$7.30")
    expect(page.get_by_label("One order per line")).to_have_value(f"{service.pk} | https://example.com/0 | 0000\n")
    assert Order.objects.count() == 2
    file = tmp_path / "orders.csv"
    file.write_text(f"service;link;quantity\n{service.pk};https://example.com/0;1000\n")
    page.get_by_label("Or upload a file").set_input_files(file)
    page.get_by_role("button", name="Check again").click()
    page.get_by_role("button", name="Place 1 order").click()
    expect(page.get_by_role("status")).to_contain_text("1 order placed")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("1 order placed")
    assert Order.objects.count() == 3


def test_selected_orders_are_refilled_and_no_page_scrolls_sideways(visit: Callable[..., Page]) -> None:
    buyer = factories.customer("10", email=EMAIL, password=PASSWORD)
    service = factories.service(has_refill=True, name="Followers " + "very-long-word-without-any-blank-" * 6)
    order = factories.order(buyer, service, status="completed", link="https://example.com/" + "x" * 400)
    Order.objects.filter(pk=order.pk).update(remains=0, ended_at=timezone.now())
    page = visit(java_script_enabled=False, viewport={"width": 390, "height": 800})
    sign_in(page)
    page.goto("/orders/")
    page.get_by_label(f"Select order {order.pk}").check()
    page.get_by_role("button", name="Request refill").click()
    expect(page.get_by_role("status")).to_contain_text(f"Refill requested for order {order.pk}.")
    assert Refill.objects.get().order == order
    for address in ("/orders/", "/refills/", "/orders/mass/"):
        assert overflow_width(page, address) == 0, address
    page.get_by_label("One order per line").fill(f"{service.pk} | https://example.com/{'x' * 400} | 100\n{'y' * 400}")
    page.get_by_role("button", name="Check lines").click()
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    expect(page.locator("table.mass")).to_contain_text("Enter a service ID first")
    page.wait_for_load_state()
    assert page.evaluate(width) == 0
