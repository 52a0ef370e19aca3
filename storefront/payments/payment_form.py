"""The form of a new top-up: which ways there are, and what was written. Its problems are codes; templates word them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import get_currency_precision
from django.conf import settings

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.payments import gateways, return_urls
from storefront.payments.gateway import Gateway, Way

#: Longer texts are no amounts.
_AMOUNT_LONGEST = 24


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of one gateway; ``key`` names it in the form."""

    key: str
    gateway: Gateway
    way: Way


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What the form holds. ``amount`` and ``choice`` are there where ``problem`` is empty.

    ``problem`` is one of: amount_missing, amount_wrong, amount_fraction, amount_small, amount_large, way; ``limit`` is
    the bound that was passed.
    """

    text: str
    key: str
    return_to: str
    choices: Sequence[Choice]
    presets: Sequence[Decimal]
    amount: Decimal = Decimal(0)
    choice: Choice | None = None
    problem: str = ""
    limit: Decimal | None = None


def choices() -> list[Choice]:
    return [
        Choice(f"{gateway.name}-{way.method}".rstrip("-"), gateway, way)
        for gateway in gateways.ready()
        for way in gateway.ways()
    ]


def read(inputs: Mapping[str, str]) -> PaymentRequest:
    """The form with what was typed, or what the address of the page says; nothing typed is an error here."""
    offered = choices()
    text, key = inputs.get("amount", "").strip()[:_AMOUNT_LONGEST], inputs.get("way", "")
    return_to = return_urls.local(inputs.get("next", ""))
    choice = next((one for one in offered if one.key == key), offered[0] if len(offered) == 1 and not key else None)
    problem, amount, limit = _judged(text, choice)
    chosen = choice.key if choice else ""
    return PaymentRequest(text, chosen, return_to, offered, presets(), amount, choice, problem, limit)


def prefilled(asked: PaymentRequest) -> str:
    """The amount as the form shows it at first: what is missing for an order, rounded up to what can be paid."""
    try:
        amount = amounts.parse(asked.text)
    except InvalidAmount:
        return asked.text
    least = min((one.way.minimum for one in asked.choices), default=Decimal(0))
    rounded = amounts.round_up(max(amount, least), smallest()) if 0 < amount < 10**12 else amount
    return amounts.plain(rounded, places())


def presets() -> list[Decimal]:
    return [amounts.parse(text) for text in settings.PAYMENT_PRESETS]


def places() -> int:
    """How many decimals money of the store currency has when it is paid."""
    return int(get_currency_precision(settings.STORE_CURRENCY))


def smallest() -> Decimal:
    return Decimal(1).scaleb(-places())


def _judged(text: str, choice: Choice | None) -> tuple[str, Decimal, Decimal | None]:
    """The first problem, the amount, and the bound that was passed."""
    if not text:
        return "amount_missing", Decimal(0), None
    try:
        # One comma with one or two digits behind it is a decimal comma; any other might be meant for thousands.
        amount = amounts.parse(re.sub(r"^(\d+),(\d{1,2})$", r"\1.\2", text))
    except InvalidAmount:
        return "amount_wrong", Decimal(0), None
    if amount != amounts.round_down(amount, smallest()):
        return "amount_fraction", amount, smallest()
    if choice is None:
        return "way", amount, None
    if amount < max(choice.way.minimum, smallest()):
        return "amount_small", amount, max(choice.way.minimum, smallest())
    most = choice.way.maximum if choice.way.maximum is not None else Decimal(10**9)
    return ("amount_large", amount, most) if amount > most else ("", amount, None)
