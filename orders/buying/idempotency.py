"""Detection of repeated purchase requests: a client that received no answer tries again and must not buy twice.

A request is recognized by its ``request_id`` for a day or, without one, by the fingerprint of its content for
IDEMPOTENCY_SECONDS. There is no query beforehand: unique constraints reject the second order, and only then is the
first one looked up.
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
from orders.rules import order_inputs

#: The length of the column, in characters.
REQUEST_ID_MAX = 128
REQUEST_ID_WINDOW = timedelta(hours=24)
#: Parameters that identify the sender or the request are not part of the order's content.
_ENVELOPE = frozenset({"key", "api", "api_key", "api_token", "secret", "action", "request_id", "service"})


def fingerprint(service_id: int, inputs: Mapping[str, Any]) -> int:
    """Return a 64-bit hash of the service and every parameter with a value, regardless of their order."""
    asked = {name: text for name in inputs if name not in _ENVELOPE if (text := order_inputs.text_of(inputs, name))}
    content = json.dumps([service_id, sorted(asked.items())])
    return int.from_bytes(blake2b(content.encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """The identity of a customer's request; without ``request_id`` and ``fingerprint`` no repeat is recognized."""

    user_id: int
    request_id: str | None = None
    fingerprint: int | None = None

    def check(self) -> None:
        """Raise OrderInvalid if the request id cannot be stored."""
        name = self.request_id or ""
        if len(name) > REQUEST_ID_MAX:
            raise OrderInvalid([InvalidField("request_id", "too_long", limit=REQUEST_ID_MAX)])
        if order_inputs.UNSTORABLE.search(name):
            raise OrderInvalid([InvalidField("request_id", "unsupported")])

    def earlier(self) -> Order | None:
        """Return the order that this request has already placed, or None.

        An order older than the window loses its request id and fingerprint, so that they can be used again.

        Raises:
            RequestReused: The request id was used for an order with other content.
        """
        if self.request_id:
            found = Order.objects.filter(user=self.user_id, request_id=self.request_id).first()
            window = REQUEST_ID_WINDOW
        elif self.fingerprint is not None:
            mine = Order.objects.filter(user=self.user_id, request_id=None)
            found = mine.filter(fingerprint=self.fingerprint).first()
            window = timedelta(seconds=settings.IDEMPOTENCY_SECONDS)
        else:
            return None
        if found is None:
            return None
        # A form of the shop's pages has no fingerprint: it compares the content itself, and its id is never reused.
        if self.fingerprint is not None and found.created_at <= timezone.now() - window:
            Order.objects.filter(pk=found.pk).update(request_id=None, fingerprint=None)
            return None
        if None not in (self.fingerprint, found.fingerprint) and self.fingerprint != found.fingerprint:
            raise RequestReused(found.pk)
        return found
