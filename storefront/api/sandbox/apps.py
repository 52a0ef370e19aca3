"""The Django application of the API's sandbox."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SandboxConfig(AppConfig):
    name = "storefront.api.sandbox"
    label = "sandbox"
    verbose_name = _("Sandbox")

    def ready(self) -> None:
        from storefront.api.sandbox import checks  # noqa: F401  # imported here: checks register themselves once apps are loaded
