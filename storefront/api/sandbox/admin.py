"""The admin pages of sandbox orders. They are read-only, and none of the rows is a real order."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from storefront.accounts.models import ApiKey
from storefront.api.sandbox.models import SandboxOrder


@admin.register(SandboxOrder)
class SandboxOrderAdmin(base.NumberOrEmailSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("number", "mark", "customer", "of_key", "what", "delivered", "charged", "paid_back", "at")
    list_select_related = ("key__user", "service")
    search_fields = ("id",)
    search_help_text = _("Sandbox order number, or the beginning of a customer's email address.")
    fields = readonly_fields = (
        "mark", "customer", "of_key", "what", "link", "fields", "delivered", "runs", "interval", "charged",
        "paid_back", "request_id", "requested_start_at", "created_at", "ends_at", "cancel_requested_at",
    )  # fmt: skip

    def of_people(self, rows: QuerySet[Any], people: list[int]) -> QuerySet[Any]:
        return rows.filter(key__in=list(ApiKey.objects.filter(user__in=people).values_list("pk", flat=True)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "key__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("No."))
    def number(self, row: SandboxOrder) -> int:
        return row.pk

    @admin.display(description=_("status"))
    def mark(self, row: SandboxOrder) -> SafeString:
        return formatting.status_badge(row.as_order().state.value)

    @admin.display(description=_("customer"))
    def customer(self, row: SandboxOrder) -> str:
        return format_html('<bdi class="clip">{}</bdi>', row.key.user)

    @admin.display(description=_("API key"))
    def of_key(self, row: SandboxOrder) -> str:
        return base.page_link(row.key, formatting.left_to_right(str(row.key)))

    @admin.display(description=_("service"))
    def what(self, row: SandboxOrder) -> str:
        return format_html('<bdi class="clip" title="{0}">{0}</bdi>', row.service)

    @admin.display(description=_("delivered"))
    def delivered(self, row: SandboxOrder) -> SafeString:
        return formatting.delivered(row.as_order())

    @admin.display(description=_("play money"))
    def charged(self, row: SandboxOrder) -> str:
        return formatting.amount(row.charge)

    @admin.display(description=_("refunded"))
    def paid_back(self, row: SandboxOrder) -> str:
        back = row.as_order().refunded
        return formatting.amount(back) if back else formatting.NONE

    @admin.display(description=_("ordered at"))
    def at(self, row: SandboxOrder) -> str:
        return formatting.moment(row.created_at)
