"""Remove the warnings that PHP prints into an answer, before or after the panel's own output. Pure."""

from __future__ import annotations

import re

#: "Fatal error" is not among them: nothing follows one.
_LEVEL = r"(?:Warning|Notice|Deprecated|Strict Standards)"
_MESSAGE = re.compile(
    rf"<br\s*/?>\s*<b>{_LEVEL}</b>:.{{0,2000}}?\son\sline\s<b>\d+</b>\s*<br\s*/?>"
    rf"|(?:PHP\s)?{_LEVEL}:\s.{{0,2000}}?\son\sline\s\d+",
    re.DOTALL,
)
#: The end of an object or a list that a message may follow.
_END = re.compile(r"[}\]]\s*(?=<br|PHP|Warning|Notice|Deprecated|Strict)")
#: More messages than anybody leaves in place, and how far from the end the first one behind an answer is looked for.
_MAX_MESSAGES, _MAX_TAIL = 50, 20_000


def without_php_messages(text: str) -> str:
    """Return ``text`` without the messages around it; the very same text where there are none.

    Servers that show errors print them around whatever the panel answers, and most are about nothing.
    """
    start = _skip_messages(text, 0)
    for end in _END.finditer(text, max(start, len(text) - _MAX_TAIL)):
        if _skip_messages(text, end.end()) == len(text):
            return text[start : end.start() + 1]
    return text[start:]


def _skip_messages(text: str, position: int) -> int:
    """Return the end of the messages, and the blanks around them, that begin at ``position``.

    One at a time, so that no message can swallow the next.
    """
    for _ in range(_MAX_MESSAGES):
        match = _MESSAGE.match(text, _skip_blanks(text, position))
        if match is None:
            break
        position = match.end()
    return _skip_blanks(text, position) if position else 0


def _skip_blanks(text: str, position: int) -> int:
    return len(text) - len(text[position:].lstrip())
