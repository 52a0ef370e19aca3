"""Whether a request carried its API key over plain HTTP, where everybody on the way could read it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

#: Requests to this machine itself leave no wire.
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_exposed(request: HttpRequest) -> bool:
    """Whether the shop is served over HTTPS and this request was not. Without HTTPS, as in the demo, nothing is.

    The host is read from the header as it is: whoever makes one up exposes only a key of their own.
    """
    if not settings.SECURE_SSL_REDIRECT or request.is_secure():
        return False
    host = request.META.get("HTTP_HOST", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name not in _LOCAL_HOSTS and not name.endswith(".localhost")
