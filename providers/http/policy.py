"""What the settings allow between us and panels, in one place."""

from django.conf import settings

from providers.http.client import Limits

#: A price list may be large; every other answer is small.
LIST_BYTES = 32 * 1024 * 1024


def allow_private() -> bool:
    """Whether panels on this machine or in private ranges may be used."""
    return bool(settings.ALLOW_PRIVATE_PANELS)


def limits(verb: str) -> Limits:
    """Time and size limits for a call of ``verb``."""
    if verb == "services":
        return Limits(total=60.0, body=LIST_BYTES, allow_private=allow_private())
    return Limits(allow_private=allow_private())
