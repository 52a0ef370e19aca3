"""The security log: sign-ins, failed sign-ins and changes of who may use an account.

There is one line for each event, in key=value pairs, on the logger ``vitrine.security``. Accounts are identified by
number, browsers by their address. Text typed by a person is never logged: it may be a password in the wrong field.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest

from storefront.accounts import ip_addresses
from storefront.accounts.models import User

log = logging.getLogger("vitrine.security")


def note(event: str, request: HttpRequest | None, user: User | None = None, **facts: str | int) -> None:
    """Log ``event`` for the account of ``user``, with the address of ``request``."""
    _write(logging.INFO, event, request, user, facts)


def warn(event: str, request: HttpRequest | None, user: User | None = None, **facts: str | int) -> None:
    """Log an ``event`` that may be part of an attack, like ``note`` but as a warning."""
    _write(logging.WARNING, event, request, user, facts)


def _write(level: int, event: str, request: HttpRequest | None, user: User | None, facts: dict[str, str | int]) -> None:
    pairs = {
        "user": user.pk if user is not None and user.pk else "-",
        "address": (ip_addresses.client_address(request) if request is not None else "") or "-",
        **facts,
    }
    log.log(level, "%s %s", event, " ".join(f"{name}={value}" for name, value in pairs.items()))
