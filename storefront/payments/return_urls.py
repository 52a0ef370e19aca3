"""Check redirect targets: a browser may be sent only to pages of the shop and to the hosts of a gateway."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

from storefront.payments.gateway import Gateway

MAX_LENGTH = 2000


def local(text: str) -> str:
    """Return ``text`` if it is a path of this shop, otherwise ""."""
    is_path = text.startswith("/") and len(text) <= MAX_LENGTH and text.isprintable()
    return text if is_path and url_has_allowed_host_and_scheme(text, allowed_hosts=None) else ""


def allowed_next(gateway: Gateway, text: str) -> str:
    """Return ``text`` if ``gateway`` may send customers there, otherwise ""."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme == "https" and parts.netloc in gateway.hosts and len(text) <= MAX_LENGTH and text.isprintable():
        return text
    return local(text)
