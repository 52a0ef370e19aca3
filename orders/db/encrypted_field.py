"""A text column that is encrypted in the database and hidden in Python until ``reveal()`` is called."""

from __future__ import annotations

from typing import Any

from django.db import models

from orders.db import encryption


class Secret:
    """A text that only ``reveal()`` returns, so that it cannot appear in a page, log, traceback or export."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    @classmethod
    def hide(cls, text: str) -> Secret:
        return cls(encryption.encrypt(text) if text else "")

    def reveal(self) -> str:
        """Return the text. Raises ImproperlyConfigured if none of ENCRYPTION_KEYS decrypts it."""
        return encryption.decrypt(self._token) if self._token else ""

    @property
    def token(self) -> str:
        """The encrypted form, as stored."""
        return self._token

    def __bool__(self) -> bool:
        return bool(self._token)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._token == other._token

    def __hash__(self) -> int:
        return hash(self._token)

    def __repr__(self) -> str:
        return "[hidden]" if self._token else "[empty]"

    __str__ = __repr__


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """A column for a Secret. Assign ``Secret.hide(text)``; plain text is rejected, so it is never stored by mistake."""

    #: Lets code such as the key rotation find encrypted columns without importing this class.
    is_encrypted = True

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Secret:
        return Secret(value or "")

    def to_python(self, value: Any) -> Secret:
        if isinstance(value, Secret):
            return value
        if value in (None, ""):
            return Secret("")
        raise TypeError("assign Secret.hide(text), not a plain text")

    def get_prep_value(self, value: Any) -> str:
        return self.to_python(value).token

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj).token)
