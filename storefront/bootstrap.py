"""First-run values: a secret and an encryption key kept under var/ when nothing is configured. No Django in here."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet


def kept(path: Path, make: str) -> str:
    """The text in ``path``; the first call writes it, readable by its owner only, every later call returns the same.

    ``make`` is "secret" or "fernet". Two processes starting at once agree: the file appears whole or not at all.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        value = secrets.token_urlsafe(50) if make == "secret" else Fernet.generate_key().decode()
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
