"""Uploaded files: checked by their content, stored outside every public folder, and served by views only.

A caller stores the result of ``store`` in a database row, and checks permissions before it calls ``response``.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TypeAlias

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import UploadedFile as Upload
from django.core.files.uploadhandler import FileUploadHandler
from django.http import FileResponse, Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from storefront.web import file_types

UploadedFile: TypeAlias = "Upload[Any]"
MAX_BYTES: Final = 5 * 1024 * 1024
NAME_MAX: Final = 120
_EXTENSIONS = {
    file_types.PNG: (".png",),
    file_types.JPEG: (".jpg", ".jpeg"),
    file_types.GIF: (".gif",),
    file_types.WEBP: (".webp",),
    file_types.PDF: (".pdf",),
    file_types.TEXT: (".txt", ".log", ".csv"),
}
#: All types that can be uploaded; callers can allow fewer.
TYPES: Final = frozenset(_EXTENSIONS)
#: The ``accept`` attribute of file inputs; the server checks the content in any case.
ACCEPTED = ",".join(extension for extensions in _EXTENSIONS.values() for extension in extensions)
TYPE_HINT = _("Images (PNG, JPEG, GIF, WebP), PDF, or plain text, up to 5 MB each.")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The data to store for a file; ``key`` is its path in the storage, ``name`` the cleaned original file name."""

    key: str
    name: str
    content_type: str
    size: int

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")


class PrivateStorage(FileSystemStorage):
    """A storage under PRIVATE_DIR whose files only the shop's system user can read and that have no URL."""

    def __init__(self) -> None:
        super().__init__(location=settings.PRIVATE_DIR, file_permissions_mode=0o600, directory_permissions_mode=0o700)

    def url(self, name: str | None) -> str:
        raise ValueError("a private file has no URL; serve it through a view that checks permissions")


def check(upload: UploadedFile, types: Collection[str] = TYPES) -> str:
    """Return the content type of ``upload``, determined from its content.

    Raises:
        ValidationError: With a message for the sender, and the code "empty", "too_large", or "type" if the type is not
            in ``types``.
    """
    name = cleaned_name(upload.name)
    if not upload.size:
        raise ValidationError(_("“%(name)s” is empty. Choose another file."), "empty", {"name": name})
    if upload.size > MAX_BYTES:
        raise ValidationError(_("“%(name)s” is larger than 5 MB. Choose a smaller file."), "too_large", {"name": name})
    upload.seek(0)
    found = file_types.type_of(upload.read())
    upload.seek(0)
    if found is None or found not in types:
        raise ValidationError(
            _("“%(name)s” is not a supported file type. Use PNG, JPEG, GIF, WebP, PDF, or plain text."),
            "type",
            {"name": name},
        )
    return found


def store(upload: UploadedFile, *, folder: str, types: Collection[str] = TYPES) -> StoredFile:
    """Check ``upload`` and store it under a name that cannot be guessed. Raises ValidationError as ``check`` does.

    Call it before the transaction that writes the row, and call ``delete`` if that transaction fails.
    """
    content_type = check(upload, types)
    place = f"{folder}/{timezone.now():%Y/%m}/{secrets.token_hex(20)}"
    key = PrivateStorage().save(place, upload)
    return StoredFile(key, _with_extension(cleaned_name(upload.name), content_type), content_type, upload.size or 0)


def delete(files: Sequence[StoredFile]) -> None:
    """Delete files for which no row was written."""
    storage = PrivateStorage()
    for file in files:
        storage.delete(file.key)


def response(*, key: str, name: str, content_type: str) -> FileResponse:
    """Return the file as a response: images open in the browser, everything else is downloaded.

    The headers prevent the content from running as a page of the shop.
    """
    if content_type not in _EXTENSIONS:
        content_type = "application/octet-stream"
    try:
        stored: BinaryIO = PrivateStorage().open(key)  # type: ignore[assignment]
    except FileNotFoundError as problem:
        raise Http404("the file is no longer stored") from problem
    is_saved = not content_type.startswith("image/")
    shown = f"{content_type}; charset=utf-8" if content_type == file_types.TEXT else content_type
    answer = FileResponse(stored, as_attachment=is_saved, filename=name, content_type=shown)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def cleaned_name(name: str | None) -> str:
    """Return ``name`` in a form that is safe to show and to send in a header.

    It has one line, no folders, and no characters that change the direction of the text.
    """
    last = re.split(r"[/\\]", name or "")[-1]
    plain = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C").strip(" .")
    stem, dot, extension = plain.rpartition(".")
    if dot and 0 < len(extension) <= 8:
        return f"{stem[: NAME_MAX - len(extension) - 1]}.{extension}"
    return plain[:NAME_MAX] or "file"


def _with_extension(name: str, content_type: str) -> str:
    """Return ``name`` with an extension that matches the content type; append one if needed."""
    extensions = _EXTENSIONS[content_type]
    return name if name.lower().endswith(extensions) else f"{name[: NAME_MAX - 5]}{extensions[0]}"


class CutUpload(FileUploadHandler):
    """An upload handler that cuts each file one byte after MAX_BYTES, so that no upload can fill the disk.

    ``check`` then rejects the file as too large.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        left = MAX_BYTES + 1 - start
        return raw_data[:left] if left > 0 else None

    def file_complete(self, file_size: int) -> None:
        """Return nothing, so that the next handlers provide the file."""


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """A form field for up to ``limit`` checked files; its value is a list of uploads, empty if none was chosen."""

    def __init__(self, *, limit: int, **options: Any) -> None:
        self.limit = limit
        widget = FilesInput(attrs={"accept": ACCEPTED, "multiple": limit > 1})
        super().__init__(**{"widget": widget, "help_text": TYPE_HINT, **options})

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        uploads = [upload for upload in (data if isinstance(data, list | tuple) else [data]) if upload]
        if self.required and not uploads:
            raise ValidationError(self.error_messages["required"], "required")
        if len(uploads) > self.limit:
            raise ValidationError(
                _("You can upload at most %(limit)d files at a time."), "too_many", {"limit": self.limit}
            )
        problems = []
        for upload in uploads:
            try:
                check(upload)
            except ValidationError as problem:
                problems.append(problem)
        if problems:
            raise ValidationError(problems)
        return uploads
