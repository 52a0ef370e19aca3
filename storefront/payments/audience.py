"""To whom payment methods are shown: customers with an earlier payment, chosen customers, and countries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from storefront.payments.models import Audience, Payment, PaymentMethod, PaymentStatus


def visible(methods: Iterable[PaymentMethod], user: Any, *, country: str) -> list[PaymentMethod]:
    """Return those of ``methods`` that are shown to ``user``.

    Args:
        country: The visitor's country as an ISO 3166 code. If it is unknown (""), methods for some countries only are
            hidden: it is better to show too few methods than one that does not work where the customer is.
    """
    rows = [row for row in methods if not row.country_codes or country in row.country_codes]
    has_paid, chosen = False, set[int]()
    if any(row.audience == Audience.PAID for row in rows):
        has_paid = Payment.objects.of(user).filter(status=PaymentStatus.CREDITED).exists()
    if any(row.audience == Audience.CHOSEN for row in rows):
        chosen = set(PaymentMethod.objects.filter(customers=user).values_list("pk", flat=True))
    hidden: set[str] = set() if has_paid else {Audience.PAID}
    return [row for row in rows if row.audience not in hidden and (row.audience != Audience.CHOSEN or row.pk in chosen)]
