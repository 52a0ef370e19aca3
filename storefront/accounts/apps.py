"""The Django application of accounts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "storefront.accounts"
    label = "accounts"
    verbose_name = _("Customers and staff")

    def ready(self) -> None:
        from storefront.accounts import checks  # noqa: F401  # imported here: checks register when the application is ready
