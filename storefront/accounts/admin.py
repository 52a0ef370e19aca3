"""The admin pages of users, groups and API keys.

Users are deactivated instead of deleted, because orders, money and history refer to them.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from orders.admin import base, formatting
from orders.ledger import transfers
from orders.models import CustomerRate, Order, PriceLevel, Transfer
from storefront.accounts import balance_adjustments, email_change, reset_link, second_factor_reset, user_sessions
from storefront.accounts.models import ApiKey, User

#: Fields that only superusers may change: anybody else could give all permissions to themselves.
PERMISSION_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")
#: The price level is stored with the wallet, so changing it needs the permission for wallets.
LEVEL_FIELDS, LEVEL_PERMISSION = ("level", "is_level_pinned"), "orders.change_account"

#: Fields that customers set themselves.
LOCALE_FIELDS = ("language", "time_zone", "currency")


class NewUserForm(base.Form):
    """Create a user without a password; the customer sets one with the link that is sent."""

    class Meta:
        model = User
        fields = ("email", "name")

    def save(self, commit: bool = True) -> Any:
        self.instance.set_unusable_password()
        return super().save(commit)


class UserForm(base.Form):
    level = forms.ModelChoiceField(PriceLevel.objects.all(), required=False, label=_("Price level"))
    is_level_pinned = forms.BooleanField(
        required=False,
        label=_("Price level pinned"),
        help_text=_("Keep this level no matter how much the customer spends."),
    )

    class Meta:
        model = User
        fields = "__all__"  # the admin's fieldsets list the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wallet = getattr(self.instance, "wallet", None)
        if wallet:
            self.initial.update(level=wallet.level_id, is_level_pinned=wallet.is_level_pinned)


def _contains(field: str, word: str) -> Q:
    """Return a condition for ``field`` containing ``word``, ignoring case.

    SQLite's LIKE ignores case only in ASCII. Its regular expressions are Python's, which handle every alphabet.
    """
    if connection.vendor == "sqlite" and not word.isascii():
        return Q(**{f"{field}__iregex": re.escape(word)})
    return Q(**{f"{field}__icontains": word})


class ApiKeyStatusFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "state"
    #: Name and condition of each state, by its value in the query string.
    STATES: dict[str, tuple[Any, Q]] = {
        "active": (_("Active"), Q(revoked_at=None)),
        "unused": (_("Never used"), Q(revoked_at=None, last_used_at=None)),
        "limit": (_("With a custom rate limit"), Q(calls_per_minute__isnull=False)),
        "revoked": (_("Revoked"), Q(revoked_at__isnull=False)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, name) for value, (name, _rows) in self.STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.STATES.get(self.value() or "")
        return queryset.filter(state[1]) if state else queryset


class ApiKeyColumnsMixin:
    """Columns of API keys: the permissions in one column, and times short enough for a list."""

    @admin.display(description=_("permissions"))
    def permissions(self, key: ApiKey) -> str:
        granted = (
            (key.is_sandbox, _("sandbox")),
            (key.has_read_scope, pgettext_lazy("API key permission", "read")),
            (key.has_order_scope, pgettext_lazy("API key permission", "place orders")),
            (key.has_order_scope and key.has_get_writes, _("GET orders")),
        )
        return ", ".join(str(name) for is_granted, name in granted if is_granted)

    @admin.display(description=_("created"))
    def created(self, key: ApiKey) -> str:
        return formatting.moment(key.created_at)

    @admin.display(description=_("last used"))
    def last_used(self, key: ApiKey) -> str:
        return formatting.moment(key.last_used_at)

    @admin.display(description=_("revoked"))
    def revoked(self, key: ApiKey) -> str:
        return formatting.moment(key.revoked_at)


class ApiKeyInline(ApiKeyColumnsMixin, base.ReadOnlyMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = ApiKey
    fields = readonly_fields = (
        "prefix",
        "name",
        "permissions",
        "addresses",
        "calls_per_minute",
        "created",
        "last_used",
        "revoked",
    )
    show_change_link = True
    verbose_name_plural = _("API keys (only the customer sees the full key, once)")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    list_display = ("email", "name", "is_active", "is_staff", "balance", "joined")
    list_filter = ("is_active", "is_staff")
    list_select_related = ("wallet",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    search_fields = ("email", "name")
    search_help_text = _("Search by email or name.")
    readonly_fields = (
        "balance", "quick_links", "adjust_link", "two_factor", "reset_password", "sessions", "custom_rates",
        "last_login", "created_at", *LOCALE_FIELDS,
    )  # fmt: skip
    inlines = (ApiKeyInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "email",
                    "name",
                    "is_active",
                    "two_factor",
                    "reset_password",
                    "sessions",
                    "balance",
                    "adjust_link",
                    "quick_links",
                )
            },
        ),
        (_("Language and region"), {"fields": LOCALE_FIELDS}),
        (_("Pricing"), {"fields": (*LEVEL_FIELDS, "custom_rates")}),
        (_("Back office"), {"fields": PERMISSION_FIELDS}),
        (_("Dates"), {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name")}),)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for users whose email or name contains every word, ignoring case."""
        for word in search_term.split():
            queryset = queryset.filter(_contains("email", word) | _contains("name", word))
        return queryset, False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow only superusers to change staff.

        A new password for a colleague would give access to that colleague's permissions.
        """
        allowed = bool(super().has_change_permission(request, obj))
        is_peer = obj is not None and (obj.is_staff or obj.is_superuser)
        return allowed and (not is_peer or bool(request.user.is_superuser))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        is_own = obj is not None and obj.pk == request.user.pk
        if is_own or not (request.user.has_perm(LEVEL_PERMISSION) and getattr(obj, "wallet", None)):
            fields += LEVEL_FIELDS
        return fields if request.user.is_superuser else (*fields, *PERMISSION_FIELDS)

    def get_urls(self) -> list[Any]:
        guarded = self.admin_site.admin_view
        return [
            path("<int:pk>/reset-password/", guarded(self.send_reset_link), name="accounts_user_reset_password"),
            path("<int:pk>/sign-out/", guarded(self.sign_out), name="accounts_user_sign_out"),
            path("<int:pk>/adjust/", guarded(self.adjust), name="accounts_user_adjust"),
            path(
                "<int:pk>/reset-second-factor/",
                guarded(self.reset_second_factor),
                name="accounts_user_reset_second_factor",
            ),
            *super().get_urls(),
        ]

    def adjust(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Adjust a customer's balance. Only superusers may adjust those of staff."""
        user = get_object_or_404(User, pk=pk)
        if not self._may_adjust(request, user):
            raise PermissionDenied
        return balance_adjustments.page(request, user, self.admin_site, self.opts)

    def _may_adjust(self, request: HttpRequest, user: User | None) -> bool:
        """Return whether the operator may adjust this balance. Nobody may adjust their own."""
        is_own = user is not None and user.pk == request.user.pk
        return (
            request.user.has_perm(balance_adjustments.PERMISSION)
            and self.has_change_permission(request, user)
            and not is_own
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Deny Django's page for setting a user's password. Staff sends a reset link instead."""
        raise PermissionDenied

    @method_decorator(require_POST)
    def send_reset_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a customer the link to set a new password. Only superusers may send it to staff."""
        user = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if not user.is_active:
            self.message_user(request, _("This account is inactive. Activate it first."), messages.ERROR)
            return redirect(base.page_url(user))
        with transaction.atomic():
            reset_link.send(request, user)
            self.log_change(request, user, "Sent a password reset link.")
        message = gettext("Password reset link sent to %s.") % user.email
        self.message_user(request, message, messages.SUCCESS)
        return redirect(base.page_url(user))

    def reset_second_factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Reset two-factor authentication. Only superusers may do so for staff and superusers."""
        user = get_object_or_404(User, pk=pk)
        if not self._may_reset_second_factor(request, user):
            raise PermissionDenied
        return second_factor_reset.page(request, user, self.admin_site, self.opts)

    def _may_reset_second_factor(self, request: HttpRequest, user: User) -> bool:
        return request.user.has_perm(second_factor_reset.PERMISSION) and self.has_change_permission(request, user)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)
        if obj is None:
            return sets
        # Hide links that the operator may not follow.
        may: dict[Any, bool] = {
            "adjust_link": self._may_adjust(request, obj),
            "two_factor": self._may_reset_second_factor(request, obj),
            "reset_password": self.has_change_permission(request, obj),
            "sessions": self.has_change_permission(request, obj),
            "custom_rates": request.user.has_perm("orders.view_customerrate"),
        }
        return [
            (name, {**options, "fields": [field for field in options["fields"] if may.get(field, True)]})
            for name, options in sets
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Open the wallet of a new user, and require that a changed address is confirmed again."""
        super().save_model(request, obj, form, change)
        if not change:
            transfers.open_wallet(obj)
            reset_link.send(request, obj)
        elif "email" in form.changed_data:
            email_change.by_staff(obj, former=form.initial["email"])
        if change and set(LEVEL_FIELDS) & set(form.changed_data) - set(self.get_readonly_fields(request, obj)):
            chosen = form.cleaned_data
            transfers.set_price_level(obj.wallet, level=chosen["level"], is_pinned=chosen["is_level_pinned"])

    @admin.display(description=_("balance"), ordering="wallet__balance")
    def balance(self, user: Any) -> str:
        wallet = getattr(user, "wallet", None)
        return formatting.amount(wallet.balance, wallet.currency) if wallet else formatting.NONE

    # These columns replace the form fields for operators who may not change them.
    @admin.display(description=_("price level"))
    def level(self, user: Any) -> str:
        wallet = getattr(user, "wallet", None)
        return str(wallet.level) if wallet and wallet.level else formatting.NONE

    @admin.display(description=_("price level pinned"), boolean=True)
    def is_level_pinned(self, user: Any) -> bool:
        wallet = getattr(user, "wallet", None)
        return bool(wallet and wallet.is_level_pinned)

    @admin.display(description=_("custom rates"))
    def custom_rates(self, user: Any) -> str:
        new = f"{reverse('admin:orders_customerrate_add')}?user={user.pk}"
        return formatting.row(
            base.list_link(CustomerRate, _("View custom rates"), user__id__exact=user.pk),
            format_html('<a href="{}">{}</a>', new, _("Add custom rate")),
        )

    @admin.display(description=_("joined"), ordering="id")
    def joined(self, user: User) -> str:
        return formatting.moment(user.created_at)

    @admin.display(description=_("adjustment"))
    def adjust_link(self, user: Any) -> str:
        return format_html(
            '<a class="btn sm" href="{}">{}</a>',
            reverse("admin:accounts_user_adjust", args=[user.pk]),
            _("Adjust balance"),
        )

    @admin.display(description=_("two-factor authentication"))
    def two_factor(self, user: Any) -> str:
        if not second_factor_reset.has_any(user):
            return formatting.NONE
        return format_html(
            '<a class="btn sm" href="{}">{}</a>',
            reverse("admin:accounts_user_reset_second_factor", args=[user.pk]),
            _("Reset two-factor authentication"),
        )

    @admin.display(description=_("password"))
    def reset_password(self, user: Any) -> str:
        """Return a button that submits another form.

        Enter in a field presses the first button of the field's own form, which must not be this one.
        """
        return format_html(
            '<button class="btn sm" form="user-action" formaction="{}">{}</button>',
            reverse("admin:accounts_user_reset_password", args=[user.pk]),
            _("Send password reset link"),
        )

    @method_decorator(require_POST)
    def sign_out(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End every session of a user. Only superusers may do so for staff."""
        user = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        count = user_sessions.end_all(user)
        self.log_change(request, user, f"Signed out everywhere: {count} sessions.")
        message = ngettext("%d session ended.", "%d sessions ended.", count) % count
        self.message_user(request, message, messages.SUCCESS)
        return redirect(base.page_url(user))

    @admin.display(description=_("sessions"))
    def sessions(self, user: Any) -> str:
        return format_html(
            '<button class="btn sm" form="user-action" formaction="{}">{}</button>',
            reverse("admin:accounts_user_sign_out", args=[user.pk]),
            _("Sign out everywhere"),
        )

    @admin.display(description=_("quick links"))
    def quick_links(self, user: Any) -> str:
        links: list[str] = [base.list_link(Order, _("Orders"), user__id__exact=user.pk)]
        wallet = getattr(user, "wallet", None)
        if wallet:
            links += [
                base.list_link(Transfer, _("Transactions"), wallet__id__exact=wallet.pk),
                base.page_link(wallet, _("Balance")),
            ]
        return formatting.row(*links)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """Only superusers may change groups: anybody else could add permissions to a group they belong to."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(ApiKey)
class ApiKeyAdmin(ApiKeyColumnsMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    """Admin of API keys. Their owners create them; staff can revoke them and limit their calls per minute."""

    list_display = ("prefix", "user", "name", "permissions", "calls_per_minute", "created", "last_used", "revoked")
    list_select_related = ("user",)
    list_filter = (ApiKeyStatusFilter, "is_sandbox")
    ordering = ("-id",)
    search_fields = ("=prefix", "user__email__startswith")
    search_help_text = _("Search by the first 8 characters of a key or the start of a customer's email.")
    fields = (
        "prefix", "name", "user", "permissions", "addresses", "calls_per_minute", "created_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "calls_per_minute")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.change_apikey"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save only the limit, so that a concurrent change by the key's owner or the API is not overwritten."""
        ApiKey.objects.filter(pk=obj.pk).update(calls_per_minute=obj.calls_per_minute)

    @admin.action(description=_("Revoke keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        keys = list(queryset.filter(revoked_at=None))
        done = ApiKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at=None).update(revoked_at=timezone.now())
        LogEntry.objects.log_actions(request.user.pk, keys, CHANGE, "Revoked.")  # type: ignore[arg-type]
        message = ngettext("%d API key revoked.", "%d API keys revoked.", done)
        self.message_user(request, message % done, messages.SUCCESS)
