"""The Django application of the shop's emails."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "storefront.mail"
    label = "mail"
    verbose_name = _("Emails")

    def ready(self) -> None:
        from storefront.mail import checks  # noqa: F401  # imported here: checks register themselves once apps are loaded
