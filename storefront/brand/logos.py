"""Validation of uploaded logos by their content."""

from __future__ import annotations

import struct
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SIZE_MAX = 100 * 1024
SIDE_MAX = 1024
_PNG = b"\x89PNG\r\n\x1a\n"


def read(upload: Any) -> tuple[bytes, str]:
    """Return the logo's bytes and media type. Raises ValidationError for anything but a small PNG or WebP image.

    SVG is not allowed: it can contain scripts, and logos are served from the shop's own domain.
    """
    if upload.size > SIZE_MAX:
        raise ValidationError(_("The logo is larger than 100 kB. Reduce its size; a height of 64 pixels is enough."))
    data: bytes = upload.read()
    if data.startswith(_PNG) and data[12:16] == b"IHDR" and len(data) > 24:
        if max(struct.unpack(">II", data[16:24])) > SIDE_MAX:
            raise ValidationError(_("The logo is more than 1,024 pixels wide or high. Reduce its size."))
        return data, "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data, "image/webp"
    raise ValidationError(_("The file is not a PNG or WebP image."))
