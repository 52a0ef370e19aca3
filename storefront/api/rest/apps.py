"""The Django application of the REST API."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RestConfig(AppConfig):
    name = "storefront.api.rest"
    label = "rest_api"
    verbose_name = _("REST API")
