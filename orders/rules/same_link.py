"""When two links lead to the same place, for services that take one order a link at a time. Pure."""

from __future__ import annotations

import re
from hashlib import blake2b

from orders.rules.invisible import strip_invisible

# "m." only before what is an address for certain: m.smith is somebody's name.
_PREFIX = re.compile(r"(?:https?://)?(?:www\.)?(?:(?<=/)m\.|m\.(?=[^/]+/))?", re.IGNORECASE)
# A word after a "#" is a place on the page; anything else may be the address of another page.
_FRAGMENT = re.compile(r"(?<=.)#[\w-]*\Z")


def same_place(link: str) -> str:
    """``link`` without what does not matter: scheme, "www.", the case of the host, a last slash, where on the page."""
    bare = _FRAGMENT.sub("", _PREFIX.sub("", strip_invisible(link), count=1))
    host, slash, path = bare.partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")


def lock(service_id: int, link: str) -> int:
    """The service and the place in 64 bits, for a unique column."""
    told = f"{service_id} {same_place(link)}"
    return int.from_bytes(blake2b(told.encode(), digest_size=8).digest(), "big", signed=True)
