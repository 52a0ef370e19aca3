"""Uploaded files: checked by content, stored privately, served safely."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import Http404, HttpRequest
from django.http.multipartparser import MultiPartParser
from django.test import RequestFactory

from storefront.web import private_files
from storefront.web.private_files import MAX_BYTES, CutUpload, FilesField
from tests.uploads import GIF, JPEG, PDF, WEBP, png

PNG = png()
SAMPLES = {
    "image/png": PNG,
    "image/jpeg": JPEG,
    "image/gif": GIF,
    "image/webp": WEBP,
    "application/pdf": PDF,
    "text/plain": "Не пришло. وصل نصفه".encode(),
}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.PRIVATE_DIR = tmp_path / "private"
    return tmp_path / "private"


def upload(content: bytes, name: str = "shot.png", told: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, told)


@pytest.mark.parametrize("content_type", sorted(SAMPLES))
def test_the_stored_type_is_that_of_the_content(content_type: str) -> None:
    assert private_files.check(upload(SAMPLES[content_type], "x.exe", "application/x-msdownload")) == content_type


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00\x03" + b"\x00" * 40, "type"),
        (b"PK\x03\x04" + b"\x00" * 40, "type"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, "type"),
        (b"caf\xe9", "type"),
        (PNG + b"\x00" * MAX_BYTES, "too_large"),
    ],
)
def test_a_rejected_file_is_named_in_the_error(content: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        private_files.check(upload(content, "C:\\me\\shot.png"))
    assert refused.value.code == code
    assert "shot.png" in refused.value.messages[0]
    assert "me" not in refused.value.messages[0].split("”")[0]


def test_callers_can_allow_fewer_types() -> None:
    kept = private_files.store(upload(PNG), folder="x", types={"image/png"})
    assert kept.content_type == "image/png"
    for other in (PDF, GIF, b"text"):
        with pytest.raises(ValidationError) as refused:
            private_files.store(upload(other), folder="x", types={"image/png"})
        assert refused.value.code == "type"


def test_a_file_is_stored_privately_under_a_random_name(folder: Path) -> None:
    kept = private_files.store(upload(PNG, "../../../etc/cron.d/shot.png"), folder="tickets")
    stored = folder / kept.key
    assert stored.read_bytes() == PNG
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert stat.S_IMODE(stored.parent.stat().st_mode) == 0o700
    assert (kept.name, kept.content_type, kept.size) == ("shot.png", "image/png", len(PNG))
    assert "shot" not in kept.key
    private_files.delete([kept])
    assert not stored.exists()


def test_the_extension_matches_the_type() -> None:
    page = upload(b"<script>alert(1)</script>", "page.html", "text/html")
    assert private_files.store(page, folder="x").name == "page.html.txt"
    assert private_files.store(upload(PNG, "invoice.exe"), folder="x").name == "invoice.exe.png"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie: x=1.png"),
        ("gnp.\u202eexe", "gnp.exe"),
        ("..", "file"),
        (None, "file"),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
        ("снимок.png", "снимок.png"),
    ],
)
def test_file_names_are_cleaned(name: str | None, cleaned: str) -> None:
    assert private_files.cleaned_name(name) == cleaned


@pytest.mark.parametrize("content_type", sorted(SAMPLES))
def test_served_files_cannot_run_as_a_page(content_type: str) -> None:
    kept = private_files.store(upload(SAMPLES[content_type], 'a"; x=<b>.html'), folder="x")
    answer = private_files.response(key=kept.key, name=kept.name, content_type=kept.content_type)
    assert b"".join(answer.streaming_content) == SAMPLES[content_type]  # type: ignore[arg-type]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith(content_type)
    is_shown = content_type.startswith("image/")
    assert answer.headers["Content-Disposition"].startswith("inline" if is_shown else "attachment")
    assert "\n" not in answer.headers["Content-Disposition"]


def test_unknown_types_are_served_as_binary() -> None:
    kept = private_files.store(upload(b"<script>1</script>"), folder="x")
    answer = private_files.response(key=kept.key, name="a.html", content_type="text/html")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_missing_files_and_foreign_paths_are_not_found(folder: Path) -> None:
    with pytest.raises(Http404):
        private_files.response(key="x/2026/11/gone", name="a.png", content_type="image/png")
    (folder.parent / "secret").write_text("s")
    with pytest.raises(SuspiciousFileOperation):
        private_files.response(key="../secret", name="a.png", content_type="image/png")


def test_an_upload_is_cut_one_byte_after_the_limit() -> None:
    """With Django's own parser, the next handlers receive one byte more than allowed, and no more."""
    seen: list[int] = []

    class Counting(FileUploadHandler):
        def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
            seen.append(len(raw_data))

        def file_complete(self, file_size: int) -> None:
            seen.append(-file_size)

    made: HttpRequest = RequestFactory().post("/", {"file": upload(b"x" * (MAX_BYTES + 3_000_000))})
    MultiPartParser(made.META, made, [CutUpload(made), Counting(made)]).parse()
    assert sum(size for size in seen if size > 0) == MAX_BYTES + 1
    assert seen[-1] == -(MAX_BYTES + 1)


def test_a_field_takes_several_files_and_names_invalid_ones() -> None:
    field = FilesField(limit=2, required=False)
    assert field.clean([]) == []
    assert [one.name for one in field.clean([upload(PNG, "a.png"), upload(b"text", "b.txt")])] == ["a.png", "b.txt"]
    with pytest.raises(ValidationError, match=r"bad\.bin"):
        field.clean([upload(PNG, "a.png"), upload(b"\x00\x01", "bad.bin")])
    with pytest.raises(ValidationError, match="at most 2"):
        field.clean([upload(PNG)] * 3)
    with pytest.raises(ValidationError, match="required"):
        FilesField(limit=1).clean(None)
