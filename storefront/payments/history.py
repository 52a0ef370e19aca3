"""A customer's top-ups, newest first, found by the key of a page's edge and not by counting rows. Reads only."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from storefront.payments.models import Payment, PaymentStatus
from storefront.web import keyset
from storefront.web.keyset import KeysetPage

PAGE_SIZE = 25
#: The marks of the style sheet.
MARKS = {
    PaymentStatus.STARTED: "pending",
    PaymentStatus.WAITING: "processing",
    PaymentStatus.CREDITED: "completed",
    PaymentStatus.REFUSED: "canceled",
    PaymentStatus.EXPIRED: "canceled",
}


def page(user: Any, query: QueryDict) -> KeysetPage[Payment]:
    """The page below ``?before=`` or above ``?after=``, or the first; one query."""
    return keyset.page(Payment.objects.of(user), query, PAGE_SIZE)
