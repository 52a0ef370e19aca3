"""Back office pages of currencies, their rates and the history of these; ``source_admin`` has those of the sources."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from orders.admin import base, formatting
from orders.errors import InvalidAmount
from orders.rules import amounts
from storefront.currencies import display, source_admin, updates
from storefront.currencies.models import Currency, RateRecord, RateSource, RateState
from storefront.currencies.problems import FetchProblem, QuoteProblem
from storefront.currencies.updates import PendingRateChanged
from storefront.web import formats

__all__ = ["source_admin"]  # its pages register with the site when it is imported

#: The style sheet's class for each state: that of the most similar order status.
MARKS = {
    RateState.WAITING: "in-doubt",
    RateState.OUTDATED: "canceled",
    RateState.UNKNOWN: "pending",
    RateState.PROBLEM: "partial",
    RateState.CURRENT: "completed",
    RateState.ENTERED: "completed",
}


#: An entered rate that differs from the current one by more percent than this has to be saved twice: it is more than
#: doubled or halved, as by a misplaced decimal point.
UNUSUAL_CHANGE = Decimal(100)


class RateInput(forms.NumberInput):
    """An input for a rate; ``unusual`` is a text that was entered and takes effect when it is sent once more."""

    unusual = ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        shown = super().render(name, value, attrs, renderer)
        if not self.unusual:
            return shown
        return format_html('{}<input type="hidden" name="{}-again" value="{}">', shown, name, self.unusual)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        self.was_unusual = data.get(f"{name}-again", "")
        return super().value_from_datadict(data, files, name)


class CurrencyForm(base.RowForm):
    class Meta:
        model = Currency
        fields = ("code", "source", "rate", "margin", "is_active", "is_payable")
        field_classes = {"rate": base.PlainDecimalField, "margin": base.PlainDecimalField}
        widgets = {
            "code": forms.TextInput(attrs={"size": 5, "dir": "ltr", "autocomplete": "off"}),
            "rate": RateInput(attrs={"step": "any"}),
        }

    def clean_code(self) -> str:
        return str(self.cleaned_data["code"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        source = cleaned.get("source", self.instance.source)  # the list has no such field
        if "rate" not in self.errors and cleaned.get("rate") is None and (source is None or self.instance.rate):
            self.add_error("rate", forms.ValidationError(_("Enter the exchange rate."), "required"))
        self._check_change(cleaned.get("rate"))
        return cleaned

    def _check_change(self, rate: Decimal | None) -> None:
        """Add an error if the rate changes unusually much, unless the same rate is sent for the second time."""
        if "rate" not in self.changed_data or rate is None or not self.instance.pk or self.instance.rate is None:
            return
        widget, sent = self.fields["rate"].widget, str(self.data.get(self.add_prefix("rate"), ""))
        if updates.change(self.instance.rate, rate) > UNUSUAL_CHANGE and sent != widget.was_unusual:
            widget.unusual = sent
            text = _("This rate is more than double or less than half of the current one. If it is right, save again.")
            self.add_error("rate", forms.ValidationError(text, "unusual"))


class StateFilter(admin.SimpleListFilter):
    """Filter currencies by the state of their rates; there are few, so the states are worked out in Python."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(RateState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in RateState.values:
            return queryset
        now = timezone.now()
        rows = Currency.objects.select_related("source")
        return queryset.filter(pk__in=[row.pk for row in rows if row.state(now) == self.value()])


@admin.register(Currency)
class CurrencyAdmin(base.EditableRowsMixin, base.ModelAdmin):
    """Currencies can be deleted at any time; customers who chose one then see the store currency only."""

    form = CurrencyForm
    change_form_template = "admin/currencies/currency/change_form.html"
    change_list_template = "admin/currencies/currency/change_list.html"
    list_display = ("code_and_name", "rate", "margin", "is_active", "is_payable", "status", "source_link")
    list_editable = ("rate", "margin", "is_active", "is_payable")
    list_filter = (StateFilter,)
    list_select_related = ("source",)
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = ("status", "problem_text", "with_margin", "since", "confirmed", "history")
    fieldsets = (
        (None, {"fields": ("code", "source", "rate", "margin", "is_active", "is_payable")}),
        (_("Status"), {"fields": readonly_fields}),
    )

    def get_urls(self) -> list[Any]:
        decide = self.admin_site.admin_view(require_POST(self.decide))
        fetch = self.admin_site.admin_view(require_POST(self.fetch_all))
        return [
            path("fetch/", fetch, name="currencies_currency_fetch"),
            path("<int:pk>/decide/", decide, name="currencies_currency_decide"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Make the code read-only once the row exists, because another currency would get this one's rate."""
        return (*self.readonly_fields, "code") if obj else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.fieldsets[:1]

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> Any:
        return super().get_changelist_form(request, **{"form": CurrencyForm, **options})

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Offer active sources, and those that currencies use."""
        usable = Q(is_active=True) | Q(currencies__isnull=False)
        options["queryset"] = RateSource.objects.filter(usable).distinct()
        return super().formfield_for_foreignkey(db_field, request, **options)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Leave out the icons next to the source: with them the row is wider than a phone."""
        field: Any = super().formfield_for_dbfield(db_field, request, **options)
        if isinstance(getattr(field, "widget", None), RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        may_fetch = self.has_change_permission(request)
        return super().changelist_view(request, {**(extra_context or {}), "may_fetch": may_fetch})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if request.method == "GET" else None
        context: dict[str, Any] = {**(extra_context or {})}
        if row is not None and row.pending_rate is not None:
            context |= {
                "waiting": row,
                "waiting_rate": amounts.plain(row.pending_rate, 0),
                "current_rate": None if row.rate is None else amounts.plain(row.rate, 0),
                "difference": None if row.rate is None else _difference(row.rate, row.pending_rate),
                "may_decide": self.has_change_permission(request, row),
            }
        return super().change_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = form.changed_data if change else form.cleaned_data
        updates.record_entry(obj, changed=changed, by=str(request.user))
        if obj.rate is None:
            self.message_user(
                request,
                _("The first rate is fetched within a few minutes and then waits for your approval."),
                messages.WARNING,
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(display.clear_cache)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        transaction.on_commit(display.clear_cache)

    # ---------------------------------------------------------------------------------------------- decisions

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve or reject the waiting rate that the operator saw."""
        row = get_object_or_404(Currency, pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        try:
            text = self._decide(request, row, amounts.parse(request.POST.get("rate", "")))
        except (PendingRateChanged, InvalidAmount):
            self.message_user(
                request, _("This rate no longer waits for approval. Check the page and decide again."), messages.ERROR
            )
        else:
            self.message_user(request, text, messages.SUCCESS)
        return redirect(base.page_url(row))

    def _decide(self, request: HttpRequest, row: Currency, rate: Decimal) -> str:
        shown = amounts.plain(rate, 0)
        if request.POST.get("decision") == "approve":
            updates.approve(row, rate=rate, by=str(request.user))
            log, text = "Approved the rate", _("Rate %(rate)s approved. Payments in %(code)s use it from now on.")
        else:
            updates.reject(row, rate=rate)
            log, text = "Rejected the rate", _("Rate %(rate)s rejected. The last rate of %(code)s stays in use.")
        LogEntry.objects.log_actions(request.user.pk, [row], CHANGE, f"{log} {shown}.")  # type: ignore[arg-type]
        return str(text) % {"rate": shown, "code": row.code}

    def fetch_all(self, request: HttpRequest) -> HttpResponse:
        """Fetch the rates of all active sources now and say what became of them."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        source_admin.fetch_and_tell(request, None)
        return redirect(base.list_url(Currency))

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=_("code"), ordering="code")
    def code_and_name(self, currency: Currency) -> str:
        return format_html('{} <small class="sub">{}</small>', currency.code, formats.currency_name(currency.code))

    @admin.display(description=_("status"))
    def status(self, currency: Currency) -> str:
        state = currency.state(timezone.now())
        return formatting.status_badge(MARKS[state], label=state.label)

    @admin.display(description=_("problem"))
    def problem_text(self, currency: Currency) -> str:
        if currency.problem:
            return str(QuoteProblem(currency.problem).label)
        if currency.source and currency.source.problem:
            return str(FetchProblem(currency.source.problem).label)
        return formatting.NONE

    @admin.display(description=_("rate with margin"))
    def with_margin(self, currency: Currency) -> str:
        rate = currency.customer_rate
        return formatting.NONE if rate is None else formatting.left_to_right(amounts.plain(rate, 0))

    @admin.display(description=_("source"), ordering="source__name")
    def source_link(self, currency: Currency) -> str:
        """Return a link to the source and since when the rate has its value."""
        if currency.rate_at is None:
            return base.page_link(currency.source)
        since = format_html(gettext("rate since {}"), formatting.moment(currency.rate_at))
        return format_html('{} <small class="sub">{}</small>', base.page_link(currency.source), since)

    @admin.display(description=_("rate since"), ordering="rate_at")
    def since(self, currency: Currency) -> str:
        return formatting.moment(currency.rate_at)

    @admin.display(description=_("last confirmed"))
    def confirmed(self, currency: Currency) -> str:
        """Return when the source last quoted a plausible rate, and until when payments use it."""
        until = currency.stale_at()
        shown = formatting.moment(currency.confirmed_at)
        if until is None:
            return shown
        note = format_html(gettext("outdated from {}"), formatting.moment(until))
        return format_html('{} <small class="sub">{}</small>', shown, note)

    @admin.display(description=_("history"))
    def history(self, currency: Currency) -> str:
        return base.list_link(RateRecord, _("Exchange rate history"), q=currency.code)


def _difference(old: Decimal, new: Decimal) -> str:
    return formatting.percent(amounts.divide(new, old) - 1, is_signed=True)


@admin.register(RateRecord)
class RateRecordAdmin(base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    """The history of rates: read-only, because the books may rest on it."""

    list_display = ("since", "currency", "rate_text", "margin_text", "origin", "by")
    list_filter = ("origin",)
    ordering = ("-id",)
    search_fields = ("=currency",)
    search_help_text = _("Search by currency code.")
    fields = ("currency", "rate_text", "margin_text", "at", "origin", "by")
    readonly_fields = ("rate_text", "margin_text")

    @admin.display(description=_("since"))
    def since(self, record: RateRecord) -> str:
        return formatting.moment(record.at)

    @admin.display(description=_("exchange rate"))
    def rate_text(self, record: RateRecord) -> str:
        return formatting.left_to_right(amounts.plain(record.rate, 0))

    @admin.display(description=_("margin (%)"))
    def margin_text(self, record: RateRecord) -> str:
        return amounts.plain(record.margin, 0)
