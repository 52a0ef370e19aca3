"""Providers in the back office: a form that never shows the API key, and the actions of a provider."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from orders.admin import base, formatting
from orders.db.encrypted_field import Secret
from providers import note_texts
from providers.admin import action_page, provider_health
from providers.errors import ProviderError
from providers.models import Offer, PanelCall, Placement, Provider, TypeRule
from providers.pricelists import importer, markup, onboarding
from providers.transport import call_stats, circuit_breaker, type_rules

HEALTH = ("errors", "latency", "delivered", "delivery_time")
SEARCH = ("check_result", "search_checked_at")
STATUS = (
    "status",
    "paused",
    "provider_balance",
    "balance_updated",
    "list_imported",
    "list_error",
    "order_currency",
    "batch_refused_at",
    "unknown_types",
    "related_lists",
)


def _field(field: Any, **options: Any) -> Any:
    """Return the form field; a URL without a scheme means https."""
    return field.formfield(**({"assume_scheme": "https"} if isinstance(field, models.URLField) else {}), **options)


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]
    api_key = forms.CharField(
        label=gettext_lazy("API key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )

    class Meta:
        model = Provider
        formfield_callback = _field
        fields = (
            "name",
            "url",
            "dialect_name",
            "auth",
            "encoding",
            "has_request_ids",
            "currency",
            "exchange_rate",
            "price_jump",
            "is_active",
            "parallel",
            "calls_per_minute",
            "has_failure_refunds",
            "is_search_allowed",
            "settle_seconds",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        has_key = bool(self.instance.key)
        if "api_key" in self.fields:  # the field is missing for staff who may only view
            self.fields["api_key"].required = not has_key
            self.fields["api_key"].help_text = (
                gettext_lazy("A key is stored, encrypted, and never shown. Leave empty to keep it.")
                if has_key
                else gettext_lazy("Stored encrypted and never shown again.")
            )

    @sensitive_variables("data")
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        url = data.get("url")
        if self.instance.pk and url and not data.get("api_key"):
            # Compare with the stored row: someone may have changed it since the form was loaded.
            try:
                onboarding.check_key_stays(Provider.objects.get(pk=self.instance.pk), url=url)
            except forms.ValidationError as problem:
                self.add_error("api_key", problem)
        return data

    @sensitive_variables("key")
    def save(self, commit: bool = True) -> Any:
        key = self.cleaned_data.get("api_key")
        if key:
            self.instance.key = Secret.hide(key)
        return super().save(commit)


class PublishForm(forms.Form):
    markup = forms.DecimalField(
        label=gettext_lazy("Markup (%)"),
        min_value=Decimal(0),
        max_value=Decimal(10_000),
        decimal_places=2,
        help_text=gettext_lazy(
            "Saved as the provider's markup rule. The prices of its services follow it, except pinned ones."
        ),
    )


def _status_badge(provider: Provider) -> str:
    if not provider.is_active:
        return formatting.status_badge("canceled", label=_("Inactive"))
    if provider.is_paused:
        return formatting.status_badge("partial", label=_("Paused"))
    return formatting.status_badge("completed", label=_("Active"))


@admin.register(Provider)
class ProviderAdmin(base.ModelAdmin):
    form = ProviderForm
    list_display = (
        "name",
        "status",
        "paused",
        "dialect_name",
        "currency",
        "provider_balance",
        "errors",
        "latency",
        "delivered",
        "list_imported",
        "services",
    )
    list_filter = ("is_active", "dialect_name")
    search_fields = ("name", "url")
    show_facets = admin.ShowFacets.NEVER
    formfield_overrides = {**base.PLAIN_NUMBERS, **base.PLAIN_ADDRESSES}
    actions = ("test_connection", "import_prices", "import_and_publish", "resume")
    readonly_fields = (*STATUS, *SEARCH, *HEALTH)
    fieldsets = (
        (None, {"fields": ("name", "url", "api_key", "auth", "dialect_name", "encoding", "has_request_ids")}),
        (gettext_lazy("Billing"), {"fields": ("currency", "exchange_rate", "price_jump", "has_failure_refunds")}),
        (gettext_lazy("Rate limits"), {"fields": ("parallel", "calls_per_minute")}),
        (gettext_lazy("Unknown outcomes"), {"fields": ("is_search_allowed", "settle_seconds", *SEARCH)}),
        (
            gettext_lazy("Status"),
            {"fields": ("is_active", *STATUS)},
        ),
        (gettext_lazy("Health (calls in the last 24 hours, orders in the last 30 days)"), {"fields": HEALTH}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first, billing, *rest = super().get_fieldsets(request, obj)
        if obj is None:
            return first, billing, (gettext_lazy("Status"), {"fields": ("is_active",)})
        if not self.has_change_permission(request, obj):
            first = (None, {"fields": ("name", "url", "auth", "dialect_name", "encoding", "has_request_ids")})
        return first, billing, *rest

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Load the health of all listed providers at once."""
        listed = super().get_changelist_instance(request)
        health = call_stats.of(listed.result_list)
        for provider in listed.result_list:
            provider.health = health[provider.pk]
        return listed

    @method_decorator(sensitive_post_parameters("api_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "exchange_rate" in form.changed_data:
            count = markup.reprice(obj)
            self.message_user(request, ngettext("%d price changed.", "%d prices changed.", count) % count)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow it on the page of a provider without provider services; others are made inactive instead."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not Offer.objects.filter(provider=obj).exists()

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=gettext_lazy("status"))
    def status(self, provider: Provider) -> str:
        return _status_badge(provider)

    @admin.display(description=gettext_lazy("pause reason"))
    def paused(self, provider: Provider) -> str:
        if not provider.is_paused:
            return formatting.NONE
        until = formatting.moment(provider.paused_until)
        return format_html(
            '{} <small class="sub">{}</small>',
            note_texts.describe(provider.pause_reason),
            format_html(_("until {}"), until),
        )

    @admin.display(description=gettext_lazy("balance"))
    def provider_balance(self, provider: Provider) -> str:
        balance = formatting.amount(provider.balance, provider.currency)
        if provider.funds_limit is None:
            return balance
        limit = formatting.amount(provider.funds_limit, provider.currency)
        limit_text = format_html(_("Orders that cost more than {} wait. The next attempt is at {}."), limit,
                            formatting.moment(provider.funds_retry_at))  # fmt: skip
        return format_html('{} <small class="sub">{}</small>', balance, limit_text)

    @admin.display(description=gettext_lazy("balance updated"))
    def balance_updated(self, provider: Provider) -> str:
        return formatting.moment(provider.balance_seen_at)

    @admin.display(description=gettext_lazy("price list imported"))
    def list_imported(self, provider: Provider) -> str:
        return formatting.moment(provider.imported_at)

    @admin.display(description=gettext_lazy("why the last price list was not imported"))
    def list_error(self, provider: Provider) -> str:
        return note_texts.describe(provider.price_list_error) or formatting.NONE

    @admin.display(description=gettext_lazy("result of the last check"))
    def check_result(self, provider: Provider) -> str:
        return note_texts.describe(provider.search_check_result) or formatting.NONE

    @admin.display(description=gettext_lazy("unknown service types"))
    def unknown_types(self, provider: Provider) -> str:
        """Return links to the form that assigns a service type to each."""
        add = reverse("admin:providers_typerule_add")
        links = [
            format_html(
                '<a href="{}?{}">{}</a> ({})',
                add,
                urlencode({"provider": provider.pk, "type_name": name}),
                name,
                formatting.count(count),
            )
            for name, count in type_rules.unknown_types(provider)
        ]
        return formatting.row(*links) if links else formatting.NONE

    def _health(self, provider: Any) -> call_stats.Health:
        if not hasattr(provider, "health"):
            provider.health = call_stats.of([provider])[provider.pk]
        return provider.health  # type: ignore[no-any-return]

    @admin.display(description=gettext_lazy("errors (24 h)"))
    def errors(self, provider: Provider) -> str:
        return provider_health.errors(self._health(provider))

    @admin.display(description=gettext_lazy("response time"))
    def latency(self, provider: Provider) -> str:
        return provider_health.latency(self._health(provider))

    @admin.display(description=gettext_lazy("delivered (30 days)"))
    def delivered(self, provider: Provider) -> str:
        return provider_health.delivered(self._health(provider))

    @admin.display(description=gettext_lazy("delivery time"))
    def delivery_time(self, provider: Provider) -> str:
        return provider_health.delivery_time(self._health(provider))

    @admin.display(description=gettext_lazy("provider services"))
    def services(self, provider: Provider) -> str:
        """Must not be named like the relation, or the list would be sorted by it, with a row for each offer."""
        return base.list_link(Offer, _("Provider services"), provider__id__exact=provider.pk)

    @admin.display(description=gettext_lazy("related lists"))
    def related_lists(self, provider: Provider) -> str:
        filters = {"provider__id__exact": provider.pk}
        return formatting.row(
            base.list_link(Offer, _("Provider services"), **filters),
            base.list_link(TypeRule, _("Service types"), **filters),
            base.list_link(Placement, _("Submissions"), **filters),
            base.list_link(PanelCall, _("Call log"), **filters),
        )

    # ---------------------------------------------------------------------------------------------- actions

    @admin.action(description=gettext_lazy("Test connection"), permissions=["change"])
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, _test)

    @admin.action(description=gettext_lazy("Import price list"), permissions=["change"])
    def import_prices(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(request, queryset, _import)

    @admin.action(description=gettext_lazy("Import and publish…"), permissions=["change"])
    def import_and_publish(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask for the markup, then import the price list and create services for what is new."""
        data = request.POST if action_page.is_confirmed(request) else None
        form = PublishForm(data, initial={"markup": settings.DEFAULT_MARKUP})
        if not form.is_valid():
            title = _("Import and publish")
            return action_page.render(self, request, template="publish", title=title, form=form, rows=queryset)
        percent = form.cleaned_data["markup"]

        def publish(provider: Provider) -> str:
            text = _import(provider)
            count = importer.publish(provider, markup_percent=percent)
            return text + " " + ngettext("%d service published.", "%d services published.", count) % count

        self._each(request, queryset, publish)
        return None

    @admin.action(description=gettext_lazy("Resume providers"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for provider in queryset:
            circuit_breaker.resume(provider)
            self.log_change(request, provider, "Resumed.")
            self.message_user(request, _("Provider %s resumed.") % provider, messages.SUCCESS)

    def _each(self, request: HttpRequest, queryset: QuerySet[Any], act: Callable[[Provider], str]) -> None:
        """Show one message for each provider; an error at one does not stop the others."""
        for provider in queryset:
            try:
                text = act(provider)
                level = messages.SUCCESS
            except ProviderError as problem:
                text = note_texts.describe(problem.message) or type(problem).__name__
                level = messages.ERROR
            self.message_user(request, _("%(provider)s: %(message)s") % {"provider": provider, "message": text}, level)


def _test(provider: Provider) -> str:
    found = onboarding.test_connection(provider)
    balance = formatting.amount_text(found.amount, found.currency)
    text = ngettext(
        "Connected: %(count)s service, balance %(balance)s.",
        "Connected: %(count)s services, balance %(balance)s.",
        found.services,
    ) % {"count": formatting.count(found.services), "balance": balance}
    if found.currency != provider.currency:
        text += " " + _("It bills in %(billed)s but is set to %(configured)s.") % {
            "billed": found.currency,
            "configured": provider.currency,
        }
    return text


def _import(provider: Provider) -> str:
    done = importer.import_offers(provider)
    return _(
        "Price list imported. Added: %(added)s, changed: %(changed)s, unchanged: %(unchanged)s, missing: %(missing)s, "
        "not sellable: %(unsellable)s."
    ) % {
        "added": formatting.count(done.added),
        "changed": formatting.count(done.changed),
        "unchanged": formatting.count(done.unchanged),
        "missing": formatting.count(done.missing),
        "unsellable": formatting.count(len(done.unsellable)),
    }
