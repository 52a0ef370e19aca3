"""Configuration of the back office: Django's admin with the shop's sign-in and style."""

from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AdminConfig):
    default_site = "storefront.backoffice.site.BackOffice"

    def ready(self) -> None:
        from storefront.backoffice import checks  # noqa: F401  # imported here: checks register themselves once the apps are loaded

        super().ready()
