from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks

from orders import checks
from orders.models import Account
from tests import factories


def found(*messages: Any) -> list[str]:
    return [message.id for group in messages for message in group]


@pytest.mark.parametrize("path", ["", "nowhere", "orders.nowhere.wake", "orders.buying.checkout.nothing"])
def test_a_wake_up_that_is_not_there_is_found_at_start(settings: Any, path: str) -> None:
    settings.ORDERS_WAKE = path
    assert found(checks.check_wake(None)) == ["orders.E001"]


@pytest.mark.parametrize("path", ["", "nowhere", "orders.nowhere.cost", "orders.buying.checkout.nothing"])
def test_a_question_for_the_cost_that_nobody_answers_is_found_at_start(settings: Any, path: str) -> None:
    settings.ORDERS_COST_FLOOR = path
    assert found(checks.check_cost_floor(None)) == ["orders.E004"]


@pytest.mark.parametrize("path", ["", "nowhere", "orders.nowhere.findings", "orders.ledger.audit.nothing"])
def test_an_audit_that_is_not_there_is_found_at_start(settings: Any, path: str) -> None:
    assert checks.check_audits(None) == []
    settings.ORDERS_AUDITS = ["orders.ledger.audit.findings", path]
    assert found(checks.check_audits(None)) == ["orders.E006"]


@pytest.mark.parametrize(
    "listeners", ["orders.ledger.audit.findings", [""], ["orders.nowhere.keep"], ["orders.ledger.audit.nothing"]]
)
def test_a_listener_that_is_not_there_is_found_at_start(settings: Any, listeners: Any) -> None:
    assert checks.check_listeners(None) == []
    settings.ORDERS_EVENT_LISTENERS = listeners
    assert found(checks.check_listeners(None)) == ["orders.E005"]


def test_the_shops_own_settings_pass(settings: Any) -> None:
    settings.ORDERS_WAKE = "providers.tasks.wake"
    assert found(checks.check_wake(None), checks.check_cost_floor(None)) == []
    assert found(checks.check_store_currency(None)) == []


@pytest.mark.parametrize("code", ["", "usd", "US", "USDT", "US$", "USD\n", "ÄÖÜ"])
def test_a_currency_that_is_no_code_is_found_at_start(settings: Any, code: str) -> None:
    settings.STORE_CURRENCY = code
    assert found(checks.check_store_currency(None)) == ["orders.E002"]


@pytest.mark.django_db
def test_money_booked_in_one_currency_is_not_read_as_another(settings: Any) -> None:
    factories.customer("5")
    assert found(checks.check_currency_of_accounts(None, databases=["default"])) == []
    settings.STORE_CURRENCY = "EUR"
    (problem,) = checks.check_currency_of_accounts(None, databases=["default"])
    assert (problem.id, "USD" in problem.msg) == ("orders.E003", True)


@pytest.mark.django_db
def test_the_books_are_looked_at_only_where_databases_are_checked(settings: Any) -> None:
    settings.STORE_CURRENCY = "EUR"
    assert "orders.E003" not in found(run_checks())
    assert "orders.E003" in found(run_checks(databases=["default"]))


@pytest.mark.django_db
def test_before_the_first_migrate_there_is_nothing_to_check(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STORE_CURRENCY = "EUR"
    monkeypatch.setattr(Account._meta, "db_table", "orders_not_made_yet")
    assert checks.check_currency_of_accounts(None, databases=["default"]) == []
