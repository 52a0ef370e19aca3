"""Back office pages of currencies and the history of their rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.admin import base
from orders.rules import amounts
from storefront.currencies import display, updates
from storefront.currencies.models import Currency, RateRecord
from storefront.web import formats


class CurrencyForm(base.RowForm):
    class Meta:
        model = Currency
        fields = ("code", "rate", "margin", "is_active", "is_payable")
        field_classes = {"rate": base.PlainDecimalField, "margin": base.PlainDecimalField}
        widgets = {"code": forms.TextInput(attrs={"size": 5, "dir": "ltr", "autocomplete": "off"})}

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).upper()

    def clean_rate(self) -> Decimal:
        rate: Decimal | None = self.cleaned_data["rate"]
        if rate is None:
            raise forms.ValidationError(_("Enter the exchange rate."), "required")
        return rate


@admin.register(Currency)
class CurrencyAdmin(base.EditableRowsMixin, base.ModelAdmin):
    """Currencies can be deleted at any time; customers who chose one then see the store currency only."""

    form = CurrencyForm
    list_display = ("code", "name", "rate", "margin", "is_active", "is_payable", "updated_at")
    list_editable = ("rate", "margin", "is_active", "is_payable")
    readonly_fields = ("updated_at",)
    fields = ("code", "rate", "margin", "is_active", "is_payable", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make the code read-only once the row exists, because another currency would get this one's rate."""
        return (*self.readonly_fields, "code") if obj else self.readonly_fields

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_form(request, **{"form": CurrencyForm, **options})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = form.changed_data if change else form.cleaned_data
        updates.record_entry(obj, changed=changed, by=str(request.user))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(display.clear_cache)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(display.clear_cache)

    @admin.display(description=_("name"))
    def name(self, currency: Currency) -> str:
        return formats.currency_name(currency.code)


@admin.register(RateRecord)
class RateRecordAdmin(base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    """The history of rates: read-only, because the books may rest on it."""

    list_display = ("at", "currency", "rate_text", "margin_text", "origin", "by")
    list_filter = ("origin",)
    search_fields = ("=currency",)
    search_help_text = _("Search by currency code.")
    fields = ("currency", "rate_text", "margin_text", "at", "origin", "by")
    readonly_fields = ("rate_text", "margin_text")

    @admin.display(description=_("exchange rate"))
    def rate_text(self, record: RateRecord) -> str:
        return amounts.plain(record.rate, 0)

    @admin.display(description=_("margin (%)"))
    def margin_text(self, record: RateRecord) -> str:
        return amounts.plain(record.margin, 0)
