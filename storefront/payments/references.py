"""References of payments: twelve random characters in groups of four."""

from __future__ import annotations

import re
import secrets

#: Characters that are easily confused in print or speech are left out.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP_LENGTH = 3, 4


def new() -> str:
    """Return a new reference. It carries 58 bits, so nobody can guess one, and is short enough to copy by hand."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def normalized(text: str) -> str:
    """Return a reference as it is stored. Gateways return it without dashes or in lower case; "" is no reference."""
    compact = re.sub(r"[^0-9A-Za-z]", "", text[:100]).upper()
    if len(compact) != _GROUPS * _GROUP_LENGTH:
        return text[:40]
    return "-".join(compact[start : start + _GROUP_LENGTH] for start in range(0, len(compact), _GROUP_LENGTH))
