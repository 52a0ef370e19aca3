"""The models of promotions: payment bonuses, coupons, and bonuses that were given. Only ``granting`` writes a Bonus."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import NOT_NEGATIVE, MoneyField, PercentField
from orders.rules import amounts

POSITIVE = MinValueValidator(amounts.QUANTUM, _("Enter an amount above zero."))
UP_TO_ALL = MaxValueValidator(Decimal(100), _("Enter a percentage of at most 100."))


class PaymentBonusQuerySet(models.QuerySet["PaymentBonus"]):
    def running(self) -> PaymentBonusQuerySet:
        """Return the active ones in their period whose budget is not used up."""
        now = timezone.now()
        return self.filter(
            Q(starts_at=None) | Q(starts_at__lte=now),
            Q(ends_at=None) | Q(ends_at__gt=now),
            Q(budget=None) | Q(given__lt=F("budget")),
            is_active=True,
        )


class PaymentBonus(models.Model):
    """A step of the bonus on payments. Of the steps that a payment reaches, the highest one counts.

    ``given`` is what customers got from it, minus what was taken back.
    """

    from_amount = MoneyField(
        _("from amount"), validators=[POSITIVE], help_text=_("The smallest payment that gets this bonus.")
    )
    percent = PercentField(
        _("percent of the payment"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE, UP_TO_ALL],
        help_text=_("Enter 3 for three percent of the payment."),
    )
    fixed = MoneyField(
        _("fixed amount"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE],
        help_text=_("Added to the percentage. Leave at 0 for a percentage only."),
    )
    method = models.CharField(
        _("payment method"),
        max_length=100,
        blank=True,
        help_text=_("Leave empty for all payment methods. Payments reported through the API need their own bonus."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    starts_at = models.DateTimeField(
        _("starts at"), null=True, blank=True, help_text=_("Leave empty to start immediately.")
    )
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True, help_text=_("Leave empty for no end."))
    uses_per_customer = models.PositiveIntegerField(
        _("uses per customer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How many payments of one customer get this bonus. Leave empty for no limit."),
    )
    budget = MoneyField(
        _("total budget"),
        null=True,
        blank=True,
        validators=[POSITIVE],
        help_text=_("The bonus stops when this much has been given in total. Leave empty for no limit."),
    )
    given = MoneyField(_("given so far"), default=Decimal(0), editable=False)

    objects = PaymentBonusQuerySet.as_manager()

    class Meta:
        ordering = ["from_amount", "id"]
        verbose_name = _("payment bonus")
        verbose_name_plural = _("payment bonuses")
        constraints = [
            models.CheckConstraint(name="payment_bonus_from_amount_positive", condition=Q(from_amount__gt=0)),
            models.CheckConstraint(name="payment_bonus_given_not_negative", condition=Q(given__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    def clean(self) -> None:
        super().clean()
        if not self.percent and not self.fixed:
            raise ValidationError({"percent": _("Enter a percentage or a fixed amount.")})
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("The end is before the start.")})


class CouponType(models.TextChoices):
    PERCENT = "percent", _("Percentage of a payment")
    FIXED = "fixed", _("Fixed amount on a payment")
    VOUCHER = "voucher", _("Voucher without a payment")


class CouponQuerySet(models.QuerySet["Coupon"]):
    def usable(self) -> CouponQuerySet:
        """Return the active ones that have neither expired nor been used up."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=timezone.now()),
            Q(max_uses=None) | Q(uses__lt=F("max_uses")),
            is_active=True,
        )

    def for_payments(self) -> CouponQuerySet:
        return self.exclude(type=CouponType.VOUCHER)

    def vouchers(self) -> CouponQuerySet:
        return self.filter(type=CouponType.VOUCHER)


class Coupon(models.Model):
    """A code that adds a bonus to a payment, or a voucher that is redeemed without one. Codes are in upper case."""

    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(r"^[A-Za-z0-9_-]{3,40}\Z", _("Enter 3 to 40 letters, digits, hyphens, or underscores."))
        ],
        help_text=_("Letters, digits, hyphens, and underscores. Customers can enter it in upper or lower case."),
    )
    type = models.CharField(_("type"), max_length=7, choices=CouponType.choices, default=CouponType.PERCENT)
    percent = PercentField(
        _("percent of the payment"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE, UP_TO_ALL],
        help_text=_("For a percentage. Enter 10 for ten percent of the payment."),
    )
    amount = MoneyField(
        _("fixed amount"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE],
        help_text=_("For a fixed amount or a voucher."),
    )
    maximum = MoneyField(
        _("maximum bonus"),
        null=True,
        blank=True,
        validators=[POSITIVE],
        help_text=_("A percentage adds at most this much. Leave empty for no limit."),
    )
    minimum = MoneyField(
        _("minimum payment"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE],
        help_text=_("Smaller payments can't use the code. Leave at 0 for no minimum."),
    )
    max_uses = models.PositiveIntegerField(
        _("maximum uses"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How often the code can be used in total. Leave empty for no limit."),
    )
    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)
    is_once_per_customer = models.BooleanField(_("once per customer"), default=True)
    is_first_payment_only = models.BooleanField(
        _("first payment only"), default=False, help_text=_("Only customers who have never paid can use the code.")
    )
    expires_at = models.DateTimeField(
        _("expires at"),
        null=True,
        blank=True,
        help_text=_("Payments started before this time keep the bonus. Leave empty for no end."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = CouponQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons and vouchers")
        constraints = [
            models.CheckConstraint(
                name="coupon_uses_up_to_maximum", condition=Q(max_uses__isnull=True) | Q(uses__lte=F("max_uses"))
            ),
        ]
        indexes = [models.Index(name="coupon_active", fields=["type"], condition=Q(is_active=True))]

    def __str__(self) -> str:
        return self.code

    def clean(self) -> None:
        super().clean()
        self.code = self.code.strip().upper()
        problems: dict[str, Any] = {}
        if self.type == CouponType.PERCENT and not self.percent:
            problems["percent"] = _("Enter a percentage above zero.")
        if self.type != CouponType.PERCENT and not self.amount:
            problems["amount"] = _("Enter an amount above zero.")
        if self.type == CouponType.VOUCHER and not self.is_once_per_customer:
            problems["is_once_per_customer"] = _("A voucher can be redeemed only once per customer.")
        if self.max_uses is not None and self.max_uses < self.uses:
            problems["max_uses"] = _("The code was used %(uses)s times already.") % {"uses": self.uses}
        if problems:
            raise ValidationError(problems)


class BonusSource(models.TextChoices):
    PAYMENT = "payment", _("Payment bonus")
    COUPON = "coupon", _("Coupon")
    VOUCHER = "voucher", _("Voucher")
    WELCOME = "welcome", _("Welcome credit")
    AFFILIATE = "affiliate", _("Affiliate earnings")


class BonusQuerySet(models.QuerySet["Bonus"]):
    def of(self, user: Any) -> BonusQuerySet:
        """Return the bonuses of a customer."""
        return self.filter(user=user)


class Bonus(models.Model):
    """One bonus that was given to a customer; its transfer has the reference ``bonus:<reference>``.

    Payments are identified by number and reference, because promotions know nothing of their table. ``paid`` is the
    credited amount of that payment, and ``reversed_amount`` how much of it was refunded or charged back since.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="bonuses", db_index=False, verbose_name=_("customer")
    )
    source = models.CharField(_("type"), max_length=9, choices=BonusSource.choices)
    reference = models.CharField(_("reference"), max_length=100, unique=True)
    amount = MoneyField(_("amount"))
    taken_back = MoneyField(_("taken back"), default=Decimal(0))
    payment_number = models.PositiveBigIntegerField(_("payment number"), null=True, blank=True)
    payment_reference = models.CharField(_("payment"), max_length=40, blank=True)
    paid = MoneyField(_("amount of the payment"), null=True, blank=True)
    reversed_amount = MoneyField(_("refunded of the payment"), default=Decimal(0))
    payment_bonus = models.ForeignKey(
        PaymentBonus,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="bonuses",
        db_index=False,
        verbose_name=_("payment bonus"),
    )
    coupon = models.ForeignKey(
        Coupon,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="bonuses",
        db_index=False,
        verbose_name=_("coupon"),
    )
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    objects = BonusQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("bonus")
        verbose_name_plural = _("bonuses given")
        constraints = [
            models.CheckConstraint(name="bonus_amount_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(
                name="bonus_taken_back_up_to_amount", condition=Q(taken_back__gte=0, taken_back__lte=F("amount"))
            ),
            models.UniqueConstraint(
                name="bonus_one_welcome_credit", fields=["user"], condition=Q(source=BonusSource.WELCOME)
            ),
        ]
        indexes = [
            models.Index(name="bonus_of_customer", fields=["user", "-id"]),
            models.Index(name="bonus_by_source", fields=["source", "-id"]),
            models.Index(name="bonus_of_payment", fields=["payment_number"], condition=Q(payment_number__isnull=False)),
            models.Index(
                name="bonus_of_payment_bonus",
                fields=["payment_bonus", "user"],
                condition=Q(payment_bonus__isnull=False),
            ),
            models.Index(name="bonus_of_coupon", fields=["coupon", "user"], condition=Q(coupon__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.reference


#: The primary key of the only row of PromotionSettings.
ONLY = 1


class PromotionSettings(models.Model):
    """The settings of promotions that have no rows of their own. Without a row, all of them are off."""

    welcome_amount = MoneyField(
        _("welcome credit"),
        default=Decimal(0),
        validators=[NOT_NEGATIVE],
        help_text=_("New customers get this when they confirm their email address. Leave at 0 for none."),
    )
    welcome_budget = MoneyField(
        _("total budget of welcome credit"),
        null=True,
        blank=True,
        validators=[POSITIVE],
        help_text=_("Welcome credit stops when this much has been given in total. Leave empty for no limit."),
    )
    welcome_given = MoneyField(_("welcome credit given so far"), default=Decimal(0), editable=False)
    is_affiliates_on = models.BooleanField(
        _("affiliate program"),
        default=False,
        help_text=_("Customers get a link and earn a commission on the payments of those who sign up with it."),
    )
    affiliate_percent = PercentField(
        _("commission in percent"),
        default=Decimal(5),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal(50))],
        help_text=_("Of each payment. A change applies to later payments only."),
    )
    affiliate_days = models.PositiveIntegerField(
        _("waiting period in days"),
        default=14,
        validators=[MaxValueValidator(365)],
        help_text=_("A commission can be transferred to the balance this long after its payment."),
    )
    affiliate_minimum = MoneyField(
        _("minimum transfer"),
        default=Decimal(10),
        validators=[POSITIVE],
        help_text=_("Affiliates transfer at least this much to their balance at once."),
    )

    class Meta:
        verbose_name = _("promotion settings")
        verbose_name_plural = _("promotion settings")
        constraints = [models.CheckConstraint(name="promotion_settings_are_one", condition=Q(pk=ONLY))]

    def __str__(self) -> str:
        return str(_("Promotion settings"))


class Affiliate(models.Model):
    """A customer with a referral link. Of a click only the number is stored, nothing about the visitor."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="affiliate", verbose_name=_("customer")
    )
    code = models.CharField(_("code"), max_length=16, unique=True)
    clicks = models.PositiveBigIntegerField(_("clicks"), default=0, editable=False)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("If not, the link stops working and nothing is earned or transferred."),
    )
    percent = PercentField(
        _("own commission in percent"),
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(50))],
        help_text=_("Leave empty for the percentage in the promotion settings."),
    )
    created_at = models.DateTimeField(_("joined at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("affiliate")
        verbose_name_plural = _("affiliates")

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """A customer who signed up with an affiliate's link."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="referral", verbose_name=_("customer")
    )
    affiliate = models.ForeignKey(Affiliate, models.PROTECT, related_name="referrals", verbose_name=_("affiliate"))
    created_at = models.DateTimeField(_("signed up at"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")

    def __str__(self) -> str:
        return f"{self.pk}"


class CommissionStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    AVAILABLE = "available", _("Available")
    PAID = "paid", _("Transferred")
    CANCELED = "canceled", _("Canceled")


class AffiliatePayout(models.Model):
    """Commissions that were transferred to the affiliate's balance, as one bonus ``affiliate:<id>``."""

    affiliate = models.ForeignKey(Affiliate, models.PROTECT, related_name="payouts", verbose_name=_("affiliate"))
    amount = MoneyField(_("amount"))
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("transfer of commissions")
        verbose_name_plural = _("transfers of commissions")
        constraints = [models.CheckConstraint(name="affiliate_payout_positive", condition=Q(amount__gt=0))]

    def __str__(self) -> str:
        return f"{self.pk}"


class Commission(models.Model):
    """What an affiliate earns on one payment, or a deduction after a payment was reversed.

    ``amount`` is ``percent`` of the part of the payment that was not reversed, rounded down. If the payment is reversed
    after the commission was transferred, a second row with a negative amount is set off against later commissions. Its
    amount is positive if that reversal is undone.
    """

    affiliate = models.ForeignKey(
        Affiliate, models.PROTECT, related_name="commissions", db_index=False, verbose_name=_("affiliate")
    )
    referral = models.ForeignKey(Referral, models.PROTECT, related_name="commissions", verbose_name=_("referral"))
    payment_number = models.PositiveBigIntegerField(_("payment number"))
    payment_reference = models.CharField(_("payment"), max_length=40)
    paid = MoneyField(_("amount of the payment"))
    reversed_amount = MoneyField(_("refunded of the payment"), default=Decimal(0))
    percent = PercentField(_("percent"))
    amount = MoneyField(_("amount"))
    is_deduction = models.BooleanField(_("deduction"), default=False)
    status = models.CharField(
        _("status"), max_length=9, choices=CommissionStatus.choices, default=CommissionStatus.PENDING
    )
    matures_at = models.DateTimeField(_("available from"))
    payout = models.ForeignKey(
        AffiliatePayout,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="commissions",
        verbose_name=_("transfer"),
    )
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("commission")
        verbose_name_plural = _("commissions")
        constraints = [
            models.UniqueConstraint(
                name="commission_one_for_each_payment", fields=["payment_number"], condition=Q(is_deduction=False)
            ),
            models.CheckConstraint(
                name="commission_negative_if_deduction",
                condition=Q(is_deduction=True) & ~Q(amount=0) | Q(is_deduction=False, amount__gte=0),
            ),
            models.CheckConstraint(
                name="commission_paid_with_payout",
                condition=Q(status=CommissionStatus.PAID, payout__isnull=False)
                | (~Q(status=CommissionStatus.PAID) & Q(payout__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="commission_of_affiliate", fields=["affiliate", "-id"]),
            models.Index(name="commission_by_status", fields=["affiliate", "status"]),
            models.Index(name="commission_of_payment", fields=["payment_number"]),
            models.Index(name="commission_due", fields=["matures_at"], condition=Q(status="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
