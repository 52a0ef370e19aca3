"""Limit sign-in attempts, so that guessing passwords is slow but the owner is not locked out.

There are three counters, with the rates of ACCOUNT_RATE_LIMITS:

- ``login_failed``: failures at one account from one address. Wrong passwords from elsewhere do not count for the owner.
- ``login_failed_account``: failures at one account from all browsers that it was never signed in from, so that an
  attacker with many addresses does not get far either.
- ``login_failed_device``: failures of one browser that the account was signed in from before. Only this counter applies
  to such a browser: nobody else can use up its attempts.
"""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.http import HttpRequest

from storefront.accounts import ip_addresses, known_devices
from storefront.accounts.models import User

_APP = "allauth.account"


class Usage:
    """Counted attempts, which can be taken back if the password turns out to be right."""

    def __init__(self) -> None:
        self._counted: list[ratelimit.RateLimitUsage] = []

    def count(self, request: HttpRequest, action: str, key: str) -> bool:
        """Count an attempt and return whether one was left."""
        usage = ratelimit.consume(request, app=_APP, action=action, key=key)
        if usage is None:
            return False
        self._counted.append(usage)
        return True

    def rollback(self) -> None:
        for usage in self._counted:
            usage.rollback()


def consume(request: HttpRequest, email: str) -> Usage | None:
    """Count an attempt to sign in as ``email``, before the password is checked.

    Returns:
        The counted attempt; None if no attempt is left.
    """
    usage = Usage()
    user = User.objects.filter(email=email).first()
    device = known_devices.device_of(request, user)
    if device:
        return usage if usage.count(request, "login_failed_device", device) else None
    if usage.count(request, "login_failed", from_here(request, email)):
        if usage.count(request, "login_failed_account", email):
            return usage
        usage.rollback()
    return None


def from_here(request: HttpRequest, email: str) -> str:
    """Return the key that counts failures at one account from one address."""
    return f"{email}|{ip_addresses.rate_limit_address(ip_addresses.client_address(request))}"
