"""What we sell: Category and Service."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.fields import NOT_NEGATIVE, RateField
from orders.kinds import KINDS, Kind, has_runs


class Category(models.Model):
    name = models.CharField(_("name"), max_length=200, unique=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class ServiceQuerySet(models.QuerySet["Service"]):
    def on_sale(self) -> ServiceQuerySet:
        """What customers can buy, in the order of the catalogue."""
        return (
            self.filter(is_active=True, category__is_active=True)
            .select_related("category")
            .order_by("category__position", "category_id", "position", "id")
        )

    def matching(self, text: str) -> ServiceQuerySet:
        """Services whose number is ``text``, or in whose name, category or description every word of it is found."""
        if text.isascii() and text.isdigit() and len(text) < 19:
            return self.filter(pk=int(text))
        found = self
        for word in text.split()[:8]:
            found = found.filter(
                models.Q(name__icontains=word)
                | models.Q(category__name__icontains=word)
                | models.Q(description__icontains=word)
            )
        return found

    def with_own_rates(self, user: Any) -> ServiceQuerySet:
        """Each service with ``own_rate``: the price that was agreed with ``user`` alone, or None. No query more."""
        if not user.is_authenticated:
            return self.annotate(own_rate=models.Value(None, RateField()))
        own = models.FilteredRelation("own_rates", condition=models.Q(own_rates__user=user.pk))
        return self.annotate(own=own, own_rate=models.F("own__rate"))


class CatalogStamp(models.Model):
    """Changes whenever anything in the price list does, whoever changes it: database triggers write it."""

    stamp = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.stamp)


def _is_pattern(value: str) -> None:
    try:
        re.compile(value)
    except re.error as problem:
        raise ValidationError(_("This is not a regular expression: %(problem)s"), params={"problem": problem}) from None


class Service(models.Model):
    """A thing we sell, with our price."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="services", verbose_name=_("category"))
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True)
    kind = models.CharField(
        _("type"), max_length=32, choices=[(kind.code, kind.wire) for kind in KINDS.values()], default="default"
    )
    rate = RateField(
        _("price"),
        validators=[NOT_NEGATIVE],
        help_text=_("In the store currency: for 1,000 pieces, or for one where the price is flat."),
    )
    is_flat = models.BooleanField(_("flat price"), default=False, help_text=_("The price is for one, not for 1,000."))
    min_quantity = models.PositiveBigIntegerField(_("least quantity"), default=1)
    max_quantity = models.PositiveBigIntegerField(_("greatest quantity"), default=1)
    link_pattern = models.CharField(
        _("link pattern"),
        max_length=255,
        blank=True,
        validators=[_is_pattern],
        help_text=_("A regular expression the whole link must match; empty accepts any link."),
    )
    link_example = models.CharField(_("link example"), max_length=255, blank=True)
    has_refill = models.BooleanField(_("refill"), default=False)
    has_cancel = models.BooleanField(_("cancel"), default=False)
    has_dripfeed = models.BooleanField(_("drip-feed"), default=False)
    is_one_per_link = models.BooleanField(
        _("one order a link"),
        default=False,
        help_text=_("No second order for a link before the first one ended."),
    )
    refill_days = models.PositiveIntegerField(
        _("refill window"), default=30, help_text=_("Days after the end in which a refill may be asked for.")
    )
    is_pinned = models.BooleanField(
        _("price pinned"), default=False, help_text=_("The price stays when a provider's cost changes.")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["category__position", "category_id", "position", "id"]
        verbose_name = _("service")
        verbose_name_plural = _("services")
        constraints = [
            models.CheckConstraint(name="service_rate_not_negative", condition=models.Q(rate__gte=0)),
            models.CheckConstraint(
                name="service_quantity_range",
                condition=models.Q(min_quantity__gte=1, max_quantity__gte=models.F("min_quantity")),
            ),
        ]
        indexes = [models.Index(name="service_on_sale", fields=["category", "position", "id"])]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    @property
    def type(self) -> Kind:
        """The service type: its inputs and how its quantity is counted."""
        return KINDS[self.kind]

    @property
    def has_runs(self) -> bool:
        """Whether its orders can be delivered in runs: drip-feed is sold, and the type can have it."""
        return self.has_dripfeed and has_runs(self.type)

    def clean(self) -> None:
        problems: dict[str, Any] = {}
        if self.min_quantity is not None and self.max_quantity is not None and self.max_quantity < self.min_quantity:
            problems["max_quantity"] = _("The greatest quantity is below the least.")
        if self.kind in KINDS and self.type.is_flat and not self.is_flat:
            problems["is_flat"] = _("This type is bought one at a time: its price is flat.")
        if problems:
            raise ValidationError(problems)
