"""Configuration of the Django application for orders, services and the ledger."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders import checks  # noqa: F401  # imported here: checks register themselves once the apps are loaded
