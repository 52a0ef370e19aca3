"""The back office: Django's own admin under the shop's log-in and style."""

from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AdminConfig):
    default_site = "storefront.backoffice.site.BackOffice"

    def ready(self) -> None:
        from storefront.backoffice import checks  # noqa: F401  # late: checks register themselves once apps are loaded

        super().ready()
