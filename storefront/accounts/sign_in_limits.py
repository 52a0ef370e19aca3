"""How often passwords may be guessed, so that neither a guesser gets far nor the owner is locked out.

Three counters, with the rates of ACCOUNT_RATE_LIMITS:

- ``login_failed``: failures at one account from one address. One wrong password a minute from somewhere else does not
  count for the owner.
- ``login_failed_account``: failures at one account from all browsers that it was never signed in from, so that somebody
  with many addresses does not get far either.
- ``login_failed_device``: failures of one browser that the account was signed in from before. It is counted by this
  alone: nobody else can use up its attempts.
"""

from __future__ import annotations

from allauth.core.internal import ratelimit
from django.http import HttpRequest

from storefront.accounts import ip_addresses, known_devices
from storefront.accounts.models import User

_APP = "allauth.account"


class Usage:
    """Attempts that were counted, and can be taken back when the password turns out to be right."""

    def __init__(self) -> None:
        self._counted: list[ratelimit.RateLimitUsage] = []

    def count(self, request: HttpRequest, action: str, key: str) -> bool:
        """Whether there was an attempt left."""
        usage = ratelimit.consume(request, app=_APP, action=action, key=key)
        if usage is None:
            return False
        self._counted.append(usage)
        return True

    def rollback(self) -> None:
        for usage in self._counted:
            usage.rollback()


def consume(request: HttpRequest, email: str) -> Usage | None:
    """Count an attempt to sign in as ``email``, before the password is looked at. None: there is none left."""
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
    """The key of failures at one account from one address."""
    return f"{email}|{ip_addresses.household(ip_addresses.client_address(request))}"
