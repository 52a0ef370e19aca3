"""When two links lead to the same place, for services that take one order a link at a time. Pure."""

from __future__ import annotations

import re
from hashlib import blake2b

_PREFIX = re.compile(r"(?:https?://)?(?:www\.|m\.)?", re.IGNORECASE)


def same_place(link: str) -> str:
    """``link`` without what does not matter: scheme, "www.", the case of the host, a last slash, a fragment."""
    bare = _PREFIX.sub("", link.strip(), count=1).partition("#")[0]
    host, slash, path = bare.partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")


def lock(service_id: int, link: str) -> int:
    """The service and the place in 64 bits, for a unique column."""
    told = f"{service_id} {same_place(link)}"
    return int.from_bytes(blake2b(told.encode(), digest_size=8).digest(), "big", signed=True)
