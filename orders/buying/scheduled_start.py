"""When an order is to start, as a customer writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from orders.errors import InvalidField
from orders.rules import service_types

NAME = "start_at"
EXAMPLE = "2030-12-31T18:00"


def parse_start(inputs: Mapping[str, Any]) -> datetime | None:
    """The moment of ``start_at``: ISO 8601, or seconds since 1970; None for now, which a past moment means too.

    A time without a zone is one of TIME_ZONE. Raises InvalidField; at most SCHEDULE_MAX_DAYS ahead.
    """
    text = service_types.text_of(inputs, NAME)
    if not text or text == "0":
        return None
    if not settings.SCHEDULE_MAX_DAYS:
        raise InvalidField(NAME, "unsupported")
    moment = _moment(text)
    now = timezone.now()
    if moment > now + timedelta(days=settings.SCHEDULE_MAX_DAYS):
        raise InvalidField(NAME, "too_large", limit=settings.SCHEDULE_MAX_DAYS)
    return moment if moment > now else None


def _moment(text: str) -> datetime:
    try:
        if re.fullmatch(r"\d{9,11}", text, re.ASCII):
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
        # In UTC at once: a year without room for its zone fails here and not in the database.
        return (timezone.make_aware(moment) if timezone.is_naive(moment) else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidField(NAME, "invalid_choice", limit=EXAMPLE) from None
