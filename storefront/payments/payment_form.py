"""Read the form of a new payment. Problems are codes, and the templates contain their texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.currencies import rates
from storefront.payments import audience, availability, customer_details, gateways, quotes, return_urls
from storefront.payments.gateway import Gateway
from storefront.payments.models import REPORTED, PaymentMethod

#: Maximum length of the amount's text. Longer texts are cut and are not valid amounts.
_AMOUNT_MAX_LENGTH = 24
COUPON_MAX_LENGTH = 40
_PURPOSE_MAX_LENGTH = 40


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

    ``problem`` is one of: amount_missing, amount_wrong, amount_fraction, amount_small, amount_large, method, details.
    ``limit`` is the limit that was violated. ``quote`` is what the amount costs, if both amount and method are valid.
    ``purpose`` is for PAYMENT_START_LISTENERS, if ``has_purpose``.
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
    details: Sequence[customer_details.DetailInput] = ()
    purpose: str = ""
    has_purpose: bool = True
    quote: quotes.Quote | None = None


def choices(user: Any, *, country: str = "") -> list[Choice]:
    """Return the payment methods that ``user`` can use now, in their order.

    Args:
        country: The visitor's country as an ISO 3166 code, or "" if it is unknown.
    """
    active = audience.visible(PaymentMethod.objects.filter(is_active=True), user, country=country)
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


def read(
    inputs: Mapping[str, str], *, user: Any, country: str = "", remembered: Mapping[str, str] | None = None
) -> PaymentRequest:
    """Read the posted form. An empty amount is a problem here.

    Args:
        inputs: The fields of the form. ``set`` is a suggested amount that replaces ``amount``.
        remembered: Details about the customer from earlier in the session.
    """
    available = choices(user, country=country)
    text, key = (inputs.get("set") or inputs.get("amount", "")).strip()[:_AMOUNT_MAX_LENGTH], inputs.get("method", "")
    choice = next(
        (one for one in available if one.key == key), available[0] if len(available) == 1 and not key else None
    )
    return _request(text, choice, available, inputs, remembered or {})


def suggest(
    inputs: Mapping[str, str], *, user: Any, country: str = "", remembered: Mapping[str, str] | None = None
) -> PaymentRequest:
    """Return the form as it is opened: with the asked amount, which is rounded up and raised to a valid one.

    The method is the asked one, else the first that accepts the amount, else the first.
    """
    available = choices(user, country=country)
    text, key = inputs.get("amount", "").strip()[:_AMOUNT_MAX_LENGTH], inputs.get("method", "")
    try:
        asked: Decimal | None = amounts.parse(text)
    except InvalidAmount:
        asked = None
    fitting = [one for one in available if asked is None or one.method.maximum is None or asked <= one.method.maximum]
    accepting = [one for one in fitting if asked is None or asked >= one.method.minimum]
    asked_for = [one for one in available if one.key == key]
    choice = next(iter([*asked_for, *accepting, *fitting, *available]), None)
    if asked is not None and choice is not None and 0 < asked < 10**12:
        asked = amounts.round_up(max(asked, choice.method.minimum), smallest())
    return _request(
        text if asked is None else amounts.plain(asked, places()), choice, available, inputs, remembered or {}
    )


def _request(
    text: str,
    choice: Choice | None,
    available: Sequence[Choice],
    inputs: Mapping[str, str],
    remembered: Mapping[str, str],
) -> PaymentRequest:
    problem, amount, limit = _validated(text, choice)
    details = customer_details.inputs(choice.gateway if choice else None, inputs, remembered)
    request = PaymentRequest(
        text=text,
        key=choice.key if choice else "",
        return_to=return_urls.local(inputs.get("next", "")),
        choices=available,
        presets=presets(),
        amount=amount,
        choice=choice,
        problem=problem or ("details" if any(row.problem for row in details) else ""),
        limit=limit,
        coupon=inputs.get("coupon", "").strip()[:COUPON_MAX_LENGTH],
        details=details,
        purpose=inputs.get("purpose", "")[:_PURPOSE_MAX_LENGTH],
        # The checkbox is on when the form is opened; an unchecked one sends nothing.
        has_purpose="details_of" not in inputs or "has_purpose" in inputs,
    )
    return request if problem or choice is None else replace(request, quote=_quote(choice.method, amount))


def _quote(method: PaymentMethod, amount: Decimal) -> quotes.Quote | None:
    try:
        return quotes.quote(method, amount)
    except rates.NoRate:  # the rate became unusable after the methods were read
        return None


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
