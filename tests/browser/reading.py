"""What a page says, read as a person would: its visible words, and which of them nobody translated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from playwright.sync_api import Page

from tests.test_translations import entries, told

#: Words of customers and operators, of the wire and of other programs: shown as they are in every language.
_DATA = "bdi, pre, code, .mono, [dir=auto], option[lang], script, style, noscript, textarea"
_READ = """data => {
  const said = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const within = node.parentElement;
    if (node.textContent.trim() && !within.closest(data) && within.checkVisibility({visibilityProperty: true}))
      said.push(node.textContent);
  }
  for (const name of ["aria-label", "placeholder", "alt", "title"])
    for (const found of document.body.querySelectorAll(`[${name}]`))
      if (!found.closest(data)) said.push(found.getAttribute(name));
  return said.map(text => text.replace(/\\s+/g, " ").trim());
}"""
_WORD = re.compile(r"[A-Za-z][A-Za-z']{2,}")


def words_of(page: Page) -> list[str]:
    """Every text that can be seen, heard or hovered on the page, without what is data."""
    said: list[str] = page.evaluate(_READ, _DATA)
    return said


def left_in_english(texts: Iterable[str], language: str, *, data: Iterable[str] = ()) -> list[str]:
    """The texts with an English word that no translation into ``language`` has, once ``data`` is taken out.

    In languages with letters of their own that is any other Latin word; in Turkish it is a word of our English texts.
    """
    if language == "en":
        return []
    english, translated = _vocabularies(language)
    has_own_letters = language in ("ru", "ar")
    found = []
    for text in texts:
        plain = text
        for piece in sorted(data, key=len, reverse=True):
            plain = plain.replace(piece, " ")
        words = {word.lower() for word in _WORD.findall(plain)} - translated
        if words if has_own_letters else words & english:
            found.append(text)
    return found


@cache
def _vocabularies(language: str) -> tuple[frozenset[str], frozenset[str]]:
    english: set[str] = set()
    translated: set[str] = set()
    for message in entries(language).values():
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            english |= {word.lower() for word in _WORD.findall(_bare(text))}
        for text in told(message):
            translated |= {word.lower() for word in _WORD.findall(_bare(text))}
    return frozenset(english), frozenset(translated)


def _bare(text: str) -> str:
    """Without the names of placeholders: those are no words."""
    return re.sub(r"%\([a-z_]+\)[a-zA-Z]|\{[a-z_]*\}", " ", text)
