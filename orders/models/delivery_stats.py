"""Models of delivery statistics and price changes, which customers and operators see."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import RateField
from orders.models.catalog import Service


class DeliveryFigures(models.Model):
    """Figures measured on ended orders: times in seconds, and the number of orders by final status."""

    start_median = models.PositiveIntegerField(_("average start"), null=True)
    start_p90 = models.PositiveIntegerField(_("start time, 90th percentile"), null=True)
    finish_median = models.PositiveIntegerField(_("average completion"), null=True)
    finish_p90 = models.PositiveIntegerField(_("completion time, 90th percentile"), null=True)
    completed = models.PositiveIntegerField(_("completed"), default=0)
    partial = models.PositiveIntegerField(_("partial"), default=0)
    canceled = models.PositiveIntegerField(_("canceled"), default=0)
    measured_at = models.DateTimeField(_("measured at"), auto_now=True)

    class Meta:
        abstract = True


class DeliveryStats(DeliveryFigures):
    """Times of a service's newest delivered orders; shown only once there are ``LEAST`` of them."""

    LEAST = 10

    service = models.OneToOneField(Service, models.CASCADE, related_name="delivery_stats", verbose_name=_("service"))
    sample = models.PositiveIntegerField(_("orders measured"), default=0)
    finish_p10 = models.PositiveIntegerField(_("completion time, 10th percentile"), null=True)

    class Meta:
        verbose_name = _("delivery statistics")
        verbose_name_plural = _("delivery statistics")

    def __str__(self) -> str:
        return f"{self.service_id}: {self.sample}"

    @property
    def is_enough(self) -> bool:
        """Whether enough orders were measured to show the figures."""
        return self.sample >= self.LEAST


class PriceChange(models.Model):
    """A change of a service's price, for the Updates page and webhooks; rows are never changed."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="price_changes", verbose_name=_("service"))
    old_rate = RateField(_("old price"))
    new_rate = RateField(_("new price"))
    created_at = models.DateTimeField(_("date"), auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("price change")
        verbose_name_plural = _("price changes")

    def __str__(self) -> str:
        return f"{self.service_id}: {self.old_rate} → {self.new_rate}"
