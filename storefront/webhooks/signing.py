"""The signature of a callback. Pure: texts and bytes in, a header out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

HEADER = "X-Vitrine-Signature"


def new_secret() -> str:
    """256 random bits, as 64 hexadecimal digits; the text itself is the key of the HMAC."""
    return secrets.token_hex(32)


def signature(body: bytes, *, keys: Iterable[str], at: int) -> str:
    """``t=<at>,v1=<hex>``: HMAC-SHA256 over "<at>.<body>", one v1 for each of ``keys``. ``at`` is in Unix seconds."""
    signed = f"{at}.".encode() + body
    marks = (hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys)
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])
