"""Remove what nobody sees from the ends of a text that was pasted. Pure."""

from __future__ import annotations

#: Marks without a width: writing direction, joiners, soft hyphens, byte order marks, fillers that look like a blank.
#: Apps and chat programs put them around what is copied. Tags (U+E0000 and on) are not among them: flags end with one.
_MARKS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufeff\uffa0\ufff9\ufffa\ufffb"
    + "".join(map(chr, range(0x200B, 0x2010)))
    + "".join(map(chr, range(0x2028, 0x2030)))
    + "".join(map(chr, range(0x2060, 0x2070)))
)
#: Everything that ``str.strip`` removes by itself.
_BLANKS = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
_STRIPPED = _MARKS + _BLANKS


def strip_invisible(text: str) -> str:
    """Return ``text`` without blanks and invisible marks at its ends; what is between stays as it was written."""
    return text.strip(_STRIPPED)
