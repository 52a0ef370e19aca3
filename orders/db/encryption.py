"""Encryption of stored texts with ENCRYPTION_KEYS, whose first key is the newest."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def encrypt(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the decrypted text. Raises ImproperlyConfigured if none of ENCRYPTION_KEYS decrypts it."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored secret cannot be opened: ENCRYPTION_KEYS does not hold the key it was written with. "
            "Put the former key behind the new one, or enter the secret again."
        ) from None


def is_newest(token: str) -> bool:
    """Return whether ``token`` was encrypted with the newest of ENCRYPTION_KEYS."""
    try:
        Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def rotate(token: str) -> str:
    """Encrypt the text of ``token`` again with the newest key. Raises ImproperlyConfigured if no key decrypts it."""
    return encrypt(decrypt(token))


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
