from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BrandConfig(AppConfig):
    name = "storefront.brand"
    verbose_name = _("Branding")
