"""The Django application of support."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "storefront.support"
    label = "support"
    verbose_name = _("Support")
