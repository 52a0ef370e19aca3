"""Every text has a translation in every language, with the same placeholders, and the catalogs are compiled.

The tests extract the texts as makemessages does, but without the gettext tools. A new or changed text without a
translation fails. `make messages` updates the catalogs; a person translates the new entries.
"""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
#: The context of a text and its singular form, which identify it.
Text = tuple[str | None, str]
_CALLS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}  # fmt: skip
#: Conversions, fields of format strings, tags.
_FIXED = re.compile(r"%\([a-z_]+\)[a-zA-Z]|%[sd%]|\{[a-z_]*\}|</?[a-zA-Z][^>]*>")
_WRITTEN = r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_IN_TEMPLATE = re.compile(
    rf"\b(_|gettext|ngettext|pgettext|npgettext)\(\s*({_WRITTEN})(?:\s*,\s*({_WRITTEN}))?", re.DOTALL
)


def catalog(language: str) -> Catalog:
    path = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file)


@cache
def entries(language: str) -> dict[Text, Any]:
    found = {}
    for message in catalog(language):
        if message.id:
            words = message.id[0] if isinstance(message.id, tuple) else message.id
            found[message.context or None, words] = message
    return found


@cache
def in_sources() -> frozenset[Text]:
    return frozenset(_in_python()) | frozenset(_in_templates())


def _in_python() -> Iterator[Text]:
    for package in ("orders", "providers", "storefront"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" in path.parts:
                continue
            with path.open("rb") as file:
                for _line, words, _comments, context in extract("python", file, keywords=_CALLS):
                    first = words[0] if isinstance(words, tuple) else words
                    if first:
                        yield context, first


def _in_templates() -> Iterator[Text]:
    for path in (ROOT / "templates").rglob("*"):
        if path.suffix not in (".html", ".txt"):
            continue
        for call, first, second in _IN_TEMPLATE.findall(templatize(path.read_text())):
            words = [ast.literal_eval(text) for text in (first, second) if text]
            yield (words[0], words[1]) if call in ("pgettext", "npgettext") else (None, words[0])


def translations_of(message: Any) -> list[str]:
    return list(message.string) if isinstance(message.string, tuple) else [message.string]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    known = entries(language)
    assert sorted(words for context, words in in_sources() if (context, words) not in known) == []
    empty = [
        message.id for message in known.values() if message.fuzzy or not all(map(str.strip, translations_of(message)))
    ]
    assert empty == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogs_have_no_unused_texts(language: str) -> None:
    assert sorted(words for context, words in entries(language) if (context, words) not in in_sources()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_and_tags_of_its_text(language: str) -> None:
    broken = []
    for message in entries(language).values():
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        fitting = [sorted(_FIXED.findall(text)) for text in texts]
        broken += [message.id for text in translations_of(message) if sorted(_FIXED.findall(text)) not in fitting]
    assert broken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogs_match_the_sources(language: str) -> None:
    folder = ROOT / "locale" / language / "LC_MESSAGES"
    with (folder / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, words), message in entries(language).items():
        if isinstance(message.id, tuple):
            continue
        assert (compiled.pgettext(context, words) if context else compiled.gettext(words)) == message.string


def test_texts_of_python_and_templates_are_found() -> None:
    found = in_sources()
    assert len(found) > 1500
    assert (None, "Payment history") in found or any(words == "Payment history" for _context, words in found)
    assert any(context for context, _words in found)
