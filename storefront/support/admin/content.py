"""The admin pages of info pages, announcements, canned replies and ticket categories."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from storefront.support import site_notices
from storefront.support.models import Announcement, CannedReply, InfoPage, PageText, Ticket, TicketCategory


class SiteNoticesMixin:
    """Mixin that clears the cached site notices after a change, so that the shop shows the change at once."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        transaction.on_commit(site_notices.clear_cache)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)  # type: ignore[misc]
        transaction.on_commit(site_notices.clear_cache)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)  # type: ignore[misc]
        transaction.on_commit(site_notices.clear_cache)


class PageTextInline(admin.StackedInline):  # type: ignore[type-arg]
    model = PageText
    extra = 0


@admin.register(InfoPage)
class PageAdmin(SiteNoticesMixin, base.ModelAdmin):
    list_display = ("title", "slug", "position", "is_published", "changed")
    list_filter = ("is_published",)
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    fields = ("title", "slug", "text", "position", "is_published")
    inlines = (PageTextInline,)

    def view_on_site(self, obj: InfoPage) -> str | None:
        return f"/pages/{obj.slug}/" if obj.is_published else None

    @admin.display(description=_("changed at"), ordering="changed_at")
    def changed(self, page: InfoPage) -> str:
        return formatting.moment(page.changed_at)


@admin.register(Announcement)
class AnnouncementAdmin(SiteNoticesMixin, base.ModelAdmin):
    list_display = ("title", "kind", "is_pinned", "begins", "ends")
    list_filter = ("kind", "is_pinned")
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("title",)
    fields = ("title", "kind", "text", "is_pinned", "starts_at", "ends_at")

    @admin.display(description=_("starts at"), ordering="starts_at")
    def begins(self, one: Announcement) -> str:
        return formatting.moment(one.starts_at)

    @admin.display(description=_("ends at"), ordering="ends_at")
    def ends(self, one: Announcement) -> str:
        return formatting.moment(one.ends_at)


@admin.register(CannedReply)
class CannedReplyAdmin(base.EditableRowsMixin, base.ModelAdmin):
    list_display = ("title", "position", "is_active")
    list_editable = ("position", "is_active")
    search_fields = ("title", "text")


@admin.register(TicketCategory)
class TicketCategoryAdmin(base.EditableRowsMixin, base.ModelAdmin):
    list_display = ("name", "position", "is_active")
    list_editable = ("position", "is_active")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow deleting a category only while no ticket uses it; a used one is deactivated instead."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not Ticket.objects.filter(category=obj).exists()
