"""The rows of the middle floor: Provider, Offer, Route, Placement, PanelCall."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders import money, pricing
from orders.fields import MoneyField, RateField
from orders.models import Order, Service
from providers import client
from providers.dialect import Dialect
from providers.dialects import DIALECTS
from providers.encryption import EncryptedField
from providers.errors import AddressNotAllowed
from providers.policy import allow_private


class Provider(models.Model):
    """Our account at one panel."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    url = models.URLField(
        _("API address"), max_length=500, help_text=_("The panel's full API address, as its document gives it.")
    )
    key = EncryptedField(_("API key"), default="", editable=False)
    dialect = models.CharField(
        _("dialect"), max_length=32, choices=[(dialect.name, dialect.title) for dialect in DIALECTS.values()]
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD", help_text=_("What the panel bills in."))
    exchange_rate = RateField(
        _("exchange rate"),
        default=Decimal(1),
        validators=[MinValueValidator(money.RATE_QUANTUM)],
        help_text=_("What one unit of the panel's currency is worth in the store currency."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    refunds_failed = models.BooleanField(
        _("fail means paid back"),
        default=False,
        help_text=_("Whether this panel returns our money when it reports an order as failed."),
    )
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    pause_reason = models.CharField(_("why paused"), max_length=500, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    balance = MoneyField(_("balance"), null=True, blank=True)
    balance_at = models.DateTimeField(_("balance seen at"), null=True, blank=True)
    busy_until = models.DateTimeField(null=True, blank=True, editable=False)
    imported_at = models.DateTimeField(_("price list read at"), null=True, blank=True)
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

    @property
    def language(self) -> Dialect:
        """The dialect's declaration."""
        return DIALECTS[self.dialect]

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()


class Offer(models.Model):
    """One line of a provider's price list. ``rate`` is in the provider's currency."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="offers", verbose_name=_("provider"))
    upstream_id = models.CharField(_("number there"), max_length=64)
    name = models.CharField(_("name"), max_length=255)
    category = models.CharField(_("category"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    type_name = models.CharField(_("type there"), max_length=64, blank=True)
    kind = models.CharField(_("type"), max_length=32, blank=True)
    rate = RateField(_("cost"))
    is_flat = models.BooleanField(_("flat"), default=False)
    min_quantity = models.PositiveBigIntegerField(_("least quantity"), default=1)
    max_quantity = models.PositiveBigIntegerField(_("greatest quantity"), default=1)
    has_refill = models.BooleanField(_("refill"), default=False)
    has_cancel = models.BooleanField(_("cancel"), default=False)
    has_dripfeed = models.BooleanField(_("drip-feed"), default=False)
    problem = models.CharField(_("why it cannot be sold"), max_length=255, blank=True)
    is_available = models.BooleanField(_("available"), default=True)
    missed = models.PositiveIntegerField(_("times missed in a row"), default=0)
    seen_at = models.DateTimeField(_("seen at"), default=timezone.now)

    class Meta:
        ordering = ["provider", "id"]
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [models.UniqueConstraint(name="offer_once", fields=["provider", "upstream_id"])]

    def __str__(self) -> str:
        return f"{self.upstream_id} {self.name}"

    @property
    def is_sellable(self) -> bool:
        return self.is_available and not self.problem

    def cost_of(self, quantity: int) -> Decimal:
        """What ``quantity`` pieces cost, in the provider's currency."""
        return pricing.charge(self.rate, quantity, is_flat=self.is_flat)


class Route(models.Model):
    """A service can be bought through an offer; the lowest priority number is tried first."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="routes", verbose_name=_("service"))
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="routes", verbose_name=_("offer"))
    priority = models.PositiveIntegerField(_("priority"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ["service", "priority", "id"]
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        constraints = [models.UniqueConstraint(name="route_once", fields=["service", "offer"])]

    def __str__(self) -> str:
        return f"{self.service_id} → {self.offer_id}"

    def clean(self) -> None:
        if self.service_id and self.offer_id and self.service.kind != self.offer.kind:
            raise ValidationError(_("The service and the offer are of different types."))


class State(models.TextChoices):
    """Where a placement stands."""

    SUBMITTING = "submitting", _("Submitting")
    IN_DOUBT = "in_doubt", _("In doubt")
    ACCEPTED = "accepted", _("Accepted")
    CLOSED = "closed", _("Closed")
    REFUSED = "refused", _("Refused")
    NOT_SENT = "not_sent", _("Not sent")


#: At most one of these at a time for each order and run: kept by the database, not by code.
LIVE = (State.SUBMITTING, State.IN_DOUBT, State.ACCEPTED)


class Placement(models.Model):
    """One attempt to place one order at one provider. The row is committed before the first byte is sent."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="placements", verbose_name=_("order"))
    run = models.PositiveIntegerField(_("run"), default=0)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="placements", verbose_name=_("provider"))
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="placements", verbose_name=_("offer"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.SUBMITTING)
    upstream_id = models.CharField(_("number there"), max_length=64, blank=True)
    quantity = models.PositiveBigIntegerField(_("quantity"))
    cost = MoneyField(_("cost"), help_text=_("In the provider's currency, by its price list."))
    charged = MoneyField(_("charged there"), null=True, blank=True, help_text=_("As the panel last reported it."))
    currency = models.CharField(_("currency"), max_length=3)
    exchange_rate = RateField(_("exchange rate"), help_text=_("Frozen when the order was placed."))
    words = models.CharField(_("the panel's words"), max_length=600, blank=True)
    reason = models.CharField(_("why not"), max_length=16, blank=True)
    word = models.CharField(_("status there"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("answer expected until"))
    sync_at = models.DateTimeField(_("next look"), null=True, blank=True)
    synced_at = models.DateTimeField(_("last look"), null=True, blank=True)
    missing = models.PositiveIntegerField(_("looks without an answer"), default=0)
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
            models.Index(
                name="placement_to_sync", fields=["provider", "sync_at"], condition=models.Q(sync_at__isnull=False)
            ),
            models.Index(
                name="placement_open", fields=["state", "lease_until"], condition=models.Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} at {self.provider_id}"


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
