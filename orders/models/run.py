"""Model of one run of a drip-feed order that we split ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.order import Order, Status
from orders.rules import state_machine


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The number of runs that have ended, and the due time of the next one."""

    ended: int
    next: datetime | None


class RunQuerySet(models.QuerySet["Run"]):
    def progress(self, order: Order) -> RunProgress | None:
        """Return the progress of an order's runs, or None if it has no Run rows.

        One query; none for an order with a single run.
        """
        if order.runs == 1:
            return None
        waiting = models.Q(status=state_machine.Status.QUEUED)
        found = self.filter(order=order).aggregate(
            ended=models.Count("pk", filter=models.Q(status__in=state_machine.TERMINAL)),
            next=models.Min("due_at", filter=waiting),
            made=models.Count("pk"),
        )
        return RunProgress(found["ended"], found["next"]) if found["made"] else None


class Run(models.Model):
    """A part of an order that is placed separately when it is due. The order's status is derived from its runs."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="run_rows", verbose_name=_("order"))
    number = models.PositiveIntegerField(_("number"), help_text=_("Starts at 1."))
    quantity = models.PositiveBigIntegerField(_("quantity"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.QUEUED)
    start_count = models.BigIntegerField(_("start count"), null=True, blank=True)
    remains = models.PositiveBigIntegerField(_("not delivered"), null=True, blank=True)
    due_at = models.DateTimeField(_("due at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["order", "number"]
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        constraints = [
            models.UniqueConstraint(name="run_once", fields=["order", "number"]),
            models.CheckConstraint(name="run_quantity_positive", condition=models.Q(quantity__gt=0)),
        ]
        indexes = [
            models.Index(name="run_open", fields=["status", "due_at"], condition=models.Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.order_id} run {self.number}"

    @property
    def state(self) -> state_machine.Status:
        return state_machine.Status(self.status)
