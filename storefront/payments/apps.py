"""The Django application of payments."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "storefront.payments"
    label = "payments"
    verbose_name = _("Payments")

    def ready(self) -> None:
        from storefront.payments import checks  # noqa: F401  # imported here: checks register when the application is ready
