from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CurrenciesConfig(AppConfig):
    name = "storefront.currencies"
    verbose_name = _("Currencies")

    def ready(self) -> None:
        from storefront.currencies import checks  # noqa: F401  # imported here: checks register themselves once the apps are loaded
