"""Delete old webhook events."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from storefront.webhooks.models import Attempt, Delivery, WebhookEvent

KEPT_DAYS = 30
#: Number of events deleted per batch.
_CHUNK = 1000


def prune() -> int:
    """Delete events older than ``KEPT_DAYS`` with their deliveries and attempts, whether sent or not.

    Returns:
        The number of deleted events.
    """
    old = WebhookEvent.objects.filter(created_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).order_by("created_at")
    done = 0
    while keys := list(old.values_list("pk", flat=True)[:_CHUNK]):
        Attempt.objects.filter(delivery__event__in=keys).delete()
        Delivery.objects.filter(event__in=keys).delete()
        WebhookEvent.objects.filter(pk__in=keys).delete()
        done += len(keys)
    return done
