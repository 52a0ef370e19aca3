"""An authenticator app, written from RFC 6238, so that the tests do not use the code they test."""

from __future__ import annotations

import base64
import hmac
import struct
import time


def code(secret: str, *, steps_ahead: int = 0) -> str:
    """Return the six-digit code for now, or for a later step of 30 seconds."""
    step = int(time.time()) // 30 + steps_ahead
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
