"""Classify a panel's error text: the reason of a rejection, or whether the panel knows an order. Pure."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from providers.panels import error_phrases

#: HTTP statuses that give the reason of a rejection if its error text is unknown.
REFUSING: Mapping[int, str] = {401: "key", 402: "funds", 403: "key"}
#: Reasons that concern our whole account at the panel and not one order.
ACCOUNT_REASONS = frozenset({"key", "funds", "busy"})
_MAX_TEXT = 600
_TAG = re.compile(r"<[^<>]{0,200}>")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Letters with several spellings, and apostrophes, which are removed (don't, dont).
_ALIKE = str.maketrans(
    {"ı": "i", "ة": "ه", "ى": "ي", "ـ": None, "'": None, "’": None, "‘": None, "`": None, "ʼ": None, "´": None}
)
#: A negation and the two words after it: "was not placed" does not say that anything was placed.
_NEGATED = re.compile(
    r"(?<!\S)(?:not|cannot|cant|couldnt|wasnt|isnt|didnt|never|unable to|failed to|could not"
    r"|не|нет|لم|no|nao|tidak|gagal)"
    r"(?: \S+){1,2}"
)


class _Patterns(NamedTuple):
    rejections: tuple[tuple[str, re.Pattern[str]], ...]
    request_refusals: tuple[tuple[str, re.Pattern[str]], ...]
    maybe_done: re.Pattern[str]
    under_way: re.Pattern[str]
    faults: re.Pattern[str]
    passing_trouble: re.Pattern[str]
    foreign_order: re.Pattern[str]


@lru_cache(maxsize=4096)
def normalize(text: str) -> str:
    """Return ``text`` in lower case, without HTML, accents, apostrophes and punctuation, its words one blank apart."""
    plain = _TAG.sub(" ", html.unescape(text[:_MAX_TEXT]))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", _CAMEL_CASE.sub(" ", plain)).casefold())
    letters = []
    for character in folded.translate(_ALIKE):
        category = unicodedata.category(character)
        if unicodedata.combining(character) or category == "Cf":
            continue
        letters.append(character if category[0] in "LMN" else " ")
    return " ".join("".join(letters).split())


def compile_phrases(phrases: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of ``phrases`` (see ``error_phrases``) in a normalized text."""
    return re.compile("|".join(_phrase_pattern(phrase) for phrase in phrases))


def rejection_reason(words: str) -> str:
    """Return why a panel rejected an order, by its error text; "" unless it clearly says that nothing was done."""
    return _rejection_reason(normalize(words))


def refusal_reason(words: str) -> str:
    """Return why a panel refused a refill or a cancellation: "early", "final", "order", a reason of
    ``rejection_reason``, or "other"."""
    return _refusal_reason(normalize(words))


def is_foreign(words: str) -> bool:
    """Return whether a panel's text about a number says that no order of ours has it."""
    return _is_foreign(normalize(words))


def is_fault(words: str) -> bool:
    """Return whether a panel's text reports a fault of the panel itself, and says nothing about the request."""
    return _is_fault(normalize(words))


def _phrase_pattern(phrase: str) -> str:
    pattern, is_first = "", True
    for part in phrase.split():
        if part == "^":
            pattern += "^"
        elif part == "$":
            pattern += "$"
        elif part == "~":
            pattern += r"(?: \S+){0,3}?"
        elif part == "...":
            pattern += r"(?: \S+)*?"
        else:
            blank = "" if is_first else " "
            word = f"{blank}(?:{'|'.join(_word_pattern(word) for word in part.lstrip('?').split('|'))})"
            pattern += f"(?:{word})?" if part.startswith("?") else word
            is_first = False
    return rf"(?<!\S)(?:{pattern})(?!\S)"


def _word_pattern(word: str) -> str:
    parts = [re.escape(normalize(part)) for part in word.rstrip("*").split("_")]
    return " ".join(parts) + (r"\S*" if word.endswith("*") else "")


@cache
def _patterns() -> _Patterns:
    """Return the patterns of all phrases. Compiling them takes 0.1 s: not at import, most processes see no error."""
    return _Patterns(
        rejections=_by_reason(error_phrases.REJECTIONS),
        request_refusals=_by_reason(error_phrases.REQUEST_REFUSALS),
        maybe_done=compile_phrases(error_phrases.MAYBE_DONE),
        under_way=compile_phrases(error_phrases.UNDER_WAY),
        faults=compile_phrases(error_phrases.FAULTS),
        passing_trouble=compile_phrases(error_phrases.PASSING_TROUBLE),
        foreign_order=compile_phrases(error_phrases.FOREIGN_ORDER),
    )


def _by_reason(phrases: Mapping[str, error_phrases.Phrases]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((reason, compile_phrases(some)) for reason, some in phrases.items())


@lru_cache(maxsize=4096)
def _rejection_reason(text: str) -> str:
    patterns = _patterns()
    if patterns.faults.search(text) or patterns.maybe_done.search(_NEGATED.sub("", text)):
        return ""
    reason = next((reason for reason, pattern in patterns.rejections if pattern.search(text)), "")
    if reason != "duplicate" and patterns.under_way.search(text):
        return ""
    if reason == "availability":
        return "" if patterns.passing_trouble.search(text) else "service"
    return reason


@lru_cache(maxsize=4096)
def _refusal_reason(text: str) -> str:
    if _is_foreign(text):
        return "order"
    rejection = _rejection_reason(text)
    if rejection in ACCOUNT_REASONS:
        return rejection
    patterns = _patterns()
    if patterns.faults.search(text):
        return "other"
    return next((reason for reason, pattern in patterns.request_refusals if pattern.search(text)), rejection or "other")


@lru_cache(maxsize=4096)
def _is_foreign(text: str) -> bool:
    return not _is_fault(text) and bool(_patterns().foreign_order.search(text))


@lru_cache(maxsize=4096)
def _is_fault(text: str) -> bool:
    patterns = _patterns()
    return bool(patterns.faults.search(text) or patterns.passing_trouble.search(text))
