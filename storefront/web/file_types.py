"""Detection of file types from the content alone, regardless of file names and the type that a browser sends.

Only images that browsers display without running code, PDF and plain text are recognized. The type is determined from
the first byte on; PNG and WebP must also end where their headers say. Data appended to an image is harmless, because
the file is only served as the detected type.
"""

from __future__ import annotations

import re
import struct

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
PDF, TEXT = "application/pdf", "text/plain"
#: Maximum number of pixels: a small file can be an image that needs too much memory to open.
PIXELS_MAX = 60_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
#: The JPEG segments that contain the image size.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def type_of(content: bytes) -> str | None:
    """Return the media type of ``content``; None for other types and for images with too many pixels."""
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
    """Check the chunks up to the last one, which must be the end of the file."""
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
    """Check the segments up to the first scan; phones append data to the image, so anything may follow its end."""
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
    """Check the image size, and that the end marker occurs after the header."""
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
