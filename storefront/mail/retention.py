"""Delete old emails."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from storefront.mail.models import Email

KEPT_DAYS = 30
#: Number of emails deleted per batch.
_CHUNK = 1000


def prune() -> int:
    """Delete emails older than ``KEPT_DAYS``, whether sent or not, and return how many were deleted."""
    old = Email.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).order_by("created_at")
    done = 0
    while keys := list(old.values_list("pk", flat=True)[:_CHUNK]):
        Email.objects.filter(pk__in=keys).delete()
        done += len(keys)
    return done
