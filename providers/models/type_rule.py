"""Service types that operators assign to the type names of a provider's price list."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.rules import service_types
from providers.models.provider import Provider
from providers.panels.services import ANY_TYPE, type_key


class TypeRule(models.Model):
    """The service type for one of the provider's own type names, or for all type names that are unknown."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="type_rules", verbose_name=_("provider"))
    type_name = models.CharField(
        _("type in the price list"),
        max_length=64,
        help_text=_("As the provider writes it. * stands for every other unknown type."),
    )
    service_type = models.CharField(_("service type"), max_length=32, choices=service_types.choices)

    class Meta:
        ordering = ["provider", "type_name"]
        verbose_name = _("service type rule")
        verbose_name_plural = _("service type rules")
        constraints = [models.UniqueConstraint(name="type_rule_once", fields=["provider", "type_name"])]

    def __str__(self) -> str:
        return f"{self.type_name}: {self.service_type}"

    def clean(self) -> None:
        self.type_name = self.type_name.strip() if self.type_name.strip() == ANY_TYPE else type_key(self.type_name)
        if not self.type_name:
            raise ValidationError({"type_name": _("Enter the type as in the price list.")})
