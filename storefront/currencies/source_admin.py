"""Back office pages of the sources of exchange rates, with the button that fetches them now."""

from __future__ import annotations

import time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from orders.admin import base, formatting
from orders.db.encrypted_field import Secret
from orders.rules import amounts
from providers.errors import AddressNotAllowed
from providers.http import addresses, policy
from storefront.currencies import fetching, quotes
from storefront.currencies.models import Currency, RateSource, SourceFormat
from storefront.currencies.problems import FetchProblem
from storefront.currencies.updates import CurrencyResult, FetchResult, Taken

#: Who may change rates may fetch them.
PERMISSION = "currencies.change_currency"


#: The columns that operators edit; the worker writes the others.
COLUMNS = (
    "name",
    "format",
    "url",
    "base",
    "path",
    "is_inverse",
    "interval",
    "stale_after",
    "max_change",
    "is_active",
)


def _field(field: Any, **options: Any) -> Any:
    """Return the form field; a URL without a scheme means https."""
    return field.formfield(**({"assume_scheme": "https"} if isinstance(field, models.URLField) else {}), **options)


class SourceForm(base.ConcurrentForm):
    api_key = forms.CharField(
        label=gettext_lazy("API key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"}),
    )

    class Meta:
        model = RateSource
        fields = COLUMNS
        formfield_callback = _field
        field_classes = {"max_change": base.PlainDecimalField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "api_key" in self.fields:  # the field is missing for staff who may only view
            self.fields["api_key"].help_text = (
                gettext_lazy("A key is stored, encrypted, and never shown. Leave empty to keep it.")
                if self.instance.pk and self.instance.key
                else gettext_lazy("Only for sources that require one. Stored encrypted and never shown again.")
            )

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            addresses.check_address(url.replace("{key}", "key"), allow_private=policy.allow_private())
            if not policy.allow_private() and not url.startswith("https://"):
                raise AddressNotAllowed
        except AddressNotAllowed:
            text = _("Enter a URL that starts with https:// and is on the public internet.")
            raise forms.ValidationError(text, "not_allowed") from None
        return url

    def clean_base(self) -> str:
        return str(self.cleaned_data["base"]).upper()

    @sensitive_variables("cleaned", "key")
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("format") == SourceFormat.ECB:
            cleaned |= {"base": quotes.ECB_BASE, "path": "", "is_inverse": False}
        elif "path" not in self.errors and not _is_path(cleaned.get("path", "")):
            self.add_error("path", _("Enter names separated by dots, with {currency} for the currency code."))
        hours, minutes = cleaned.get("stale_after"), cleaned.get("interval")
        if hours and minutes and hours * 60 <= minutes:
            self.add_error("stale_after", _("Enter more hours than there are between two fetches."))
        self._check_key(cleaned.get("url", ""), cleaned.get("api_key", ""))
        return cleaned

    @sensitive_variables("key")
    def _check_key(self, url: str, key: str) -> None:
        """Add errors unless key and URL fit: a stored key must not be sent to another server by changing the URL."""
        if not url:
            return
        has_place = "{key}" in url
        if key and not has_place:
            self.add_error("url", _("Write {key} where the URL contains the API key."))
        if not has_place or key:
            return
        stored = RateSource.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None
        if stored is None or not stored.key:
            self.add_error("api_key", _("Enter the API key that takes the place of {key}."))
        elif _origin(stored.url) != _origin(url):
            self.add_error(
                "api_key",
                _("The scheme, host or port of the URL changed. Enter the API key again: it is not sent elsewhere."),
            )

    @sensitive_variables("key")
    def save(self, commit: bool = True) -> Any:
        key = self.cleaned_data.get("api_key")
        if key:
            self.instance.key = Secret.hide(key)
        elif "{key}" not in self.instance.url:
            self.instance.key = Secret("")
        return super().save(commit)


def _is_path(text: str) -> bool:
    return "{currency}" in text and all(text.split("."))


def _origin(url: str) -> tuple[str, str, int | None] | None:
    try:
        return addresses.origin(url.replace("{key}", "key"))
    except AddressNotAllowed:
        return None


@admin.register(RateSource)
class RateSourceAdmin(base.EditableRowsMixin, base.ModelAdmin):
    """A source that currencies use cannot be deleted."""

    form = SourceForm
    change_form_template = "admin/currencies/ratesource/change_form.html"
    formfield_overrides = base.PLAIN_ADDRESSES
    list_display = ("name", "status", "format", "interval", "fetched", "next_fetch", "used_by")
    readonly_fields = ("status", "problem_text", "fetched", "next_fetch", "used_by")
    fieldsets = (
        (None, {"fields": ("name", "format", "url", "api_key")}),
        (gettext_lazy("Rates in the answer"), {"fields": ("base", "path", "is_inverse")}),
        (gettext_lazy("Rules"), {"fields": ("interval", "stale_after", "max_change", "is_active")}),
        (gettext_lazy("Status"), {"fields": readonly_fields}),
    )

    def get_urls(self) -> list[Any]:
        fetch = self.admin_site.admin_view(require_POST(self.fetch))
        return [path("<int:pk>/fetch/", fetch, name="currencies_ratesource_fetch"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        first, *rest = super().get_fieldsets(request, obj)
        if obj is None:
            return first, *rest[:-1]
        if not self.has_change_permission(request, obj):
            first = (None, {"fields": ("name", "format", "url")})
        return first, *rest

    @method_decorator(sensitive_post_parameters("api_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        may_fetch = request.user.has_perm(PERMISSION)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_fetch": may_fetch})

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("currencies")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the form's columns alone, because the worker writes the others. The new settings are tried soon."""
        obj.next_fetch_at = timezone.now()
        obj.save(update_fields=[*COLUMNS, "key", "next_fetch_at"] if change else None)

    def fetch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Fetch the rates of one source now and say what became of them."""
        source = get_object_or_404(RateSource, pk=pk)
        if not request.user.has_perm(PERMISSION) or not self.has_view_permission(request, source):
            raise PermissionDenied
        fetch_and_tell(request, source)
        return redirect(base.page_url(source))

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=gettext_lazy("status"))
    def status(self, source: RateSource) -> str:
        if not source.is_active:
            return formatting.status_badge("canceled", label=_("Inactive"))
        if source.problem:
            return formatting.status_badge("partial", label=_("Failing"))
        if source.fetched_at is None:
            return formatting.status_badge("pending", label=_("Not fetched yet"))
        return formatting.status_badge("completed", label=_("Active"))

    @admin.display(description=gettext_lazy("problem"))
    def problem_text(self, source: RateSource) -> str:
        if not source.problem:
            return formatting.NONE
        text = describe(FetchProblem(source.problem), source.detail)
        since = format_html(_("since {}"), formatting.moment(source.failing_since))
        return format_html('<bdi>{}</bdi> <small class="sub">{}</small>', text, since)

    @admin.display(description=gettext_lazy("last fetched"), ordering="fetched_at")
    def fetched(self, source: RateSource) -> str:
        return formatting.moment(source.fetched_at)

    @admin.display(description=gettext_lazy("next fetch"), ordering="next_fetch_at")
    def next_fetch(self, source: RateSource) -> str:
        return formatting.moment(source.next_fetch_at) if source.is_active else formatting.NONE

    @admin.display(description=gettext_lazy("currencies"))
    def used_by(self, source: RateSource) -> str:
        rows: list[Currency] = list(source.currencies.all())
        return formatting.row(*(base.page_link(row) for row in rows)) if rows else formatting.NONE


# ------------------------------------------------------------------------------------------------ fetch now


def fetch_and_tell(request: HttpRequest, source: RateSource | None) -> None:
    """Fetch ``source``, or all active sources, and show the operator what became of each rate."""
    sources = [source] if source else list(RateSource.objects.filter(is_active=True))
    if not sources:
        messages.warning(request, _("There is no active source. Add one under Exchange rate sources."))
    ends = time.monotonic() + fetching.BUDGET
    for row in sources:
        if time.monotonic() >= ends:
            messages.warning(request, _("%s was not fetched, because the others took too long.") % row)
            continue
        _tell(request, fetching.fetch(row))


def _tell(request: HttpRequest, result: FetchResult) -> None:
    name = {"source": result.source.name}
    if result.is_dropped:
        messages.error(request, _("%(source)s was changed meanwhile. Fetch it again.") % name)
    elif result.problem is not None:
        words = {**name, "problem": describe(result.problem, result.detail)}
        messages.error(request, _("%(source)s: no rates were fetched. %(problem)s") % words)
    elif not result.currencies:
        messages.info(request, _("%(source)s answered, but no currency uses it as its source.") % name)
    for level, text, outcomes in (
        (messages.SUCCESS, _("%(source)s: rates fetched: %(rates)s."), (Taken.CHANGED, Taken.UNCHANGED)),
        (messages.WARNING, _("%(source)s: waiting for your approval: %(rates)s."), (Taken.WAITING,)),
        (messages.INFO, _("%(source)s: ignored, close to a rejected rate: %(rates)s."), (Taken.IGNORED,)),
    ):
        rates = [f"{row.code} {_plain(row)}" for row in result.currencies if row.outcome in outcomes]
        if rates:
            messages.add_message(request, level, text % {**name, "rates": ", ".join(rates)})
    for row in result.currencies:
        if row.problem is not None:
            messages.error(request, f"{row.code}: {row.problem.label}")


def _plain(row: CurrencyResult) -> str:
    return "" if row.rate is None else amounts.plain(row.rate, 0)


def describe(problem: FetchProblem, detail: str) -> str:
    """Return the text of a problem with its technical detail."""
    return f"{problem.label} ({detail})" if detail else str(problem.label)
