"""Provider services, the routes to them, their changes, and the markup on their cost."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField, RateField
from orders.models import Category, Service
from orders.rules import amounts, charges, service_types
from providers.models.provider import Provider


class Offer(models.Model):
    """One service in a provider's price list. ``rate`` is in the provider's currency."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="offers", verbose_name=_("provider"))
    upstream_id = models.CharField(_("provider service ID"), max_length=64)
    name = models.CharField(_("name"), max_length=255)
    category = models.CharField(_("category"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    type_name = models.CharField(_("type in the price list"), max_length=64, blank=True)
    service_type = models.CharField(_("service type"), max_length=32, blank=True)
    assigned_type = models.CharField(
        _("assigned service type"),
        max_length=32,
        blank=True,
        choices=service_types.choices,
        help_text=_("Replaces the type in the price list, also in later ones. Leave empty to use the price list."),
    )
    rate = RateField(_("cost"))
    is_flat = models.BooleanField(_("flat price"), default=False)
    min_quantity = models.PositiveBigIntegerField(_("minimum quantity"), default=1)
    max_quantity = models.PositiveBigIntegerField(_("maximum quantity"), default=1)
    has_refill = models.BooleanField(_("refill"), default=False)
    has_cancel = models.BooleanField(_("cancel"), default=False)
    has_dripfeed = models.BooleanField(_("drip-feed"), default=False)
    problem = models.CharField(_("reason it cannot be sold"), max_length=255, blank=True)
    is_available = models.BooleanField(_("available"), default=True)
    is_pending_approval = models.BooleanField(
        _("waits for approval"),
        default=False,
        help_text=_("Its cost changed by more than the price jump, or it may be another service now."),
    )
    pending_rate = RateField(_("new cost"), null=True, blank=True, help_text=_("Takes effect when it is approved."))
    missed_imports = models.PositiveIntegerField(_("consecutive price lists without it"), default=0)
    seen_at = models.DateTimeField(_("last listed at"), default=timezone.now)

    class Meta:
        ordering = ["provider", "id"]
        verbose_name = _("provider service")
        verbose_name_plural = _("provider services")
        constraints = [models.UniqueConstraint(name="offer_once", fields=["provider", "upstream_id"])]

    def __str__(self) -> str:
        return f"{self.upstream_id} {self.name}"

    @property
    def is_sellable(self) -> bool:
        return self.is_available and not self.problem

    def cost_of(self, quantity: int) -> Decimal:
        """Return the cost of ``quantity`` pieces, in the provider's currency."""
        return charges.charge(self.rate, quantity, is_flat=self.is_flat)


class Route(models.Model):
    """A provider service through which a service is bought; the lowest priority number is tried first."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="routes", verbose_name=_("service"))
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="routes", verbose_name=_("provider service"))
    priority = models.PositiveIntegerField(_("priority"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    is_withdrawn = models.BooleanField(
        _("service taken off sale"),
        default=False,
        editable=False,
        help_text=_("The service goes back on sale when the provider service can be bought again."),
    )

    class Meta:
        ordering = ["service", "priority", "id"]
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        constraints = [models.UniqueConstraint(name="route_once", fields=["service", "offer"])]

    def __str__(self) -> str:
        return f"{self.service_id} → {self.offer_id}"

    def clean(self) -> None:
        if self.service_id and self.offer_id and self.service.service_type != self.offer.service_type:
            raise ValidationError(_("The service and the provider service have different types."))


class OfferChange(models.Model):
    """One change of a provider service that an import found."""

    class What(models.TextChoices):
        NEW = "new", _("New")
        RATE = "rate", _("Cost")
        LIMITS = "limits", _("Quantity limits")
        DETAILS = "details", _("Details")
        GONE = "gone", _("No longer listed")
        BACK = "back", _("Listed again")

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="changes", verbose_name=_("provider service"))
    what = models.CharField(_("change"), max_length=8, choices=What.choices)
    old = models.CharField(_("before"), max_length=255, blank=True)
    new = models.CharField(_("after"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("provider service change")
        verbose_name_plural = _("provider service changes")

    def __str__(self) -> str:
        return f"{self.offer_id} {self.what}"


class Markup(models.Model):
    """What is added to the cost: a percentage, then a fixed amount per 1,000.

    The most specific rule applies: that of the service, the category, the provider, or the one without any of them.
    """

    service = models.OneToOneField(Service, models.CASCADE, null=True, blank=True, verbose_name=_("service"))
    category = models.OneToOneField(Category, models.CASCADE, null=True, blank=True, verbose_name=_("category"))
    provider = models.OneToOneField(Provider, models.CASCADE, null=True, blank=True, verbose_name=_("provider"))
    percent = models.DecimalField(_("percentage"), max_digits=8, decimal_places=2, default=Decimal(30))
    fixed = MoneyField(
        _("fixed amount"),
        default=Decimal(0),
        help_text=_("In the store currency, per 1,000 pieces, or per order if the price is flat."),
    )

    class Meta:
        verbose_name = _("markup")
        verbose_name_plural = _("markups")
        constraints = [
            models.CheckConstraint(name="markup_never_below_cost", condition=models.Q(percent__gte=0, fixed__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{amounts.plain(self.percent, 0)}%"
