from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks

from orders import checks
from orders.models import Account
from tests import factories


def ids_of(*messages: Any) -> list[str]:
    return [message.id for group in messages for message in group]


@pytest.mark.parametrize("path", ["", "nowhere", "orders.nowhere.wake", "orders.buying.checkout.nothing"])
def test_a_check_reports_an_invalid_wake_function(settings: Any, path: str) -> None:
    settings.ORDERS_WAKE = path
    assert ids_of(checks.check_wake(None)) == ["orders.E001"]


@pytest.mark.parametrize("path", ["", "nowhere", "orders.nowhere.cost", "orders.buying.checkout.nothing"])
def test_a_check_reports_an_invalid_cost_function(settings: Any, path: str) -> None:
    settings.ORDERS_COST_FLOOR = path
    assert ids_of(checks.check_cost_floor(None)) == ["orders.E004"]


@pytest.mark.parametrize("path", ["", "nowhere", "orders.nowhere.findings", "orders.ledger.audit.nothing"])
def test_a_check_reports_an_invalid_audit(settings: Any, path: str) -> None:
    assert checks.check_audits(None) == []
    settings.ORDERS_AUDITS = ["orders.ledger.audit.findings", path]
    assert ids_of(checks.check_audits(None)) == ["orders.E006"]


@pytest.mark.parametrize(
    "listeners", ["orders.ledger.audit.findings", [""], ["orders.nowhere.keep"], ["orders.ledger.audit.nothing"]]
)
def test_a_check_reports_an_invalid_event_listener(settings: Any, listeners: Any) -> None:
    assert checks.check_listeners(None) == []
    settings.ORDERS_EVENT_LISTENERS = listeners
    assert ids_of(checks.check_listeners(None)) == ["orders.E005"]


def test_the_default_settings_pass_the_checks(settings: Any) -> None:
    settings.ORDERS_WAKE = "providers.tasks.wake"
    assert ids_of(checks.check_wake(None), checks.check_cost_floor(None)) == []
    assert ids_of(checks.check_store_currency(None)) == []


@pytest.mark.parametrize("code", ["", "usd", "US", "USDT", "US$", "USD\n", "ÄÖÜ"])
def test_a_check_reports_an_invalid_currency_code(settings: Any, code: str) -> None:
    settings.STORE_CURRENCY = code
    assert ids_of(checks.check_store_currency(None)) == ["orders.E002"]


@pytest.mark.django_db
def test_a_check_reports_accounts_in_another_currency(settings: Any) -> None:
    factories.customer("5")
    assert ids_of(checks.check_currency_of_accounts(None, databases=["default"])) == []
    settings.STORE_CURRENCY = "EUR"
    (problem,) = checks.check_currency_of_accounts(None, databases=["default"])
    assert (problem.id, "USD" in problem.msg) == ("orders.E003", True)


@pytest.mark.django_db
def test_accounts_are_checked_only_with_database_checks(settings: Any) -> None:
    settings.STORE_CURRENCY = "EUR"
    assert "orders.E003" not in ids_of(run_checks())
    assert "orders.E003" in ids_of(run_checks(databases=["default"]))


@pytest.mark.django_db
def test_accounts_are_not_checked_before_the_first_migration(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORE_CURRENCY = "EUR"
    monkeypatch.setattr(Account._meta, "db_table", "orders_not_made_yet")
    assert checks.check_currency_of_accounts(None, databases=["default"]) == []
