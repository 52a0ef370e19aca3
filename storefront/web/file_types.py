"""What some bytes are, by the bytes alone: neither names nor what a browser says is believed. Pure.

Only pictures that browsers draw without running anything, PDF and plain text. A file is that kind from its first byte
on; PNG and WebP must also end where they say. What hides behind a picture does no harm: it is served as that kind, no
other.
"""

from __future__ import annotations

import re
import struct

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
PDF, TEXT = "application/pdf", "text/plain"
#: A small file can be a picture that fills the memory of whoever opens it.
PIXELS_MAX = 60_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
#: The JPEG segments that tell the size.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def type_of(content: bytes) -> str | None:
    """The media type of ``content``; None for everything else, and for pictures too large to draw."""
    if content.startswith(_PNG):
        return PNG if _is_png(content) else None
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG if _is_jpeg(content) else None
    if content.startswith((b"GIF87a", b"GIF89a")):
        return GIF if _is_gif(content) else None
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return WEBP if _is_webp(content) else None
    if content.startswith(b"%PDF-"):
        return PDF if b"%%EOF" in content[-2048:] else None
    return TEXT if _is_text(content) else None


def _is_png(content: bytes) -> bool:
    """Chunk by chunk to the end: nothing follows it."""
    place, is_first = len(_PNG), True
    while place + 12 <= len(content):
        length, name = struct.unpack(">I4s", content[place : place + 8])
        if is_first:
            if name != b"IHDR" or length != 13:
                return False
            width, height = struct.unpack(">II", content[place + 8 : place + 16])
            if not _can_be_drawn(width, height):
                return False
        is_first = False
        place += 12 + length
        if name == b"IEND":
            return bool(place == len(content))
    return False


def _is_jpeg(content: bytes) -> bool:
    """Segment by segment to the first scan; phones put data of their own behind the picture."""
    place, is_sized = 2, False
    while place + 4 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker == 0xDA:
            return is_sized and b"\xff\xd9" in content[place:]
        length = struct.unpack(">H", content[place + 2 : place + 4])[0]
        if marker in _FRAMES and place + 9 <= len(content):
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            is_sized = _can_be_drawn(width, height)
        if length < 2:
            return False
        place += 2 + length
    return False


def _is_gif(content: bytes) -> bool:
    """Its size, and its last sign somewhere behind it."""
    if len(content) < 14:
        return False
    width, height = struct.unpack("<HH", content[6:10])
    return _can_be_drawn(width, height) and b";" in content[13:]


def _is_webp(content: bytes) -> bool:
    length: int = struct.unpack("<I", content[4:8])[0]
    return length + 8 == len(content) and content[12:16] in (b"VP8 ", b"VP8L", b"VP8X")


def _is_text(content: bytes) -> bool:
    if not content or _CONTROLS.search(content):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _can_be_drawn(width: int, height: int) -> bool:
    return 0 < width * height <= PIXELS_MAX
