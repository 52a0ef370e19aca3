"""Models of the shop: customers' favorites."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Service


class Favorite(models.Model):
    """A service that a customer marked with a star. Written by ``storefront.shop.favorites``."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, models.CASCADE, related_name="+", verbose_name=_("service"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("favorite")
        verbose_name_plural = _("favorites")
        constraints = [models.UniqueConstraint(name="favorite_once", fields=["user", "service"])]

    def __str__(self) -> str:
        return f"{self.user_id} {self.service_id}"
