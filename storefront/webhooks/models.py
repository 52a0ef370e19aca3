"""The models of webhooks: Endpoint, WebhookEvent, its Delivery to one endpoint, and each Attempt at a delivery."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.encrypted_field import EncryptedField
from orders.events import Topic
from providers import note_texts
from providers.worker.outbox import OutboxQuerySet, OutboxRow

#: Topic of the test event, which a customer sends to check that an endpoint works.
TEST = "test"
#: The column of ``Endpoint`` that says whether it receives events of a topic.
FLAGS = {
    Topic.ORDER: "has_orders",
    Topic.REFILL: "has_refills",
    Topic.LOW_BALANCE: "has_balance",
    Topic.PRICES: "has_prices",
}


class Pause(models.TextChoices):
    """The reason why an endpoint is paused."""

    OWNER = "owner", _("Paused by the customer")
    FAILURES = "failures", _("Paused after repeated failures")
    GONE = "gone", _("The endpoint returned 410 Gone")
    REVOKED = "revoked", _("Revoked after a password reset")


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def listening(self) -> EndpointQuerySet:
        """Return the endpoints for which events are recorded."""
        return self.filter(is_active=True, user__is_active=True)

    def ready(self, now: datetime) -> EndpointQuerySet:
        """Return the endpoints to which something may be sent now."""
        return self.listening().filter(models.Q(held_until=None) | models.Q(held_until__lte=now))


class Endpoint(models.Model):
    """A customer's URL and the events that it receives."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhook_endpoints", verbose_name=_("customer")
    )
    url = models.CharField(_("URL"), max_length=500)
    has_orders = models.BooleanField(_("Orders"), default=True)
    has_refills = models.BooleanField(_("Refills"), default=True)
    has_balance = models.BooleanField(_("Low balance"), default=True)
    has_prices = models.BooleanField(_("Price changes"), default=False)
    secret = EncryptedField(_("secret"), editable=False)
    former_secret = EncryptedField(_("previous secret"), editable=False, default="", blank=True)
    former_until = models.DateTimeField(_("previous secret valid until"), null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    pause_reason = models.CharField(_("pause reason"), max_length=8, choices=Pause.choices, blank=True)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    held_until = models.DateTimeField(_("on hold until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        indexes = [
            models.Index(
                name="endpoint_failing", fields=["failing_since"], condition=models.Q(failing_since__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def topics(self) -> list[Any]:
        """Return the names of the events that the endpoint receives."""
        fields: list[Any] = [self._meta.get_field(flag) for flag in FLAGS.values() if getattr(self, flag)]
        return [field.verbose_name for field in fields]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the plaintext secrets that sign now, the newest first."""
        is_former_valid = self.former_until is not None and self.former_until > timezone.now()
        return (self.secret.reveal(), *([self.former_secret.reveal()] if is_former_valid else []))


class WebhookEvent(models.Model):
    """One event, stored once for all endpoints that receive it. ``body`` is sent byte for byte as it is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    topic = models.CharField(_("event"), max_length=20)
    body = models.TextField(_("payload"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class DeliveryState(models.TextChoices):
    """The state of a delivery, as shown to customers and staff."""

    WAITING = "waiting", _("Pending")
    RETRYING = "retrying", _("Retrying")
    DELIVERED = "delivered", _("Delivered")
    GIVEN_UP = "given_up", _("Not delivered")

    @property
    def mark(self) -> str:
        """Return the style sheet's class for the state: that of the most similar order status."""
        return {"delivered": "completed", "given_up": "canceled", "retrying": "partial"}.get(self.value, "pending")


class DeliveryQuerySet(OutboxQuerySet["Delivery"]):
    def failing(self) -> DeliveryQuerySet:
        """Return the deliveries that were given up, and those that failed at least once and will be sent again."""
        return self.filter(models.Q(given_up_at__isnull=False) | models.Q(due_at__isnull=False, last_error__gt=""))


class Delivery(OutboxRow):
    """The delivery of one event to one endpoint."""

    endpoint = models.ForeignKey(
        Endpoint, models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("endpoint")
    )
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries", verbose_name=_("event"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    last_status = models.PositiveIntegerField(_("last HTTP status"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(name="delivery_once", fields=["event", "endpoint"])]
        indexes = [
            models.Index(name="delivery_of_endpoint", fields=["endpoint", "-id"]),
            # This index grows with the deliveries that are still to be sent, not with the history.
            models.Index(
                name="delivery_due", fields=["endpoint", "due_at", "id"], condition=models.Q(due_at__isnull=False)
            ),
            models.Index(
                name="delivery_in_flight", fields=["lease_until"], condition=models.Q(lease_until__isnull=False)
            ),
            models.Index(name="delivery_given_up", fields=["-id"], condition=models.Q(given_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def state(self) -> DeliveryState:
        if self.delivered_at is not None:
            return DeliveryState.DELIVERED
        if self.given_up_at is not None:
            return DeliveryState.GIVEN_UP
        return DeliveryState.RETRYING if self.last_error else DeliveryState.WAITING

    @property
    def error_text(self) -> str:
        """The last error in the reader's language, "" without one."""
        return note_texts.describe(self.last_error)


class Attempt(models.Model):
    """One request to an endpoint and its result.

    ``answer`` holds the first ``KEPT_TEXT`` characters of the answer; ``error`` is a note that says why there was
    none, or why it is a failure.
    """

    KEPT_TEXT = 500

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_log", verbose_name=_("delivery"))
    at = models.DateTimeField(_("sent at"))
    status = models.PositiveIntegerField(_("HTTP status"), null=True, blank=True)
    elapsed_ms = models.PositiveIntegerField(_("duration (ms)"), default=0)
    error = models.CharField(_("error"), max_length=500, blank=True)
    answer = models.CharField(_("response"), max_length=KEPT_TEXT, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status or self.error_text}"

    @property
    def error_text(self) -> str:
        """The error in the reader's language, "" without one."""
        return note_texts.describe(self.error)
