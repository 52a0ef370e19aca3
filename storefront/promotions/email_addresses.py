"""Tell whether two email addresses reach the same mailbox. Pure: no I/O, no settings."""

from __future__ import annotations

#: Domains whose mailboxes ignore dots in the name.
_WITHOUT_DOTS = frozenset({"gmail.com"})
_SAME_DOMAINS = {"googlemail.com": "gmail.com"}


def normalize(email: str) -> str:
    """Return one address for all spellings that reach the same mailbox.

    Upper and lower case are the same, and what follows a plus in the name is left out, as nearly all providers do. The
    result is for comparisons only; it may not be an address that receives email.
    """
    name, _at, domain = email.strip().lower().rpartition("@")
    domain = _SAME_DOMAINS.get(domain, domain)
    name = name.partition("+")[0] or name
    return f"{name.replace('.', '') if domain in _WITHOUT_DOTS else name}@{domain}"
