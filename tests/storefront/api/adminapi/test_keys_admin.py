"""Staff keys in the back office: created by superusers, shown once, revoked."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from storefront.accounts.models import User, digest
from storefront.api.adminapi.models import StaffKey
from tests import factories
from tests.storefront.api.adminapi.program import Program

pytestmark = pytest.mark.django_db
LIST = "/admin/adminapi/staffkey/"
PASSWORD = "a-long-enough-one"


def sign_in(user: User, *, again: bool = True) -> Client:
    """Sign in by the page, and enter the password once more if ``again``."""
    client = Client()
    assert client.post("/account/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    if again:
        client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def boss() -> User:
    return factories.user(is_staff=True, is_superuser=True, password=PASSWORD)


def form(**changes: Any) -> dict[str, Any]:
    return {"name": "Support bot", "has_orders_read": "on", "addresses": "203.0.113.7/32", **changes}


def test_a_key_is_created_and_shown_once(caplog: pytest.LogCaptureFixture) -> None:
    user = boss()
    client = sign_in(user)
    with caplog.at_level(logging.INFO, "vitrine.security"):
        response = client.post(f"{LIST}add/", form())
    key = StaffKey.objects.get()
    assert response.headers["Location"] == f"{LIST}{key.pk}/change/"
    assert (key.user, key.addresses, key.has_orders_read, key.has_users_read) == (user, "203.0.113.7", True, False)
    page = client.get(response.headers["Location"]).content.decode()
    found = re.search(r'id="new-key">([0-9a-f]{64})<', page)
    assert found is not None
    assert digest(found[1]) == key.digest
    assert found[1] not in client.get(response.headers["Location"]).content.decode()
    assert f"staff_key_created user={user.pk} address=127.0.0.1 key={key.prefix}" in caplog.text
    assert found[1] not in caplog.text
    api = Client(headers={"X-Api-Key": found[1]}, REMOTE_ADDR="203.0.113.7")
    assert api.get("/adminapi/v2/orders").status_code == 200


def test_a_key_is_not_created_on_an_unlocked_computer(settings: Any) -> None:
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    client = sign_in(boss(), again=False)
    assert "/reauthenticate/" in client.post(f"{LIST}add/", form()).headers["Location"]
    assert not StaffKey.objects.exists()


def test_only_superusers_see_the_keys() -> None:
    key = Program().key
    colleague = factories.user(is_staff=True, password=PASSWORD)
    colleague.user_permissions.set(colleague.user_permissions.model.objects.filter(content_type__app_label="adminapi"))
    client = sign_in(colleague)
    for address in (LIST, f"{LIST}add/", f"{LIST}{key.pk}/change/"):
        assert client.get(address).status_code == 403
    assert client.post(f"{LIST}add/", form()).status_code == 403
    assert StaffKey.objects.count() == 1


def test_a_wrong_address_is_named() -> None:
    page = sign_in(boss()).post(f"{LIST}add/", form(addresses="203.0.113.7\nnowhere")).content.decode()
    assert "Line 2" in page
    assert not StaffKey.objects.exists()


def test_scopes_are_changed_and_the_key_stays() -> None:
    program = Program()
    client = sign_in(boss())
    client.post(f"{LIST}{program.key.pk}/change/", form(name="Bot", addresses=""))
    key = StaffKey.objects.get()
    assert (key.name, key.has_orders_write, key.digest) == ("Bot", False, program.key.digest)
    assert program.send("orders/cancel", {"ids": "1"}).status_code == 403
    assert program.get("orders")["count"] == 0


def test_a_revoked_key_opens_nothing_and_stays_in_the_list() -> None:
    program = Program()
    client = sign_in(boss())
    client.post(LIST, {"action": "revoke", "_selected_action": [program.key.pk]})
    assert program.http.get("/adminapi/v2/orders").status_code == 401
    assert program.key.prefix in client.get(LIST, {"state": "revoked"}).content.decode()
    assert program.key.prefix not in client.get(LIST, {"state": "active"}).content.decode()
    assert LogEntry.objects.get(content_type__app_label="adminapi").change_message == "Revoked."
    assert client.post(f"{LIST}{program.key.pk}/change/", form()).status_code == 403
    assert client.post(f"{LIST}{program.key.pk}/delete/", {"post": "yes"}).status_code == 403
