"""Services, routes, provider services, service type rules and markups in the back office."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orders.admin import base, formatting, translations
from orders.buying import link_locks
from orders.catalog import price_changes
from orders.models import Service
from orders.rules import amounts, service_types
from providers import note_texts
from providers.admin import action_page, attention
from providers.models import Markup, Offer, OfferChange, Provider, Route, TypeRule
from providers.placing import costs
from providers.pricelists import assignment, availability, markup


def in_store_currency(rate: Decimal, provider: Provider) -> Decimal:
    """Convert a rate in the provider's currency to the store currency."""
    return amounts.round_up(amounts.multiply(rate, provider.exchange_rate), amounts.RATE_QUANTUM)


def billed_cost(offer: Offer) -> Decimal:
    """Return the rate that checkout counts as the offer's cost, in the store currency.

    A higher cost that waits for approval counts already, because the panel bills it.
    """
    return in_store_currency(costs.billed(offer.rate, offer.pending_rate), offer.provider)


def margin_text(service: Service, offer: Offer) -> str:
    """Return the margin in percent of the price, in red if negative; none if price and cost have different units."""
    if service.is_flat != offer.is_flat or not service.rate:
        return formatting.NONE
    share = (service.rate - billed_cost(offer)) / service.rate
    tone = "danger" if share < 0 else ""
    return format_html('<span data-tone="{}" class="tone">{}</span>', tone, formatting.percent(share))


class RouteInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Route
    form = base.ConcurrentForm
    extra = 0
    autocomplete_fields = ("offer",)
    fields = ("offer", "priority", "is_active", "provider", "cost", "margin", "state")
    readonly_fields = ("provider", "cost", "margin", "state")
    verbose_name_plural = _("routes (lowest priority number first)")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("offer__provider", "service").order_by("priority", "id")

    @admin.display(description=_("provider"))
    def provider(self, route: Route) -> str:
        return base.page_link(route.offer.provider) if route.pk else formatting.NONE

    @admin.display(description=_("cost"))
    def cost(self, route: Route) -> str:
        return formatting.amount(billed_cost(route.offer)) if route.pk else formatting.NONE

    @admin.display(description=_("margin"))
    def margin(self, route: Route) -> str:
        return margin_text(route.service, route.offer) if route.pk else formatting.NONE

    @admin.display(description=_("provider service"))
    def state(self, route: Route) -> str:
        return offer_state(route.offer) if route.pk else formatting.NONE


@admin.register(Service)
class ServiceAdmin(base.EditableRowsMixin, base.ModelAdmin):
    list_display = ("id", "name", "category", "service_type", "rate", "cost", "margin", "is_active", "limits")
    list_display_links = ("id", "name")
    list_editable = ("rate", "is_active")
    list_filter = (attention.ServiceAttention, "is_active", translations.TranslationFilter, "service_type", "category")
    list_select_related = ("category",)
    list_per_page = 100
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("=id", "name", "category__name")
    search_help_text = _("ID, or words from the name or the category")
    autocomplete_fields = ("category",)
    formfield_overrides = base.PLAIN_NUMBERS
    inlines = (RouteInline, translations.ServiceTextInline)
    actions = ("put_on_sale", "take_off_sale")
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("name", "category", "service_type", "description", "is_active", "is_manual")}),
        (_("Price and quantity"), {"fields": (("rate", "is_pinned"), "is_flat", ("min_quantity", "max_quantity"))}),
        (_("Link"), {"fields": ("link_pattern", "link_example", "is_one_per_link")}),
        (
            _("Refills, cancellations and drip-feed"),
            {"fields": (("has_refill", "has_cancel", "has_dripfeed"), "refill_days")},
        ),
        (_("Position"), {"fields": ("position", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        routes = Route.objects.filter(is_active=True).select_related("offer__provider").order_by("priority", "id")
        return super().get_queryset(request).prefetch_related(Prefetch("routes", routes, to_attr="active_routes"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it on the page of a service without orders; others are taken off sale instead."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not obj.orders.exists()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Also record a changed price, from the page and from the list."""
        super().save_model(request, obj, form, change)
        if change and "rate" in form.changed_data:
            price_changes.record([price_changes.RateChange.of(obj, old_rate=form.initial["rate"])])
        if change and obj.is_one_per_link and "is_one_per_link" in form.changed_data:
            link_locks.hold_links(obj)

    @admin.display(description=_("cost"))
    def cost(self, service: Any) -> str:
        """Return the cost on the route that is tried first."""
        first = next(iter(service.active_routes), None)
        if first is None:
            return format_html('<span class="muted">{}</span>', _("no route"))
        return base.page_link(first.offer, formatting.amount(billed_cost(first.offer)))

    @admin.display(description=_("margin"))
    def margin(self, service: Any) -> str:
        first = next(iter(service.active_routes), None)
        return margin_text(service, first.offer) if first else formatting.NONE

    @admin.display(description=_("quantity"))
    def limits(self, service: Service) -> str:
        return formatting.limits(service)

    @admin.action(description=_("Put on sale"), permissions=["change"])
    def put_on_sale(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, is_active=True)

    @admin.action(description=_("Take off sale"), permissions=["change"])
    def take_off_sale(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._switch(request, queryset, is_active=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Any], *, is_active: bool) -> None:
        services = list(queryset.exclude(is_active=is_active).prefetch_related(None))
        if services:
            Service.objects.filter(pk__in=queryset.values("pk")).update(is_active=is_active)
            log_text = "Put on sale." if is_active else "Taken off sale."
            LogEntry.objects.log_actions(request.user.pk, services, CHANGE, log_text)  # type: ignore[arg-type]
        done = len(services)
        if is_active:
            text = ngettext("%d service was put on sale.", "%d services were put on sale.", done)
        else:
            text = ngettext("%d service was taken off sale.", "%d services were taken off sale.", done)
        self.message_user(request, text % done, messages.SUCCESS)


@admin.register(Route)
class RouteAdmin(base.EditableRowsMixin, base.ModelAdmin):
    list_display = ("id", "service", "provider", "offer", "priority", "is_active", "price", "cost", "margin", "state")
    list_editable = ("priority", "is_active")
    list_filter = ("is_active", "offer__provider")
    list_select_related = ("service", "offer__provider")
    list_per_page = 100
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    autocomplete_fields = ("service", "offer")
    search_fields = ("=service__id", "service__name", "=offer__upstream_id")
    search_help_text = _("Service ID or name, or provider service ID")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "offer__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("provider"), ordering="offer__provider")
    def provider(self, route: Route) -> str:
        return str(route.offer.provider)

    @admin.display(description=_("price"))
    def price(self, route: Route) -> str:
        return formatting.amount(route.service.rate)

    @admin.display(description=_("cost"))
    def cost(self, route: Route) -> str:
        return formatting.amount(billed_cost(route.offer))

    @admin.display(description=_("margin"))
    def margin(self, route: Route) -> str:
        return margin_text(route.service, route.offer)

    @admin.display(description=_("provider service"))
    def state(self, route: Route) -> str:
        return offer_state(route.offer)


def offer_state(offer: Offer) -> str:
    if offer.is_pending_approval:
        return formatting.status_badge("in_doubt", label=_("Waits for approval"))
    if not offer.is_available:
        return formatting.status_badge("partial", label=_("Not in the price list"))
    if offer.problem:
        return formatting.status_badge("canceled", label=_("Cannot be sold"))
    return formatting.status_badge("completed", label=_("Available"))


class AssignTypeForm(forms.Form):
    service_type = forms.ChoiceField(
        label=_("Service type"),
        required=False,
        choices=lambda: [("", _("As in the price list")), *service_types.choices()],
        help_text=_("If the provider's API cannot order this type, the provider services are not sold."),
    )


@admin.register(Offer)
class OfferAdmin(base.ReadOnlyMixin, base.ModelAdmin):
    """Read only: provider services change with the next price list, not by hand."""

    list_display = (
        "upstream_id",
        "name",
        "provider",
        "service_type",
        "provider_cost",
        "store_cost",
        "limits",
        "status",
        "routes_link",
    )
    list_display_links = ("upstream_id", "name")
    list_filter = (
        attention.OfferState,
        "provider",
        attention.kinds_of("service_type", _("type"), service_types.choices()),
    )
    list_select_related = ("provider",)
    list_per_page = 100
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("provider_id", "id")
    search_fields = ("=upstream_id", "name")
    actions = ("approve", "reject", "assign_type")
    search_help_text = _("Provider service ID, or words from the name")
    fields = (
        "provider", "upstream_id", "name", "category", "description", "type_name", "service_type", "assigned_type",
        "provider_cost", "store_cost", "is_flat", "new_cost", "limits", "has_refill", "has_cancel", "has_dripfeed",
        "status", "why_unsellable", "missed_imports", "seen_at", "routes_link",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("provider").prefetch_related("routes")

    def choice(self, offer: Offer) -> str:
        """Return the text for search fields; several providers sell services with the same name."""
        cost = amounts.plain(billed_cost(offer))
        return f"{offer.provider} · {offer.upstream_id} · {offer.name} · {cost} {settings.STORE_CURRENCY}"

    @admin.display(description=_("cost in the provider's currency"), ordering="rate")
    def provider_cost(self, offer: Offer) -> str:
        return formatting.amount(offer.rate, offer.provider.currency)

    @admin.display(description=_("new cost (waits for approval)"))
    def new_cost(self, offer: Offer) -> str:
        return formatting.amount(offer.pending_rate, offer.provider.currency)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("providers.change_offer")

    @admin.action(description=_("Approve changes"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = self._decide(request, queryset, availability.approve_all, "Approved.")
        text = ngettext("%d provider service approved.", "%d provider services approved.", count)
        self.message_user(request, text % count, messages.SUCCESS if count else messages.WARNING)

    @admin.action(description=_("Reject changes and stop selling"), permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        count = self._decide(request, queryset, availability.reject_all, "Rejected.")
        text = ngettext(
            "%d provider service rejected and taken off sale.",
            "%d provider services rejected and taken off sale.",
            count,
        )
        self.message_user(request, text % count, messages.SUCCESS if count else messages.WARNING)

    @admin.action(description=_("Assign service type…"), permissions=["decide"])
    def assign_type(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the type, which also applies to later price lists."""
        offers = list(queryset.prefetch_related(None))
        form = AssignTypeForm(request.POST if action_page.is_confirmed(request) else None)
        if not form.is_valid():
            title = _("Assign service type")
            return action_page.render(self, request, template="assign_type", title=title, form=form, rows=offers)
        for provider in {offer.provider for offer in offers}:
            keys = [offer.pk for offer in offers if offer.provider == provider]
            assignment.assign_type(provider, offers=keys, service_type=form.cleaned_data["service_type"])
        log_text = f"Assigned type: {form.cleaned_data['service_type'] or 'as the price list says'}."
        LogEntry.objects.log_actions(request.user.pk, offers, CHANGE, log_text)  # type: ignore[arg-type]
        text = ngettext(
            "Service type of %d provider service set.", "Service type of %d provider services set.", len(offers)
        )
        self.message_user(request, text % len(offers), messages.SUCCESS)
        return None

    def _decide(self, request: HttpRequest, queryset: QuerySet[Any], decide: Any, log_text: str) -> int:
        chosen = list(queryset.prefetch_related(None))
        count = decide(Offer.objects.filter(pk__in=[offer.pk for offer in chosen]), actor=request.user)
        LogEntry.objects.log_actions(request.user.pk, chosen, CHANGE, log_text)  # type: ignore[arg-type]
        return int(count)

    @admin.display(description=_("cost"))
    def store_cost(self, offer: Offer) -> str:
        return formatting.amount(in_store_currency(offer.rate, offer.provider))

    @admin.display(description=_("quantity"))
    def limits(self, offer: Offer) -> str:
        return formatting.limits(offer)

    @admin.display(description=_("state"))
    def status(self, offer: Offer) -> str:
        return offer_state(offer)

    @admin.display(description=_("reason it cannot be sold"))
    def why_unsellable(self, offer: Offer) -> str:
        return note_texts.describe(offer.problem) or formatting.NONE

    @admin.display(description=_("routes"))
    def routes_link(self, offer: Any) -> str:
        return base.list_link(Route, formatting.count(len(offer.routes.all())), offer__id__exact=offer.pk)


@admin.register(OfferChange)
class OfferChangeAdmin(base.ReadOnlyMixin, base.LargeTableMixin, base.ModelAdmin):
    list_display = ("created_at", "offer", "provider", "what", "old", "new")
    list_filter = ("what", "offer__provider")
    list_select_related = ("offer__provider",)

    @admin.display(description=_("provider"))
    def provider(self, change: OfferChange) -> str:
        return str(change.offer.provider)


@admin.register(TypeRule)
class TypeRuleAdmin(base.ModelAdmin):
    """A changed rule applies at once and to later price lists."""

    list_display = ("id", "provider", "type_name", "service_type")
    list_display_links = ("id", "type_name")
    list_filter = ("provider",)
    list_select_related = ("provider",)
    fields = ("provider", "type_name", "service_type")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        moved_from = form.initial.get("provider") if change else None
        self._apply(request, {obj.provider_id, moved_from or obj.provider_id})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._apply(request, {obj.provider_id})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        providers = set(queryset.values_list("provider_id", flat=True))
        super().delete_queryset(request, queryset)
        self._apply(request, providers)

    def _apply(self, request: HttpRequest, providers: set[int]) -> None:
        count = sum(assignment.apply_rules(provider) for provider in Provider.objects.filter(pk__in=providers))
        text = ngettext(
            "Service type of %d provider service changed.", "Service type of %d provider services changed.", count
        )
        self.message_user(request, text % count)


@admin.register(Markup)
class MarkupAdmin(base.ModelAdmin):
    """A changed rule recalculates prices at once."""

    list_display = ("id", "service", "category", "provider", "percent", "fixed")
    list_select_related = ("service", "category", "provider")
    autocomplete_fields = ("service", "category", "provider")
    formfield_overrides = base.PLAIN_NUMBERS

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._reprice(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._reprice(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        self._reprice(request)

    def _reprice(self, request: HttpRequest) -> None:
        count = markup.reprice()
        self.message_user(request, ngettext("%d price changed.", "%d prices changed.", count) % count)
