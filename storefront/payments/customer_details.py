"""What a gateway has to know about the customer: read, checked by type, and remembered for the session."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from storefront.payments.gateway import CustomerField, Gateway
from storefront.web.plain_text import one_line

SESSION_KEY = "payment_details"
#: Begins the names of the inputs, so that they do not collide with the others of the form.
PREFIX = "customer_"
_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Kind:
    label: Any
    problem: Any
    pattern: re.Pattern[str]
    autocomplete: str
    input_type: str = "text"


_KINDS = {
    CustomerField.NAME: _Kind(
        _("First and last name"),
        _("Enter your first and last name."),
        re.compile(r"(?=.*[^\W\d_]).{2,100}"),
        "name",
    ),
    CustomerField.PHONE: _Kind(
        _("Phone number"),
        _("Enter your phone number with the country code, such as +90 555 123 45 67."),
        re.compile(r"\+?\d{7,15}"),
        "tel",
        "tel",
    ),
    CustomerField.TAX_ID: _Kind(
        _("Tax ID"),
        _("Enter your tax ID: 5 to 20 letters and digits."),
        re.compile(r"[0-9A-Za-z]{5,20}"),
        "off",
    ),
    CustomerField.ADDRESS: _Kind(
        _("Address"),
        _("Enter your street, number and city."),
        re.compile(r"(?=.*[^\W\d_]).{5,200}"),
        "street-address",
    ),
}


@dataclass(frozen=True, slots=True)
class DetailInput:
    """One input on the form. ``problem`` is a text for the customer, "" if the value is valid."""

    name: str
    label: Any
    value: str
    problem: Any
    autocomplete: str
    input_type: str


def inputs(
    gateway: type[Gateway] | None, sent: Mapping[str, str], remembered: Mapping[str, str]
) -> Sequence[DetailInput]:
    """Return the inputs that ``gateway`` requires, with what was sent, else with what is remembered."""
    rows = []
    for field in gateway.customer_fields if gateway else ():
        kind, name = _KINDS[field], PREFIX + field.value
        text = one_line(sent.get(name, remembered.get(field.value, "")), _MAX_LENGTH)
        problem = "" if kind.pattern.fullmatch(_cleaned(field, text)) else kind.problem
        rows.append(DetailInput(name, kind.label, text, problem, kind.autocomplete, kind.input_type))
    return rows


def values(rows: Sequence[DetailInput]) -> dict[str, str]:
    """Return the checked values by the names that ``Customer`` has for them."""
    names = [row.name.removeprefix(PREFIX) for row in rows]
    return {
        name: _cleaned(CustomerField(name), row.value) for name, row in zip(names, rows, strict=True) if not row.problem
    }


def remember(session: MutableMapping[str, Any], details: Mapping[str, str]) -> None:
    """Keep the details in the session, so that the next payment does not ask for them again."""
    if details:
        session[SESSION_KEY] = {**session.get(SESSION_KEY, {}), **details}


def _cleaned(field: CustomerField, text: str) -> str:
    """Return ``text`` without the separators that people write in phone numbers and tax IDs."""
    if field is CustomerField.PHONE:
        return re.sub(r"[\s().-]", "", text)
    if field is CustomerField.TAX_ID:
        return re.sub(r"[\s./-]", "", text)
    return text
