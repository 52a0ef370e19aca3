"""Detection of file types from the content alone."""

from __future__ import annotations

import pytest

from storefront.web import file_types
from tests.uploads import GIF, HTML, JPEG, PDF, SVG, WEBP, png


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (png(), "image/png"),
        (JPEG, "image/jpeg"),
        (JPEG + b"what a phone puts behind", "image/jpeg"),
        (GIF, "image/gif"),
        (WEBP, "image/webp"),
        (PDF, "application/pdf"),
        ("Не пришло. وصل نصفه\r\n\t".encode(), "text/plain"),
        # A browser might run these, but they are served as text downloads.
        (HTML, "text/plain"),
        (SVG, "text/plain"),
        (b"\n" + PDF, "text/plain"),
        (b"<html>" + PDF, "text/plain"),
    ],
)
def test_the_type_is_detected_from_the_content(content: bytes, content_type: str) -> None:
    assert file_types.type_of(content) == content_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"GIF89a" + HTML[:7],
        b"GIF89a\x00\x00\x01\x00" + GIF[10:],
        b"GIF89a\xff\xff\xff\xff" + GIF[10:],
        b"BM\x00\x01" + HTML,
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + HTML,
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 20,
        png() + HTML,
        png()[:-1],
        HTML + png(),
        b"\xff\xd8\xff" + HTML,
        b"\xff\xd8\xff\xe0" + b"\x00" * 30,
        JPEG[:20] + HTML,
        b"\xff\xd8\xff\xda\x00\x02\xff\xd9",
        b"%PDF-" + HTML,
        b"%PDF-1.7\n\x00\x01",
        WEBP + HTML,
        b"RIFF\x04\x00\x00\x00WEBP",
        b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 20,
        b"PK\x03\x04" + b"\x00" * 30,
        b"MZ\x90\x00\x03" + b"\x00" * 40,
        b"caf\xe9",
        png(100_000, 100_000),
        b"\xff" * 100,
        b"\xff\xd8\xff\xe0\x00\x00" * 20,
    ],
)
def test_other_content_has_no_type(content: bytes) -> None:
    assert file_types.type_of(content) is None
