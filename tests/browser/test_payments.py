"""Adding funds in a real browser: manually without scripts, and with the demo gateway's webhooks over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orders.models import Transfer
from storefront.payments import demo_bank
from storefront.payments.models import Payment
from tests import factories
from tests.browser.test_shop import EMAIL, PASSWORD, overflow_widths, sign_in
from tests.storefront.payments import payments
from tests.uploads import png


@pytest.fixture(autouse=True)
def _demo_shop(settings: Any, tmp_path: Path) -> None:
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    settings.PRIVATE_DIR = tmp_path / "private"


def test_a_manual_payment_works_without_javascript(visit: Callable[..., Page]) -> None:
    factories.customer("0", email=EMAIL, password=PASSWORD)
    clerk = factories.staff("view_payment", "change_payment")
    clerk.set_password(PASSWORD)
    clerk.save()
    payments.bank()
    page = visit(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("link", name="Add funds").first.click()
    page.get_by_role("button", name="$25.00").click()
    page.get_by_role("radio", name="Bank transfer").check()
    page.get_by_role("button", name="Continue").click()
    payment = Payment.objects.get()
    expect(page.locator("#payment")).to_contain_text(f"Send 25.00 USD, purpose {payment.reference}.")
    fake = {"name": "receipt.png", "mimeType": "image/png", "buffer": b"<html>"}
    page.get_by_label("Image or PDF").set_input_files(fake)  # type: ignore[arg-type]
    page.get_by_role("button", name="Send proof").click()
    expect(page.locator("#e-file")).to_contain_text("is not a PNG, JPEG, or WebP image or a PDF")
    page.get_by_label("Image or PDF").set_input_files({**fake, "buffer": png()})  # type: ignore[arg-type]
    page.get_by_label("Comment").fill("sent at noon")
    page.get_by_role("button", name="Send proof").click()
    expect(page.locator("#payment .status")).to_have_text("Under review")

    office = visit()
    sign_in(office, clerk.email)
    office.goto("/admin/")
    office.get_by_role("link", name="Review payments").click()
    office.get_by_role("link", name=payment.reference).click()
    picture = office.locator(".proof img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    office.get_by_role("button", name="Approve payment").click()
    expect(office.locator(".messagelist")).to_contain_text("Payment approved; $25.00 added to")

    page.reload()
    expect(page.locator("#payment")).to_contain_text("$25.00 added to your balance")
    expect(page.locator("#balance")).to_contain_text("$25.00")


def test_a_demo_payment_returns_to_the_order(visit: Callable[..., Page]) -> None:
    payments.demo_method()
    factories.customer("1", email=EMAIL, password=PASSWORD)
    service = factories.service(rate="100")
    page = visit()
    sign_in(page)
    page.goto(f"/orders/new/?service={service.pk}")
    page.get_by_label("Link").fill("https://example.com/harp")
    page.get_by_label("Quantity").press_sequentially("100")
    expect(page.locator("#price")).to_contain_text("Short by")
    page.locator("#price").get_by_role("link", name="Add funds").click()
    expect(page.get_by_label("Amount in USD")).to_have_value("9.00")
    page.get_by_role("radio", name="Demo payment").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Pay and send the webhook three times").click()
    expect(page.locator("#payment")).to_contain_text("$9.00 added to your balance")
    assert list(Transfer.objects.filter(reference__startswith="payment:demo:").values_list("amount", flat=True)) == [
        Decimal(9)
    ]
    page.get_by_role("link", name="Back to your order").click()
    expect(page.get_by_label("Quantity")).to_have_value("100")
    page.get_by_role("button", name="Place order").click()
    expect(page.locator("#order .status")).to_have_text("Pending")


def place_of_heading(page: Page) -> dict[str, float]:
    """Return where the heading stands. It gets narrower when the button for the receipt appears beside it."""
    box = page.locator("#payment h1").bounding_box()
    assert box is not None
    return {name: box[name] for name in ("x", "y", "height")}  # type: ignore[literal-required]


def test_the_page_updates_when_a_late_webhook_arrives(
    visit: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_bank, "LATER", 2)
    customer = factories.customer("0", email=EMAIL, password=PASSWORD)
    payment = payments.demo(customer, "30")
    page = visit()
    sign_in(page)
    page.goto(f"/wallet/payments/{payment.reference}/")
    page.get_by_role("link", name="Continue to payment").click()
    page.get_by_role("button", name="Pay and send the webhook later").click()
    expect(page.locator("#payment .status")).to_have_text("Waiting for payment")
    before = place_of_heading(page)
    expect(page.locator("#payment .status")).to_have_text("Added to balance")
    assert place_of_heading(page) == before
    expect(page.locator("#balance")).to_contain_text("$30.00")
    assert page.locator("#payment").get_attribute("hx-get") is None


@pytest.mark.parametrize(
    ("button", "words"), [("Pay half", "We received a different amount"), ("Decline", "Payment declined")]
)
def test_a_declined_or_partial_demo_payment_is_explained(visit: Callable[..., Page], button: str, words: str) -> None:
    payment = payments.demo(factories.customer("0", email=EMAIL, password=PASSWORD))
    page = visit()
    sign_in(page)
    page.goto(f"/wallet/payments/{payment.reference}/demo/")
    page.get_by_role("button", name=button).click()
    expect(page.locator("#payment")).to_contain_text(words)
    expect(page.locator("#balance")).to_contain_text("$0.00")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_of_payments_scrolls_sideways(language: str, visit: Callable[..., Page]) -> None:
    customer = factories.customer("123456.789012", email=EMAIL, password=PASSWORD)
    long = "very-long-word-without-any-blank-" * 3
    payment = payments.manual(customer, "1000000", payments.bank(long, instructions=long * 9, details="9" * 300))
    demo = payments.demo(customer)
    page = visit(locale=language)
    page.goto("/account/login/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main .primary").click()
    expect(page.locator("#balance")).to_be_visible()
    addresses = ["/wallet/", "/wallet/add-funds/", "/wallet/payments/"]
    addresses += [f"/wallet/payments/{one.reference}/" for one in (payment, demo)]
    for address in [*addresses, f"/wallet/payments/{demo.reference}/demo/"]:
        assert overflow_widths(page, address) == {390: 0, 1440: 0}, address
