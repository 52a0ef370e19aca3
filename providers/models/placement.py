"""Attempts at panels: Placement, Errand, and the calls they made."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField, RateField
from orders.models import Cancellation, Order, Refill
from providers.models.offer import Offer
from providers.models.provider import Provider


class PlacementState(models.TextChoices):
    """Where a placement stands."""

    SUBMITTING = "submitting", _("Submitting")
    IN_DOUBT = "in_doubt", _("Outcome unknown")
    ACCEPTED = "accepted", _("Accepted")
    CLOSED = "closed", _("Closed")
    REFUSED = "refused", _("Refused")
    NOT_SENT = "not_sent", _("Not sent")


#: At most one of these at a time for each order and run: kept by the database, not by code.
LIVE = (PlacementState.SUBMITTING, PlacementState.IN_DOUBT, PlacementState.ACCEPTED)


class Placement(models.Model):
    """One attempt to place one order at one provider. The row is committed before the first byte is sent."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="placements", verbose_name=_("order"))
    run = models.PositiveIntegerField(_("run"), default=0)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="placements", verbose_name=_("provider"))
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="placements", verbose_name=_("offer"))
    state = models.CharField(
        _("state"), max_length=12, choices=PlacementState.choices, default=PlacementState.SUBMITTING
    )
    upstream_id = models.CharField(_("number there"), max_length=64, blank=True)
    quantity = models.PositiveBigIntegerField(_("quantity"))
    cost = MoneyField(_("cost"), help_text=_("In the provider's currency, by its price list."))
    charged = MoneyField(_("charged there"), null=True, blank=True, help_text=_("As the panel last reported it."))
    first_charged = MoneyField(
        _("charged there at first"), null=True, blank=True, help_text=_("Before the panel changed it, if it did.")
    )
    refunded = MoneyField(
        _("refunded there"), null=True, blank=True, help_text=_("As the panel said when it took the cancellation.")
    )
    currency = models.CharField(_("currency"), max_length=3)
    exchange_rate = RateField(_("exchange rate"), help_text=_("Frozen when the order was placed."))
    panel_error = models.CharField(_("the panel's words"), max_length=600, blank=True)
    reason = models.CharField(_("why not"), max_length=16, blank=True)
    panel_status = models.CharField(_("status there"), max_length=64, blank=True)
    evidence = models.JSONField(
        _("evidence"), default=dict, blank=True, help_text=_("What speaks for and against its having been placed.")
    )
    next_search_at = models.DateTimeField(_("next search"), null=True, blank=True)
    #: The answer, or the certainty that none comes: until when, from ``created_at`` on, the request was on its way.
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    in_doubt_at = models.DateTimeField(
        _("outcome unknown since"), null=True, blank=True, help_text=_("Kept when the outcome is known.")
    )
    lease_until = models.DateTimeField(_("answer expected until"))
    sync_at = models.DateTimeField(_("next look"), null=True, blank=True)
    synced_at = models.DateTimeField(_("last look"), null=True, blank=True)
    missed_checks = models.PositiveIntegerField(_("looks without an answer"), default=0)
    first_missed_at = models.DateTimeField(_("without an answer since"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
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
            # The id last: pages of what is due are read in this order, also where thousands are due at one moment.
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
    """One Refill or Cancellation taken to the panel that has the order. Committed before the call, as a Placement."""

    placement = models.ForeignKey(
        Placement, models.PROTECT, related_name="upstream_requests", verbose_name=_("placement")
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
    upstream_id = models.CharField(_("number there"), max_length=64, blank=True)
    panel_error = models.CharField(_("the panel's words"), max_length=600, blank=True)
    lease_until = models.DateTimeField(_("answer expected until"))
    sync_at = models.DateTimeField(_("next look"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("errand")
        verbose_name_plural = _("errands")
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
    """What was sent to a panel and what came back, without the key. Kept for a while, then pruned."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="calls", verbose_name=_("provider"))
    placement = models.ForeignKey(
        Placement, models.SET_NULL, null=True, blank=True, related_name="calls", verbose_name=_("placement")
    )
    verb = models.CharField(_("verb"), max_length=16)
    outcome = models.CharField(_("outcome"), max_length=16)
    request = models.TextField(_("sent"), blank=True)
    status = models.PositiveIntegerField(_("HTTP status"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True)
    elapsed_ms = models.PositiveIntegerField(_("milliseconds"), default=0)
    created_at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("panel call")
        verbose_name_plural = _("panel calls")

    def __str__(self) -> str:
        return f"{self.verb} {self.outcome}"
