"""Whether a request to buy came before: a client that heard no answer asks again, and must not buy twice.

A request is known again by the ``request_id`` its sender gave it, for a day; without one by what it asks for, for
REPEAT_SECONDS. Nobody looks beforehand: unique constraints refuse the second order, and only what was refused looks
here for the first one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.utils import timezone

from orders.errors import InvalidField, OrderInvalid, RequestReused
from orders.models import Order
from orders.rules import service_types

#: As wide as the column.
REQUEST_ID_MAX = 128
REQUEST_ID_WINDOW = timedelta(hours=24)
#: What says who asks, and how to know the request again, is no part of what is asked for.
_ENVELOPE = frozenset({"key", "api", "api_key", "api_token", "secret", "action", "request_id", "service"})


def fingerprint(service_id: int, inputs: Mapping[str, Any]) -> int:
    """What is asked for, in 64 bits: the service and every parameter that says something, in whatever order."""
    asked = {name: text for name in inputs if name not in _ENVELOPE if (text := service_types.text_of(inputs, name))}
    told = json.dumps([service_id, sorted(asked.items())])
    return int.from_bytes(blake2b(told.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """How a customer's request is known again. With neither a ``request_id`` nor a ``fingerprint`` it is not."""

    user_id: int
    request_id: str | None = None
    fingerprint: int | None = None

    def check(self) -> None:
        """Raises OrderInvalid for an id that cannot be kept."""
        name = self.request_id or ""
        if len(name) > REQUEST_ID_MAX:
            raise OrderInvalid([InvalidField("request_id", "too_long", limit=REQUEST_ID_MAX)])
        if service_types.UNSTORABLE.search(name):
            raise OrderInvalid([InvalidField("request_id", "unsupported")])

    def earlier(self) -> Order | None:
        """The order this request has bought already. Raises RequestReused if its id bought something else.

        An order too old to be the same request makes room: it no longer answers to the id or to the fingerprint.
        """
        if self.request_id:
            found = Order.objects.filter(user=self.user_id, request_id=self.request_id).first()
            window = REQUEST_ID_WINDOW
        elif self.fingerprint is not None:
            mine = Order.objects.filter(user=self.user_id, request_id=None)
            found = mine.filter(fingerprint=self.fingerprint).first()
            window = timedelta(seconds=settings.REPEAT_SECONDS)
        else:
            return None
        if found is None:
            return None
        # A page's form has no fingerprint: it compares what it bought itself, and its id never becomes another's.
        if self.fingerprint is not None and found.created_at <= timezone.now() - window:
            Order.objects.filter(pk=found.pk).update(request_id=None, fingerprint=None)
            return None
        if None not in (self.fingerprint, found.fingerprint) and self.fingerprint != found.fingerprint:
            raise RequestReused(found.pk)
        return found
