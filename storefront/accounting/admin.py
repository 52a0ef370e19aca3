"""Back office pages of the audit, of receipts, and of what the shop prints on them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from storefront.accounting.models import ONLY, AuditRun, BillingDetails, Receipt


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


@admin.register(BillingDetails)
class BillingDetailsAdmin(base.ModelAdmin):
    fields = ("name", "address", "tax_number", "tax_name", "tax_rate", "prefix", "last_number")
    readonly_fields = ("last_number",)
    formfield_overrides = base.PLAIN_NUMBERS

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the only row instead of showing a list."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        BillingDetails.objects.get_or_create(pk=ONLY)
        return redirect(reverse("admin:accounting_billingdetails_change", args=[ONLY]))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write the form's columns only: a receipt may be issued while the page is open."""
        obj.save(update_fields=[name for name in form.cleaned_data if name != "last_number"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Receipt)
class ReceiptAdmin(base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("__str__", "issued", "customer", "total_amount", "tax_amount", "file")
    list_select_related = ("payment",)
    search_fields = ("number", "payment__reference")
    search_help_text = _("Search by receipt number or payment reference.")
    fields = ("__str__", "issued", "customer", "total_amount", "tax_amount", "file")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if base.is_number(text) and len(text) < 10:
            return queryset.filter(number=int(text)), False
        return queryset.filter(payment__reference=text.upper()), False

    @admin.display(description=_("issued at"))
    def issued(self, receipt: Receipt) -> Any:
        return formatting.moment(receipt.issued_at)

    @admin.display(description=_("customer"))
    def customer(self, receipt: Receipt) -> str:
        return str(receipt.buyer.get("email", ""))

    @admin.display(description=_("amount"))
    def total_amount(self, receipt: Receipt) -> str:
        return formatting.amount(receipt.total, receipt.currency)

    @admin.display(description=_("tax"))
    def tax_amount(self, receipt: Receipt) -> str:
        return formatting.amount(receipt.tax, receipt.currency) if receipt.tax else formatting.NONE

    @admin.display(description=_("file"))
    def file(self, receipt: Receipt) -> str:
        url = reverse("admin:accounting_receipt_file", args=[receipt.payment.reference])
        return format_html('<a href="{}">PDF</a>', url)
