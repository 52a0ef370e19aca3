"""The languages that names can be translated into: all of the shop's but the one that they are written in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import get_language


def translation_languages() -> list[tuple[str, Any]]:
    """Code and name of each, for choices. A function: migrations name it, and know of no language."""
    return [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def lookup_language(code: str | None = None) -> str:
    """The language whose texts are to be looked up for ``code``, the reader's unless told; "" where there are none."""
    asked = get_language() if code is None else code
    return next((known for known, _name in translation_languages() if known == asked), "")
