"""List a customer's payments, newest first, with keyset pagination."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from storefront.payments.models import Payment, PaymentStatus
from storefront.web import keyset
from storefront.web.keyset import KeysetPage

PAGE_SIZE = 25
#: The style sheet's class for each status.
STATUS_CLASSES = {
    PaymentStatus.STARTED: "pending",
    PaymentStatus.WAITING: "processing",
    PaymentStatus.CREDITED: "completed",
    PaymentStatus.REFUSED: "canceled",
    PaymentStatus.EXPIRED: "canceled",
}


def page(user: Any, query: QueryDict) -> KeysetPage[Payment]:
    """Return the page below ``?before=`` or above ``?after=``, or the first page, with one query."""
    return keyset.page(Payment.objects.of(user), query, PAGE_SIZE)
