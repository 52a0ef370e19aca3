"""The list of every page, by name, for the checks of accessibility and for screenshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.sample_shop import SampleShop

VISITOR, CUSTOMER, NEWCOMER, STAFF = "visitor", "customer", "newcomer", "staff"


def _do_nothing(page: Page) -> None:
    """Leave the page as it was opened."""


@dataclass(frozen=True, slots=True)
class Screen:
    name: str
    path: str
    viewer: str
    #: What to do on the page before it is checked.
    prepare: Callable[[Page], None] = _do_nothing
    #: The expected HTTP status; the browser logs an error for 404.
    status: int = 200


def _send_empty(page: Page) -> None:
    page.locator("main form:not([hx-get]) .primary").first.click()
    page.wait_for_load_state()


def _check_lines(page: Page) -> None:
    first = page.locator("main textarea").first
    first.fill("1 | https://photos.example.com/p/1 | 500\n4 | https://photos.example.com/p/2 | 1\nnot an order\n")
    page.locator("main form:not([hx-get]) .primary").first.click()
    page.wait_for_load_state()


def _find_nothing(page: Page) -> None:
    page.goto("/services/?q=zither&refill=1")


def _enter_wrong_coupon(page: Page) -> None:
    page.locator("#id_amount").fill("25")
    page.locator("#id_coupon").fill("SPRING-25")
    page.locator("input[name=method]").first.check()
    _send_empty(page)


def _open_menu(page: Page) -> None:
    page.locator("details.menu summary").first.click()


def all_screens(shop: SampleShop) -> list[Screen]:
    """Return every page of the sample shop ``shop``."""
    return [*_visitors(shop), *_customers(shop), *_account(shop), *_empty(), *_office(shop), *_reports()]


def _visitors(shop: SampleShop) -> list[Screen]:
    service = shop.services[0].pk
    return [
        Screen("landing", "/", VISITOR),
        Screen("catalog-visitor", "/services/", VISITOR),
        Screen("service-visitor", f"/services/{service}/", VISITOR),
        Screen("login", "/account/login/", VISITOR),
        Screen("login-errors", "/account/login/", VISITOR, _send_empty),
        Screen("signup", "/account/signup/", VISITOR),
        Screen("signup-errors", "/account/signup/", VISITOR, _send_empty),
        Screen("password-reset", "/account/password/reset/", VISITOR),
        Screen("password-reset-done", "/account/password/reset/done/", VISITOR),
        Screen("reset-link-dead", "/account/password/reset/key/1-x-y/", VISITOR),
        Screen("check-your-email", "/account/confirm-email/", VISITOR),
        Screen("confirm-link-dead", "/account/confirm-email/nothing/", VISITOR),
        Screen("api-visitor", "/api/", VISITOR),
        Screen("api-v3", "/api/v3/", VISITOR),
        Screen("page", "/pages/terms/", VISITOR),
        Screen("updates-visitor", "/updates/", VISITOR),
        Screen("not-found", "/nothing/here/", VISITOR, status=404),
    ]


def _customers(shop: SampleShop) -> list[Screen]:
    service, drip_feed, poll = shop.services[0].pk, shop.services[5].pk, shop.services[-1].pk
    orders = [Screen(f"order-{name}", f"/orders/{order.pk}/", CUSTOMER) for name, order in shop.orders.items()]
    return [
        Screen("catalog", "/services/", CUSTOMER),
        Screen("catalog-sorted", "/services/?sort=fast&refill=1", CUSTOMER),
        Screen("catalog-nothing", "/services/", CUSTOMER, _find_nothing),
        Screen("service", f"/services/{service}/", CUSTOMER),
        Screen("menu", "/services/", CUSTOMER, _open_menu),
        Screen("order-pick", "/orders/new/", CUSTOMER),
        Screen("order-new", f"/orders/new/?service={drip_feed}", CUSTOMER),
        Screen("order-new-poll", f"/orders/new/?service={poll}", CUSTOMER),
        Screen("order-new-errors", f"/orders/new/?service={service}", CUSTOMER, _send_empty),
        Screen("mass", "/orders/mass/", CUSTOMER),
        Screen("mass-checked", "/orders/mass/", CUSTOMER, _check_lines),
        Screen("orders", "/orders/", CUSTOMER),
        Screen("orders-nothing", "/orders/?q=zither", CUSTOMER),
        *orders,
        Screen("refills", "/refills/", CUSTOMER),
        Screen("wallet", "/wallet/", CUSTOMER),
        Screen("top-up", "/wallet/add-funds/", CUSTOMER),
        Screen("top-up-wrong-coupon", "/wallet/add-funds/", CUSTOMER, _enter_wrong_coupon),
        Screen("affiliates", "/affiliates/", CUSTOMER),
        Screen("top-up-for-order", f"/wallet/add-funds/?amount=35.19&purpose={shop.ids['planned_order']}", CUSTOMER),
        Screen("top-up-upi", f"/wallet/payments/{shop.ids['upi_payment']}/", CUSTOMER),
        Screen("top-ups", "/wallet/payments/", CUSTOMER),
        Screen("top-up-demo", f"/wallet/payments/{shop.ids['demo_payment']}/", CUSTOMER),
        Screen("top-up-credited", f"/wallet/payments/{shop.ids['credited_payment']}/", CUSTOMER),
        Screen("top-up-by-hand", f"/wallet/payments/{shop.ids['manual_payment']}/", CUSTOMER),
        Screen("demo-bank", f"/wallet/payments/{shop.ids['demo_payment']}/demo/", CUSTOMER),
        Screen("tickets", "/support/", CUSTOMER),
        Screen("ticket-new", "/support/new/", CUSTOMER),
        Screen("ticket-new-errors", "/support/new/", CUSTOMER, _send_empty),
        Screen("ticket", f"/support/{shop.ids['ticket']}/", CUSTOMER),
        Screen("updates", "/updates/", CUSTOMER),
    ]


def _account(shop: SampleShop) -> list[Screen]:
    key, endpoint, delivery = shop.ids["key"], shop.ids["endpoint"], shop.ids["delivery"]
    return [
        Screen("api", "/api/", CUSTOMER),
        Screen("keys", "/account/keys/", CUSTOMER),
        Screen("key", f"/account/keys/{key}/", CUSTOMER),
        Screen("key-revoke", f"/account/keys/{key}/revoke/", CUSTOMER),
        Screen("webhooks", "/webhooks/", CUSTOMER),
        Screen("webhook-edit", f"/webhooks/{endpoint}/edit/", CUSTOMER),
        Screen("deliveries", f"/webhooks/{endpoint}/", CUSTOMER),
        Screen("delivery", f"/webhooks/{endpoint}/{delivery}/", CUSTOMER),
        Screen("profile", "/account/profile/", CUSTOMER),
        Screen("email", "/account/email/", CUSTOMER),
        Screen("access-review", "/account/access/", CUSTOMER),
        Screen("password-change", "/account/password/change/", CUSTOMER),
        Screen("sessions", "/account/sessions/", CUSTOMER),
        Screen("two-factor", "/account/second-factor/", CUSTOMER),
        Screen("emails", "/account/mail/", CUSTOMER),
    ]


def _empty() -> list[Screen]:
    paths = {
        "orders": "/orders/", "wallet": "/wallet/", "refills": "/refills/", "tickets": "/support/",
        "top-ups": "/wallet/payments/", "keys": "/account/keys/", "webhooks": "/webhooks/", "email": "/account/email/",
        "favorites": "/services/?favorites=1", "affiliates": "/affiliates/", "order-pick": "/orders/new/",
    }  # fmt: skip
    return [Screen(f"empty-{name}", path, NEWCOMER) for name, path in paths.items()]


def _office(shop: SampleShop) -> list[Screen]:
    lists = {
        "orders": "orders/order", "services": "orders/service", "categories": "orders/category",
        "transfers": "orders/transfer", "refills": "orders/refill", "levels": "orders/pricelevel",
        "providers": "providers/provider", "offers": "providers/offer", "markups": "providers/markup",
        "users": "accounts/user", "tickets": "support/ticket", "payments": "payments/payment",
        "payment-methods": "payments/paymentmethod",
        "payment-bonuses": "promotions/paymentbonus", "bonuses": "promotions/bonus", "coupons": "promotions/coupon",
        "affiliates": "promotions/affiliate", "commissions": "promotions/commission",
        "letters": "mail/email",
        "currencies": "currencies/currency", "rate-sources": "currencies/ratesource",
        "rate-history": "currencies/raterecord",
    }  # fmt: skip
    pages = {
        "order": f"orders/order/{shop.orders['in_progress'].pk}/change", "doubt": "orders/order/?status=in_doubt",
        "service": f"orders/service/{shop.services[0].pk}/change", "provider-add": "providers/provider/add",
        "user": f"accounts/user/{shop.nadia.pk}/change", "ticket": f"support/ticket/{shop.ids['ticket']}/change",
        "currency": f"currencies/currency/{shop.ids['currency_JPY']}/change",
        "currency-first-rate": f"currencies/currency/{shop.ids['currency_INR']}/change",
        "currency-add": "currencies/currency/add", "rate-source-add": "currencies/ratesource/add",
        "rate-source": f"currencies/ratesource/{shop.ids['rate_source']}/change",
        "payment-bonus-add": "promotions/paymentbonus/add", "payment-method-choose": "payments/paymentmethod/add",
        "payment-method-add": "payments/paymentmethod/add/?gateway=nowpayments",
        "payment-method": f"payments/paymentmethod/{shop.ids['payment_method']}/change",
        "coupon-add": "promotions/coupon/add", "promotion-settings": "promotions/promotionsettings/1/change",
        "brand": "brand/brand", "index": "",
    }  # fmt: skip
    named = {f"{name}-list": path for name, path in lists.items()} | pages
    return [
        Screen("style", "/style/", STAFF),
        *(Screen(f"admin-{name}", f"/admin/{path}{'' if '?' in path or not path else '/'}", STAFF)
          for name, path in named.items()),
    ]  # fmt: skip


def _reports() -> list[Screen]:
    paths = {"profit": "profit/", "profit-services": "profit/?by=service", "statement": "provider-statement/",
             "trial-balance": "trial-balance/", "account-balance": "account/?account=sales"}  # fmt: skip
    return [Screen(f"admin-{name}", f"/admin/reports/{path}", STAFF) for name, path in paths.items()]
