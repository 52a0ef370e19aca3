"""The admin pages of staff keys, for superusers only: a key can do what nobody but a superuser may hand out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orders.admin import base, formatting
from orders.db import encryption
from storefront.accounts import security_log
from storefront.accounts.forms import ADDRESSES_WIDGET, AddressesMixin
from storefront.accounts.reauthentication import password_required_to_post
from storefront.api.adminapi.models import StaffKey, new_text

#: Session key of a new staff key, encrypted, until the one page that shows it.
SHOWN_ONCE = "new_staff_key"
SCOPES = (
    "has_orders_read", "has_orders_write", "has_users_read", "has_users_write", "has_payments_read",
    "has_payments_write", "has_tickets_read", "has_tickets_write",
)  # fmt: skip


class StaffKeyForm(AddressesMixin, base.Form):
    class Meta:
        model = StaffKey
        fields = ("name", *SCOPES, "has_get_writes", "addresses")
        widgets = {"addresses": ADDRESSES_WIDGET}


class StaffKeyState(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", _("Active")), ("revoked", _("Revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(revoked_at__isnull=self.value() == "active") if self.value() else queryset


@admin.register(StaffKey)
class StaffKeyAdmin(base.ModelAdmin):
    form = StaffKeyForm
    list_display = ("prefix", "name", "scopes", "user", "created", "used", "revoked")
    list_select_related = ("user",)
    list_filter = (StaffKeyState,)
    actions = ("revoke",)
    change_form_template = "admin/adminapi/staffkey/change_form.html"
    readonly_fields = ("prefix", "user", "created", "used", "revoked")
    fieldsets = (
        (None, {"fields": ("name",)}),
        (_("Permissions"), {"fields": (*SCOPES, "has_get_writes")}),
        (_("Allowed addresses"), {"fields": ("addresses",)}),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser and (obj is None or obj.revoked_at is None))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deny deletion: the history of what a key changed refers to it."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj is None else (*self.fieldsets, (_("Use"), {"fields": self.readonly_fields}))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Require the password, so that nobody creates a key on an unlocked computer."""
        return password_required_to_post(super().add_view)(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Create a key and keep its text for the next page, or change only what the form has of an active key."""
        user: Any = request.user
        if change:
            columns = {name: form.cleaned_data[name] for name in form.changed_data}
            StaffKey.objects.filter(pk=obj.pk, revoked_at=None).update(**columns)
            security_log.note("staff_key_changed", request, user, key=obj.prefix)
            return
        text = new_text()
        obj.user = user
        obj.set_text(text)
        obj.save()
        request.session[SHOWN_ONCE] = encryption.encrypt(text)
        security_log.note("staff_key_created", request, user, key=obj.prefix)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key on its page, once."""
        return redirect(base.page_url(obj))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "new_key": _new_key(request)}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=_("permissions"))
    def scopes(self, key: StaffKey) -> str:
        fields = (field for field in StaffKey._meta.fields if field.name in SCOPES)
        return ", ".join(str(field.verbose_name) for field in fields if getattr(key, field.name)) or formatting.NONE

    @admin.display(description=_("created"))
    def created(self, key: StaffKey) -> str:
        return formatting.moment(key.created_at)

    @admin.display(description=_("last used"))
    def used(self, key: StaffKey) -> str:
        return formatting.moment(key.last_used_at)

    @admin.display(description=_("revoked"))
    def revoked(self, key: StaffKey) -> str:
        return formatting.moment(key.revoked_at)

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        user: Any = request.user
        keys = list(queryset.filter(revoked_at=None))
        done = StaffKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at=None).update(
            revoked_at=timezone.now()
        )
        LogEntry.objects.log_actions(user.pk, keys, CHANGE, "Revoked.")
        for key in keys:
            security_log.note("staff_key_revoked", request, user, key=key.prefix)
        self.message_user(request, ngettext("%d key revoked.", "%d keys revoked.", done) % done, messages.SUCCESS)


def _new_key(request: HttpRequest) -> str:
    """Return the new key and remove it from the session, so that a reload no longer shows it."""
    kept = request.session.pop(SHOWN_ONCE, "")
    try:
        return encryption.decrypt(kept) if kept else ""
    except ImproperlyConfigured:  # the encryption key was removed; the page must still work
        return ""
