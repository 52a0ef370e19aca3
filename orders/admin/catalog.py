"""Back office page for categories."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting, translations
from orders.models import Category, Service


@admin.register(Category)
class CategoryAdmin(base.EditableRowsMixin, base.ModelAdmin):
    list_display = ("name", "position", "is_active", "sold")
    list_editable = ("position", "is_active")
    list_filter = ("is_active", translations.TranslationFilter)
    inlines = (translations.CategoryTextInline,)
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    search_fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(service_count=Count("services"))
        return rows

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deleting an empty category from its page only; services that were sold must stay in the history."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not Service.objects.filter(category=obj).exists()

    @admin.display(description=_("services"), ordering="service_count")
    def sold(self, category: Any) -> str:
        """Return a link to the category's services.

        The method must not be named ``services``: the list would be sorted by that relation, with a row per service.
        """
        return base.list_link(Service, formatting.count(category.service_count), category__id__exact=category.pk)
