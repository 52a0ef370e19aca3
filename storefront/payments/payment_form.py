"""Read the form of a new payment. Problems are codes, and the templates contain their texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.currencies import rates
from storefront.payments import availability, gateways, return_urls
from storefront.payments.gateway import Gateway
from storefront.payments.models import REPORTED, PaymentMethod

#: Maximum length of the amount's text. Longer texts are cut and are not valid amounts.
_AMOUNT_MAX_LENGTH = 24
COUPON_MAX_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """One payment method on the form; ``key`` identifies it there."""

    key: str
    method: PaymentMethod
    gateway: type[Gateway]

    @property
    def icon(self) -> str:
        return self.method.icon or self.gateway.icon


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """The content of the form. ``amount`` and ``choice`` are valid if ``problem`` is empty.

    ``problem`` is one of: amount_missing, amount_wrong, amount_fraction, amount_small, amount_large, method. ``limit``
    is the limit that was violated.
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
    coupon: str = ""


def choices() -> list[Choice]:
    """Return the payment methods that can be used now, in their order."""
    active = list(PaymentMethod.objects.filter(is_active=True))
    is_foreign = any(method.is_foreign for method in active)
    payable = rates.currencies_with_rates() if is_foreign else {settings.STORE_CURRENCY}
    return [
        Choice(str(method.pk), method, gateways.GATEWAYS[method.gateway])
        for method in active
        if availability.problem(method, payable=payable) is None
    ]


def method_names() -> list[tuple[str, Any]]:
    """Return (key, label) of each gateway in use, of each payment method, and of reported payments."""
    methods = list(PaymentMethod.objects.all())
    used = {method.gateway for method in methods}
    names = [(gateway.name, gateway.label) for gateway in gateways.available() if gateway.name in used]
    return [
        *names,
        *((str(method.pk), method.name) for method in methods),
        (REPORTED, _("Reported through the API")),
    ]


def read(inputs: Mapping[str, str]) -> PaymentRequest:
    """Read the form from posted data or from the query string. An empty amount is a problem here."""
    available = choices()
    text, key = inputs.get("amount", "").strip()[:_AMOUNT_MAX_LENGTH], inputs.get("method", "")
    return_to = return_urls.local(inputs.get("next", ""))
    choice = next(
        (one for one in available if one.key == key), available[0] if len(available) == 1 and not key else None
    )
    problem, amount, limit = _validated(text, choice)
    chosen = choice.key if choice else ""
    coupon = inputs.get("coupon", "").strip()[:COUPON_MAX_LENGTH]
    return PaymentRequest(text, chosen, return_to, available, presets(), amount, choice, problem, limit, coupon)


def prefilled(asked: PaymentRequest) -> str:
    """Return the amount that the form shows at first.

    It is the amount missing for an order, raised to the lowest minimum and rounded up to an amount that can be paid.
    """
    try:
        amount = amounts.parse(asked.text)
    except InvalidAmount:
        return asked.text
    least = min((one.method.minimum for one in asked.choices), default=Decimal(0))
    rounded = amounts.round_up(max(amount, least), smallest()) if 0 < amount < 10**12 else amount
    return amounts.plain(rounded, places())


def presets() -> list[Decimal]:
    return [amounts.parse(text) for text in settings.PAYMENT_PRESETS]


def places() -> int:
    """Return the number of decimal places of a payment in the store currency."""
    return int(get_currency_precision(settings.STORE_CURRENCY))


def smallest() -> Decimal:
    return Decimal(1).scaleb(-places())


def _validated(text: str, choice: Choice | None) -> tuple[str, Decimal, Decimal | None]:
    """Return the first problem ("" for none), the amount, and the limit that was violated."""
    if not text:
        return "amount_missing", Decimal(0), None
    try:
        # A single comma followed by one or two digits is a decimal comma; any other could be a thousands separator.
        amount = amounts.parse(re.sub(r"^(\d+),(\d{1,2})$", r"\1.\2", text))
    except InvalidAmount:
        return "amount_wrong", Decimal(0), None
    if amount != amounts.round_down(amount, smallest()):
        return "amount_fraction", amount, smallest()
    if choice is None:
        return "method", amount, None
    if amount < max(choice.method.minimum, smallest()):
        return "amount_small", amount, max(choice.method.minimum, smallest())
    most = choice.method.maximum if choice.method.maximum is not None else Decimal(10**9)
    return ("amount_large", amount, most) if amount > most else ("", amount, None)
