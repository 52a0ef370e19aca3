"""Detect API keys that were sent over plain HTTP, where everybody on the way could read them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

#: Requests to this machine itself do not cross a network.
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_exposed(request: HttpRequest) -> bool:
    """Return whether the shop is served over HTTPS and this request was not.

    In a shop without HTTPS, such as the demo, no request is exposed.
    The host is read from the header as it is: a client that forges it exposes only its own key.
    """
    if not settings.SECURE_SSL_REDIRECT or request.is_secure():
        return False
    host = request.META.get("HTTP_HOST", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name not in _LOCAL_HOSTS and not name.endswith(".localhost")
