"""The Django application of webhooks."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "storefront.webhooks"
    label = "webhooks"
    verbose_name = _("Webhooks")
