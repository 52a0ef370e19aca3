"""Authentication of the panel API by a key that may be in the body, in the query or in a header."""

from __future__ import annotations

from django.core.cache import cache
from django.utils.functional import SimpleLazyObject
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from storefront.accounts import ip_addresses, security_log
from storefront.accounts.models import User
from storefront.api import keys
from storefront.api.keys import Caller
from storefront.api.panel.actions import ACTIONS
from storefront.api.panel.request import PanelRequest
from storefront.api.panel.responses import INCORRECT_REQUEST, PanelRefusal


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: PanelRequest) -> tuple[SimpleLazyObject[User], Caller]:  # type: ignore[override]
        # No key is looked up for an action that does not exist.
        if request.action not in ACTIONS:
            raise PanelRefusal(INCORRECT_REQUEST)
        caller = keys.find_caller(request.key)
        if caller is None:
            self._log(request)
            raise AuthenticationFailed
        # Most actions need no User instance, and making one takes longer than all other checks of a call.
        return SimpleLazyObject(lambda: caller.user), caller

    def _log(self, request: PanelRequest) -> None:
        """Write to the security log, once a minute per address, because programs with a revoked key keep calling."""
        address = ip_addresses.client_address(request._request)
        if cache.add(f"api.unknown_key.{ip_addresses.household(address)}", 1, 60):
            security_log.warn("api_key_refused", request._request)
