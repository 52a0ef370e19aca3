"""Parse the balance in a panel's answer. Pure."""

from __future__ import annotations

from typing import Any

from orders.errors import InvalidAmount
from providers.errors import UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.bodies import parse_or_text, shorten
from providers.panels.currencies import read_currency
from providers.panels.dialect import Balance, Dialect
from providers.panels.envelopes import CONTENTS, layers, raise_error_in_read
from providers.panels.numbers import read_amount_and_currency

NAMES = ("balance", "user_balance", "saldo")
_CONTENTS = (*CONTENTS, "user", "account", "profile", "wallet")
_AMOUNT_NAMES = ("amount", "value", "balance")


def read_balance(answer: Answer, dialect: Dialect) -> Balance:
    """Return the money left at the panel, with the currency it names beside the amount or in a field of its own.

    Raises:
        Refused: the panel says readably that it does not answer.
        UnreadableAnswer: there is no balance in the answer, or one that may mean two numbers.
    """
    body = parse_or_text(answer, dialect)
    raise_error_in_read(answer, body)
    for layer in layers(body, _CONTENTS):
        if not isinstance(layer, dict):
            continue
        for name in NAMES:
            value, currency = layer.get(name), layer.get("currency")
            if isinstance(value, dict):
                currency = value.get("currency", currency)
                value = next((value[inner] for inner in _AMOUNT_NAMES if value.get(inner) is not None), None)
            if value is not None:
                return _balance(answer, value, currency)
    raise UnreadableAnswer(f"no balance in: {shorten(answer.text)}")


def _balance(answer: Answer, value: Any, currency: Any) -> Balance:
    try:
        amount, beside = read_amount_and_currency(value)
    except InvalidAmount:
        raise UnreadableAnswer(f"no balance in: {shorten(answer.text)}") from None
    return Balance(amount, read_currency(currency) or beside)
