"""Removal of invisible characters from the ends of pasted text."""

from __future__ import annotations

#: Characters without a width: direction marks, joiners, soft hyphens, byte order marks, fillers that look like a space.
#: Apps put them around copied text. Tags (U+E0000 and up) are not included, because some flag emoji end with one.
_MARKS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufeff\uffa0\ufff9\ufffa\ufffb"
    + "".join(map(chr, range(0x200B, 0x2010)))
    + "".join(map(chr, range(0x2028, 0x2030)))
    + "".join(map(chr, range(0x2060, 0x2070)))
)
#: The characters that ``str.strip`` removes by default.
_BLANKS = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
_STRIPPED = _MARKS + _BLANKS


def strip_invisible(text: str) -> str:
    """Return ``text`` without white space and invisible characters at its ends; the rest is unchanged."""
    return text.strip(_STRIPPED)
