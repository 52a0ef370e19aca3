"""Bearer authentication with the customer's API keys, by the rules of the panel API."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from storefront.accounts import ip_addresses, plain_http
from storefront.accounts.models import User
from storefront.api import keys
from storefront.api.keys import Caller
from storefront.api.rest.problems import Code, Problem

READ, ORDER = "read", "order"


class BearerAuthentication(BaseAuthentication):
    """Authenticate by ``Authorization: Bearer KEY``; ``request.auth`` is then the Caller."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        if plain_http.is_exposed(request._request):
            raise Problem(Code.HTTPS_REQUIRED)
        caller = keys.find_caller(token.strip())
        if caller is None:
            keys.log_unknown_key(request._request)
            raise AuthenticationFailed
        return caller.user, caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class KeyPermission(BasePermission):
    """Check the key's scope for the action of the view and its allowed addresses; sandbox keys need a view of theirs.

    Reads need the read scope, all else the order scope, unless the view names another one in ``scopes``.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller: Any = request.auth
        if caller is None:
            raise NotAuthenticated
        if not ip_addresses.allows(caller.addresses, ip_addresses.client_address(request._request)):
            raise Problem(Code.ADDRESS_NOT_ALLOWED)
        action = getattr(view, "action", None)
        if caller.is_sandbox and action is not None and action not in view.sandbox_actions:
            raise Problem(Code.SANDBOX_KEY)
        default = READ if request.method in ("GET", "HEAD") else ORDER
        scope = view.scopes.get(action, default)
        if not (caller.has_read_scope if scope == READ else caller.has_order_scope):
            raise Problem(Code.SCOPE_MISSING, f"This needs a key with the {scope} scope.")
        return True
