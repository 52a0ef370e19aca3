"""Find the error text in a panel's answer, and say what it means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.panels.bodies import shorten

#: Refusals by what they say: the first fragment found decides. All mean that nothing was bought.
REFUSALS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("duplicate", ("active order with this link", "link_duplicate", "same link", "wait until order")),
    ("funds", ("not enough funds", "not_enough_funds", "insufficient", "sufficient balance")),
    ("busy", ("too many requests", "rate limit", "maintenance")),
    ("key", ("api key", "api is disable", "unauthorized", "account is inactive", "suspended", "account_banned")),
    ("service", ("service id", "incorrect_service", "service is inactive", "disabled service", "service not found")),
    ("quantity", ("quantity", "minimum number", "maximum number")),
    ("link", ("bad link", "neworder.error.link", "invalid link")),
    ("request", ("incorrect request", "required", "action is invalid", "invalid action", "does not support")),
)
#: HTTP statuses that, together with a readable error in words we do not know, still say why nothing was done.
REFUSING: Mapping[int, str] = {401: "key", 402: "funds", 403: "key"}


def error_of(body: Any) -> str:
    """The error text in a parsed body, "" if it carries none; ``error`` and ``errors`` count whatever else is there."""
    if not isinstance(body, dict):
        return ""
    for name in ("error", "errors"):
        if body.get(name):
            return shorten(_flat_text(body[name]))
    return ""


def reason_of(words: str) -> str:
    """Why a panel refused, by its words; "" for a text we do not know."""
    text = words.lower()
    for reason, fragments in REFUSALS:
        if any(fragment in text for fragment in fragments):
            return reason
    return ""


def _flat_text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(_flat_text(item) for item in value.values())
    if isinstance(value, list):
        return "; ".join(_flat_text(item) for item in value)
    return str(value)
