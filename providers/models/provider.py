"""Models of our accounts at panels, and of statistics about them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.encrypted_field import EncryptedField
from orders.db.money_fields import MoneyField, RateField
from orders.models.delivery_stats import DeliveryFigures
from orders.rules import amounts
from providers.errors import AddressNotAllowed
from providers.http import client
from providers.http.policy import allow_private
from providers.panels.dialect import Dialect
from providers.panels.dialects import DIALECTS

#: How long a passed search check is valid. The check runs daily, so a few of them may fail.
SEARCH_CHECK_VALIDITY = timedelta(hours=48)


def dialect_choices() -> list[tuple[str, str]]:
    """Return the choices; a function, so that a new dialect needs no migration."""
    return [(dialect.name, dialect.title) for dialect in DIALECTS.values()]


class Provider(models.Model):
    """Our account at one panel."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    url = models.URLField(
        _("API URL"), max_length=500, help_text=_("The full API URL from the provider's documentation.")
    )
    key = EncryptedField(_("API key"), default="", editable=False)
    dialect_name = models.CharField(_("dialect"), max_length=32, choices=dialect_choices)
    currency = models.CharField(
        _("currency"), max_length=3, default="USD", help_text=_("The currency the provider bills in.")
    )
    exchange_rate = RateField(
        _("exchange rate"),
        default=Decimal(1),
        validators=[MinValueValidator(amounts.RATE_QUANTUM)],
        help_text=_("The value of one unit of the provider's currency in the store currency."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    auth = models.CharField(
        _("API key location"),
        max_length=8,
        blank=True,
        choices=[("bearer", _("Bearer token")), ("key", _("Parameter")), ("both", _("Bearer token and parameter"))],
        help_text=_("Leave empty to use the location of the dialect."),
    )
    encoding = models.CharField(
        _("request format"),
        max_length=8,
        blank=True,
        choices=[("form", _("POST form")), ("json", _("POST JSON")), ("query", _("GET query"))],
        help_text=_("Leave empty to use the format of the dialect."),
    )
    has_request_ids = models.BooleanField(
        _("supports request IDs"),
        default=False,
        help_text=_(
            "Turn this on if the provider's API documents the parameter request_id. Two equal orders sent at the same "
            "time are then never taken for one."
        ),
    )
    parallel = models.PositiveIntegerField(
        _("parallel calls"),
        default=32,
        validators=[MinValueValidator(1)],
        help_text=_("The maximum number of calls at the same time."),
    )
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"), null=True, blank=True, help_text=_("Leave empty for no limit.")
    )
    price_jump = models.PositiveIntegerField(
        _("price jump (%)"), default=25, help_text=_("A cost that changes by more than this waits for approval.")
    )
    has_failure_refunds = models.BooleanField(
        _("refund orders the provider reports as failed"),
        default=False,
        help_text=_("Turn this on if the provider refunds us for such orders."),
    )
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    pause_reason = models.CharField(_("pause reason"), max_length=500, blank=True)
    failures = models.PositiveIntegerField(_("consecutive failures"), default=0, editable=False)
    #: Pauses since the last clear answer; each is twice as long as the one before.
    pauses = models.PositiveIntegerField(_("consecutive pauses"), default=0, editable=False)
    is_half_open = models.BooleanField(_("sends one order at a time after failures"), default=False, editable=False)
    is_search_allowed = models.BooleanField(
        _("search for orders whose outcome is unknown"),
        default=True,
        help_text=_(
            "Orders without a clear answer are searched for among the provider's order numbers. The search starts when "
            "a check has shown that the provider shows us only our own orders, and stops when it doesn't."
        ),
    )
    search_check_result = models.CharField(_("result of the last check"), max_length=500, blank=True, editable=False)
    search_checked_at = models.DateTimeField(_("last check passed"), null=True, blank=True, editable=False)
    settle_seconds = models.PositiveIntegerField(
        _("seconds until a lost order counts as not placed"),
        default=120,
        help_text=_("How long after a lost answer the provider may still place the order."),
    )
    balance = MoneyField(_("balance"), null=True, blank=True)
    balance_seen_at = models.DateTimeField(_("balance updated at"), null=True, blank=True)
    #: Set after the error "not enough funds", see ``transport.funds``.
    funds_limit = MoneyField(_("maximum cost of an order"), null=True, blank=True, editable=False)
    #: The balance when that error came, less what was spent since, and when it was read.
    funds_balance = MoneyField(null=True, blank=True, editable=False)
    funds_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    funds_retry_at = models.DateTimeField(
        _("next attempt for orders above the maximum"), null=True, blank=True, editable=False
    )
    funds_attempts = models.PositiveIntegerField(default=0, editable=False)
    #: The last balance that was read while no order was under way; later readings are compared with it.
    idle_balance = MoneyField(_("settled balance"), null=True, blank=True, editable=False)
    idle_balance_at = models.DateTimeField(_("balance settled at"), null=True, blank=True, editable=False)
    sync_paused_until = models.DateTimeField(_("status checks paused until"), null=True, blank=True, editable=False)
    sync_failures = models.PositiveIntegerField(_("consecutive failed status checks"), default=0, editable=False)
    batch_refused_at = models.DateTimeField(
        _("rejected status checks of several orders at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("For a day after this, statuses are requested one order at a time."),
    )
    order_currency = models.CharField(
        _("currency in order statuses"),
        max_length=3,
        blank=True,
        editable=False,
        help_text=_("A currency other than the provider's that its order statuses contain. It is reported once."),
    )
    imported_at = models.DateTimeField(_("price list imported at"), null=True, blank=True)
    price_list_error = models.CharField(
        _("why the last price list was not imported"), max_length=500, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        constraints = [
            models.CheckConstraint(name="provider_exchange_rate_positive", condition=models.Q(exchange_rate__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.currency = self.currency.strip().upper()
        try:
            client.check_address(self.url, allow_private=allow_private())
        except AddressNotAllowed as problem:
            raise ValidationError({"url": str(problem)}) from None
        if self.has_request_ids and self.dialect_name in DIALECTS and not self.dialect.request_id:
            raise ValidationError({"has_request_ids": _("The %s API has no request IDs.") % self.dialect.title})

    @property
    def dialect(self) -> Dialect:
        """The dialect of this provider, in the request format that is set for it."""
        return DIALECTS[self.dialect_name].encoded_as(self.encoding)

    @property
    def is_search_on(self) -> bool:
        """Whether lost orders are searched for: it is allowed, and a search check has passed recently."""
        at = self.search_checked_at
        return self.is_search_allowed and at is not None and timezone.now() - at < SEARCH_CHECK_VALIDITY

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()


class RefusalText(models.Model):
    """An error text of one provider that means "not placed", saved by an operator.

    ``panels.error_phrases`` has those of all providers.
    """

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="refusal_texts", verbose_name=_("provider"))
    text = models.CharField(_("error text"), max_length=600)
    created_at = models.DateTimeField(_("saved at"), auto_now_add=True)

    class Meta:
        ordering = ["provider", "text"]
        verbose_name = _("saved rejection")
        verbose_name_plural = _("saved rejections")
        constraints = [models.UniqueConstraint(name="refusal_text_once", fields=["provider", "text"])]

    def __str__(self) -> str:
        return self.text


class CallStats(models.Model):
    """The number of calls to a provider in one hour, by verb, and how many of them failed."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="call_stats", verbose_name=_("provider"))
    verb = models.CharField(_("action"), max_length=16)
    hour = models.DateTimeField(_("hour"))
    calls = models.PositiveIntegerField(_("calls"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    elapsed_ms = models.PositiveBigIntegerField(_("total duration (ms)"), default=0)

    class Meta:
        ordering = ["-hour"]
        verbose_name = _("call statistics")
        verbose_name_plural = _("call statistics")
        constraints = [models.UniqueConstraint(name="call_stats_once", fields=["provider", "verb", "hour"])]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.verb} {self.hour:%d.%m. %H}"


class ProviderStats(DeliveryFigures):
    """Delivery times and endings of a provider's newest ended placements."""

    provider = models.OneToOneField(Provider, models.CASCADE, related_name="stats", verbose_name=_("provider"))
    sample = models.PositiveIntegerField(_("orders measured"), default=0)

    class Meta:
        verbose_name = _("provider statistics")
        verbose_name_plural = _("provider statistics")

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.sample}"
