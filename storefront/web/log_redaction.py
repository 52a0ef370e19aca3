"""Keeps links that open an account out of every log."""

from __future__ import annotations

import logging
import re

#: Addresses that carry a secret: whoever has one resets a password, confirms an address or changes what is mailed.
_SECRET_PATHS = re.compile(r"(/account/password/reset/key/|/account/confirm-email/|/mail/off/)[^\s\"'?<>]+")


def redact(text: str) -> str:
    """``text`` without the secret part of such addresses."""
    return _SECRET_PATHS.sub(r"\1[redacted]", text)


class RedactLinks(logging.Filter):
    """Removes secret links from the message of a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        return True
