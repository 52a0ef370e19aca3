"""The back office: Django's own admin under the shop's log-in and style."""

from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AdminConfig):
    default_site = "storefront.backoffice.site.BackOffice"
