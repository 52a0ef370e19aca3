"""Removal of links that give access to an account from all logs."""

from __future__ import annotations

import logging
import re

#: URLs with a secret that lets anyone reset a password, confirm an email address or change email settings.
_SECRET_PATHS = re.compile(r"(/account/password/reset/key/|/account/confirm-email/|/mail/unsubscribe/)[^\s\"'?<>]+")


def redact(text: str) -> str:
    """Return ``text`` with the secret part of such URLs replaced by "[redacted]"."""
    return _SECRET_PATHS.sub(r"\1[redacted]", text)


class RedactLinks(logging.Filter):
    """A logging filter that redacts secret links in messages."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        redacted = redact(message)
        if redacted != message:
            record.msg, record.args = redacted, None
        return True
