"""The webhook pages of customers and staff."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import Account
from storefront.accounts.models import User
from storefront.webhooks import endpoints, outbox, sending
from storefront.webhooks.models import Attempt, Delivery, DeliveryState, Endpoint
from tests import factories
from tests.storefront.shop.forms import text_of
from tests.storefront.webhooks.receiver import Receiver

pytestmark = pytest.mark.django_db
Listen = Callable[..., Endpoint]
LIST = "/webhooks/"
SECRET = re.compile(r'<code id="new-secret">([0-9a-f]{64})</code>')
NEW = {"url": "https://shop.example/vitrine", "has_orders": "on", "has_prices": "on"}


def act(page: Client, endpoint: Endpoint, action: str) -> Any:
    return page.post(f"{LIST}{endpoint.pk}/action/", {"action": action}, follow=True)


def test_pages_require_sign_in(client: Client, nadia: User, listen: Listen) -> None:
    pk = listen(nadia).pk
    for address in (LIST, f"{LIST}{pk}/", f"{LIST}{pk}/edit/"):
        assert client.get(address).headers["Location"].startswith("/account/login/")
    assert client.post(f"{LIST}{pk}/action/", {"action": "remove"}).status_code == 302
    assert Endpoint.objects.exists()


def test_secret_of_a_new_endpoint_is_shown_once(page: Client, nadia: User) -> None:
    response = page.post(LIST, NEW, follow=True)
    shown = SECRET.search(text_of(response))
    assert shown
    endpoint = Endpoint.objects.get(user=nadia)
    assert endpoint.secrets == (shown[1],)
    assert (endpoint.url, endpoint.has_orders, endpoint.has_refills, endpoint.has_prices) == (
        NEW["url"], True, False, True,
    )  # fmt: skip
    assert "no-store" in response.headers["Cache-Control"]
    assert shown[1] not in text_of(page.get(LIST))
    assert shown[1] not in text_of(page.get(f"{LIST}{endpoint.pk}/edit/"))


def test_secret_is_encrypted_in_the_session(page: Client) -> None:
    assert page.post(LIST, NEW).status_code == 302
    endpoint = Endpoint.objects.get()
    assert endpoint.secrets[0] not in json.dumps(dict(page.session))
    page.post(f"{LIST}{endpoint.pk}/action/", {"action": "rotate"})
    endpoint.refresh_from_db()
    assert endpoint.secrets[0] not in json.dumps(dict(page.session))


def test_rotated_secret_is_shown_once(page: Client, nadia: User, listen: Listen) -> None:
    endpoint = listen(nadia)
    (old,) = endpoint.secrets
    shown = SECRET.search(text_of(act(page, endpoint, "rotate")))
    assert shown
    endpoint.refresh_from_db()
    assert endpoint.secrets == (shown[1], old)
    assert shown[1] not in text_of(page.get(LIST))


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://shop.example/x", "must start with https://"),
        ("https://127.0.0.1/x", "Enter a full public URL"),
        ("https://localhost/x", "Enter a full public URL"),
        ("https://10.0.0.7/x", "Enter a full public URL"),
        ("https://[::1]/x", "Enter a full public URL"),
        ("https://0x7f.1/x", "Enter a full public URL"),
        ("https://me:key@shop.example/x", "without a username or password"),
        ("https://shop.example:22/x", "The port must be 443"),
        ("https://", "Enter a full public URL"),
        ("", "required"),
    ],
)
def test_invalid_url_is_refused_with_a_reason(url: str, error: str, page: Client, settings: Any) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = False
    text = text_of(page.post(LIST, {**NEW, "url": url}))
    assert error in text
    assert "panel" not in text.split("New endpoint")[1].split("<footer")[0]
    assert not Endpoint.objects.exists()


def test_endpoint_requires_an_event(page: Client) -> None:
    assert "at least one event" in text_of(page.post(LIST, {"url": NEW["url"]}))


def test_customer_has_at_most_five_endpoints(page: Client, nadia: User, listen: Listen) -> None:
    for _ in range(endpoints.MAX_ENDPOINTS):
        listen(nadia)
    assert "reached the limit of" in text_of(page.get(LIST))
    page.post(LIST, NEW)
    assert Endpoint.objects.count() == endpoints.MAX_ENDPOINTS


def test_an_endpoint_is_edited(page: Client, nadia: User, listen: Listen) -> None:
    endpoint = listen(nadia)
    page.post(f"{LIST}{endpoint.pk}/edit/", {"url": "https://new.example/x", "has_refills": "on"})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.has_orders, endpoint.has_refills) == ("https://new.example/x", False, True)
    assert "must start" not in text_of(page.post(f"{LIST}{endpoint.pk}/edit/", {"url": "", "has_refills": "on"}))


def test_endpoint_can_be_paused_resumed_and_deleted(page: Client, nadia: User, listen: Listen) -> None:
    endpoint = listen(nadia)
    assert "Resume" in text_of(act(page, endpoint, "pause"))
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert "paused" in text_of(act(page, endpoint, "test"))
    assert not Delivery.objects.exists()
    act(page, endpoint, "resume")
    endpoint.refresh_from_db()
    assert endpoint.is_active
    act(page, endpoint, "nonsense")
    act(page, endpoint, "remove")
    assert not Endpoint.objects.exists()


def test_test_event_is_sent_and_listed(page: Client, nadia: User, listen: Listen, receiver: Receiver) -> None:
    endpoint = listen(nadia, receiver.url)
    assert "Pending" in text_of(act(page, endpoint, "test"))
    sending.deliver_due()
    assert "Delivered" in text_of(page.get(f"{LIST}{endpoint.pk}/"))
    assert receiver.events[0]["event"] == "test"


def test_delivery_shows_attempts_and_can_be_resent(page: Client, nadia: User, listen: Listen) -> None:
    with Receiver(500, text="<b>out of order</b>") as receiver:
        endpoint = listen(nadia, receiver.url)
        outbox.send_test(endpoint)
        sending.deliver_due()
    delivery = Delivery.objects.get()
    address = f"{LIST}{endpoint.pk}/{delivery.pk}/"
    response = page.get(address)
    assert b"&lt;b&gt;out of order&lt;/b&gt;" in response.content
    assert "HTTP 500" in text_of(response)
    assert "Failing" in text_of(page.get(LIST))
    assert "will be resent" in text_of(page.post(f"{address}resend/", follow=True))
    delivery.refresh_from_db()
    assert delivery.state is DeliveryState.RETRYING
    endpoints.pause(endpoint)
    assert "Resume it first" in text_of(page.post(f"{address}resend/", follow=True))


def test_endpoints_of_other_customers_are_not_found(page: Client, listen: Listen) -> None:
    endpoint = listen(factories.customer())
    outbox.send_test(endpoint)
    delivery = Delivery.objects.get()
    own = f"{LIST}{endpoint.pk}/"
    assert endpoint.url not in text_of(page.get(LIST))
    for address in (own, f"{own}edit/", f"{own}{delivery.pk}/"):
        assert page.get(address).status_code == 404
    for address in (f"{own}action/", f"{own}edit/", f"{own}{delivery.pk}/resend/"):
        assert page.post(address, {"action": "remove"}).status_code == 404
    assert Endpoint.objects.filter(pk=endpoint.pk, is_active=True).exists()


@pytest.mark.parametrize(("sent", "kept"), [("5", Decimal(5)), ("0.5", Decimal("0.5")), ("", None)])
def test_low_balance_threshold_can_be_set_and_cleared(
    sent: str, kept: Decimal | None, page: Client, nadia: User
) -> None:
    wallet = Account.objects.get(user=nadia)
    Account.objects.filter(pk=wallet.pk).update(warn_below=7)
    page.post(f"{LIST}low-balance/", {"warn_below": sent})
    wallet.refresh_from_db()
    assert (wallet.warn_below, wallet.balance) == (kept, Decimal(100))


@pytest.mark.parametrize("sent", ["-1", "0", "much", "0.0000001"])
def test_invalid_low_balance_threshold_is_refused(sent: str, page: Client, nadia: User) -> None:
    assert "field-error" in text_of(page.post(f"{LIST}low-balance/", {"warn_below": sent}))
    assert Account.objects.get(user=nadia).warn_below is None


def test_deliveries_are_paginated_by_key(
    page: Client, nadia: User, listen: Listen, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    endpoint = listen(nadia)
    for _ in range(60):
        outbox.send_test(endpoint)
    with django_assert_max_num_queries(5):
        first = text_of(page.get(f"{LIST}{endpoint.pk}/"))
    assert first.count("Resend") == 50
    older = re.search(r'href="(\?before=\d+)" rel="next"', first)
    assert older
    with django_assert_max_num_queries(5):
        second = text_of(page.get(f"{LIST}{endpoint.pk}/{older[1]}"))
    assert second.count("Resend") == 10


def test_number_of_queries_does_not_depend_on_rows(
    page: Client, nadia: User, listen: Listen, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _ in range(endpoints.MAX_ENDPOINTS):
        listen(nadia)
    with django_assert_max_num_queries(6):
        page.get(LIST)


def test_api_keys_page_links_to_webhooks(page: Client) -> None:
    assert f'href="{LIST}"' in text_of(page.get("/account/keys/"))


# ------------------------------------------------------------------------------------------------ back office


def test_staff_pages_never_show_secrets(
    boss: Client, nadia: User, receiver: Receiver, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    made = [endpoints.add(nadia, url=receiver.url) for _ in range(3)]
    for endpoint, _secret in made:
        outbox.send_test(endpoint)
    sending.deliver_due()
    texts = []
    for address in ("endpoint/", "delivery/", "endpoint/?state=failing", "endpoint/?state=paused"):
        with django_assert_max_num_queries(12):
            texts.append(text_of(boss.get(f"/admin/webhooks/{address}")))
    texts.append(text_of(boss.get(f"/admin/webhooks/endpoint/{made[0][0].pk}/change/")))
    texts.append(text_of(boss.get(f"/admin/webhooks/delivery/{Delivery.objects.first().pk}/change/")))  # type: ignore[union-attr]
    assert receiver.url in texts[0]
    secrets = [secret for _endpoint, secret in made] + [endpoint.secret.token for endpoint, _ in made]  # type: ignore[attr-defined]
    assert [secret for secret in secrets for text in texts if secret in text] == []
    assert boss.post(f"/admin/webhooks/endpoint/{made[0][0].pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_can_resend_failing_deliveries(boss: Client, nadia: User, listen: Listen) -> None:
    with Receiver(500) as receiver, Receiver() as fine:
        for url in (receiver.url, fine.url):
            outbox.send_test(listen(nadia, url))
        sending.deliver_due()
        failed = Delivery.objects.get(last_status=500)
        text = text_of(boss.get("/admin/webhooks/delivery/?state=failing"))
        assert text.count("action-checkbox") - 1 <= 2
        assert f"/admin/webhooks/delivery/{failed.pk}/change/" in text
        data = {"action": "resend", "_selected_action": [failed.pk]}
        assert "will be resent" in text_of(boss.post("/admin/webhooks/delivery/", data, follow=True))
        Endpoint.objects.update(held_until=None)
        sending.deliver_due()
    assert Attempt.objects.filter(delivery=failed).count() == 2


def test_view_permission_does_not_allow_resending(nadia: User, listen: Listen) -> None:
    staff = User.objects.create_user("staff@example.com", is_staff=True)
    client = Client()
    client.force_login(staff)
    assert client.get("/admin/webhooks/delivery/").status_code == 403
