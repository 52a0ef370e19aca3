"""The one place where others learn of a staff answer: SUPPORT_ANSWERED names the function, with the Message."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from storefront.support.models import Message


def answered(message: Message) -> None:
    """Call it in the transaction of the answer, that both stand or fall together."""
    if settings.SUPPORT_ANSWERED:
        import_string(settings.SUPPORT_ANSWERED)(message)
