"""Models of our balances at panels: what was read, and what we paid in."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField
from orders.rules import amounts
from providers.models.provider import Provider


class BalanceReading(models.Model):
    """One balance that a panel named; deleted after ``retention.READINGS_KEPT_DAYS``.

    ``is_idle`` says that no order was on its way while it was read, so that each order's cost is either in it or not.
    """

    provider = models.ForeignKey(
        Provider, models.CASCADE, related_name="balance_readings", db_index=False, verbose_name=_("provider")
    )
    amount = MoneyField(_("balance"))
    currency = models.CharField(_("currency"), max_length=3)
    is_idle = models.BooleanField(_("no order under way"), default=False)
    #: When it was asked for.
    read_at = models.DateTimeField(_("read at"))

    class Meta:
        ordering = ["-read_at"]
        verbose_name = _("balance reading")
        verbose_name_plural = _("balance readings")
        indexes = [
            models.Index(name="balance_reading_of_provider", fields=["provider", "read_at"]),
            models.Index(name="balance_reading_by_age", fields=["read_at"]),
        ]

    def __str__(self) -> str:
        return f"{amounts.plain(self.amount)} {self.currency}"


class ProviderDeposit(models.Model):
    """Money that we paid in at a panel, recorded by an operator."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="deposits", verbose_name=_("provider"))
    amount = MoneyField(
        _("amount"),
        validators=[MinValueValidator(amounts.QUANTUM)],
        help_text=_("In the provider's currency, as the provider credited it."),
    )
    currency = models.CharField(_("currency"), max_length=3, editable=False)
    paid_at = models.DateTimeField(
        _("added at"), default=timezone.now, help_text=_("When the provider added the amount to the balance.")
    )
    note = models.CharField(_("note"), max_length=255, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("recorded by"),
    )
    created_at = models.DateTimeField(_("recorded at"), auto_now_add=True)

    class Meta:
        ordering = ["-paid_at"]
        verbose_name = _("deposit")
        verbose_name_plural = _("deposits")
        constraints = [models.CheckConstraint(name="provider_deposit_positive", condition=models.Q(amount__gt=0))]
        indexes = [models.Index(name="deposit_of_provider", fields=["provider", "paid_at"])]

    def __str__(self) -> str:
        return f"{amounts.plain(self.amount)} {self.currency}"
