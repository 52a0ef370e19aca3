"""The Django application of promotions."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PromotionsConfig(AppConfig):
    name = "storefront.promotions"
    label = "promotions"
    verbose_name = _("Promotions")

    def ready(self) -> None:
        from storefront.promotions import checks  # noqa: F401  # imported here: checks register when the application is ready
