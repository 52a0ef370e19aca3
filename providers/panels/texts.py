"""Clean the names and descriptions of a services list: languages, HTML, characters that could not be read. Pure."""

from __future__ import annotations

import html
import json
import re
from decimal import Decimal
from typing import Any

from providers.panels.bodies import UNPRINTABLE, one_line

#: The keys of the text to use in an object by language or an object with a name; otherwise its first text is used.
_PREFERRED = ("en", "EN", "en-US", "en_US", "name", "title", "text")
#: The maximum depth of texts inside texts.
_MAX_DEPTH = 3
#: Entities only with their semicolon, because "&section=5" in an address is not a section sign.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(
    r"<(/?)(a|abbr|b|big|blockquote|br|center|code|del|div|em|font|h[1-6]|hr|i|img|ins|li|mark|ol|p|pre|s|small|span"
    r"|strike|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul)(?:[\s/][^<>]*)?/?>",
    re.IGNORECASE,
)
#: Elements whose content is not text.
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?(?:</\1\s*>|$)|<!--.*?(?:-->|$)", re.IGNORECASE | re.DOTALL)
_BREAKING = frozenset(
    {"blockquote", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "table", "tr", "ul"}
)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
#: The maximum length of a description; the rest is cut off.
_MAX_INPUT = 40_000


def localized(value: Any, depth: int = _MAX_DEPTH) -> str:
    """Return the text in ``value``: itself, the English one of several languages, or the lines of a list.

    A text by language also comes as JSON inside a text. "" for what is no text.
    """
    if isinstance(value, str):
        return _inner_text(value, depth) if value[:1] in ("{", "[") else value
    if isinstance(value, bool) or value is None or not depth:
        return ""
    if isinstance(value, (int, Decimal)):
        return str(value)
    if isinstance(value, list):
        return "\n".join(filter(None, (localized(item, depth - 1) for item in value)))
    if isinstance(value, dict):
        candidates = [value[key] for key in _PREFERRED if key in value] + list(value.values())
        return next(filter(None, (localized(item, depth - 1) for item in candidates)), "")
    return ""


def clean_name(text: str, most: int) -> str:
    """Return ``text`` on one line, with HTML tags and entities resolved."""
    if "&" in text or "<" in text:
        text = _without_html(text[:_MAX_INPUT])
    return one_line(text, most)


def clean_description(text: str, most: int) -> str:
    """Return ``text`` with its line breaks, with HTML tags and entities resolved."""
    if "&" in text or "<" in text:
        text = _without_html(text[:_MAX_INPUT])
    return UNPRINTABLE.sub("", text.strip()[:most]).replace("\ufffd", "").rstrip()


def is_garbled(text: str) -> bool:
    """Return whether so much of ``text`` was lost in decoding that nobody can tell what it says."""
    lost = text.count("\ufffd")
    return lost > 0 and lost * 2 >= sum(character.isalnum() for character in text)


def _inner_text(text: str, depth: int) -> str:
    """Return the text in JSON such as '{"en": "Likes"}' or '["Fast", "No drop"]'; other texts as they are."""
    if not depth or text[-1:] not in ("}", "]"):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    texts = list(value.values()) if isinstance(value, dict) else value
    is_text = isinstance(texts, list) and texts and all(isinstance(item, str) for item in texts)
    return localized(value, depth - 1) if is_text else text


def _without_html(text: str) -> str:
    """Tags as line breaks or nothing, entities decoded once. Markup that was escaped as a whole counts as markup."""
    if _has_tags(text):
        return _decode_entities(_strip_tags(text))
    decoded = _decode_entities(text)
    return _strip_tags(decoded) if _has_tags(decoded) else decoded


def _has_tags(text: str) -> bool:
    return "<" in text and bool(_TAG.search(text) or _HIDDEN.search(text))


def _decode_entities(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def _strip_tags(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", _TAG.sub(_tag_text, _HIDDEN.sub("", text)))


def _tag_text(match: re.Match[str]) -> str:
    is_closing, name = bool(match[1]), match[2].lower()
    if name == "li":
        return "" if is_closing else "\n- "
    return "\n" if name in _BREAKING else " " if name in ("td", "th") else ""
