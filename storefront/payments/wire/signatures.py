"""Signatures of webhooks and requests. All comparisons take the same time for every input."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256


def hmac_hex(secret: str | bytes, message: str | bytes, algorithm: str = "sha256") -> str:
    """Return the HMAC in lower-case hexadecimal digits.

    Raises:
        ValueError: ``secret`` is empty. A gateway that is not set up must not accept what is signed with nothing.
    """
    return hmac_bytes(secret, message, algorithm).hex()


def hmac_base64(secret: str | bytes, message: str | bytes, algorithm: str = "sha256") -> str:
    """Return the HMAC in base64. Raises ValueError if ``secret`` is empty."""
    return base64.b64encode(hmac_bytes(secret, message, algorithm)).decode()


def hmac_bytes(secret: str | bytes, message: str | bytes, algorithm: str = "sha256") -> bytes:
    """Return the HMAC. Raises ValueError if ``secret`` is empty."""
    if not secret:
        raise ValueError("the secret is empty")
    return hmac.new(_bytes(secret), _bytes(message), algorithm).digest()


def hash_hex(message: str | bytes, algorithm: str) -> str:
    """Return the hash in lower-case hexadecimal digits."""
    return hashlib.new(algorithm, _bytes(message), usedforsecurity=False).hexdigest()


def is_equal(expected: str, given: Any) -> bool:
    """Return whether the two signatures are the same. An empty or missing one is never right."""
    if not expected or not isinstance(given, str) or not given:
        return False
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def is_rsa_sha256(public_key: Any, message: bytes, given: str) -> bool:
    """Return whether ``given`` is the RSA signature (PKCS #1 v1.5, SHA-256, in base64) of ``message``.

    Args:
        public_key: As loaded by ``cryptography``. A key of another kind signs nothing.
    """
    try:
        signature = base64.b64decode(given.encode(errors="replace"), validate=True)
    except (binascii.Error, ValueError):
        return False
    if not signature or not isinstance(public_key, RSAPublicKey):
        return False
    try:
        public_key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
