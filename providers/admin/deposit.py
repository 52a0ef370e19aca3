"""Deposits at providers, as operators record them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from providers.models import ProviderDeposit


@admin.register(ProviderDeposit)
class ProviderDepositAdmin(base.ModelAdmin):
    list_display = ("provider", "added", "at", "note", "actor")
    list_filter = ("provider",)
    list_select_related = ("provider", "actor")
    show_facets = admin.ShowFacets.NEVER
    fields = ("provider", "amount", "paid_at", "note")
    formfield_overrides = base.PLAIN_NUMBERS

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Take the first values from the address; the time is a text there, and the field needs a time."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        with suppress(ValueError):
            initial["paid_at"] = parse_datetime(initial.get("paid_at") or "")
        if not isinstance(initial.get("paid_at"), datetime):
            initial.pop("paid_at", None)
        return initial

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.currency = obj.provider.currency
        if not change:
            obj.actor = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description=_("amount"))
    def added(self, deposit: ProviderDeposit) -> str:
        return formatting.amount(deposit.amount, deposit.currency)

    @admin.display(description=_("added at"), ordering="paid_at")
    def at(self, deposit: ProviderDeposit) -> str:
        return formatting.moment(deposit.paid_at)
