"""Every page that a person can open, by name: looked at by axe, weighed, photographed. One list for all of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.furnished import Furnished

VISITOR, CUSTOMER, NEWCOMER, STAFF = "visitor", "customer", "newcomer", "staff"


def _as_it_is(page: Page) -> None:
    """Nothing is done on the page."""


@dataclass(frozen=True, slots=True)
class Sight:
    name: str
    path: str
    who: str
    act: Callable[[Page], None] = _as_it_is
    #: Answered with an error on purpose: the browser's console says so.
    status: int = 200


def _send_empty(page: Page) -> None:
    page.locator("main form:not([hx-get]) .primary").first.click()
    page.wait_for_load_state()


def _check_lines(page: Page) -> None:
    first = page.locator("main textarea").first
    first.fill("1 | https://photos.example.com/p/1 | 500\n4 | https://photos.example.com/p/2 | 1\nnothing of use\n")
    page.locator("main form:not([hx-get]) .primary").first.click()
    page.wait_for_load_state()


def _find_nothing(page: Page) -> None:
    page.goto("/services/?q=zither&refill=1")


def _open_menu(page: Page) -> None:
    page.locator("details.menu summary").first.click()


def of(shop: Furnished) -> list[Sight]:
    """All of them, for the shop as it is furnished."""
    return [*_visitors(shop), *_customers(shop), *_account(shop), *_empty(), *_office(shop)]


def _visitors(shop: Furnished) -> list[Sight]:
    service = shop.services[0].pk
    return [
        Sight("landing", "/", VISITOR),
        Sight("catalog-visitor", "/services/", VISITOR),
        Sight("service-visitor", f"/services/{service}/", VISITOR),
        Sight("login", "/account/login/", VISITOR),
        Sight("login-errors", "/account/login/", VISITOR, _send_empty),
        Sight("signup", "/account/signup/", VISITOR),
        Sight("signup-errors", "/account/signup/", VISITOR, _send_empty),
        Sight("password-reset", "/account/password/reset/", VISITOR),
        Sight("password-reset-done", "/account/password/reset/done/", VISITOR),
        Sight("reset-link-dead", "/account/password/reset/key/1-x-y/", VISITOR),
        Sight("check-your-email", "/account/confirm-email/", VISITOR),
        Sight("confirm-link-dead", "/account/confirm-email/nothing/", VISITOR),
        Sight("api-visitor", "/api/", VISITOR),
        Sight("api-v3", "/api/v3/", VISITOR),
        Sight("page", "/pages/terms/", VISITOR),
        Sight("updates-visitor", "/updates/", VISITOR),
        Sight("not-found", "/nothing/here/", VISITOR, status=404),
    ]


def _customers(shop: Furnished) -> list[Sight]:
    service, flow, poll = shop.services[0].pk, shop.services[5].pk, shop.services[-1].pk
    orders = [Sight(f"order-{name}", f"/orders/{order.pk}/", CUSTOMER) for name, order in shop.orders.items()]
    return [
        Sight("catalog", "/services/", CUSTOMER),
        Sight("catalog-sorted", "/services/?sort=fast&refill=1", CUSTOMER),
        Sight("catalog-nothing", "/services/", CUSTOMER, _find_nothing),
        Sight("service", f"/services/{service}/", CUSTOMER),
        Sight("menu", "/services/", CUSTOMER, _open_menu),
        Sight("order-pick", "/orders/new/", CUSTOMER),
        Sight("order-new", f"/orders/new/?service={flow}", CUSTOMER),
        Sight("order-new-poll", f"/orders/new/?service={poll}", CUSTOMER),
        Sight("order-new-errors", f"/orders/new/?service={service}", CUSTOMER, _send_empty),
        Sight("mass", "/orders/mass/", CUSTOMER),
        Sight("mass-checked", "/orders/mass/", CUSTOMER, _check_lines),
        Sight("orders", "/orders/", CUSTOMER),
        Sight("orders-nothing", "/orders/?q=zither", CUSTOMER),
        *orders,
        Sight("refills", "/refills/", CUSTOMER),
        Sight("wallet", "/wallet/", CUSTOMER),
        Sight("top-up", "/wallet/add-funds/", CUSTOMER),
        Sight("top-ups", "/wallet/payments/", CUSTOMER),
        Sight("top-up-demo", f"/wallet/payments/{shop.at['paid']}/", CUSTOMER),
        Sight("top-up-by-hand", f"/wallet/payments/{shop.at['by_hand']}/", CUSTOMER),
        Sight("demo-bank", f"/wallet/payments/{shop.at['paid']}/demo/", CUSTOMER),
        Sight("tickets", "/support/", CUSTOMER),
        Sight("ticket-new", "/support/new/", CUSTOMER),
        Sight("ticket-new-errors", "/support/new/", CUSTOMER, _send_empty),
        Sight("ticket", f"/support/{shop.at['ticket']}/", CUSTOMER),
        Sight("updates", "/updates/", CUSTOMER),
    ]


def _account(shop: Furnished) -> list[Sight]:
    key, endpoint, delivery = shop.at["key"], shop.at["endpoint"], shop.at["delivery"]
    return [
        Sight("api", "/api/", CUSTOMER),
        Sight("keys", "/account/keys/", CUSTOMER),
        Sight("key", f"/account/keys/{key}/", CUSTOMER),
        Sight("key-revoke", f"/account/keys/{key}/revoke/", CUSTOMER),
        Sight("webhooks", "/webhooks/", CUSTOMER),
        Sight("webhook-edit", f"/webhooks/{endpoint}/edit/", CUSTOMER),
        Sight("deliveries", f"/webhooks/{endpoint}/", CUSTOMER),
        Sight("delivery", f"/webhooks/{endpoint}/{delivery}/", CUSTOMER),
        Sight("profile", "/account/profile/", CUSTOMER),
        Sight("email", "/account/email/", CUSTOMER),
        Sight("access-review", "/account/access/", CUSTOMER),
        Sight("password-change", "/account/password/change/", CUSTOMER),
        Sight("sessions", "/account/sessions/", CUSTOMER),
        Sight("two-factor", "/account/second-factor/", CUSTOMER),
        Sight("emails", "/account/mail/", CUSTOMER),
    ]


def _empty() -> list[Sight]:
    paths = {
        "orders": "/orders/", "wallet": "/wallet/", "refills": "/refills/", "tickets": "/support/",
        "top-ups": "/wallet/payments/", "keys": "/account/keys/", "webhooks": "/webhooks/", "email": "/account/email/",
        "favorites": "/services/?favorites=1", "order-pick": "/orders/new/",
    }  # fmt: skip
    return [Sight(f"empty-{name}", path, NEWCOMER) for name, path in paths.items()]


def _office(shop: Furnished) -> list[Sight]:
    lists = {
        "orders": "orders/order", "services": "orders/service", "categories": "orders/category",
        "transfers": "orders/transfer", "refills": "orders/refill", "levels": "orders/pricelevel",
        "providers": "providers/provider", "offers": "providers/offer", "markups": "providers/markup",
        "users": "accounts/user", "tickets": "support/ticket", "payments": "payments/payment", "letters": "mail/email",
    }  # fmt: skip
    pages = {
        "order": f"orders/order/{shop.orders['in_progress'].pk}/change", "doubt": "orders/order/?status=in_doubt",
        "service": f"orders/service/{shop.services[0].pk}/change", "provider-add": "providers/provider/add",
        "user": f"accounts/user/{shop.nadia.pk}/change", "ticket": f"support/ticket/{shop.at['ticket']}/change",
        "brand": "brand/brand", "index": "",
    }  # fmt: skip
    named = {f"{name}-list": path for name, path in lists.items()} | pages
    return [
        Sight("style", "/style/", STAFF),
        *(Sight(f"admin-{name}", f"/admin/{path}{'' if '?' in path or not path else '/'}", STAFF)
          for name, path in named.items()),
    ]  # fmt: skip
