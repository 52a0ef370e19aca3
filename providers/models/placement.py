"""Submissions of orders, refills and cancellations to providers, and the log of calls."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField, RateField
from orders.models import Cancellation, Order, Refill
from providers.models.offer import Offer
from providers.models.provider import Provider


class PlacementState(models.TextChoices):
    """The state of a submission."""

    SUBMITTING = "submitting", _("Submitting")
    IN_DOUBT = "in_doubt", _("Outcome unknown")
    ACCEPTED = "accepted", _("Accepted")
    CLOSED = "closed", _("Closed")
    REFUSED = "refused", _("Rejected")
    NOT_SENT = "not_sent", _("Not sent")


class RefusalReason(models.TextChoices):
    """Why a provider rejected an order, as ``panels.error_texts`` reads it from the answer."""

    DUPLICATE = "duplicate", _("Active order with this link")
    FUNDS = "funds", _("Balance at the provider too low")
    BUSY = "busy", _("Provider busy or too many requests")
    KEY = "key", _("API key rejected")
    SERVICE = "service", _("Service not available")
    QUANTITY = "quantity", _("Invalid quantity")
    LINK = "link", _("Invalid link")
    REQUEST = "request", _("Invalid request")
    ORDER = "order", _("Order unknown to the provider")
    EARLY = "early", _("Too early for a refill")
    FINAL = "final", _("Not possible")
    OTHER = "other", _("Other reason")


class CallOutcome(models.TextChoices):
    """How a call to a provider ended."""

    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Rejected")
    NOT_SENT = "not_sent", _("Not sent")
    IN_DOUBT = "in_doubt", _("Outcome unknown")
    LATE = "late", _("Late answer")
    NO_ANSWER = "no_answer", _("No answer")
    UNREADABLE = "unreadable", _("Unreadable answer")
    ERROR = "error", _("Error")


#: A database constraint allows at most one row in one of these states for each order and run.
LIVE = (PlacementState.SUBMITTING, PlacementState.IN_DOUBT, PlacementState.ACCEPTED)
#: The order is or was at the provider in these states, so it costs money.
BILLED = (PlacementState.ACCEPTED, PlacementState.CLOSED)


class Placement(models.Model):
    """One attempt to place one order, or one run of it, at one provider.

    The row is committed before the first byte is sent, so that a crash after sending leaves a trace.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="placements", verbose_name=_("order"))
    run = models.PositiveIntegerField(_("run"), default=0)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="placements", verbose_name=_("provider"))
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="placements", verbose_name=_("provider service"))
    state = models.CharField(
        _("state"), max_length=12, choices=PlacementState.choices, default=PlacementState.SUBMITTING
    )
    upstream_id = models.CharField(_("provider order ID"), max_length=64, blank=True)
    quantity = models.PositiveBigIntegerField(_("quantity"))
    cost = MoneyField(_("cost"), help_text=_("In the provider's currency, from its price list."))
    charged = MoneyField(
        _("charged by the provider"), null=True, blank=True, help_text=_("As the provider last reported it.")
    )
    first_charged = MoneyField(
        _("first charge by the provider"), null=True, blank=True, help_text=_("Before the provider changed it.")
    )
    refunded = MoneyField(
        _("refunded by the provider"),
        null=True,
        blank=True,
        help_text=_("As stated when the provider accepted the cancellation."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    exchange_rate = RateField(_("exchange rate"), help_text=_("The rate when the order was submitted."))
    panel_error = models.CharField(_("provider message"), max_length=600, blank=True)
    reason = models.CharField(_("rejection reason"), max_length=16, blank=True, choices=RefusalReason.choices)
    panel_status = models.CharField(_("provider status"), max_length=64, blank=True)
    evidence = models.JSONField(
        _("evidence"), default=dict, blank=True, help_text=_("Signs that the order was placed, or was not.")
    )
    next_search_at = models.DateTimeField(_("next search"), null=True, blank=True)
    #: When the answer came, or when it became certain that none would come. The request was on its way until then.
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    in_doubt_at = models.DateTimeField(
        _("outcome unknown since"), null=True, blank=True, help_text=_("Kept after the outcome is known.")
    )
    lease_until = models.DateTimeField(_("answer expected by"))
    sync_at = models.DateTimeField(_("next status check"), null=True, blank=True)
    synced_at = models.DateTimeField(_("last status check"), null=True, blank=True)
    missed_checks = models.PositiveIntegerField(_("status checks without an answer"), default=0)
    first_missed_at = models.DateTimeField(_("without an answer since"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        constraints = [
            models.UniqueConstraint(
                name="placement_one_live", fields=["order", "run"], condition=models.Q(state__in=LIVE)
            ),
            models.UniqueConstraint(
                name="placement_upstream_once",
                fields=["provider", "upstream_id"],
                condition=~models.Q(upstream_id=""),
            ),
        ]
        indexes = [
            # The id comes last because due placements are read in pages in this order, and thousands may be due at
            # the same moment.
            models.Index(
                name="placement_to_sync",
                fields=["provider", "sync_at", "id"],
                condition=models.Q(sync_at__isnull=False),
            ),
            models.Index(
                name="placement_closed", fields=["provider", "-ended_at"], condition=models.Q(ended_at__isnull=False)
            ),
            models.Index(
                name="placement_ended_by_state", fields=["state", "-id"], condition=models.Q(ended_at__isnull=False)
            ),
            models.Index(
                name="placement_open", fields=["state", "lease_until"], condition=models.Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} at {self.provider_id}"


class UpstreamRequest(models.Model):
    """A refill or cancellation that is sent to the panel that has the order; committed before the call."""

    placement = models.ForeignKey(
        Placement, models.PROTECT, related_name="upstream_requests", verbose_name=_("submission")
    )
    refill = models.ForeignKey(
        Refill, models.PROTECT, null=True, blank=True, related_name="upstream_requests", verbose_name=_("refill")
    )
    cancellation = models.ForeignKey(
        Cancellation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="upstream_requests",
        verbose_name=_("cancellation"),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=PlacementState.choices, default=PlacementState.SUBMITTING
    )
    upstream_id = models.CharField(_("provider order ID"), max_length=64, blank=True)
    panel_error = models.CharField(_("provider message"), max_length=600, blank=True)
    lease_until = models.DateTimeField(_("answer expected by"))
    sync_at = models.DateTimeField(_("next status check"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("request to the provider")
        verbose_name_plural = _("requests to providers")
        constraints = [
            models.CheckConstraint(
                name="upstream_request_for_one_request",
                condition=models.Q(refill__isnull=False, cancellation__isnull=True)
                | models.Q(refill__isnull=True, cancellation__isnull=False),
            ),
            models.UniqueConstraint(
                name="upstream_request_one_live_refill", fields=["refill"], condition=models.Q(state__in=LIVE)
            ),
            models.UniqueConstraint(
                name="upstream_request_one_live_cancellation",
                fields=["cancellation"],
                condition=models.Q(state__in=LIVE),
            ),
        ]
        indexes = [
            models.Index(
                name="upstream_request_to_sync", fields=["sync_at"], condition=models.Q(sync_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} for {self.placement_id}"


class PanelCall(models.Model):
    """One call to a panel and its answer, without the key; deleted after ``retention.KEPT_DAYS``."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="calls", verbose_name=_("provider"))
    placement = models.ForeignKey(
        Placement, models.SET_NULL, null=True, blank=True, related_name="calls", verbose_name=_("submission")
    )
    verb = models.CharField(_("action"), max_length=16)
    outcome = models.CharField(_("outcome"), max_length=16, choices=CallOutcome.choices)
    request = models.TextField(_("request"), blank=True)
    status = models.PositiveIntegerField(_("HTTP status"), null=True, blank=True)
    answer = models.TextField(_("response"), blank=True)
    elapsed_ms = models.PositiveIntegerField(_("duration (ms)"), default=0)
    created_at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("call")
        verbose_name_plural = _("call log")

    def __str__(self) -> str:
        return f"{self.verb} {self.outcome}"
