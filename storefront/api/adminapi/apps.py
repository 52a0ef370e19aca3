"""The Django application of the Admin API."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdminApiConfig(AppConfig):
    name = "storefront.api.adminapi"
    label = "adminapi"
    verbose_name = _("Admin API")
