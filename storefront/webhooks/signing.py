"""Sign webhook bodies. These functions use no database and no network."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

HEADER = "X-Vitrine-Signature"


def new_secret() -> str:
    """Return 256 random bits as 64 hexadecimal digits. The text itself is the key of the HMAC."""
    return secrets.token_hex(32)


def signature(body: bytes, *, keys: Iterable[str], at: int) -> str:
    """Return the value of the signature header, ``t=<at>,v1=<hex>``.

    Each ``v1`` is the HMAC-SHA256 of "<at>.<body>" with one of ``keys``.

    Args:
        body: The body of the request, byte for byte as it is sent.
        keys: The secrets; one ``v1`` is made for each of them.
        at: Unix time in seconds.
    """
    signed = f"{at}.".encode() + body
    marks = (hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys)
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])
