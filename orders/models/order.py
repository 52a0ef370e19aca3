"""Models of a customer's order and of the events in its timeline."""

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
    """The values of ``state_machine.Status`` with labels for operators."""

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
    PAGE = "page", _("Website")
    API = "api", _("API")


class OrderQuerySet(models.QuerySet["Order"]):
    def of(self, user: Any) -> OrderQuerySet:
        """Return the orders of one customer, newest first."""
        return self.filter(user=user).order_by("-id")

    def with_service(self, code: str | None = None) -> OrderQuerySet:
        """Load each order's service with texts in language ``code``, or in the active language if omitted."""
        return cast("OrderQuerySet", with_services(self, "service", code))

    def open(self) -> OrderQuerySet:
        """Return the orders that have not ended.

        Use it in every query about open orders: its condition is that of their small partial index.
        """
        return self.filter(ended_at=None)


class Order(models.Model):
    """One purchase. Its row is the outbox: an order with status ``queued`` still has to be placed."""

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
    refunded = MoneyField(_("refunded"), default=Decimal(0))
    start_count = models.BigIntegerField(_("start count"), null=True, blank=True)
    remains = models.PositiveBigIntegerField(_("not delivered"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=4, choices=Source.choices, default=Source.PAGE)
    request_id = models.CharField(_("request ID"), max_length=128, null=True, blank=True)  # noqa: DJ001  # NULLs are not equal: orders without one never clash
    fingerprint = models.BigIntegerField(_("fingerprint"), null=True, blank=True, editable=False)
    link_lock = models.BigIntegerField(_("link lock"), null=True, blank=True, editable=False)
    runs = models.PositiveIntegerField(
        _("runs"), default=1, help_text=_("Number of drip-feed deliveries of equal size.")
    )
    interval = models.PositiveIntegerField(_("minutes between runs"), default=0)
    starts_at = models.DateTimeField(
        _("starts at"), null=True, blank=True, help_text=_("Start time chosen by the customer.")
    )
    due_at = models.DateTimeField(
        _("not before"), null=True, blank=True, help_text=_("The order is not sent to a provider before this time.")
    )
    created_at = models.DateTimeField(_("ordered at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    odd_at = models.DateTimeField(
        _("unexpected report at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Set when a provider's report changed nothing. Cleared when staff mark the report as seen."),
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
            # Without a request id, the fingerprint of the content identifies a repeat for IDEMPOTENCY_SECONDS.
            models.UniqueConstraint(
                name="order_twin_once",
                fields=["user", "fingerprint"],
                condition=models.Q(request_id__isnull=True, fingerprint__isnull=False),
            ),
            # For services that allow one open order per link.
            models.UniqueConstraint(
                name="order_link_once",
                fields=["link_lock"],
                condition=models.Q(ended_at__isnull=True, link_lock__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="order_of_user", fields=["user", "-id"]),
            models.Index(name="order_of_user_by_status", fields=["user", "status", "-id"]),
            # Finds a customer's first order of a day: a range of days is then a range of order ids.
            models.Index(name="order_of_user_by_day", fields=["user", "created_at"]),
            # For the delivery statistics: a service's newest ended orders, and orders that ended since the last run.
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
            # Holds open orders only, so it stays small however many orders there are. Its condition contains no values,
            # because SQLite does not match a partial index to a query whose values are parameters.
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
        """Whether its start time is in the future; no panel receives the order before that time."""
        return (
            self.state is state_machine.Status.QUEUED and self.starts_at is not None and self.starts_at > timezone.now()
        )

    @property
    def paid(self) -> Decimal:
        """The charge less refunds, in the store currency."""
        return self.charge - self.refunded

    @property
    def delivered(self) -> int:
        """The number of pieces that are known to be delivered."""
        if self.state is state_machine.Status.COMPLETED:
            return self.quantity
        return self.quantity - min(self.remains if self.remains is not None else self.quantity, self.quantity)

    @property
    def undelivered(self) -> int:
        """The number of pieces that are not known to be delivered."""
        return self.quantity - self.delivered


class EventKind(models.TextChoices):
    """The kinds of events of a paid order; customers see those in ``OrderEvent.PUBLIC``."""

    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Rejected by the provider")
    NOT_SENT = "not_sent", _("Returned to the queue")
    IN_DOUBT = "in_doubt", _("Outcome unknown")
    RESOLVED = "resolved", _("Outcome decided")
    STATUS = "status", _("Status changed")
    REFUNDED = "refunded", _("Refunded")
    RUN = "run", _("Run")
    REFILL = "refill", _("Refill")
    CANCELLATION = "cancellation", _("Cancellation")
    ODDITY = "oddity", _("Unexpected report")
    NOTE = "note", _("Note")


class OrderEvent(models.Model):
    """One event in an order's timeline; ``data`` holds values, not text, so that each reader's language is used."""

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
    kind = models.CharField(_("event"), max_length=12, choices=EventKind.choices)
    data = models.JSONField(_("data"), default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        indexes = [models.Index(name="order_timeline", fields=["order", "id"])]

    def __str__(self) -> str:
        return f"{self.order_id} {self.kind}"
