"""Nobody sees or changes what is another's: every address of the shop with a number or a name in it, by all methods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, get_resolver

from storefront.accounts.models import ApiKey, User
from storefront.shop.models import PlannedOrder
from storefront.support import tickets
from storefront.support.models import Attachment
from storefront.webhooks import endpoints, outbox
from storefront.webhooks.models import Delivery, Endpoint
from tests import factories
from tests.storefront.conftest import cache_empty_site_notices
from tests.storefront.payments import payments

#: What everybody may see, what a signed token of its own opens, and what staff alone has.
FOR_EVERYBODY = (
    "services/", "pages/", "brand/", "static", "mail/unsubscribe/", "account/confirm-email/", "account/^confirm-email",
    "account/password/reset/key/", "account/^password", "wallet/add-funds/webhooks/",
    "wallet/add-funds/returns/",  # leads to the page of the payment, whoever comes
    "r/",  # an affiliate's link, which is made to be shared
    "updates/", "admin/", "adminapi/",
    "api/v3/",  # by a key instead of a log-in: see tests/storefront/api/rest/test_isolation.py
)  # fmt: skip


@pytest.fixture(autouse=True)
def _shop(db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    settings.PRIVATE_DIR = settings.VAR_DIR = tmp_path
    settings.STORAGES = {**settings.STORAGES}
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    cache.clear()
    cache_empty_site_notices()
    yield
    cache.clear()


def addresses(resolver: Any = None, above: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        here = above + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield here
        else:
            yield from addresses(pattern, here)


def own_things(user: User) -> dict[str, str]:
    """One of everything that a customer can have, by the address that shows it."""
    order = factories.order(user)
    picture = SimpleUploadedFile("a.png", payments.png())
    ticket = tickets.open_ticket(user, subject="Late", text="Where is it?", orders=[order.pk], uploads=[picture])
    endpoint, _secret = endpoints.add(user, url="http://127.0.0.1:9/", has_orders=True)
    outbox.send_test(endpoint)
    key, _text = ApiKey.objects.issue(user, name="shop")
    proven = payments.with_proof(user)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    passkey = Authenticator.objects.create(user=user, type="webauthn", data={"name": "phone"})
    log_in = UserSession.objects.create(user=user, ip="203.0.113.7", session_key="s" * 32)
    planned = PlannedOrder.objects.create(user=user, service=order.service, charge=order.charge)
    return {
        "orders/<int:pk>/": str(order.pk),
        "orders/planned/<uuid:key>/": str(planned.key),
        "support/<int:pk>/": str(ticket.pk),
        "support/files/<int:pk>/": str(Attachment.objects.get().pk),
        "webhooks/<int:pk>/": str(endpoint.pk),
        "webhooks/<int:pk>/<int:delivery_pk>/": f"{endpoint.pk}/{Delivery.objects.get().pk}",
        "account/keys/<int:pk>/": str(key.pk),
        "account/sessions/<int:pk>/": str(log_in.pk),
        "account/second-factor/webauthn/keys/<int:pk>/": str(passkey.pk),
        "wallet/payments/<slug:reference>/": proven.reference,
        "wallet/payments/<slug:reference>/proofs/<int:pk>/": f"{proven.reference}/proofs/{proven.proofs.get().pk}",
    }


def fill_route(route: str, own: dict[str, str]) -> str:
    """``route`` with the numbers of the thing that it is about. A new page with a number needs a thing here."""
    above = max((known for known in own if route.startswith(known)), key=len, default="")
    assert above, f"whose is what {route} shows?"
    fixed = above.split("<", 1)[0]
    return f"/{fixed}{own[above]}/{route.removeprefix(above)}"


def log_in(user: User) -> Client:
    """By the page, and asked once more: this log-in may change how the account is opened."""
    client = Client()
    response = client.post("/account/login/", {"login": user.email, "password": "a-long-enough-one"})
    assert response.status_code == 302
    client.post("/account/reauthenticate/", {"password": "a-long-enough-one"})
    return client


def test_what_is_anothers_does_not_exist() -> None:
    own = own_things(factories.customer("100"))
    routes = [route for route in addresses() if "<" in route and not route.startswith(FOR_EVERYBODY)]
    assert len(routes) > 20
    stranger = log_in(factories.customer(password="a-long-enough-one"))
    staff = log_in(factories.user(is_staff=True, password="a-long-enough-one"))
    for route in routes:
        address = fill_route(route, own)
        for client in (stranger, staff):
            answers = {client.get(address).status_code, client.post(address).status_code}
            assert answers <= {404, 405}, (address, answers)
            assert 404 in answers, address


def test_who_is_not_signed_in_is_shown_nothing() -> None:
    own = own_things(factories.customer("100"))
    for route in addresses():
        if "<" in route and not route.startswith(FOR_EVERYBODY):
            response = Client().get(fill_route(route, own))
            is_empty = response.status_code == 200 and "HX-Refresh" in response.headers and not response.content
            assert is_empty or response.status_code in (302, 404, 405), route


def test_the_owner_sees_all_of_it() -> None:
    nadia = factories.customer("100", password="a-long-enough-one")
    own = own_things(nadia)
    Authenticator.objects.all().delete()
    page = log_in(nadia)
    for route in own:
        if route.startswith(("account/sessions/", "account/second-factor/")):
            continue  # they are listed, and have no page of their own
        assert page.get(fill_route(route, own)).status_code == 200, route


def test_what_a_form_of_ours_did_not_send_changes_nothing() -> None:
    nadia = factories.customer("100", password="a-long-enough-one")
    own = own_things(nadia)
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(nadia)
    for route in addresses():
        if not route.startswith((*FOR_EVERYBODY, "api", "^api", "^adminapi", "account/", "style")):
            address = fill_route(route, own) if "<" in route else f"/{route}"
            assert elsewhere.post(address).status_code in (403, 405), address
    assert Endpoint.objects.count() == 1
