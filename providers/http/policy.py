"""The limits and address rules for calls to panels, from the settings."""

from django.conf import settings

from providers.http.client import Limits

#: Bytes. A price list may be large; every other answer is small.
LIST_BYTES = 32 * 1024 * 1024


def allow_private() -> bool:
    """Return whether panels on this machine or in private ranges may be used."""
    return bool(settings.ALLOW_PRIVATE_PANELS)


def limits(verb: str) -> Limits:
    """Return the time and size limits for a call of ``verb``."""
    if verb == "services":
        return Limits(total=60.0, body=LIST_BYTES, allow_private=allow_private())
    return Limits(allow_private=allow_private())
