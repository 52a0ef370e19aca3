"""The storage for what customers send: files of our own making under VAR_DIR/private, which no address leads to."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage


class PrivateStorage(FileSystemStorage):
    """Readable by the shop's own user alone. Views hand the files out, to those who may see them."""

    def __init__(self) -> None:
        super().__init__(
            location=Path(settings.VAR_DIR) / "private",
            file_permissions_mode=0o600,
            directory_permissions_mode=0o700,
        )

    def url(self, name: str | None) -> str:
        raise ValueError("a private file has no address")
