"""Balances are read in every form, never misread, and no currency is invented."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.errors import Refused, UnreadableAnswer
from providers.panels.balance import read_balance
from providers.panels.dialects import DIALECTS
from tests.providers.panels.answers import answer

V2 = DIALECTS["v2"]


@pytest.mark.parametrize(
    ("body", "amount", "currency"),
    [
        ('{"balance":"12,50","currency":"EUR"}', "12.50", "EUR"),
        ('{"balance":"1.234,56","currency":"EUR"}', "1234.56", "EUR"),
        ('{"balance":"₹1,234.56","currency":"INR"}', "1234.56", "INR"),
        ('{"balance":1.0E7,"currency":"USD"}', "10000000", "USD"),
        ('{"balance":"1.0E7","currency":"USD"}', "10000000", "USD"),
        ('{"balance":"100","currency":"Toman"}', "100", ""),
        ('{"balance":"100","currency":"₹"}', "100", ""),
        ('{"balance":"12.50 EUR"}', "12.50", "EUR"),
        ('{"balance":"12.50 EUR","currency":"USD"}', "12.50", "USD"),
        ('{"balance":"£12.50","currency":"GBP"}', "12.50", "GBP"),
        ('{"balance":"₦5000.00"}', "5000.00", ""),
        ('{"balance":"৳ 500.00"}', "500.00", ""),
        ('{"balance":"Rs. 500.25"}', "500.25", ""),
        ('{"balance":"100","currency":"Rupee"}', "100", ""),
        ('{"status":"success","data":{"balance":"7.25","currency":"usd"}}', "7.25", "USD"),
        ('{"status":true,"data":{"username":"x","saldo":1500}}', "1500", ""),
        ('{"data":{"user":{"balance":"3","currency":"TRY"}}}', "3", "TRY"),
        ('{"balance":{"amount":"3","currency":"TRY"}}', "3", "TRY"),
        ('{"balance":0}', "0", ""),
        ('{"error":"","balance":"5"}', "5", ""),
        ('{"error":"No error","data":[{"balance":"5"}]}', "5", ""),
        ('{"balance":"1 234,50"}', "1234.50", ""),
        ('{"balance":"15 000"}', "15000", ""),
    ],
)
def test_a_balance_is_read_exactly(body: str, amount: str, currency: str) -> None:
    balance = read_balance(answer(body), V2)
    assert (balance.amount, balance.currency) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"balance":"1,234"}', 200),
        ('{"balance":"lots"}', 200),
        ('{"balance":null}', 200),
        ('{"balance":true}', 200),
        ('{"balance":[]}', 200),
        ('{"balance":{}}', 200),
        ('{"balance":"1.2.3"}', 200),
        ('{"balance":NaN}', 200),
        ("{}", 200),
        ("[]", 200),
        ("7", 200),
        ("", 200),
        ("<html>", 200),
        ('{"balance":"5"}', 302),
        ('{"balance":"5"}', 404),
        ('{"balance":"5"}', 500),
        ('{"error":"Invalid API key"}', 500),
    ],
)
def test_everything_but_a_plain_balance_is_unreadable(body: str, status: int) -> None:
    with pytest.raises(UnreadableAnswer):
        read_balance(answer(body, status), V2)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"error": "Invalid API key"}, 200, "key"),
        ({"status": "error", "message": "Invalid API key", "balance": "0"}, 200, "key"),
        ({"message": "Unauthenticated."}, 401, "key"),
        ({"status": "fail", "balance": "5"}, 200, "other"),
    ],
)
def test_an_error_is_looked_for_first(body: Any, status: int, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_balance(answer(body, status), V2)
    assert refused.value.reason == reason
