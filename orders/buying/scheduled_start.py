"""Parsing of the ``start_at`` input of an order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from orders.errors import InvalidField
from orders.rules import order_inputs

NAME = "start_at"
EXAMPLE = "2030-12-31T18:00"


def parse_start(inputs: Mapping[str, Any]) -> datetime | None:
    """Return the time at which an order is to start, or None for now; a time in the past also means now.

    ``start_at`` is ISO 8601 or Unix seconds; a time without a time zone is in TIME_ZONE.

    Raises:
        InvalidField: The text is not a time, is more than SCHEDULE_MAX_DAYS ahead, or scheduling is off.
    """
    text = order_inputs.text_of(inputs, NAME)
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
        # Convert to UTC here: the first or last year with an offset that leaves the range fails here, not in the
        # database.
        return (timezone.make_aware(moment) if timezone.is_naive(moment) else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidField(NAME, "invalid_choice", limit=EXAMPLE) from None
