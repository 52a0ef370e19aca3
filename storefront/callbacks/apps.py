"""Callbacks as a Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallbacksConfig(AppConfig):
    name = "storefront.callbacks"
    label = "callbacks"
    verbose_name = _("Callbacks")
