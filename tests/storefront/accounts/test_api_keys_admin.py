"""API keys in the back office."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from storefront.accounts.models import ApiKey, User
from tests import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/apikey/"


def staff(*permissions: str) -> Client:
    return factories.signed_in(factories.staff(*permissions, email="staff@example.com"))


@pytest.fixture
def keeper() -> Client:
    return staff("view_apikey", "change_apikey", "view_user")


def issue_key(email: str = "", **details: Any) -> ApiKey:
    key, _text = ApiKey.objects.issue(factories.user(email), **details)
    return key


def listed_prefixes(client: Client, **asked: str) -> set[str]:
    """Return the prefixes in the list."""
    text = client.get(LIST, asked).content.decode()
    return {key.prefix for key in ApiKey.objects.all() if f">{key.prefix}</a>" in text}


def test_keys_are_found_by_prefix_or_owner(keeper: Client) -> None:
    key, other = issue_key("nadia@example.com"), issue_key("omar@example.com")
    assert listed_prefixes(keeper) == {key.prefix, other.prefix}
    assert listed_prefixes(keeper, q=key.prefix) == {key.prefix}
    assert listed_prefixes(keeper, q="omar@") == {other.prefix}


def test_list_is_filtered_by_status(keeper: Client) -> None:
    used, unused, revoked, sandbox = issue_key(), issue_key(), issue_key(), issue_key(is_sandbox=True)
    ApiKey.objects.filter(pk__in=[used.pk, sandbox.pk]).update(last_used_at=timezone.now())
    ApiKey.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    ApiKey.objects.filter(pk=used.pk).update(calls_per_minute=0)
    assert listed_prefixes(keeper, state="active") == {used.prefix, unused.prefix, sandbox.prefix}
    assert listed_prefixes(keeper, state="unused") == {unused.prefix}
    assert listed_prefixes(keeper, state="revoked") == {revoked.prefix}
    assert listed_prefixes(keeper, state="limit") == {used.prefix}
    assert listed_prefixes(keeper, is_sandbox__exact="1") == {sandbox.prefix}


def test_number_of_queries_does_not_depend_on_rows(keeper: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            keeper.get(LIST)
        return len(caught)

    issue_key()
    queries()
    few = queries()
    for _ in range(30):
        issue_key()
    assert queries() == few


def test_operators_can_change_only_the_rate_limit(keeper: Client) -> None:
    key = issue_key(name="bot")
    page = f"{LIST}{key.pk}/change/"
    keeper.post(page, {"calls_per_minute": "90", "name": "mine", "is_sandbox": "on", "addresses": "10.0.0.1"})
    key.refresh_from_db()
    assert (key.calls_per_minute, key.name, key.is_sandbox, key.addresses) == (90, "bot", False, "")
    keeper.post(page, {"calls_per_minute": ""})
    key.refresh_from_db()
    assert key.calls_per_minute is None


def test_view_permission_allows_no_change() -> None:
    key = issue_key()
    onlooker = staff("view_apikey")
    assert onlooker.get(f"{LIST}{key.pk}/change/").status_code == 200
    assert onlooker.post(f"{LIST}{key.pk}/change/", {"calls_per_minute": "90"}).status_code == 403
    onlooker.post(LIST, {"action": "revoke", "_selected_action": key.pk})
    key.refresh_from_db()
    assert (key.calls_per_minute, key.revoked_at) == (None, None)


def test_keys_are_neither_added_nor_deleted(keeper: Client) -> None:
    User.objects.filter(email="staff@example.com").update(is_superuser=True)
    key = issue_key()
    assert keeper.get(f"{LIST}add/").status_code == 403
    assert keeper.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    keeper.post(LIST, {"action": "delete_selected", "_selected_action": key.pk, "post": "yes"})
    assert ApiKey.objects.filter(pk=key.pk).exists()


def test_revoke_action_reports_the_number_and_is_logged(keeper: Client) -> None:
    key = issue_key()
    done = keeper.post(LIST, {"action": "revoke", "_selected_action": key.pk}, follow=True)
    assert "1 API key revoked" in done.content.decode()
    key.refresh_from_db()
    assert key.revoked_at
    assert "Revoked." in keeper.get(f"{LIST}{key.pk}/history/").content.decode()


def test_user_page_shows_permissions_of_keys(keeper: Client) -> None:
    key = issue_key("nadia@example.com", name="bot", has_order_scope=False, is_sandbox=True, addresses="10.0.0.1")
    text = unescape(keeper.get(f"/admin/accounts/user/{key.user_id}/change/").content.decode())
    for expected in (key.prefix, "sandbox, read", "10.0.0.1"):
        assert expected in text
    assert key.digest not in text
