"""Check redirect targets: a browser may be sent only to pages of the shop and to the hosts of a gateway."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

from storefront.payments.gateway import Details, Frame, Gateway, Redirect, override_url

MAX_LENGTH = 2000


def local(text: str) -> str:
    """Return ``text`` if it is a path of this shop, otherwise ""."""
    is_path = text.startswith("/") and len(text) <= MAX_LENGTH and text.isprintable()
    return text if is_path and url_has_allowed_host_and_scheme(text, allowed_hosts=None) else ""


def is_allowed(gateway: Gateway, action: Redirect | Frame | Details) -> bool:
    """Return whether ``gateway`` may let customers do ``action``."""
    match action:
        case Redirect():
            return bool(local(action.url)) or is_external(gateway, action.url, gateway.hosts)
        case Frame():
            return is_external(gateway, action.url, gateway.frame_hosts)
    return True


def is_external(gateway: Gateway | type[Gateway], url: str, hosts: Iterable[str]) -> bool:
    """Return whether ``url`` is https at one of ``hosts``, or at the address that replaces the gateway's hosts."""
    if len(url) > MAX_LENGTH or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        own = urlsplit(override_url(gateway.name))
        if own.netloc and (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        return parts.scheme == "https" and any(_is_at(parts.netloc, host) for host in hosts)
    except ValueError:
        return False


def sources(gateway: type[Gateway], hosts: Iterable[str]) -> list[str]:
    """Return ``hosts`` as sources of a Content-Security-Policy."""
    own = override_url(gateway.name)
    named = [f"https://*{host}" if host.startswith(".") else f"https://{host}" for host in hosts]
    return [own, *named] if own else named


def _is_at(netloc: str, host: str) -> bool:
    return netloc.endswith(host) if host.startswith(".") else netloc == host
