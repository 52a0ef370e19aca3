"""The languages that names can be translated into: all of the shop's languages except the original one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import get_language


def translation_languages() -> list[tuple[str, Any]]:
    """Return code and name of each language, for choices.

    It is a function, so that migrations refer to it and do not depend on the configured languages.
    """
    return [(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def lookup_language(code: str | None = None) -> str:
    """Return the language whose texts to look up for ``code``, or "" if the original texts are to be used.

    Args:
        code: A language code; the active language if omitted.
    """
    asked = get_language() if code is None else code
    return next((known for known, _name in translation_languages() if known == asked), "")
