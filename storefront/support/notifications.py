"""Notify other applications of an answer of staff. SUPPORT_ANSWERED names the function, which gets the Message."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from storefront.support.models import Message


def answered(message: Message) -> None:
    """Call the function of SUPPORT_ANSWERED.

    Call this in the transaction of the answer, so that both are stored or neither.
    """
    if settings.SUPPORT_ANSWERED:
        import_string(settings.SUPPORT_ANSWERED)(message)
