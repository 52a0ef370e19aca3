"""Building blocks of back office pages: read-only pages, lists of large tables, exact numbers in forms."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from orders.db.money_fields import MoneyField, RateField
from orders.rules import amounts

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
    Form = forms.ModelForm[Any]
else:
    ModelAdmin = admin.ModelAdmin
    Pages = Paginator
    Form = forms.ModelForm


class ReadOnlyMixin:
    """Rows that nobody may add, change or delete by hand, not even a superuser: only other modules write them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CappedPaginator(Pages):
    """A paginator that counts no further than CAP, because count(*) over millions of rows costs more than the page.

    Operators reach rows beyond CAP by search and filters.
    """

    CAP = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.CAP].count())

    @property
    def is_capped(self) -> bool:
        return self.count >= self.CAP


class LargeTableMixin:
    """A list of a table that grows with every order: newest first, and not sortable by columns without an index."""

    paginator: Any = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: Any = ()
    list_per_page = 50
    list_max_show_all = 100


class ConcurrentForm(Form):
    """A form that writes only what its user changed, and rejects fields that changed while the page was open.

    Hidden inputs repeat the values that the page showed. A price list may be imported, or a colleague may save the same
    row, between opening and saving the page; writing the whole form back would revert that.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        columns = {column.name for column in self.instance._meta.concrete_fields if not column.primary_key}
        for name, field in self.fields.items():
            # A program that posts the form without opening the page first sends no earlier values to compare.
            is_sent = not self.is_bound or self[name].html_initial_name in self.data
            field.show_hidden_initial = name in columns and is_sent

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if not field.show_hidden_initial:
                continue
            if name not in self.changed_data:
                cleaned[name] = getattr(self.instance, name)
            elif self._shown_then(name) != self._shown_now(name):
                self.add_error(
                    name,
                    _(
                        "This value changed while the page was open. It is now %s. "
                        "Reload the page and enter your change again."
                    )
                    % (self._shown_now(name) or "–"),
                )
        return cleaned

    def _shown_then(self, name: str) -> str:
        """Return the value that the page showed for the field, as the browser sends it back."""
        # Browsers send every line break as two characters.
        return str(self.data.get(self[name].html_initial_name, "")).replace("\r\n", "\n")

    def _shown_now(self, name: str) -> str:
        """Return the value that the page would show for the field now."""
        bound = self[name]
        shown = bound.field.hidden_widget().format_value(bound.field.prepare_value(bound.initial))
        return str(shown or "").replace("\r\n", "\n")


class RowForm(ConcurrentForm):
    """The form of one row in an editable list; its inputs have no visible label, so each gets an ``aria-label``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", f"{field.label}: {self.instance}")


class EditableRowsMixin:
    """Form pages and editable lists of rows that several people and tasks change.

    Rows are locked from the comparison until they are saved, and only changed columns are written.
    """

    form: Any = ConcurrentForm
    model: Any

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        made: Any = super()
        return made.get_changelist_form(request, **{"form": RowForm, **kwargs})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        made: Any = super()
        if request.method != "POST" or "_save" not in request.POST:
            return made.changelist_view(request, extra_context)
        key = re.compile(rf"form-\d+-{self.model._meta.pk.name}")
        with transaction.atomic():
            self._lock([str(value) for name, value in request.POST.items() if key.fullmatch(name)])
            return made.changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        made: Any = super()
        if request.method == "POST":
            self._lock([object_id])
        return made.get_object(request, object_id, from_field)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made: Any = super()
        if not change:
            made.save_model(request, obj, form, change)
            return
        columns = obj._meta.concrete_fields
        changed = [column.name for column in columns if column.name in form.changed_data]
        if changed:
            stamps = [column.name for column in columns if getattr(column, "auto_now", False)]
            obj.save(update_fields=[*changed, *stamps])

    def _lock(self, keys: list[str]) -> None:
        known = [key for key in keys if is_number(key)]
        list(self.model._default_manager.select_for_update().filter(pk__in=known).order_by("pk").values_list("pk"))


def is_number(text: str) -> bool:
    """Return whether ``text`` can be the id of a row."""
    return text.isascii() and text.isdigit() and len(text) < 19


def customers_with_email(beginning: str) -> list[int]:
    """Return the ids of up to 200 customers whose email address begins with ``beginning``; one index lookup."""
    people = get_user_model().objects.filter(email__startswith=beginning.lower())
    return list(people.values_list("pk", flat=True)[:200])


class IndexedSearchMixin:
    """A list whose search looks up each form of text through an index, so that no search reads the whole table."""

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Return those of ``rows`` that match ``text``, which is not empty."""
        raise NotImplementedError  # abstract; the metaclass of ABC conflicts with that of Django's ModelAdmin

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        return (self.search(queryset, text) if text else queryset), False


class NumberOrEmailSearchMixin(IndexedSearchMixin):
    """A list that can be searched by number or by the beginning of a customer's email, each using one index."""

    def with_number(self, rows: QuerySet[Any], number: int) -> QuerySet[Any]:
        return rows.filter(pk=number)

    def of_people(self, rows: QuerySet[Any], people: list[int]) -> QuerySet[Any]:
        return rows.filter(user__in=people)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        if is_number(text):
            return self.with_number(rows, int(text))
        return self.of_people(rows, customers_with_email(text))


class StatusFilter(admin.ChoicesFieldListFilter):
    """A status filter that also filters by whether rows with that status have ended.

    That lets the database use the partial index for open or for ended rows; without it, looking for a rare status would
    read the whole table.
    """

    ended: frozenset[str] = frozenset()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        status = next(iter(self.lookup_val or ()), "")
        if status:
            queryset = queryset.filter(ended_at__isnull=status not in self.ended)
        found: Any = super().queryset(request, queryset)
        return found  # type: ignore[no-any-return]


class PlainDecimalField(forms.DecimalField):
    """An exact number shown without the trailing zeros of its column: 0.45, not 0.45000000."""

    def prepare_value(self, value: Any) -> Any:
        return amounts.plain(value) if isinstance(value, Decimal) else value


#: For ``formfield_overrides``.
PLAIN_NUMBERS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    MoneyField: {"form_class": PlainDecimalField},
    RateField: {"form_class": PlainDecimalField},
}


#: Django's own widget adds a link to the URL, which is of no use for a panel's API.
PLAIN_ADDRESSES: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.URLField: {"widget": forms.URLInput(attrs={"class": "vURLField"}), "assume_scheme": "https"},
}


def page_url(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def page_link(row: models.Model | None, text: Any = None) -> SafeString | str:
    """Return a link to the row's page, or a dash if there is no row."""
    if row is None:
        return "–"
    return format_html('<a href="{}">{}</a>', page_url(row), row if text is None else text)


def list_url(model: type[models.Model], **filters: Any) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def list_link(model: type[models.Model], text: Any, **filters: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), text)
