"""A customer's purchase, and what happened to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField, RateField
from orders.models.catalog import Service, with_services
from orders.rules import state_machine


class Status(models.TextChoices):
    """``lifecycle.Status`` with names for people."""

    QUEUED = state_machine.Status.QUEUED.value, _("Queued")
    SUBMITTING = state_machine.Status.SUBMITTING.value, _("Submitting")
    IN_DOUBT = state_machine.Status.IN_DOUBT.value, _("Outcome unknown")
    PENDING = state_machine.Status.PENDING.value, _("Pending")
    PROCESSING = state_machine.Status.PROCESSING.value, _("Processing")
    IN_PROGRESS = state_machine.Status.IN_PROGRESS.value, _("In progress")
    COMPLETED = state_machine.Status.COMPLETED.value, _("Completed")
    PARTIAL = state_machine.Status.PARTIAL.value, _("Partial")
    CANCELED = state_machine.Status.CANCELED.value, _("Canceled")
    FAILED = state_machine.Status.FAILED.value, _("Failed")


class Source(models.TextChoices):
    PAGE = "page", _("Page")
    API = "api", _("API")


class OrderQuerySet(models.QuerySet["Order"]):
    def of(self, user: Any) -> OrderQuerySet:
        """One customer's orders, newest first."""
        return self.filter(user=user).order_by("-id")

    def with_service(self, code: str | None = None) -> OrderQuerySet:
        """Each order with its service, named in language ``code``, the reader's unless told."""
        return cast("OrderQuerySet", with_services(self, "service", code))

    def open(self) -> OrderQuerySet:
        """Orders that have not ended. Put it into every question about them: it is what leads to their small index."""
        return self.filter(ended_at=None)


class Order(models.Model):
    """One purchase. Its row is the outbox: what is ``queued`` here is what still has to be placed."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders", verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, models.PROTECT, related_name="orders", verbose_name=_("service"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.QUEUED)
    link = models.CharField(_("link"), max_length=2048, blank=True)
    quantity = models.PositiveBigIntegerField(_("quantity"))
    fields = models.JSONField(_("inputs"), default=dict, blank=True)
    rate = RateField(_("price"), help_text=_("The service's price when the order was placed."))
    is_flat = models.BooleanField(_("flat price"), default=False)
    charge = MoneyField(_("charge"))
    refunded = MoneyField(_("paid back"), default=Decimal(0))
    start_count = models.BigIntegerField(_("start count"), null=True, blank=True)
    remains = models.PositiveBigIntegerField(_("remains"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=4, choices=Source.choices, default=Source.PAGE)
    request_id = models.CharField(_("request id"), max_length=128, null=True, blank=True)  # noqa: DJ001  # NULLs are not equal: orders without one never clash
    fingerprint = models.BigIntegerField(_("fingerprint"), null=True, blank=True, editable=False)
    link_lock = models.BigIntegerField(_("link lock"), null=True, blank=True, editable=False)
    runs = models.PositiveIntegerField(_("runs"), default=1, help_text=_("Drip-feed: deliveries of equal size."))
    interval = models.PositiveIntegerField(_("minutes between runs"), default=0)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True, help_text=_("The customer's wish."))
    due_at = models.DateTimeField(_("due at"), null=True, blank=True, help_text=_("Not placed before this time."))
    created_at = models.DateTimeField(_("ordered at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    odd_at = models.DateTimeField(
        _("odd report since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Set by a report that changed nothing, until somebody marks it as seen."),
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.CheckConstraint(name="order_quantity_positive", condition=models.Q(quantity__gt=0)),
            models.CheckConstraint(name="order_charge_not_negative", condition=models.Q(charge__gte=0)),
            models.CheckConstraint(
                name="order_refunded_within_charge",
                condition=models.Q(refunded__gte=0, refunded__lte=models.F("charge")),
            ),
            models.UniqueConstraint(name="order_request_once", fields=["user", "request_id"]),
            # Without a request id it is what was asked for that makes a request the same one, for a minute.
            models.UniqueConstraint(
                name="order_twin_once",
                fields=["user", "fingerprint"],
                condition=models.Q(request_id__isnull=True, fingerprint__isnull=False),
            ),
            # Of services that take one order a link at a time.
            models.UniqueConstraint(
                name="order_link_once",
                fields=["link_lock"],
                condition=models.Q(ended_at__isnull=True, link_lock__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="order_of_user", fields=["user", "-id"]),
            models.Index(name="order_of_user_by_status", fields=["user", "status", "-id"]),
            # Leads from a day to the customer's first order of it: days are a range of order numbers.
            models.Index(name="order_of_user_by_day", fields=["user", "created_at"]),
            # What is measured: a service's newest endings, and which services had any since the last time.
            models.Index(
                name="order_ended_of_service",
                fields=["service", "-ended_at"],
                condition=models.Q(ended_at__isnull=False),
            ),
            models.Index(name="order_ended", fields=["ended_at"], condition=models.Q(ended_at__isnull=False)),
            models.Index(
                name="order_ended_by_status", fields=["status", "-id"], condition=models.Q(ended_at__isnull=False)
            ),
            models.Index(name="order_odd", fields=["odd_at"], condition=models.Q(odd_at__isnull=False)),
            # Follows the open set, not the history: as small on the ten-millionth order as on the first. Its condition
            # has no values in it, since SQLite does not match an index to a question whose values are parameters.
            models.Index(name="order_open", fields=["status", "id"], condition=models.Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def state(self) -> state_machine.Status:
        return state_machine.Status(self.status)

    @property
    def is_open(self) -> bool:
        return self.state not in state_machine.TERMINAL

    @property
    def is_scheduled(self) -> bool:
        """Its start is to come: no panel has it, and none gets it before."""
        return (
            self.state is state_machine.Status.QUEUED and self.starts_at is not None and self.starts_at > timezone.now()
        )

    @property
    def paid(self) -> Decimal:
        """What the customer paid in the end, in the store currency."""
        return self.charge - self.refunded

    @property
    def delivered(self) -> int:
        """How many pieces are known to be delivered."""
        if self.state is state_machine.Status.COMPLETED:
            return self.quantity
        return self.quantity - min(self.remains if self.remains is not None else self.quantity, self.quantity)

    @property
    def undelivered(self) -> int:
        """How many pieces are not known to be delivered."""
        return self.quantity - self.delivered


class EventKind(models.TextChoices):
    """What can happen to an order after it was paid. Customers see those in ``OrderEvent.PUBLIC``."""

    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused by a provider")
    NOT_SENT = "not_sent", _("Provider not reached")
    IN_DOUBT = "in_doubt", _("Outcome unknown")
    RESOLVED = "resolved", _("Outcome decided")
    STATUS = "status", _("Status changed")
    REFUNDED = "refunded", _("Paid back")
    RUN = "run", _("Run")
    REFILL = "refill", _("Refill")
    CANCELLATION = "cancellation", _("Cancellation")
    ODDITY = "oddity", _("Odd report")
    NOTE = "note", _("Note")


class OrderEvent(models.Model):
    """One line of an order's timeline. ``data`` holds facts, not sentences: each reader gets their own words."""

    PUBLIC = (
        EventKind.ACCEPTED,
        EventKind.IN_DOUBT,
        EventKind.RESOLVED,
        EventKind.STATUS,
        EventKind.REFUNDED,
        EventKind.REFILL,
        EventKind.CANCELLATION,
    )

    order = models.ForeignKey(Order, models.PROTECT, related_name="events", verbose_name=_("order"))
    kind = models.CharField(_("what"), max_length=12, choices=EventKind.choices)
    data = models.JSONField(_("facts"), default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        indexes = [models.Index(name="order_timeline", fields=["order", "id"])]

    def __str__(self) -> str:
        return f"{self.order_id} {self.kind}"
