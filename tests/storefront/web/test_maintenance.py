"""Maintenance mode: clients get correct answers, and operators can open the shop again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from orders.models import Order
from tests.factories import service
from tests.storefront.api.reseller import Reseller, reseller

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    call_command("maintenance", "on", message="Back at <noon>.")


@pytest.fixture
def caller() -> Reseller:
    return reseller()


def test_visitors_see_the_maintenance_page_with_retry_after(closed: None, client: Client) -> None:
    for path in ("/", "/services/", "/orders/new/", "/no-such-page/"):
        page = client.get(path)
        assert (page.status_code, page["Retry-After"]) == (503, "120")
        assert "Back at &lt;noon&gt;." in page.content.decode()


def test_operators_can_sign_in_during_maintenance(closed: None, admin_client: Client) -> None:
    assert admin_client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "name", ["account_login", "mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate", "account_logout"]
)
def test_every_sign_in_step_is_open_during_maintenance(name: str, closed: None, client: Client) -> None:
    assert client.get(reverse(name)).status_code != 503
    assert client.post(reverse(name)).status_code != 503


def test_api_clients_get_a_retryable_error(closed: None, caller: Reseller) -> None:
    """Clients treat an error in a status answer as final, and an add without an error as possibly accepted."""
    asked = {"key": caller.key, "service": service().pk, "link": "x", "quantity": 100, "order": 1}
    for action in ("status", "balance", "services", "refill_status"):
        answer = caller.client.post("/api/v2", {**asked, "action": action})
        assert (answer.status_code, answer.json(), answer["Retry-After"]) == (503, {}, "120")
    for action in ("add", "refill", "cancel"):
        answer = caller.client.post("/api/v2", {**asked, "action": action})
        refused = {"error": "Closed for maintenance, please try again later"}
        assert (answer.status_code, answer.json()) == (200, refused)
    assert not Order.objects.exists()


def test_the_command_ends_maintenance(closed: None, client: Client, capsys: Any) -> None:
    call_command("maintenance")
    call_command("maintenance", "off")
    call_command("maintenance", "off")
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "The shop is closed for maintenance. Back at <noon>.", "The shop is open.", "The shop is open.",
    ]  # fmt: skip
    assert client.get("/").status_code == 200


def test_an_unreadable_flag_closes_the_shop(
    settings: Any, tmp_path: Path, client: Client, admin_client: Client, caller: Reseller
) -> None:
    settings.VAR_DIR = tmp_path
    (tmp_path / "maintenance").mkdir()
    assert client.get("/").status_code == 503
    assert admin_client.get("/admin/").status_code == 200
    assert caller.client.post("/api/v2", {"key": caller.key, "action": "balance"}).status_code == 503
