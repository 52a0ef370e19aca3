"""The models of payments, their proofs and manual payment methods. Only ``crediting`` writes a Payment or a Proof."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import NOT_NEGATIVE, MoneyField


class PaymentStatus(models.TextChoices):
    STARTED = "started", _("Started")
    WAITING = "waiting", _("Waiting")  # a proof was sent, or the gateway has to confirm the payment
    CREDITED = "credited", _("Credited")
    REFUSED = "refused", _("Declined")
    EXPIRED = "expired", _("Expired")


#: In the place of a gateway's name: payments that a program of the operator reports.
REPORTED = "reported"
OPEN = (PaymentStatus.STARTED, PaymentStatus.WAITING)
ENDED = tuple(status for status in PaymentStatus if status not in OPEN)


class PaymentQuerySet(models.QuerySet["Payment"]):
    def of(self, user: Any) -> PaymentQuerySet:
        """Return the payments of a customer."""
        return self.filter(user=user)

    def open(self) -> PaymentQuerySet:
        return self.filter(ended_at__isnull=True)

    def in_review(self) -> PaymentQuerySet:
        """Return the payments that wait for a decision by staff."""
        return self.filter(is_in_review=True)


class Payment(models.Model):
    """A customer's payment into the wallet. The row is created before the customer leaves for the gateway.

    ``reference`` identifies the payment to the customer, the gateway and the ledger. ``paid_amount`` is the amount
    received, as far as it is known; for a credited payment it is the amount credited.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="payments", db_index=False, verbose_name=_("customer")
    )
    gateway = models.CharField(_("gateway"), max_length=32)
    method = models.CharField(_("method"), max_length=64, blank=True)
    label = models.CharField(_("payment method"), max_length=100)
    amount = MoneyField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("status"), max_length=8, choices=PaymentStatus.choices, default=PaymentStatus.STARTED)
    is_in_review = models.BooleanField(_("needs review"), default=False)
    reference = models.CharField(_("reference"), max_length=40, unique=True)
    upstream_id = models.CharField(_("gateway payment ID"), max_length=200, blank=True)
    address = models.CharField(_("payment page"), max_length=2000, blank=True)
    return_to = models.CharField(_("return address"), max_length=2000, blank=True)
    paid_amount = MoneyField(_("amount paid"), null=True, blank=True)
    paid_currency = models.CharField(_("currency paid"), max_length=12, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True, help_text=_("Visible to the customer."))
    remark = models.TextField(_("internal notes"), blank=True, help_text=_("Visible to staff only."))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("decided by"),
    )
    created_at = models.DateTimeField(_("started at"), auto_now_add=True)
    credited_at = models.DateTimeField(_("credited at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(name="payment_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="payment_credited_with_what_was_paid",
                condition=Q(status=PaymentStatus.CREDITED, credited_at__isnull=False, paid_amount__gt=0)
                | (~Q(status=PaymentStatus.CREDITED) & Q(credited_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="payment_ended_by_status",
                condition=Q(status__in=OPEN, ended_at__isnull=True) | Q(status__in=ENDED, ended_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="payment_of_customer", fields=["user", "-id"]),
            models.Index(name="payment_review_first", fields=["-is_in_review", "-id"]),
            models.Index(name="payment_by_status", fields=["status", "-id"]),
            models.Index(name="payment_upstream", fields=["gateway", "upstream_id"]),
            # This index grows with the open payments, which can expire, not with the history.
            models.Index(name="payment_open", fields=["gateway", "created_at"], condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def mark(self) -> str:
        """Return a text that changes whenever the payment's page has to change."""
        return f"{self.status}-{int(self.is_in_review)}"


class Proof(models.Model):
    """A picture or PDF that a customer sent to prove a payment. ``key`` is its name in the private storage."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="proofs", verbose_name=_("payment"))
    key = models.CharField(_("file"), max_length=100, unique=True)
    kind = models.CharField(_("file type"), max_length=8)
    size = models.PositiveIntegerField(_("size in bytes"))
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    created_at = models.DateTimeField(_("sent at"), auto_now_add=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")

    def __str__(self) -> str:
        return f"{self.pk}.{self.kind}"

    @property
    def is_image(self) -> bool:
        return self.kind != "pdf"


class ManualMethod(models.Model):
    """A manual payment method, described by the shop, such as a bank account or an exchange office."""

    name = models.CharField(_("name"), max_length=100)
    hint = models.CharField(
        _("short description"), max_length=100, blank=True, help_text=_("For example “1 to 2 business days”.")
    )
    instructions = models.TextField(
        _("instructions"),
        help_text=_("Plain text. {amount} and {reference} are replaced with those of the payment."),
    )
    details = models.TextField(
        _("account details"), blank=True, help_text=_("One detail per line, such as the account number.")
    )
    minimum = MoneyField(_("minimum amount"), validators=[NOT_NEGATIVE])
    maximum = MoneyField(_("maximum amount"), null=True, blank=True, help_text=_("Leave empty for no limit."))
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("manual payment method")
        verbose_name_plural = _("manual payment methods")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise ValidationError({"maximum": _("The maximum is below the minimum.")})
