"""The security log: who signed in, who failed to, and what changed about who may use an account.

One line for each event, in key=value pairs, on the logger ``vitrine.security``. Accounts are named by number,
browsers by their address. What a person typed is never written: it may be a password in the wrong field.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest

from storefront.accounts import ip_addresses
from storefront.accounts.models import User

log = logging.getLogger("vitrine.security")


def note(event: str, request: HttpRequest | None, user: User | None = None, **facts: str | int) -> None:
    """Write that ``event`` happened at the account of ``user``, from the address of ``request``."""
    _write(logging.INFO, event, request, user, facts)


def warn(event: str, request: HttpRequest | None, user: User | None = None, **facts: str | int) -> None:
    """Write an ``event`` that may be part of an attack, as ``note`` does."""
    _write(logging.WARNING, event, request, user, facts)


def _write(level: int, event: str, request: HttpRequest | None, user: User | None, facts: dict[str, str | int]) -> None:
    pairs = {
        "user": user.pk if user is not None and user.pk else "-",
        "address": (ip_addresses.client_address(request) if request is not None else "") or "-",
        **facts,
    }
    log.log(level, "%s %s", event, " ".join(f"{name}={value}" for name, value in pairs.items()))
