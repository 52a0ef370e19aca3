"""Models of currencies, their exchange rates and the sources of these; the ledger itself has one currency."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from babel.numbers import is_currency
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from orders.db.encrypted_field import EncryptedField
from orders.db.money_fields import PercentField, RateField
from orders.rules import amounts

#: The largest rate: with the largest margin it still fits its column.
MAX_RATE = Decimal(10) ** 9
MAX_MARGIN = Decimal(100)


def is_known(code: str) -> None:
    """Raise ValidationError if ``code`` is not a currency."""
    if not is_currency(code):
        message = gettext("“%(code)s” is not a currency code. Enter a code such as EUR.")
        raise ValidationError(message, "unknown", {"code": code})


def can_be_shown(code: str) -> None:
    """Raise ValidationError if ``code`` is not a currency, or is the store currency, which is always shown."""
    is_known(code)
    if code == settings.STORE_CURRENCY:
        raise ValidationError(gettext("This is the store currency, which is always shown."), "own")


class SourceFormat(models.TextChoices):
    """How a source words its rates."""

    JSON = "json", _("JSON")
    ECB = "ecb", _("ECB daily rates (XML)")


class Interval(models.IntegerChoices):
    """Minutes between two fetches."""

    QUARTER = 15, _("15 minutes")
    HOUR = 60, _("1 hour")
    THREE_HOURS = 180, _("3 hours")
    SIX_HOURS = 360, _("6 hours")
    HALF_DAY = 720, _("12 hours")
    DAY = 1440, _("24 hours")


class RateSource(models.Model):
    """A web address from which exchange rates are fetched."""

    name = models.CharField(_("name"), max_length=60, unique=True, help_text=_("Shown in the back office only."))
    format = models.CharField(
        _("format"),
        max_length=8,
        choices=SourceFormat.choices,
        default=SourceFormat.JSON,
        help_text=_("The ECB publishes its rates at https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml."),
    )
    url = models.URLField(
        _("URL"),
        max_length=500,
        help_text=_("Where the rates are fetched. Write {key} where the URL contains an API key."),
    )
    key = EncryptedField(_("API key"), default="", editable=False)
    base = models.CharField(
        _("base currency"),
        max_length=3,
        default="USD",
        validators=[is_known],
        help_text=_(
            "The currency that the source's rates refer to. It may differ from the store currency if the source has a "
            "rate for that as well. The ECB's is always EUR."
        ),
    )
    path = models.CharField(
        _("path of the rate"),
        max_length=200,
        default="rates.{currency}",
        blank=True,
        help_text=_(
            "For JSON: the names that lead to a rate, separated by dots, with {currency} for the currency code. "
            "Examples: rates.{currency}, data.{currency}.value, quotes.{base}{currency}."
        ),
    )
    is_inverse = models.BooleanField(
        _("inverse rates"),
        default=False,
        help_text=_("For JSON: the source says what one unit of a currency is worth in the base currency."),
    )
    interval = models.PositiveIntegerField(_("fetch every"), choices=Interval.choices, default=Interval.SIX_HOURS)
    max_change = PercentField(
        _("largest change (%)"),
        default=Decimal(20),
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal(1000))],
        help_text=_("A rate that changed by more than this waits for your approval."),
    )
    stale_after = models.PositiveIntegerField(
        _("outdated after (hours)"),
        default=48,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text=_(
            "Payments in a currency stop when its rate was not updated for this many hours. "
            "Amounts on pages stay and are marked as outdated."
        ),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Rates of an inactive source are not fetched and become outdated.")
    )
    next_fetch_at = models.DateTimeField(_("next fetch"), default=timezone.now, editable=False)
    fetched_at = models.DateTimeField(_("last fetched"), null=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    #: A FetchProblem, or empty if the last fetch succeeded. Without choices, so that a new text needs no migration.
    problem = models.CharField(_("problem"), max_length=20, blank=True, default="", editable=False)
    #: A technical detail of the problem in English, such as "HTTP 503", without the key.
    detail = models.CharField(_("detail"), max_length=200, blank=True, default="", editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("exchange rate source")
        verbose_name_plural = _("exchange rate sources")

    def __str__(self) -> str:
        return self.name


class RateState(models.TextChoices):
    """What an operator should know about the rate of a currency, most urgent first."""

    WAITING = "waiting", _("Waiting for approval")
    OUTDATED = "outdated", _("Outdated")
    UNKNOWN = "unknown", _("No rate")
    PROBLEM = "problem", _("Not updated")
    CURRENT = "current", _("Up to date")
    ENTERED = "entered", _("Entered by hand")


class Currency(models.Model):
    """A currency besides the store currency; ``rate`` is the number of its units that equal one unit of the latter.

    ``rate`` is the market rate. Customers see and pay ``customer_rate``, which includes the margin.
    """

    code = models.CharField(
        _("code"), max_length=3, unique=True, validators=[can_be_shown], help_text=_("Three-letter code, such as EUR.")
    )
    source = models.ForeignKey(
        RateSource,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="currencies",
        verbose_name=_("source"),
        help_text=_("Where the rate comes from. Leave empty to enter it by hand."),
    )
    rate = RateField(
        _("exchange rate"),
        null=True,
        blank=True,
        validators=[MinValueValidator(amounts.RATE_QUANTUM), MaxValueValidator(MAX_RATE)],
        help_text=_("How many units of this currency equal one unit of the store currency, without the margin."),
    )
    margin = PercentField(
        _("margin (%)"),
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(MAX_MARGIN)],
        help_text=_("Added to the rate that customers see and pay, to cover conversion fees and changes of the rate."),
    )
    is_active = models.BooleanField(
        _("display"), default=True, help_text=_("Customers can choose this currency in their profile.")
    )
    is_payable = models.BooleanField(
        _("payments"), default=True, help_text=_("Payment methods may charge customers in this currency.")
    )
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)
    #: When the current rate was taken, and when its source last quoted a plausible one or an operator entered it.
    rate_at = models.DateTimeField(_("rate since"), null=True, editable=False)
    confirmed_at = models.DateTimeField(_("last confirmed"), null=True, editable=False)
    #: A rate that waits for approval. ``pending_at`` is when it, or one close to it, was first fetched.
    pending_rate = RateField(_("rate waiting for approval"), null=True, editable=False)
    pending_at = models.DateTimeField(_("waiting since"), null=True, editable=False)
    #: Rates close to a rejected one are ignored for as long as the rate counts as up to date.
    rejected_rate = RateField(_("rejected rate"), null=True, editable=False)
    rejected_at = models.DateTimeField(_("rejected at"), null=True, editable=False)
    #: A QuoteProblem, or empty if the last fetch brought a usable rate.
    problem = models.CharField(_("problem"), max_length=20, blank=True, default="", editable=False)
    #: When staff were notified that the rate is not updated (None once it is again), and that one waits for approval.
    warned_at = models.DateTimeField(null=True, editable=False)
    pending_told_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("currency")
        verbose_name_plural = _("currencies")
        constraints = [
            models.CheckConstraint(name="currency_rate_positive", condition=models.Q(rate__gt=0)),
            models.CheckConstraint(name="currency_pending_rate_positive", condition=models.Q(pending_rate__gt=0)),
            models.CheckConstraint(name="currency_margin_not_negative", condition=models.Q(margin__gte=0)),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def customer_rate(self) -> Decimal | None:
        """The rate with the margin, rounded up to 10^-8, or None if the rate is unknown."""
        if self.rate is None:
            return None
        return amounts.round_up(amounts.multiply(self.rate, 1 + amounts.divide(self.margin, 100)), amounts.RATE_QUANTUM)

    def stale_at(self) -> datetime | None:
        """Return when the rate becomes outdated unless it is updated; None if it never does.

        A rate that was entered by hand, for a currency without a source, stays valid until it is changed.
        """
        if self.source is None or self.confirmed_at is None:
            return None
        return self.confirmed_at + timedelta(hours=self.source.stale_after)

    def state(self, now: datetime) -> RateState:
        """Return the state of the rate; payments are made at CURRENT, ENTERED and PROBLEM rates only."""
        if self.pending_rate is not None:
            return RateState.WAITING
        if self.rate is None:
            return RateState.UNKNOWN
        if self.source is None:
            return RateState.ENTERED
        if self.is_stale(now):
            return RateState.OUTDATED
        return RateState.PROBLEM if self.problem or self.source.problem else RateState.CURRENT

    def is_stale(self, now: datetime) -> bool:
        """Return whether the rate was not updated by its source for too long."""
        if self.source is None:
            return False
        at = self.stale_at()
        return at is None or at <= now


class RateOrigin(models.TextChoices):
    """Where a rate came from."""

    ENTERED = "entered", _("Entered by hand")
    FETCHED = "fetched", _("Fetched")
    APPROVED = "approved", _("Fetched and approved")


class RateRecord(models.Model):
    """The market rate and margin of a currency from a moment on; rows are never changed, and thinned out when old."""

    currency = models.CharField(_("currency"), max_length=3)
    rate = RateField(_("exchange rate"))
    margin = PercentField(_("margin (%)"))
    at = models.DateTimeField(_("since"), default=timezone.now)
    origin = models.CharField(_("origin"), max_length=8, choices=RateOrigin.choices)
    #: The name of the source or the email address of the operator, kept as text because both can be deleted.
    by = models.CharField(_("by"), max_length=254, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("past exchange rate")
        verbose_name_plural = _("exchange rate history")
        indexes = [models.Index(name="rate_record_of_currency", fields=["currency", "-at", "-id"])]
        constraints = [models.CheckConstraint(name="rate_record_positive", condition=models.Q(rate__gt=0))]

    def __str__(self) -> str:
        return f"{self.currency} {amounts.plain(self.rate, 0)}"
