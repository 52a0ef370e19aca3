"""Our accounts at panels, and the traffic with them."""

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

#: A control of the search holds for so long: it is made daily, and may fail a few times.
SEARCH_CHECK_VALIDITY = timedelta(hours=48)


def dialect_choices() -> list[tuple[str, str]]:
    """A function, so that a new dialect is no new migration."""
    return [(dialect.name, dialect.title) for dialect in DIALECTS.values()]


class Provider(models.Model):
    """Our account at one panel."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    url = models.URLField(
        _("API address"), max_length=500, help_text=_("The panel's full API address, as its document gives it.")
    )
    key = EncryptedField(_("API key"), default="", editable=False)
    dialect_name = models.CharField(_("dialect"), max_length=32, choices=dialect_choices)
    currency = models.CharField(_("currency"), max_length=3, default="USD", help_text=_("What the panel bills in."))
    exchange_rate = RateField(
        _("exchange rate"),
        default=Decimal(1),
        validators=[MinValueValidator(amounts.RATE_QUANTUM)],
        help_text=_("What one unit of the panel's currency is worth in the store currency."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    auth = models.CharField(
        _("where the key goes"),
        max_length=8,
        blank=True,
        choices=[("bearer", _("as Bearer token")), ("key", _("as parameter")), ("both", _("both"))],
        help_text=_("Empty: as the dialect's document says."),
    )
    encoding = models.CharField(
        _("request format"),
        max_length=8,
        blank=True,
        choices=[("form", _("POST form")), ("json", _("POST JSON")), ("query", _("GET, in the address"))],
        help_text=_("Leave empty to send requests as the dialect's document says."),
    )
    has_request_ids = models.BooleanField(
        _("knows request ids"),
        default=False,
        help_text=_(
            "This panel's document has the parameter request_id, as this shop's own API has: two orders for the same "
            "thing at the same time are then never taken for one."
        ),
    )
    parallel = models.PositiveIntegerField(
        _("calls at once"), default=32, validators=[MinValueValidator(1)], help_text=_("At most so many at a time.")
    )
    calls_per_minute = models.PositiveIntegerField(_("calls a minute"), null=True, blank=True)
    price_jump = models.PositiveIntegerField(
        _("price jump in percent"), default=25, help_text=_("A cost that changes by more waits for approval.")
    )
    has_failure_refunds = models.BooleanField(
        _("fail means paid back"),
        default=False,
        help_text=_("Whether this panel returns our money when it reports an order as failed."),
    )
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    pause_reason = models.CharField(_("why paused"), max_length=500, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    #: Pauses since the last clear answer: each is twice as long as the one before.
    pauses = models.PositiveIntegerField(_("pauses in a row"), default=0, editable=False)
    is_half_open = models.BooleanField(_("on trial after failures"), default=False, editable=False)
    is_search_allowed = models.BooleanField(
        _("Search for orders whose outcome is unknown"),
        default=True,
        help_text=_(
            "When no clear answer came, the order is looked for among this provider's order numbers. The search starts "
            "by itself once a check has shown that the provider shows us only our own orders, and stops if it does not."
        ),
    )
    search_check_result = models.CharField(_("result of the last check"), max_length=500, blank=True, editable=False)
    search_checked_at = models.DateTimeField(_("last check passed"), null=True, blank=True, editable=False)
    settle_seconds = models.PositiveIntegerField(
        _("Seconds until a lost order counts as not placed"),
        default=120,
        help_text=_("How long after a lost answer the provider may still place the order."),
    )
    balance = MoneyField(_("balance"), null=True, blank=True)
    balance_seen_at = models.DateTimeField(_("balance seen at"), null=True, blank=True)
    #: After "not enough funds", see ``placing.funds``: orders that cost more wait.
    funds_limit = MoneyField(_("orders that cost more wait"), null=True, blank=True, editable=False)
    #: The balance that was named then, less what was spent since, and when it was read.
    funds_balance = MoneyField(null=True, blank=True, editable=False)
    funds_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    funds_retry_at = models.DateTimeField(_("dearer orders are tried again at"), null=True, blank=True, editable=False)
    funds_attempts = models.PositiveIntegerField(default=0, editable=False)
    #: The last balance that was seen while no order was on its way: what a later one is compared with.
    idle_balance = MoneyField(_("balance at rest"), null=True, blank=True, editable=False)
    idle_balance_at = models.DateTimeField(_("at rest at"), null=True, blank=True, editable=False)
    sync_paused_until = models.DateTimeField(_("statuses not asked for until"), null=True, blank=True, editable=False)
    sync_failures = models.PositiveIntegerField(_("failed status passes in a row"), default=0, editable=False)
    batch_refused_at = models.DateTimeField(
        _("refused lists of orders at"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Statuses are requested one order at a time for a day after this."),
    )
    order_currency = models.CharField(
        _("currency in order statuses"),
        max_length=3,
        blank=True,
        editable=False,
        help_text=_("Another currency than the provider's that order statuses named. It was reported once."),
    )
    imported_at = models.DateTimeField(_("price list read at"), null=True, blank=True)
    price_list_error = models.CharField(
        _("why the last price list was not taken"), max_length=500, blank=True, editable=False
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
            raise ValidationError({"has_request_ids": _("The %s document has no request ids.") % self.dialect.title})

    @property
    def dialect(self) -> Dialect:
        """The dialect's declaration, with this provider's request format."""
        return DIALECTS[self.dialect_name].encoded_as(self.encoding)

    @property
    def is_search_on(self) -> bool:
        """Whether orders of unknown outcome are looked for: it is allowed, and a control has passed lately."""
        at = self.search_checked_at
        return self.is_search_allowed and at is not None and timezone.now() - at < SEARCH_CHECK_VALIDITY

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()


class RefusalText(models.Model):
    """Words of one panel that mean "not placed", as an operator taught. ``panels.error_phrases`` has those of all."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="refusal_texts", verbose_name=_("provider"))
    text = models.CharField(_("the panel's words"), max_length=600)
    created_at = models.DateTimeField(_("taught at"), auto_now_add=True)

    class Meta:
        ordering = ["provider", "text"]
        verbose_name = _("taught refusal")
        verbose_name_plural = _("taught refusals")
        constraints = [models.UniqueConstraint(name="refusal_text_once", fields=["provider", "text"])]

    def __str__(self) -> str:
        return self.text


class CallStats(models.Model):
    """Calls to a provider in one hour, by verb: what its health is read from, at the price of one row an hour."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="call_stats", verbose_name=_("provider"))
    verb = models.CharField(_("verb"), max_length=16)
    hour = models.DateTimeField(_("hour"))
    calls = models.PositiveIntegerField(_("calls"), default=0)
    failures = models.PositiveIntegerField(_("failures"), default=0)
    elapsed_ms = models.PositiveBigIntegerField(_("milliseconds in all"), default=0)

    class Meta:
        ordering = ["-hour"]
        verbose_name = _("call tally")
        verbose_name_plural = _("call tallies")
        constraints = [models.UniqueConstraint(name="call_stats_once", fields=["provider", "verb", "hour"])]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.verb} {self.hour:%d.%m. %H}"


class ProviderStats(DeliveryFigures):
    """A provider's newest ended placements: times, and how they ended."""

    provider = models.OneToOneField(Provider, models.CASCADE, related_name="stats", verbose_name=_("provider"))
    sample = models.PositiveIntegerField(_("placements measured"), default=0)

    class Meta:
        verbose_name = _("provider measure")
        verbose_name_plural = _("provider measures")

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.sample}"
