"""Price lists: Offer, Route, what changed in them, and what we put on top."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.db.money_fields import MoneyField, RateField
from orders.models import Category, Service
from orders.rules import charges, service_types
from providers.models.provider import Provider


class Offer(models.Model):
    """One line of a provider's price list. ``rate`` is in the provider's currency."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="offers", verbose_name=_("provider"))
    upstream_id = models.CharField(_("number there"), max_length=64)
    name = models.CharField(_("name"), max_length=255)
    category = models.CharField(_("category"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    type_name = models.CharField(_("type there"), max_length=64, blank=True)
    kind = models.CharField(_("type"), max_length=32, blank=True)
    assigned_kind = models.CharField(
        _("assigned type"),
        max_length=32,
        blank=True,
        choices=service_types.choices,
        help_text=_("Replaces the type in the price list, also in later ones. Leave empty to use the price list."),
    )
    rate = RateField(_("cost"))
    is_flat = models.BooleanField(_("flat"), default=False)
    min_quantity = models.PositiveBigIntegerField(_("least quantity"), default=1)
    max_quantity = models.PositiveBigIntegerField(_("greatest quantity"), default=1)
    has_refill = models.BooleanField(_("refill"), default=False)
    has_cancel = models.BooleanField(_("cancel"), default=False)
    has_dripfeed = models.BooleanField(_("drip-feed"), default=False)
    problem = models.CharField(_("why it cannot be sold"), max_length=255, blank=True)
    is_available = models.BooleanField(_("available"), default=True)
    is_pending_approval = models.BooleanField(
        _("waits for approval"), default=False, help_text=_("Its cost jumped, or it came back after it was gone.")
    )
    pending_rate = RateField(_("new cost"), null=True, blank=True, help_text=_("Not in force before it is approved."))
    missed_imports = models.PositiveIntegerField(_("times missed in a row"), default=0)
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
        return charges.charge(self.rate, quantity, is_flat=self.is_flat)


class Route(models.Model):
    """A service can be bought through an offer; the lowest priority number is tried first."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="routes", verbose_name=_("service"))
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="routes", verbose_name=_("offer"))
    priority = models.PositiveIntegerField(_("priority"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    is_withdrawn = models.BooleanField(
        _("service taken off sale"),
        default=False,
        editable=False,
        help_text=_("When the offer can be bought again, the service goes on sale again."),
    )

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


class OfferChange(models.Model):
    """One thing that an import found changed about an offer."""

    class What(models.TextChoices):
        NEW = "new", _("New")
        RATE = "rate", _("Cost")
        LIMITS = "limits", _("Limits")
        DETAILS = "details", _("Details")
        GONE = "gone", _("Gone")
        BACK = "back", pgettext_lazy("an offer is listed again", "Back")

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="changes", verbose_name=_("offer"))
    what = models.CharField(_("what"), max_length=8, choices=What.choices)
    old = models.CharField(_("before"), max_length=255, blank=True)
    new = models.CharField(_("after"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("offer change")
        verbose_name_plural = _("offer changes")

    def __str__(self) -> str:
        return f"{self.offer_id} {self.what}"


class Markup(models.Model):
    """What goes on top of the cost: percent, then a fixed amount per 1,000. The closest rule wins:
    service, category, provider, and at last the one that names none of them."""

    service = models.OneToOneField(Service, models.CASCADE, null=True, blank=True, verbose_name=_("service"))
    category = models.OneToOneField(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    provider = models.OneToOneField(Provider, models.CASCADE, null=True, blank=True, verbose_name=_("provider"))
    percent = models.DecimalField(_("percent"), max_digits=8, decimal_places=2, default=Decimal(30))
    fixed = MoneyField(_("fixed amount"), default=Decimal(0))

    class Meta:
        verbose_name = _("markup")
        verbose_name_plural = _("markups")
        constraints = [
            models.CheckConstraint(name="markup_never_below_cost", condition=models.Q(percent__gte=0, fixed__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.percent} %"
