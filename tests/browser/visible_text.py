"""The texts that a person can see on a page, and which of them are not translated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from playwright.sync_api import Page

from tests.test_translations import entries, translations_of

#: Elements that show data: texts of customers and operators, code, and values of the API. They are not translated.
_DATA = "bdi, pre, code, .mono, [dir=auto], option[lang], script, style, noscript, textarea"
_READ = """data => {
  const texts = [document.title];
  const shopper = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = shopper.nextNode(); node; node = shopper.nextNode()) {
    const within = node.parentElement;
    if (node.textContent.trim() && !within.closest(data) && within.checkVisibility({visibilityProperty: true}))
      texts.push(node.textContent);
  }
  for (const name of ["aria-label", "placeholder", "alt", "title"])
    for (const found of document.body.querySelectorAll(`[${name}]`))
      if (!found.closest(data)) texts.push(found.getAttribute(name));
  return texts.map(text => text.replace(/\\s+/g, " ").trim());
}"""
_WORD = re.compile(r"[A-Za-z][A-Za-z']{2,}")


def visible_texts(page: Page) -> list[str]:
    """Return every visible text of the page, its labels for screen readers and its tooltips, without data."""
    texts: list[str] = page.evaluate(_READ, _DATA)
    return texts


def untranslated_texts(texts: Iterable[str], language: str, *, data: Iterable[str] = ()) -> list[str]:
    """Return the texts that have an English word which no translation into ``language`` contains.

    In Russian and Arabic every other Latin word counts as English; in Turkish, the words of our English messages do.

    Args:
        data: Names and other data, which are removed from the texts first.
    """
    if language == "en":
        return []
    english, translated = _vocabularies(language)
    has_own_script = language in ("ru", "ar")
    found = []
    for text in texts:
        plain = text
        for piece in sorted(data, key=len, reverse=True):
            plain = plain.replace(piece, " ")
        words = {word.lower() for word in _WORD.findall(plain)} - translated
        if words if has_own_script else words & english:
            found.append(text)
    return found


@cache
def _vocabularies(language: str) -> tuple[frozenset[str], frozenset[str]]:
    english: set[str] = set()
    translated: set[str] = set()
    for message in entries(language).values():
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            english |= {word.lower() for word in _WORD.findall(_bare(text))}
        for text in translations_of(message):
            translated |= {word.lower() for word in _WORD.findall(_bare(text))}
    return frozenset(english), frozenset(translated)


def _bare(text: str) -> str:
    """Remove the placeholders, whose names would count as words."""
    return re.sub(r"%\([a-z_]+\)[a-zA-Z]|\{[a-z_]*\}", " ", text)
