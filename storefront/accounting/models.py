"""Models of accounting: the results of the nightly audit, receipts, and what the shop prints on them."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import NOT_NEGATIVE, MoneyField, PercentField
from storefront.payments.models import Payment

#: The primary key of the only row of ``BillingDetails``.
ONLY = 1


class AuditRun(models.Model):
    """One run of the audit; ``findings`` are the first of its sentences, ``count`` is their number."""

    ran_at = models.DateTimeField(_("run at"), auto_now_add=True)
    count = models.PositiveIntegerField(_("discrepancies"))
    findings = models.JSONField(_("findings"), default=list)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("ledger audit")
        verbose_name_plural = _("ledger audits")

    def __str__(self) -> str:
        return f"{self.ran_at:%Y-%m-%d}"


class BillingDetails(models.Model):
    """What the shop prints on receipts, in a single row, with the number of the last receipt."""

    name = models.CharField(_("company name"), max_length=200, blank=True)
    address = models.TextField(_("address"), max_length=500, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=64, blank=True)
    tax_name = models.CharField(
        _("name of the tax"), max_length=32, blank=True, default="VAT", help_text=_("For example VAT or GST.")
    )
    tax_rate = PercentField(
        _("tax rate (%)"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE, MaxValueValidator(Decimal(100))],
        help_text=_("Included in the amount and shown separately. 0 for receipts without tax."),
    )
    prefix = models.CharField(
        _("prefix of receipt numbers"), max_length=16, blank=True, help_text=_("For example R- for R-1, R-2, R-3.")
    )
    last_number = models.PositiveIntegerField(_("last receipt number"), default=0, editable=False)

    class Meta:
        verbose_name = _("billing details")
        verbose_name_plural = _("billing details")
        constraints = [models.CheckConstraint(name="billing_details_are_one", condition=models.Q(pk=ONLY))]

    def __str__(self) -> str:
        return self.name or "-"


class Receipt(models.Model):
    """The receipt of a credited payment. It keeps what was true when it was issued, and is never changed."""

    payment = models.OneToOneField(Payment, models.PROTECT, related_name="receipt", verbose_name=_("payment"))
    number = models.PositiveIntegerField(_("number"), unique=True)
    prefix = models.CharField(max_length=16, blank=True, editable=False)
    amount = MoneyField(_("amount"))
    fee = MoneyField(_("fee paid by the customer"), default=Decimal(0))
    currency = models.CharField(_("currency"), max_length=3)
    tax_name = models.CharField(_("name of the tax"), max_length=32, blank=True)
    tax_rate = PercentField(_("tax rate (%)"), default=Decimal(0))
    tax = MoneyField(_("tax"), default=Decimal(0))
    seller = models.JSONField(_("shop"), default=dict)
    buyer = models.JSONField(_("customer"), default=dict)
    issued_at = models.DateTimeField(_("issued at"), auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")

    def __str__(self) -> str:
        return f"{self.prefix}{self.number}"

    @property
    def total(self) -> Decimal:
        """What the customer paid, in the store currency."""
        return self.amount + self.fee
