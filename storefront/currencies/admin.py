"""Back office page for display currencies."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.admin import base
from orders.rules import amounts
from storefront.currencies import display
from storefront.currencies.models import Currency
from storefront.web import formats


class CurrencyForm(base.RowForm):
    class Meta:
        model = Currency
        fields = ("code", "rate", "is_active")
        widgets = {"code": forms.TextInput(attrs={"size": 5, "dir": "ltr", "autocomplete": "off"})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["rate"] = amounts.plain(self.instance.rate, 0)

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).upper()


@admin.register(Currency)
class CurrencyAdmin(base.EditableRowsMixin, base.ModelAdmin):
    """Display currencies can be deleted at any time; customers who chose one then see the store currency only."""

    form = CurrencyForm
    list_display = ("code", "name", "rate", "is_active", "updated_at")
    list_editable = ("rate", "is_active")
    readonly_fields = ("updated_at",)
    fields = ("code", "rate", "is_active", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make the code read-only once the row exists, because another currency would get this one's rate."""
        return (*self.readonly_fields, "code") if obj else self.readonly_fields

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_form(request, **{"form": CurrencyForm, **options})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(display.clear_cache)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(display.clear_cache)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(display.clear_cache)

    @admin.display(description=_("name"))
    def name(self, currency: Currency) -> str:
        return formats.currency_name(currency.code)
