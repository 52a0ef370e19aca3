"""Inline forms for translated names on the pages of services and categories, and a filter for missing translations."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.catalog import translations
from orders.models import CategoryText, Service, ServiceText, languages

if TYPE_CHECKING:
    Form = forms.ModelForm[Any]
    FormSet = BaseInlineFormSet[Any, Any, Any]
    Inline = admin.StackedInline[Any, Any]
else:
    Form = forms.ModelForm
    FormSet = BaseInlineFormSet
    Inline = admin.StackedInline


class TextForm(Form):
    """The texts of one language, which is fixed: it is in a hidden field and in the heading."""

    #: The languages that already have a row in the database.
    taken: Collection[str] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["language"].widget = forms.HiddenInput()
        self.fields["language"].disabled = bool(self.instance.pk)
        names = dict(languages.translation_languages())
        code = str(self["language"].value() or "")
        self.heading = names.get(code, "")
        self.place = [*names].index(code) if code in names else len(names)
        for name in self.fields.keys() & {"name", "description"}:
            self.fields[name].widget.attrs |= {"lang": code, "dir": "auto"}
        if "description" in self.fields:
            self.fields["description"].widget.attrs["rows"] = 4

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.instance.pk and self.cleaned_data.get("language") in self.taken:
            message = _("A colleague has added a translation into this language. Reload the page to edit it.")
            raise forms.ValidationError(message)
        return cleaned

    def has_changed(self) -> bool:
        return bool({*self.changed_data} - {"language"})

    @property
    def is_empty(self) -> bool:
        return not any(self.cleaned_data.get(name) for name in ("name", "description"))


class TextFormSet(FormSet):
    """One form for each language; the row of a language whose texts are all empty is deleted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.taken = {text.language for text in self.get_queryset()}
        missing = [code for code, _name in languages.translation_languages() if code not in self.taken]
        self.extra = len(missing)
        self.initial_extra = [{"language": code} for code in missing]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.taken = self.taken
        form.fields["name"].widget.attrs["placeholder"] = self.instance.name

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        if not form.is_empty:
            return super().save_existing(form, obj, commit=commit)
        obj.delete()
        return obj


class TextInline(Inline):
    """Inline forms for translations, with the permissions of the service or category they belong to."""

    formset = TextFormSet
    form = TextForm
    template = "admin/orders/texts.html"
    can_delete = False
    verbose_name_plural = _("translations")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out translations into languages that the shop no longer has."""
        known = [code for code, _name in languages.translation_languages()]
        return super().get_queryset(request).filter(language__in=known)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "view") or self._may(request, "change")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "change") or (obj is None and self._may(request, "add"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def _may(self, request: HttpRequest, act: str) -> bool:
        return request.user.has_perm(f"orders.{act}_{self.parent_model._meta.model_name}")


class ServiceTextInline(TextInline):
    model = ServiceText
    fields = ("language", "name", "description")


class CategoryTextInline(TextInline):
    model = CategoryText
    fields = ("language", "name")


class TranslationFilter(admin.SimpleListFilter):
    """A filter for rows that are fully translated into a language, or that lack a name or description in it.

    A description counts as missing only if the original has one.
    """

    title = _("translation")
    parameter_name = "translation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = []
        for code, name in languages.translation_languages():
            found += [
                (code, _("%(language)s: complete") % {"language": name}),
                (f"-{code}", _("%(language)s: incomplete") % {"language": name}),
            ]
        return found

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value() or ""
        language = languages.lookup_language(asked.removeprefix("-"))
        if not language:
            return queryset
        if queryset.model is Service:
            whole = translations.is_fully_translated(language)
        else:
            whole = CategoryText.objects.filter(category=OuterRef("pk"), language=language).exclude(name="")
        return queryset.filter(~Exists(whole) if asked.startswith("-") else Exists(whole))
