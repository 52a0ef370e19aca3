"""What the pages of the back office are made of: read-only pages, lists of big tables, exact numbers in forms."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString

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
    """Nobody adds, changes or deletes these rows by hand, not even a superuser: other modules write them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CappedPaginator(Pages):
    """Counts no further than CAP: on a history of millions of rows count(*) costs more than the page itself.

    Nobody leafs to row 10,000; search and filters lead there.
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
    """The list of a table that grows with every order: newest first, no sorting by columns that have no index."""

    paginator: Any = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: Any = ()
    list_per_page = 50
    list_max_show_all = 100


class RowForm(Form):
    """A row of a list with inputs in it. No label stands beside them, so each says itself what it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", f"{field.label}: {self.instance}")


class EditableRowsMixin:
    """A list with inputs in its rows."""

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        made: Any = super()
        return made.get_changelist_form(request, **{"form": RowForm, **kwargs})


def is_number(text: str) -> bool:
    """Whether ``text`` can be the id of a row."""
    return text.isascii() and text.isdigit() and len(text) < 19


class NumberOrEmailSearchMixin:
    """A list that is searched by numbers, or by the beginning of a customer's e-mail: each through one index."""

    def with_number(self, rows: QuerySet[Any], number: int) -> QuerySet[Any]:
        return rows.filter(pk=number)

    def of_people(self, rows: QuerySet[Any], people: list[int]) -> QuerySet[Any]:
        return rows.filter(user__in=people)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if is_number(text):
            return self.with_number(queryset, int(text)), False
        people = get_user_model().objects.filter(email__startswith=text.lower())
        return self.of_people(queryset, list(people.values_list("pk", flat=True)[:200])), False


class StatusFilter(admin.ChoicesFieldListFilter):
    """A filter by a status that says as well whether such rows have ended: two small indexes know those and the others.

    Without it a status that few rows have is looked for in the whole history.
    """

    ended: frozenset[str] = frozenset()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        status = next(iter(self.lookup_val or ()), "")
        if status:
            queryset = queryset.filter(ended_at__isnull=status not in self.ended)
        found: Any = super().queryset(request, queryset)
        return found  # type: ignore[no-any-return]


class PlainDecimalField(forms.DecimalField):
    """An exact number without the zeros that its column keeps: 0.45, not 0.45000000."""

    def prepare_value(self, value: Any) -> Any:
        return amounts.plain(value) if isinstance(value, Decimal) else value


#: For ``formfield_overrides``.
PLAIN_NUMBERS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    MoneyField: {"form_class": PlainDecimalField},
    RateField: {"form_class": PlainDecimalField},
}


#: Django's own widget shows a link to the address as well; a panel's API is nothing to click on.
PLAIN_ADDRESSES: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.URLField: {"widget": forms.URLInput(attrs={"class": "vURLField"}), "assume_scheme": "https"},
}


def page_url(row: models.Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def page_link(row: models.Model | None, text: Any = None) -> SafeString | str:
    """A link to the row's page; a dash for none."""
    if row is None:
        return "–"
    return format_html('<a href="{}">{}</a>', page_url(row), row if text is None else text)


def list_url(model: type[models.Model], **filters: Any) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def list_link(model: type[models.Model], text: Any, **filters: Any) -> SafeString:
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), text)
