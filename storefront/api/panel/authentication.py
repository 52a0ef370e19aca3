"""Authentication of the panel API by a key that may be in the body, in the query or in a header."""

from __future__ import annotations

from django.utils.functional import SimpleLazyObject
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

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
            keys.log_unknown_key(request._request)
            raise AuthenticationFailed
        # Most actions need no User instance, and making one takes longer than all other checks of a call.
        return SimpleLazyObject(lambda: caller.user), caller
