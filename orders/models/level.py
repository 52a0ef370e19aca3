"""Models of special prices: PriceLevel by spending, and CustomerRate for one customer and one service."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import NOT_NEGATIVE, MoneyField, PercentField, RateField
from orders.models.catalog import Service


class PriceLevel(models.Model):
    """A discount on every price, which customers reach by spending or an operator assigns."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    discount = PercentField(
        _("discount"),
        validators=[NOT_NEGATIVE, MaxValueValidator(Decimal(100))],
        help_text=_("Percentage taken off every price."),
    )
    from_spend = MoneyField(
        _("spending threshold"),
        null=True,
        blank=True,
        validators=[NOT_NEGATIVE],
        help_text=_(
            "Customers reach this level when they have spent this amount in total. "
            "Leave empty to assign it only manually."
        ),
    )

    class Meta:
        ordering = ["from_spend", "discount", "id"]
        verbose_name = _("price level")
        verbose_name_plural = _("price levels")
        constraints = [
            models.CheckConstraint(
                name="pricelevel_discount_range", condition=models.Q(discount__gte=0, discount__lte=Decimal(100))
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerRate(models.Model):
    """A custom rate of one customer for one service; the discount of a price level does not apply to it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="own_rates", verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, models.CASCADE, related_name="own_rates", verbose_name=_("service"))
    rate = RateField(_("price"), validators=[NOT_NEGATIVE])
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("custom rate")
        verbose_name_plural = _("custom rates")
        constraints = [
            models.UniqueConstraint(name="customerrate_once", fields=["user", "service"]),
            models.CheckConstraint(name="customerrate_not_negative", condition=models.Q(rate__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.service}"
