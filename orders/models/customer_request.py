"""Models of the requests that a customer makes after the purchase: Refill and Cancellation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.event_codes import RejectionReason
from orders.models.order import Order


class RequestStatus(models.TextChoices):
    """The status of a request; open requests are waiting, sent or in progress."""

    WAITING = "waiting", _("Waiting")  # to be sent, or to be handled by an operator if the panel cannot be asked
    SENT = "sent", _("Sent")  # the panel accepted the request
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    REJECTED = "rejected", _("Rejected")


OPEN_REQUEST = (RequestStatus.WAITING, RequestStatus.SENT, RequestStatus.IN_PROGRESS)


class RequestQuerySet(models.QuerySet[Any]):
    def open(self) -> RequestQuerySet:
        return self.filter(status__in=OPEN_REQUEST)

    def queue(self) -> RequestQuerySet:
        """Return the open requests that wait for an operator."""
        return self.open().filter(needs_operator=True)


class CustomerRequest(models.Model):
    """The fields that refills and cancellations share; ``needs_operator`` puts a request into the operators' queue."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="%(class)ss", verbose_name=_("order"))
    status = models.CharField(_("status"), max_length=12, choices=RequestStatus.choices, default=RequestStatus.WAITING)
    needs_operator = models.BooleanField(_("needs staff"), default=False)
    reason = models.CharField(_("reason"), max_length=500, blank=True, help_text=_("Visible to staff only."))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("requested by"),
    )
    due_at = models.DateTimeField(
        _("next attempt at"),
        null=True,
        blank=True,
        help_text=_("When the request is sent to the provider again, because it could not be accepted yet."),
    )
    created_at = models.DateTimeField(_("requested at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = RequestQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("-id",)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_REQUEST

    @property
    def reason_label(self) -> str:
        """The reason in the reader's language where it is one of ours, otherwise the text that was given."""
        return str(RejectionReason(self.reason).label) if self.reason in RejectionReason.values else self.reason


class Refill(CustomerRequest):
    """A request to deliver again what dropped: for an ended order, within the refill window, one at a time."""

    class Meta(CustomerRequest.Meta):
        verbose_name = _("refill")
        verbose_name_plural = _("refills")
        constraints = (
            models.UniqueConstraint(
                name="refill_one_open", fields=["order"], condition=models.Q(status__in=OPEN_REQUEST)
            ),
        )
        indexes = (
            # Holds open requests only: for those to be sent, and for the operators' queue.
            models.Index(
                name="refill_open",
                fields=["needs_operator", "status", "id"],
                condition=models.Q(ended_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} of order {self.order_id}"


class Cancellation(CustomerRequest):
    """A request to stop an open order. It moves no money by itself: refunds follow the order's status."""

    class Meta(CustomerRequest.Meta):
        verbose_name = _("cancellation")
        verbose_name_plural = _("cancellations")
        constraints = (
            models.UniqueConstraint(
                name="cancellation_one_open", fields=["order"], condition=models.Q(status__in=OPEN_REQUEST)
            ),
        )
        indexes = (
            # Holds open requests only: for those to be sent, and for the operators' queue.
            models.Index(
                name="cancellation_open",
                fields=["needs_operator", "status", "id"],
                condition=models.Q(ended_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} of order {self.order_id}"
