"""Render plain text as safe HTML with paragraphs, lists, headings and links.

Nothing in the text can become HTML markup itself. The functions depend on their arguments only.
"""

from __future__ import annotations

import re
from html import escape

_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_LEVELS = {"# ": "h2", "## ": "h3"}
#: Characters that belong to the sentence when they follow an address.
_AFTER = ".,;:!?…»”’"


def document(text: str) -> str:
    """Render a text of the shop.

    An empty line separates paragraphs, "# " and "## " start headings, and lines that start with "- " are a list.
    """
    return "\n".join(_block(block) for block in _blocks(text))


def message(text: str) -> str:
    """Render a message: paragraphs and links only; every other character stays as it is."""
    return "\n".join(f"<p>{_lines(block.split(chr(10)))}</p>" for block in _blocks(text))


def _blocks(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    return _BLANK.split(plain) if plain else []


def _block(block: str) -> str:
    """Render one block. Headings and lists need no empty line around them."""
    html: list[str] = []
    pending: list[str] = []
    kind = ""
    for line in block.split("\n"):
        line_kind = _kind(line)
        if pending and (line_kind != kind or line_kind in _LEVELS.values()):
            html.append(_element(kind, pending))
            pending = []
        kind = line_kind
        pending.append(line)
    return "\n".join([*html, _element(kind, pending)])


def _kind(line: str) -> str:
    for sign, level in _LEVELS.items():
        if line.startswith(sign):
            return level
    return "ul" if line.startswith("- ") else "p"


def _element(kind: str, lines: list[str]) -> str:
    if kind == "ul":
        return f"<ul>{''.join(f'<li>{_linked(line[2:].strip())}</li>' for line in lines)}</ul>"
    if kind == "p":
        return f"<p>{_lines(lines)}</p>"
    return f"<{kind}>{_linked(lines[0].lstrip('#').strip())}</{kind}>"


def _lines(lines: list[str]) -> str:
    return "<br>".join(_linked(line) for line in lines)


def _linked(line: str) -> str:
    html, done = [], 0
    for found in _ADDRESS.finditer(line):
        address = _whole(found[0])
        html += [escape(line[done : found.start()]), _link(address)]
        done = found.start() + len(address)
    return "".join([*html, escape(line[done:])])


def _whole(address: str) -> str:
    """Return the address without trailing punctuation and without a bracket that was opened before it."""
    while address[-1] in _AFTER or (address[-1] == ")" and address.count(")") > address.count("(")):
        address = address[:-1]
    return address


def _link(address: str) -> str:
    safe = escape(address)
    return f'<a href="{safe}" rel="noopener noreferrer nofollow" dir="ltr">{safe}</a>'
