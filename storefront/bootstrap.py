"""What settings are when nothing is configured: secrets kept under var/, a shop on this machine. No Django in here."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

#: Set by `manage.py run` for itself and the programs that it starts.
DEMO_VARIABLE = "VITRINE_DEMO"
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
LOCAL_URL = "http://127.0.0.1:8000"
#: Refuses to send until a mail server is configured.
NO_MAIL_SERVER = "storefront.mail.backends.NoMailServer"
_LOG_BACKEND = "django.core.mail.backends.console.EmailBackend"


def is_demo() -> bool:
    """Return whether this process belongs to the demo: play money, debug pages and public sign-in details."""
    return os.environ.get(DEMO_VARIABLE) == "true"


def enter_demo(var_dir: Path) -> None:
    """Make this process and its child processes the demo, with separate data in ``var_dir`` unless VAR_DIR is set."""
    os.environ[DEMO_VARIABLE] = os.environ["DEBUG"] = "true"
    os.environ.setdefault("VAR_DIR", str(var_dir))


def shop_url(hosts: Sequence[str]) -> str:
    """Return the shop's address if only host names are configured: the first public one, otherwise this machine."""
    named = next((host for host in hosts if host.strip("*.") and host not in LOCAL_HOSTS), "")
    return f"https://{named.lstrip('.')}" if named else LOCAL_URL


def is_local(url: str) -> bool:
    """Return whether ``url`` leads to this machine only."""
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def hosts(url: str) -> list[str]:
    """Return the allowed host names of requests: those of this machine and that of the shop's address."""
    host = urlsplit(url).hostname or ""
    return [*LOCAL_HOSTS, *([] if not host or host in LOCAL_HOSTS else [host])]


def origins(url: str) -> list[str]:
    """Return the origins whose forms are trusted: a proxy may pass on another host name than the visitor's."""
    return [url] if url.startswith("https://") else []


def email_config(url: str, read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """Return Django's email settings for ``url``. Without one, or with the log as the target, nothing is sent."""
    config = read(url) if url else {}
    if config.get("EMAIL_BACKEND", _LOG_BACKEND) == _LOG_BACKEND:
        return {**config, "EMAIL_BACKEND": NO_MAIL_SERVER}
    return config


def kept(path: Path, make: str) -> str:
    """Return the text in ``path``. The first call writes it, readable by its owner only; later calls return the same.

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
