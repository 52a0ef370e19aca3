"""New API keys and webhooks require the password again and are announced by email."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from storefront.accounts.models import ApiKey, User
from storefront.mail.models import Email
from storefront.webhooks import endpoints
from storefront.webhooks.models import Endpoint
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-one"
KEY = {"name": "bot", "has_read_scope": "on", "has_order_scope": "on", "has_get_writes": "on", "addresses": ""}
HOOK = {"url": "https://shop.example/hook", "has_orders": "on"}
FLAGS = {"has_orders": True, "has_refills": False, "has_balance": False, "has_prices": False}


@pytest.fixture
def nadia() -> User:
    return factories.customer(email="nadia@example.com", password=PASSWORD)


@pytest.fixture
def client(nadia: User) -> Client:
    """Return a signed-in browser that has not confirmed the password again, as at an unlocked computer."""
    client = Client()
    client.post("/account/login/", {"login": nadia.email, "password": PASSWORD})
    return client


def confirm(client: Client, password: str = PASSWORD, **query: str) -> Any:
    return client.post("/account/reauthenticate/", {"password": password, **query})


def is_asked(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer.headers["Location"].startswith("/account/reauthenticate/"))


def emails() -> list[str]:
    return list(Email.objects.filter(kind="security").order_by("pk").values_list("subject", flat=True))


def test_creating_a_key_requires_the_password(client: Client, nadia: User) -> None:
    assert client.get("/account/keys/").status_code == 200
    assert is_asked(client.post("/account/keys/", KEY))
    assert not ApiKey.objects.exists()
    confirm(client, "wrong")
    assert is_asked(client.post("/account/keys/", KEY))
    confirm(client)
    assert client.post("/account/keys/", KEY).headers["Location"] == "/account/keys/"
    assert ApiKey.objects.get().user == nadia


def test_form_data_survives_the_password_prompt(client: Client) -> None:
    client.post("/account/keys/", KEY)
    confirm(client, next="/account/keys/")
    assert ApiKey.objects.get().name == "bot"


def test_widening_permissions_requires_the_password(client: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot", has_order_scope=False)
    assert is_asked(client.post(f"/account/keys/{key.pk}/", KEY))
    key.refresh_from_db()
    assert key.has_order_scope is False
    confirm(client)
    client.post(f"/account/keys/{key.pk}/", KEY)
    key.refresh_from_db()
    assert key.has_order_scope is True
    assert emails() == ["API key changed"]


def test_revoking_a_key_does_not_require_the_password(client: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    client.post(f"/account/keys/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_new_key_is_announced_by_email(client: Client) -> None:
    confirm(client)
    client.post("/account/keys/", KEY)
    email = Email.objects.get(kind="security")
    key = ApiKey.objects.get()
    assert (email.subject, email.address) == ("New API key created", "nadia@example.com")
    assert key.prefix in email.text
    assert "/account/keys/" in email.text


def test_renaming_a_key_sends_no_email(client: Client, nadia: User) -> None:
    key, _text = ApiKey.objects.issue(nadia, name="bot")
    confirm(client)
    client.post(f"/account/keys/{key.pk}/", {**KEY, "name": "my bot"})
    key.refresh_from_db()
    assert key.name == "my bot"
    assert emails() == []


def test_key_created_on_the_command_line_is_announced_by_email(nadia: User) -> None:
    call_command("customer", "key", nadia.email, stdout=StringIO())
    assert emails() == ["New API key created"]


def test_creating_and_changing_a_webhook_requires_the_password(client: Client, nadia: User) -> None:
    assert client.get("/webhooks/").status_code == 200
    assert is_asked(client.post("/webhooks/", HOOK))
    row, _secret = endpoints.add(nadia, url="https://mine.example/hook", **FLAGS)
    endpoints.pause(row)
    for address, data in (
        (f"/webhooks/{row.pk}/edit/", HOOK),
        (f"/webhooks/{row.pk}/action/", {"action": "rotate"}),
        (f"/webhooks/{row.pk}/action/", {"action": "resume"}),
    ):
        assert is_asked(client.post(address, data)), address
    row.refresh_from_db()
    assert (row.url, row.former_until, row.is_active) == ("https://mine.example/hook", None, False)
    confirm(client)
    client.post("/webhooks/", HOOK)
    assert Endpoint.objects.count() == 2


def test_webhook_changes_are_announced_by_email(client: Client) -> None:
    confirm(client)
    client.post("/webhooks/", HOOK)
    row = Endpoint.objects.get()
    client.post(f"/webhooks/{row.pk}/edit/", {**HOOK, "has_prices": "on"})
    client.post(f"/webhooks/{row.pk}/edit/", {**HOOK, "url": "https://other.example/hook"})
    client.post(f"/webhooks/{row.pk}/action/", {"action": "rotate"})
    assert emails() == [
        "New webhook created", "Webhook URL changed", "Webhook secret changed",
    ]  # fmt: skip
    moved = Email.objects.get(subject="Webhook URL changed")
    assert "https://shop.example/hook" in moved.text
    assert "https://other.example/hook" in moved.text
