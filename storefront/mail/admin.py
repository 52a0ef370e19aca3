"""The admin pages of emails: a read-only list with a "Resend" action, and the shop's switches by kind of email."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orders.admin import base, formatting
from storefront.mail import outbox
from storefront.mail.models import FLAGS, ONLY, Email, Switches


class EmailStatusFilter(admin.SimpleListFilter):
    """Filter emails by whether they are still to be sent or were given up."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("Pending")), ("given_up", _("Not sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.open()  # type: ignore[attr-defined,no-any-return]
            case "given_up":
                return queryset.filter(given_up_at__isnull=False)
        return queryset


@admin.register(Email)
class EmailAdmin(base.NumberOrEmailSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("id", "at", "kind", "subject", "customer", "status", "attempts", "failure", "next")
    list_filter = (EmailStatusFilter,)
    list_select_related = ("user",)
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = _("Search by ID or the start of a customer's email.")
    fields = (
        "at", "kind", "address", "customer", "subject", "language", "status", "attempts", "next", "sent_at",
        "given_up_at", "has_lost_answer", "failure", "body",
    )  # fmt: skip
    actions = ("resend",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).defer("html")
        return rows

    @admin.display(description=_("created at"))
    def at(self, email: Email) -> str:
        return formatting.moment(email.created_at)

    @admin.display(description=_("customer"))
    def customer(self, email: Email) -> str:
        return base.page_link(email.user)

    @admin.display(description=_("status"))
    def status(self, email: Email) -> str:
        return formatting.status_badge(email.state.mark, label=email.state.label)

    @admin.display(description=_("last error"))
    def failure(self, email: Email) -> str:
        return formatting.left_to_right(email.error) if email.error else formatting.NONE

    @admin.display(description=_("next attempt"))
    def next(self, email: Email) -> str:
        return formatting.moment(email.due_at)

    @admin.display(description=_("text"))
    def body(self, email: Email) -> Any:
        """Return the text, unless it is secret: anybody who can read a password reset link can set the password."""
        return (
            _("Hidden, because it may contain a link that opens the customer's account.")
            if email.is_secret
            else email.text
        )

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("mail.change_email"))

    @admin.action(description=_("Resend"), permissions=["send"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        done = outbox.resend(rows)
        LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, "Resent.")  # type: ignore[arg-type]
        message = ngettext("%d email will be resent.", "%d emails will be resent.", done) % done
        left = len(rows) - done
        if left:
            skipped = _("Skipped: %d (already being sent, or the text was erased after sending).") % left
            message = f"{message} {skipped}"
        self.message_user(request, message, messages.SUCCESS if done else messages.WARNING)


@admin.register(Switches)
class SwitchesAdmin(base.ModelAdmin):
    """Admin of the kinds of email the shop sends. Emails about account security cannot be switched off."""

    fields = tuple(FLAGS.values())

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the only row instead of listing it."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        Switches.objects.get_or_create(pk=ONLY)
        return redirect(reverse("admin:mail_switches_change", args=[ONLY]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
