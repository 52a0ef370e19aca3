"""Normalization of links, for services that allow one open order per link."""

from __future__ import annotations

import re
from hashlib import blake2b

from orders.rules.invisible import strip_invisible

# "m." is removed only where a host name must follow: "m.smith" is a user name.
_PREFIX = re.compile(r"(?:https?://)?(?:www\.)?(?:(?<=/)m\.|m\.(?=[^/]+/))?", re.IGNORECASE)
# A word after "#" is a position on the page; anything else after it may be the route to another page.
_FRAGMENT = re.compile(r"(?<=.)#[\w-]*\Z")


def same_place(link: str) -> str:
    """Return ``link`` without scheme, "www.", "m.", trailing slashes and fragment, and with the host in lower case."""
    bare = _FRAGMENT.sub("", _PREFIX.sub("", strip_invisible(link), count=1))
    host, slash, path = bare.partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")


def lock(service_id: int, link: str) -> int:
    """Return a 64-bit hash of the service and the normalized link, for a unique column."""
    content = f"{service_id} {same_place(link)}"
    return int.from_bytes(blake2b(content.encode(), digest_size=8).digest(), "big", signed=True)
