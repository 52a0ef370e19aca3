"""The admin site: the shop's log-in limits and its name."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class BackOffice(admin.AdminSite):
    site_title = _("Vitrine admin")
    site_header = _("Vitrine admin")
    index_title = _("Overview")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The shop's own log-in: its limits against guessing hold here too."""
        view = secure_admin_login(super().login)
        response: HttpResponse = view(request, extra_context)
        return response
