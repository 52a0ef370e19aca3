"""Creating an account, ordering and following orders in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from orders.ledger import transfers
from orders.lifecycle import fulfillment
from orders.models import Account, Order
from orders.rules.state_machine import Progress, Status
from storefront.accounts.models import User
from tests import factories

EMAIL, PASSWORD = "nadia@example.com", "a-long-enough-one"


def sign_in(page: Page, email: str = EMAIL) -> None:
    page.goto("/account/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#balance")).to_be_visible()


def sign_in_in_any_language(page: Page) -> None:
    page.goto("/account/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main .primary").click()
    expect(page.locator("#balance")).to_be_visible()


def test_a_new_customer_orders_and_follows_the_delivery(visit: Callable[..., Page]) -> None:
    factories.service(name="Harp lessons, steady pace", rate="0.90")
    page = visit()
    page.goto("/")
    page.get_by_role("link", name="Create account", exact=True).click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Create account").click()
    expect(page.locator("#balance")).to_contain_text("$0.00")
    wallet = Account.objects.get(user__email=EMAIL)
    transfers.credit_payment(wallet, amount=Decimal(20), gateway="test", reference="first")

    page.get_by_placeholder("Service name or ID").fill("lessons")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("link", name="Harp lessons, steady pace", exact=True).click()
    page.get_by_role("link", name="Order this service").click()
    page.get_by_label("Link").fill("https://example.com/harp")
    page.get_by_label("Quantity").press_sequentially("5000")
    expect(page.locator("#price output")).to_have_text("$4.50")
    expect(page.locator("#price")).to_contain_text("$15.50")
    page.get_by_role("button", name="Place order").click()

    expect(page.get_by_role("status").first).to_contain_text("placed")
    expect(page.locator("#order .status")).to_have_text("Pending")
    order = Order.objects.get()
    fulfillment.mark_submitting([order.pk])
    fulfillment.accept(order.pk)
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.IN_PROGRESS, remains=1000, start_count=7))
    expect(page.locator("#order .status")).to_have_text("In progress")
    expect(page.locator("#order")).to_contain_text("4,000")

    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.PARTIAL, remains=1000))
    expect(page.locator("#order .status")).to_have_text("Partial")
    expect(page.locator("#balance")).to_contain_text("$16.40")
    page.get_by_role("link", name="Transactions", exact=True).click()
    expect(page.get_by_role("row", name=f"Refund for order {order.pk}")).to_contain_text("+$0.90")


def test_the_order_list_updates_open_orders(visit: Callable[..., Page]) -> None:
    buyer = factories.customer("10", email=EMAIL, password=PASSWORD)
    order = factories.order(buyer, status="pending")
    page = visit()
    sign_in(page)
    page.goto("/orders/")
    row = page.locator(f"#order-{order.pk}")
    expect(row).to_contain_text("Pending")
    fulfillment.apply_progress(order.pk, progress=Progress(status=Status.COMPLETED))
    expect(row).to_contain_text("Completed")
    expect(row).to_contain_text("100 / 100")
    assert page.locator("#poll").get_attribute("hx-get") is None


def test_lines_and_the_missing_amount_are_counted_while_typing(visit: Callable[..., Page]) -> None:
    factories.customer("1", email=EMAIL, password=PASSWORD)
    service = factories.service(service_type="custom_comments", rate="600")
    page = visit()
    sign_in(page)
    page.goto(f"/orders/new/?service={service.pk}")
    page.get_by_label("Comments").fill("one\ntwo\nthree")
    expect(page.locator("#lines-comments")).to_have_text("3 lines")
    expect(page.locator("#price")).to_contain_text("Short by")
    expect(page.locator("#price .out")).to_have_text("$0.80")
    page.get_by_label("Comments").fill("one")
    expect(page.locator("#lines-comments")).to_have_text("1 line")
    expect(page.locator("#price")).to_contain_text("Balance after this order")


def test_an_order_is_placed_without_javascript(visit: Callable[..., Page]) -> None:
    factories.customer("10", email=EMAIL, password=PASSWORD)
    service = factories.service(rate="0.90", min_quantity=50)
    page = visit(java_script_enabled=False)
    sign_in(page)
    page.goto(f"/services/{service.pk}/")
    page.get_by_role("link", name="Order this service").click()
    page.get_by_label("Link").fill("https://example.com/harp")
    page.get_by_label("Quantity").fill("10")
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
    page.get_by_label("Quantity").fill("1000")
    page.get_by_role("button", name="Check price").click()
    expect(page.locator("#price output")).to_have_text("$0.90")
    page.get_by_role("button", name="Place order").click()
    expect(page.locator("#order .status")).to_have_text("Pending")
    assert Order.objects.get().quantity == 1000


def test_the_account_menu_opens_and_closes(visit: Callable[..., Page]) -> None:
    factories.customer("10", email=EMAIL, password=PASSWORD)
    page = visit()
    sign_in(page)
    menu = page.locator("details.menu")
    menu.locator("summary").click()
    expect(menu.get_by_text("API keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_text("API keys")).to_be_hidden()
    menu.locator("summary").click()
    menu.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def create_shop_with_long_texts() -> User:
    """Create orders that are hard to lay out, with long words, long links and large numbers; return the customer."""
    buyer = factories.customer("123456.789012", email=EMAIL, password=PASSWORD)
    name = "Followers " + "very-long-word-without-any-blank-" * 6
    service = factories.service(name=name, max_quantity=5_000_000, description="W" * 300, has_refill=True)
    link = "https://example.com/" + "x" * 400
    for status in ("queued", "in_doubt", "in_progress", "completed", "failed"):
        factories.order(buyer, service, status=status, link=link, quantity="1000000")
    factories.order(buyer, factories.service(service_type="custom_comments"), comments="y" * 500 + "\nz")
    return buyer


OVERFLOW_WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_scrolls_sideways(language: str, visit: Callable[..., Page]) -> None:
    create_shop_with_long_texts()
    page = visit(locale=language)
    addresses = ["/", "/services/", "/account/login/", "/account/signup/", "/api/"]
    for address in addresses:
        assert overflow_widths(page, address) == {390: 0, 1440: 0}, address
    sign_in_in_any_language(page)
    orders = list(Order.objects.values_list("pk", "service_id"))
    addresses = ["/orders/", "/wallet/", "/account/keys/", "/account/email/", "/orders/new/"]
    addresses += [f"/orders/{pk}/" for pk, _service in orders]
    for service in {service for _pk, service in orders}:
        addresses += [f"/services/{service}/", f"/orders/new/?service={service}"]
    for address in addresses:
        assert overflow_widths(page, address) == {390: 0, 1440: 0}, address


#: Finds the elements with an amount that extend beyond the window or beyond a box that hides what overflows.
CUT_AMOUNTS = """
() => [...document.querySelectorAll("bdi, dd, td.num, .balance a, .amount")].filter((element) => {
  if (!/[0-9]/.test(element.textContent) || /https?:/.test(element.textContent)) return false;
  const range = document.createRange();
  range.selectNodeContents(element);
  const text = range.getBoundingClientRect();
  if (!text.width) return false;
  for (let box = element; box; box = box.parentElement) {
    const style = getComputedStyle(box), edge = box.getBoundingClientRect();
    if (["auto", "scroll"].includes(style.overflowX)) return false;
    const isCut = box === document.documentElement || (style.overflowX !== "visible" && edge.width > 1);
    if (isCut && (text.left < edge.left - 1 || text.right > edge.right + 1)) return edge.width > 1;
    if (edge.width <= 1) return false;
  }
  return false;
}).map((element) => element.textContent.trim())
"""


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_amount_is_cut_off_with_any_font(language: str, visit: Callable[..., Page]) -> None:
    """Wide letter spacing stands for the fonts of other systems: DejaVu Sans is 10% wider than most."""
    create_shop_with_long_texts()
    page = visit(viewport={"width": 390, "height": 900}, locale=language, bypass_csp=True)
    sign_in_in_any_language(page)
    addresses = ["/", "/orders/", "/wallet/", "/wallet/add-funds/", f"/orders/{Order.objects.earliest('pk').pk}/"]
    for address in addresses:
        page.goto(address)
        for spacing in ("normal", ".08em"):
            page.add_style_tag(content=f"* {{ letter-spacing: {spacing} !important }}")
            assert page.evaluate(CUT_AMOUNTS) == [], (address, spacing)
            assert page.evaluate(OVERFLOW_WIDTH) == 0, (address, spacing)


def overflow_width(page: Page, address: str) -> int:
    """Open the page at ``address``; return by how many pixels it is wider than the window."""
    page.goto(address)
    width: int = page.evaluate(OVERFLOW_WIDTH)
    return width


def overflow_widths(page: Page, address: str) -> dict[int, int]:
    """Open the page at ``address``; return by how many pixels it is wider than a window of each width."""
    page.goto(address)
    widths = {}
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        widths[width] = page.evaluate(OVERFLOW_WIDTH)
    return widths
