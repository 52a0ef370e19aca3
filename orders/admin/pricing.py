"""Back office pages for price levels and custom rates; a customer's level is set on the customer's page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from orders.buying import checkout
from orders.db.money_fields import PercentField
from orders.models import Account, CustomerRate, PriceLevel, Service
from orders.rules import charges

PLAIN_NUMBERS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    **base.PLAIN_NUMBERS,
    PercentField: {"form_class": base.PlainDecimalField},
}


def cost_rate(service: Service) -> Decimal | None:
    """Return the present cost of the service per 1,000, or per piece if its price is flat. One query."""
    return checkout.cost_of(service, quantity=1 if service.is_flat else charges.PER)


@admin.register(PriceLevel)
class PriceLevelAdmin(base.ModelAdmin):
    list_display = ("name", "discount", "from_spend", "customers")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("name",)
    formfield_overrides = PLAIN_NUMBERS
    fields = ("name", "discount", "from_spend")

    @admin.display(description=_("customers"))
    def customers(self, level: PriceLevel) -> str:
        return base.list_link(Account, _("View customers"), level__id__exact=level.pk)


class CustomerRateForm(base.Form):
    #: The id of the member of staff who submits the form; set for each request.
    staff_pk: int | None = None

    def clean_user(self) -> Any:
        user = self.cleaned_data["user"]
        if user.pk == self.staff_pk:
            raise forms.ValidationError(_("You can't set a price for yourself. Ask a colleague to do it."))
        return user


@admin.register(CustomerRate)
class CustomerRateAdmin(base.LargeTableMixin, base.ModelAdmin):
    list_display = ("id", "user", "service", "own", "listed", "off", "made")
    list_display_links = ("id", "user")
    list_select_related = ("user", "service")
    search_fields = ("user__email__startswith", "=service__id")
    search_help_text = _("Search by the beginning of a customer's email address or by service ID.")
    autocomplete_fields = ("user", "service")
    form = CustomerRateForm
    formfield_overrides = PLAIN_NUMBERS
    fields = ("user", "service", "rate", "listed", "cost", "created_at")
    readonly_fields = ("listed", "cost", "created_at")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("user__id__exact", "service__id__exact") or super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deny members of staff changing a custom rate of their own."""
        return super().has_change_permission(request, obj) and (obj is None or obj.user_id != request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.user_id != request.user.pk)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.staff_pk = request.user.pk
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make customer and service read-only once the row exists: another combination is another row."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "user", "service") if obj else fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("user", "service", "rate")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        cost = cost_rate(obj.service)
        if cost is not None and obj.rate < cost:
            warning = _("%(service)s currently costs us %(cost)s. It isn't sold to this customer at %(rate)s.") % {
                "service": obj.service,
                "cost": formatting.amount_text(cost),
                "rate": formatting.amount_text(obj.rate),
            }
            self.message_user(request, warning, messages.WARNING)

    @admin.display(description=_("custom rate"))
    def own(self, row: CustomerRate) -> str:
        return formatting.amount(row.rate)

    @admin.display(description=_("list price"))
    def listed(self, row: CustomerRate) -> str:
        return formatting.amount(row.service.rate)

    @admin.display(description=_("difference"))
    def off(self, row: CustomerRate) -> str:
        """Return the difference to the list price in percent."""
        listed = row.service.rate
        if not listed:
            return formatting.NONE
        return formatting.left_to_right(formatting.percent((row.rate - listed) / listed, is_signed=True))

    @admin.display(description=_("current cost"))
    def cost(self, row: CustomerRate) -> str:
        cost = cost_rate(row.service)
        if cost is None:
            return formatting.NONE
        return formatting.below_cost(cost) if row.rate < cost else formatting.amount(cost)

    @admin.display(description=_("created at"))
    def made(self, row: CustomerRate) -> str:
        return formatting.moment(row.created_at)
