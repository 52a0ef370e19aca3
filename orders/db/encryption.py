"""Texts kept so that the database alone does not give them away: encrypted with ENCRYPTION_KEYS, the newest first."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def encrypt(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text. Raises ImproperlyConfigured when none of ENCRYPTION_KEYS opens it."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be opened: ENCRYPTION_KEYS does not hold the key it was written with. "
            "Put the former key behind the new one, or enter the secret again."
        ) from None


def is_newest(token: str) -> bool:
    """Whether ``token`` was encrypted with the newest of ENCRYPTION_KEYS."""
    try:
        Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def rotate(token: str) -> str:
    """The text of ``token``, encrypted with the newest key. Raises ImproperlyConfigured when no key opens it."""
    return encrypt(decrypt(token))


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
