"""Notify other applications of an answer of staff: the function in SUPPORT_ANSWER_LISTENER gets the Message."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from storefront.support.models import Message


def answered(message: Message) -> None:
    """Call the function of SUPPORT_ANSWER_LISTENER.

    Call this in the transaction of the answer, so that both are stored or neither.
    """
    if settings.SUPPORT_ANSWER_LISTENER:
        import_string(settings.SUPPORT_ANSWER_LISTENER)(message)
