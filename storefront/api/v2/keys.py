"""Who calls: from the key to its customer, with the wallet, in one query."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from storefront.accounts.models import ApiKey, User, digest
from storefront.api.v2.answers import INVALID_KEY, Refused

#: ``last_used_at`` is for people: it need not be written on every call.
USED_EVERY = timedelta(minutes=1)


def identify(key: str) -> User:
    """The customer whose living key this is; ``user.wallet`` needs no further query. Raises Refused."""
    if not key:
        raise Refused(INVALID_KEY)
    rows = ApiKey.objects.living().filter(digest=digest(key), user__is_active=True)
    found = rows.select_related("user__wallet").first()
    if found is None:
        raise Refused(INVALID_KEY)
    now = timezone.now()
    if found.last_used_at is None or found.last_used_at < now - USED_EVERY:
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user
