"""Read-only back office pages of the results of the audit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from storefront.accounting.models import AuditRun


@admin.register(AuditRun)
class AuditRunAdmin(base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("at", "result")
    fields = ("at", "result", "sentences")
    ordering = ("-id",)
    show_facets = admin.ShowFacets.NEVER

    @admin.display(description=_("run at"))
    def at(self, run: AuditRun) -> Any:
        return formatting.moment(run.ran_at)

    @admin.display(description=_("discrepancies"))
    def result(self, run: AuditRun) -> SafeString:
        state = "failed" if run.count else "completed"
        return formatting.status_badge(state, label=formatting.count(run.count) if run.count else _("None found"))

    @admin.display(description=_("findings"))
    def sentences(self, run: AuditRun) -> SafeString | str:
        return format_html_join("\n", "<p>{}</p>", ([finding] for finding in run.findings)) or formatting.NONE
