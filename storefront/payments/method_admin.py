"""Back office pages of payment methods: choose a gateway, enter its credentials, test them, and set the conditions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelectMultiple, RelatedFieldWidgetWrapper
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from orders.admin import base, formatting
from storefront.currencies import rates
from storefront.payments import availability, gateways, method_form
from storefront.payments.gateway import Gateway, GatewayError, GatewayRejected
from storefront.payments.models import Audience, PaymentMethod, new_token

SHOWN = ("name", "hint", "icon", "is_active", "position")
AMOUNTS = ("currency", "minimum", "maximum", "fee_percent", "fee_fixed")
DIFFERENCES = ("difference_policy", "tolerance_percent")
CUSTOMERS = ("audience", "customers", "countries")


class GatewayFilter(admin.SimpleListFilter):
    title = _("gateway")
    parameter_name = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        used = set(PaymentMethod.objects.order_by().values_list("gateway", flat=True).distinct())
        return [(name, _label(name)) for name in sorted(used)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(gateway=self.value()) if self.value() else queryset


class CustomerSelect(AutocompleteSelectMultiple):
    """The search for customers. Its input has no label but its placeholder, which Django leaves empty."""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> Any:
        return {**super().build_attrs(base_attrs, extra_attrs), "data-placeholder": str(_("Email or name"))}


class MethodList(ChangeList):
    """The list, with ``problem`` for each row; the rates are read once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        payable = rates.currencies_with_rates()
        for method in self.result_list:
            method.problem = availability.problem(method, payable=payable)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(base.EditableRowsMixin, base.ModelAdmin):
    """A payment method that was used cannot be deleted, because its payments belong to it; it can be deactivated."""

    form = method_form.MethodForm
    change_form_template = "admin/payments/paymentmethod/change_form.html"
    formfield_overrides = base.PLAIN_NUMBERS
    list_display = (
        "name", "gateway_label", "pay_currency_code", "limits", "fee", "shown_to", "is_active", "position", "warning",
    )  # fmt: skip
    list_editable = ("is_active", "position")
    list_filter = ("is_active", GatewayFilter)
    show_facets = admin.ShowFacets.NEVER
    actions = None
    autocomplete_fields = ("customers",)
    readonly_fields = ("gateway_facts", "webhook")

    def get_urls(self) -> list[Any]:
        def at(act: str, view: Any) -> Any:
            guarded = self.admin_site.admin_view(require_POST(view))
            return path(f"<int:pk>/{act}/", guarded, name=f"payments_paymentmethod_{act}")

        return [at("check", self.check_connection), at("new_url", self.replace_url), *super().get_urls()]

    # ---------------------------------------------------------------------------------------------- the form

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return MethodList

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = method_form.form_for(_gateway(request, obj))
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        gateway = _gateway(request, obj)
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        config = [method_form.PREFIX + one.name for one in gateway.config_fields] if gateway and may_change else []
        modes = [
            *(["is_test"] if gateway and gateway.has_test_mode() else []),
            *(["checks_networks"] if gateway and gateway.webhook_networks else []),
        ]
        sets: list[tuple[Any, dict[str, Any]]] = [(None, {"fields": ["gateway_facts", *config, *modes]})]
        if obj is not None and gateway and gateway.has_webhooks():
            sets.append((_("Webhook"), {"fields": ["webhook"]}))
        sets.append((_("Shown to customers"), {"fields": SHOWN}))
        sets.append((_("Amounts"), {"fields": AMOUNTS}))
        if gateway and gateway.has_differences:
            sets.append((_("Different amounts"), {"fields": DIFFERENCES}))
        return [*sets, (_("Customers"), {"fields": CUSTOMERS})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        gateway = _gateway(request, None)
        last = PaymentMethod.objects.aggregate(last=Max("position"))["last"]
        facts = {"name": str(gateway.label), "icon": gateway.icon} if gateway else {}
        return {**facts, "position": 0 if last is None else last + 1}

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest | None, **options: Any) -> Any:
        options["widget"] = CustomerSelect(db_field, self.admin_site)
        return super().formfield_for_manytomany(db_field, request, **options)  # type: ignore[arg-type]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Leave out the icons next to the customers, which lead to the form of a new user."""
        field: Any = super().formfield_for_dbfield(db_field, request, **options)
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the gateways first; the form of the chosen one has its name in the query."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        gateway = _gateway(request, None)
        if gateway is None or not gateway.is_available():
            return self._choose(request)
        title = _("Add payment method: %s") % gateway.label
        return super().add_view(request, form_url, {"title": title, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        method = PaymentMethod.objects.filter(pk=object_id).first() if base.is_number(object_id) else None
        context: dict[str, Any] = {**(extra_context or {})}
        if method is not None:
            gateway = gateways.GATEWAYS.get(method.gateway)
            may = self.has_change_permission(request, method)
            context |= {
                "problem": availability.problem(method, payable=rates.currencies_with_rates()),
                "can_check": bool(may and gateway and gateway.can_check and gateway.is_available()),
                "can_replace_url": bool(may and gateway and gateway.has_webhooks()),
                "is_webhook_registered": bool(gateway and gateway.is_webhook_registered),
            }
        return super().change_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            gateway = _gateway(request, None)
            assert gateway is not None
            obj.gateway = gateway.name
        if change and any(name.startswith(method_form.PREFIX) for name in form.changed_data):
            obj.save(update_fields=["config", "secrets"])
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Open the page of the new method, which shows its webhook URL and the test of the connection."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("Payment method %s added.") % obj.name, messages.SUCCESS)
        gateway = gateways.GATEWAYS[obj.gateway]
        if gateway.has_webhooks() and gateway.is_webhook_registered:
            text = _("Enter the webhook URL below in %s. Payments are credited only if it is entered there.")
            self.message_user(request, text % gateway.label, messages.WARNING)
        return redirect(base.page_url(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or not obj.payments.exists()

    def _choose(self, request: HttpRequest) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add payment method"),
            "opts": self.opts,
            # Templates call every class they are given, so they get the facts of the gateways.
            "gateways": [
                {
                    "name": gateway.name,
                    "label": gateway.label,
                    "description": gateway.description,
                    "is_beta": gateway.is_beta,
                    "currencies": list(gateway.currencies),
                }
                for gateway in gateways.available()
            ],
        }
        return TemplateResponse(request, "admin/payments/paymentmethod/choose.html", context)

    # ---------------------------------------------------------------------------------------------- decisions

    def check_connection(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Test the stored credentials with a harmless call. Nothing is stored."""
        method = get_object_or_404(PaymentMethod, pk=pk)
        gateway = gateways.GATEWAYS.get(method.gateway)
        if not self.has_change_permission(request, method) or not gateway or not gateway.can_check:
            raise PermissionDenied
        try:
            text, level = str(_("Connection tested. %s")) % gateways.of(method).check(), messages.SUCCESS
        except ImproperlyConfigured:
            text, level = str(availability.Problem.UNREADABLE.label), messages.ERROR
        except GatewayRejected as problem:
            text, level = str(_("The gateway refused the credentials: %s")) % problem, messages.ERROR
        except GatewayError as problem:
            text, level = (
                str(_("The gateway did not answer. Try again in a few minutes. (%s)")) % problem,
                messages.ERROR,
            )
        self.message_user(request, text, level)
        return redirect(base.page_url(method))

    def replace_url(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Replace the webhook URL. Webhooks to the old one are rejected from now on."""
        method = get_object_or_404(PaymentMethod, pk=pk)
        if not self.has_change_permission(request, method):
            raise PermissionDenied
        method.token = new_token()
        method.save(update_fields=["token"])
        LogEntry.objects.log_actions(request.user.pk, [method], CHANGE, "Replaced the webhook URL.")  # type: ignore[arg-type]
        self.message_user(request, _("The webhook URL was replaced. The old one no longer works."), messages.SUCCESS)
        return redirect(base.page_url(method))

    # ---------------------------------------------------------------------------------------------- fields

    @admin.display(description=_("gateway"))
    def gateway_facts(self, method: PaymentMethod) -> str:
        gateway = gateways.GATEWAYS.get(method.gateway)
        if gateway is None:
            return method.gateway or formatting.NONE
        beta = format_html(' <span class="tag" data-tone="warning">{}</span>', _("Beta")) if gateway.is_beta else ""
        return format_html("{}{} <small>{}</small>", gateway.label, beta, gateway.description)

    @admin.display(description=_("webhook URL"))
    def webhook(self, method: PaymentMethod) -> str:
        gateway = gateways.GATEWAYS[method.gateway]
        text = (
            _("Enter it in %s as the webhook URL. Some gateways call it IPN or notification URL.")
            if gateway.is_webhook_registered
            else _("The shop sends it to %s with every payment. You don't need to enter it anywhere.")
        )
        return format_html(
            '<code id="webhook-url" class="webhook-url">{}</code>'
            '<button type="button" class="btn sm" data-copy="webhook-url" data-copied="{}">{}</button>'
            '<p class="hint">{}</p>',
            method.webhook_url,
            _("Copied"),
            _("Copy"),
            text % gateway.label,
        )

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=_("gateway"), ordering="gateway")
    def gateway_label(self, method: PaymentMethod) -> str:
        return _label(method.gateway)

    @admin.display(description=_("currency"))
    def pay_currency_code(self, method: PaymentMethod) -> str:
        return method.pay_currency

    @admin.display(description=_("limits"))
    def limits(self, method: PaymentMethod) -> str:
        if method.maximum is None:
            return format_html("{}", _("from %s") % formatting.amount_text(method.minimum))
        low, high = formatting.amount_text(method.minimum), formatting.amount_text(method.maximum)
        return formatting.left_to_right(f"{low} – {high}")

    @admin.display(description=_("fee"))
    def fee(self, method: PaymentMethod) -> str:
        parts = [
            *([formatting.percent(method.fee_percent / 100)] if method.fee_percent else []),
            *([formatting.amount_text(method.fee_fixed)] if method.fee_fixed else []),
        ]
        return formatting.left_to_right(" + ".join(parts)) if parts else formatting.NONE

    @admin.display(description=_("shown to"))
    def shown_to(self, method: PaymentMethod) -> str:
        label = str(Audience(method.audience).label)
        codes = ", ".join(sorted(method.country_codes))
        return format_html("{} <small>{}</small>", label, codes) if codes else label

    @admin.display(description=_("problem"))
    def warning(self, method: PaymentMethod) -> str:
        problem: availability.Problem | None = method.problem  # type: ignore[attr-defined]  # set by MethodList
        if problem is None:
            return formatting.NONE
        return format_html('<span class="tag" data-tone="danger">{}</span>', problem.label)


def _gateway(request: HttpRequest, method: PaymentMethod | None) -> type[Gateway] | None:
    """Return the gateway of the method, or the one chosen for a new method."""
    return gateways.GATEWAYS.get(method.gateway if method else request.GET.get("gateway", ""))


def _label(name: str) -> str:
    gateway = gateways.GATEWAYS.get(name)
    return str(gateway.label) if gateway else name
