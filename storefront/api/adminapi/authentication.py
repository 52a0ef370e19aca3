"""Authentication, permissions and the rate limit of the Admin API: who calls, and what the key may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from storefront.accounts import ip_addresses, plain_http, security_log
from storefront.accounts.models import User, digest
from storefront.api.adminapi.models import StaffKey
from storefront.api.throttling import WindowThrottle

#: Minimum time between two updates of ``last_used_at``, which is for people and not needed on every call.
USED_EVERY = timedelta(minutes=1)


class StaffKeyAuthentication(BaseAuthentication):
    """The key comes in the header ``X-Api-Key``, or in the query as ``apikey`` or ``key``."""

    def authenticate(self, request: Request) -> tuple[User, StaffKey]:
        text = self.key_of(request)
        if text and plain_http.is_exposed(request._request):
            raise PermissionDenied("Call this API over HTTPS. This key was sent unencrypted: revoke it.")
        key = _find(text)
        if key is None:
            _note_unknown_key(request)
            raise AuthenticationFailed("Invalid API key")
        if not ip_addresses.allows(key.addresses, ip_addresses.client_address(request._request)):
            raise PermissionDenied("This key may not be used from this address.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge, without which DRF would answer 403 instead of 401."""
        return 'ApiKey realm="adminapi"'

    def key_of(self, request: Request) -> str:
        query = request.query_params
        return str(request.headers.get("X-Api-Key") or query.get("apikey") or query.get("key") or "").strip()


class HasScope(BasePermission):
    """Allow a call if the key has the scope of the view's ``group``: to read, or for any other method to change."""

    def has_permission(self, request: Request, view: Any) -> bool:
        key: Any = request.auth
        return bool(key.may(view.group, is_write=request.method != "GET"))


class StaffKeyThrottle(WindowThrottle):
    """Limit the calls per second of one key."""

    window = 1

    def counter(self, request: Request) -> tuple[str, int]:
        key: Any = request.auth
        return f"staff_key.{key.pk}", settings.ADMIN_API_CALLS_PER_SECOND


def _find(text: str) -> StaffKey | None:
    if not text:
        return None
    key = StaffKey.objects.active().filter(digest=digest(text)).select_related("user").first()
    if key is not None:
        now = timezone.now()
        if key.last_used_at is None or key.last_used_at < now - USED_EVERY:
            unmarked = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
            StaffKey.objects.filter(unmarked, pk=key.pk).update(last_used_at=now)
    return key


def _note_unknown_key(request: Request) -> None:
    """Write to the security log, once a minute per address, because programs with a revoked key keep calling."""
    address = ip_addresses.rate_limit_address(ip_addresses.client_address(request._request))
    if cache.add(f"adminapi.unknown_key.{address}", 1, 60):
        security_log.warn("staff_key_refused", request._request)
