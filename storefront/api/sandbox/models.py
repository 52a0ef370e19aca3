"""The models of sandbox orders and refills. They are separate from real orders and from money."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField
from orders.models import Cancellation, Order, Refill, Service
from orders.models.customer_request import RequestStatus
from orders.models.order import Status
from orders.rules import state_machine
from storefront.accounts.models import ApiKey
from storefront.api.sandbox import progress


class SandboxOrderQuerySet(models.QuerySet["SandboxOrder"]):
    def of(self, key_id: int) -> SandboxOrderQuerySet:
        """Return the orders of one key. A key sees only its own."""
        return self.filter(key=key_id)

    def open(self) -> SandboxOrderQuerySet:
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))

    def spent(self) -> Decimal:
        """Return the sum of their charges, less what was refunded by now, with one query."""
        sums = self.aggregate(charged=Sum("charge"), refunded=Sum("refund", filter=Q(ends_at__lte=timezone.now())))
        return (sums["charged"] or Decimal(0)) - (sums["refunded"] or Decimal(0))


class SandboxOrder(models.Model):
    """A simulated order. Its whole course is stored when it is placed, so no task has to update it."""

    # Two indexes below begin with the key, so it needs no index of its own.
    key = models.ForeignKey(
        ApiKey, models.CASCADE, db_index=False, related_name="sandbox_orders", verbose_name=_("API key")
    )
    service = models.ForeignKey(Service, models.CASCADE, related_name="+", verbose_name=_("service"))
    link = models.CharField(_("link"), max_length=2048, blank=True)
    quantity = models.PositiveBigIntegerField(_("quantity"))
    fields = models.JSONField(_("inputs"), default=dict, blank=True)
    runs = models.PositiveIntegerField(_("runs"), default=1)
    interval = models.PositiveIntegerField(_("minutes between runs"), default=0)
    charge = MoneyField(_("charge"), help_text=_("Paid with play money."))
    refund = MoneyField(_("refund at the end"), default=Decimal(0))
    request_id = models.CharField(_("request ID"), max_length=128, null=True, blank=True)  # noqa: DJ001  # as in Order
    fingerprint = models.BigIntegerField(_("fingerprint"), editable=False)
    link_lock = models.BigIntegerField(_("link lock"), null=True, blank=True, editable=False)
    requested_start_at = models.DateTimeField(
        _("starts at"), null=True, blank=True, help_text=_("When the customer wants the order to start.")
    )
    created_at = models.DateTimeField(_("ordered at"), default=timezone.now)
    # The course; see progress.Course.
    started_at = models.DateTimeField(_("in progress since"))
    delivered_at = models.DateTimeField(_("delivered until"))
    ends_at = models.DateTimeField(
        _("ends at"), null=True, blank=True, help_text=_("Empty if the order stays in progress until it is canceled.")
    )
    final_status = models.CharField(_("final status"), max_length=12, choices=Status.choices)
    final_remains = models.PositiveBigIntegerField(_("not delivered at the end"))
    cancel_requested_at = models.DateTimeField(_("cancellation requested at"), null=True, blank=True)

    objects = SandboxOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("sandbox order")
        verbose_name_plural = _("sandbox orders")
        constraints = [
            models.CheckConstraint(name="sandbox_order_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="sandbox_order_refund_within_charge",
                condition=Q(refund__gte=0, refund__lte=models.F("charge")),
            ),
        ]
        indexes = [
            # These two find the first of repeated requests.
            models.Index(name="sandbox_order_request", fields=["key", "request_id"]),
            models.Index(name="sandbox_order_fingerprint", fields=["key", "fingerprint"]),
            # This one finds old orders to delete.
            models.Index(name="sandbox_order_created", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return gettext("Sandbox order %s") % self.pk

    @property
    def course(self) -> progress.Course:
        return progress.Course(
            starts_at=self.started_at,
            delivered_at=self.delivered_at,
            ends_at=self.ends_at,
            status=state_machine.Status(self.final_status),
            remains=self.final_remains,
        )

    @course.setter
    def course(self, course: progress.Course) -> None:
        self.started_at, self.delivered_at, self.ends_at = course.starts_at, course.delivered_at, course.ends_at
        self.final_status, self.final_remains = course.status.value, course.remains

    @property
    def outcome_text(self) -> str:
        """Return the text whose words choose the outcome: the link, or the username for a type without one."""
        return self.link or str(self.fields.get("username", ""))

    def as_order(self) -> Order:
        """Return an unsaved Order in the present state, so that the shop's own rules and texts can be applied to it."""
        status, remains = progress.state_at(self.course, quantity=self.quantity, now=timezone.now())
        has_ended = status in state_machine.TERMINAL
        return Order(
            pk=self.pk,
            service=self.service,
            status=status,
            link=self.link,
            quantity=self.quantity,
            fields=self.fields,
            runs=self.runs,
            interval=self.interval,
            charge=self.charge,
            refunded=self.refund if has_ended else Decimal(0),
            start_count=None if status is state_machine.Status.QUEUED else progress.start_count(self.pk),
            remains=remains,
            starts_at=self.requested_start_at,
            created_at=self.created_at,
            started_at=self.started_at if self._has_started else None,
            ended_at=self.ends_at if has_ended else None,
        )

    @property
    def _has_started(self) -> bool:
        """Return whether it was in progress. One that is refused, or canceled before its start, ends when it starts."""
        return self.started_at <= timezone.now() and self.started_at != self.ends_at

    def as_cancellation(self) -> Cancellation | None:
        """Return the requested cancellation as an unsaved row with the id of the order, or None.

        The end of the order answers it.
        """
        if self.cancel_requested_at is None:
            return None
        has_ended = self.ends_at is not None and self.ends_at <= timezone.now()
        is_stopped = self.final_status in (Status.CANCELED, Status.PARTIAL)
        answer = RequestStatus.COMPLETED if is_stopped else RequestStatus.REJECTED
        return Cancellation(
            pk=self.pk,
            order_id=self.pk,
            status=answer if has_ended else RequestStatus.WAITING,
            created_at=self.cancel_requested_at,
            ended_at=self.ends_at if has_ended else None,
        )


class SandboxRefill(models.Model):
    """A simulated refill."""

    order = models.ForeignKey(SandboxOrder, models.CASCADE, related_name="refills", verbose_name=_("order"))
    is_rejected = models.BooleanField(_("ends as rejected"), default=False)
    created_at = models.DateTimeField(_("requested at"), default=timezone.now)
    ends_at = models.DateTimeField(_("ends at"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("sandbox refill")
        verbose_name_plural = _("sandbox refills")

    def __str__(self) -> str:
        return gettext("Sandbox refill %s") % self.pk

    @property
    def status(self) -> RequestStatus:
        stage = progress.refill_stage(
            created_at=self.created_at, ends_at=self.ends_at, is_rejected=self.is_rejected, now=timezone.now()
        )
        return RequestStatus(stage)

    @property
    def ended_at(self) -> datetime | None:
        """Return when it ended; None while it is open."""
        return self.ends_at if self.ends_at <= timezone.now() else None

    def as_refill(self) -> Refill:
        """Return an unsaved Refill in the present state."""
        return Refill(status=self.status, created_at=self.created_at)
