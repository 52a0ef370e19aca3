"""The country of a request, as the reverse proxy states it. No database queries and no lookup of addresses."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

#: What proxies send if they do not know the country, or for Tor.
_UNKNOWN = ("XX", "ZZ", "T1")


def client_country(request: HttpRequest) -> str:
    """Return the ISO 3166 code of the visitor's country, such as TR, or "" if it is unknown.

    It comes from the header that COUNTRY_HEADER names, and only behind our own proxy: anybody can send a header.
    """
    if not settings.COUNTRY_HEADER or not settings.BEHIND_PROXY:
        return ""
    code = str(request.headers.get(settings.COUNTRY_HEADER, "")).strip().upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() and code not in _UNKNOWN else ""
