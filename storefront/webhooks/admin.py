"""The admin pages of webhook endpoints and deliveries, which are read-only except for the "Resend" action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from orders.admin import base, formatting
from storefront.webhooks import outbox
from storefront.webhooks.models import Attempt, Delivery, Endpoint


class EndpointStatusFilter(admin.SimpleListFilter):
    """Filter endpoints by whether they are failing or paused."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failing", _("Failing")), ("paused", _("Paused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "failing":
                return queryset.filter(failing_since__isnull=False)
            case "paused":
                return queryset.filter(is_active=False)
        return queryset


class DeliveryStatusFilter(admin.SimpleListFilter):
    """Filter deliveries by whether they failed or are still to be sent."""

    title = _("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failing", _("Failing")), ("open", _("Pending"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "failing":
                return queryset.failing()  # type: ignore[attr-defined,no-any-return]
            case "open":
                return queryset.open()  # type: ignore[attr-defined,no-any-return]
        return queryset


@admin.register(Endpoint)
class EndpointAdmin(base.ReadOnlyMixin, base.ModelAdmin):
    """Read-only admin of endpoints. Their owners create them, and no page shows their secrets."""

    list_display = ("id", "url", "customer", "topics", "state", "failing", "sent")
    list_display_links = ("id", "url")
    list_filter = (EndpointStatusFilter,)
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    search_fields = ("=id", "user__email__startswith")
    search_help_text = _("Search by ID or the start of a customer's email.")
    fields = ("url", "customer", "topics", "state", "paused_at", "failing_since", "former_until", "created_at", "sent")

    @admin.display(description=_("customer"))
    def customer(self, endpoint: Endpoint) -> str:
        return base.page_link(endpoint.user)

    @admin.display(description=_("events"))
    def topics(self, endpoint: Endpoint) -> str:
        return ", ".join(map(str, endpoint.topics))

    @admin.display(description=_("status"))
    def state(self, endpoint: Endpoint) -> str:
        if not endpoint.is_active:
            return formatting.status_badge("canceled", label=endpoint.get_pause_reason_display())
        if endpoint.failing_since is not None:
            return formatting.status_badge("partial", label=_("Failing"))
        return formatting.status_badge("completed", label=_("Active"))

    @admin.display(description=_("failing since"))
    def failing(self, endpoint: Endpoint) -> str:
        return formatting.moment(endpoint.failing_since)

    @admin.display(description=_("deliveries"))
    def sent(self, endpoint: Endpoint) -> str:
        return base.list_link(Delivery, _("Deliveries"), endpoint__id__exact=endpoint.pk)


class AttemptInline(base.ReadOnlyMixin, admin.TabularInline):  # type: ignore[type-arg]
    model = Attempt
    fields = ("at", "status", "elapsed_ms", "error_text", "answer")
    readonly_fields = fields
    extra = 0

    @admin.display(description=_("error"))
    def error_text(self, attempt: Attempt) -> str:
        return attempt.error_text or formatting.NONE


@admin.register(Delivery)
class DeliveryAdmin(base.NumberOrEmailSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("id", "at", "topic", "state", "attempts", "error", "next", "target", "customer")
    list_filter = (DeliveryStatusFilter,)
    list_select_related = ("event", "endpoint__user")
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = _("Search by delivery ID, endpoint ID or the start of a customer's email.")
    fields = (
        "at", "topic", "target", "customer", "state", "attempts", "next", "delivered_at", "given_up_at",
        "last_status", "error", "body",
    )  # fmt: skip
    inlines = (AttemptInline,)
    actions = ("resend",)

    def with_number(self, rows: QuerySet[Any], number: int) -> QuerySet[Any]:
        return rows.filter(Q(pk=number) | Q(endpoint=number))

    def of_people(self, rows: QuerySet[Any], people: list[int]) -> QuerySet[Any]:
        return rows.filter(endpoint__in=list(Endpoint.objects.filter(user__in=people).values_list("pk", flat=True)))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "endpoint__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("event", "endpoint__user")
        return rows

    @admin.display(description=_("created at"))
    def at(self, delivery: Delivery) -> str:
        return formatting.moment(delivery.created_at)

    @admin.display(description=_("event"))
    def topic(self, delivery: Delivery) -> str:
        return delivery.event.topic

    @admin.display(description=_("endpoint"))
    def target(self, delivery: Delivery) -> str:
        """Return a link to the endpoint, with its URL cut to 40 characters so that it fits the list."""
        return base.page_link(delivery.endpoint, formatting.left_to_right(Truncator(delivery.endpoint.url).chars(40)))

    @admin.display(description=_("customer"))
    def customer(self, delivery: Delivery) -> str:
        return base.page_link(delivery.endpoint.user)

    @admin.display(description=_("status"))
    def state(self, delivery: Delivery) -> str:
        return formatting.status_badge(delivery.state.mark, label=delivery.state.label)

    @admin.display(description=_("last error"))
    def error(self, delivery: Delivery) -> str:
        return delivery.error_text or formatting.NONE

    @admin.display(description=_("next attempt"))
    def next(self, delivery: Delivery) -> str:
        return formatting.moment(delivery.due_at)

    @admin.display(description=_("payload"))
    def body(self, delivery: Delivery) -> str:
        return formatting.left_to_right(delivery.event.body)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("webhooks.change_delivery"))

    @admin.action(description=_("Resend"), permissions=["send"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        done = outbox.resend(rows)
        LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, "Resent.")  # type: ignore[arg-type]
        message = ngettext("%d delivery will be resent.", "%d deliveries will be resent.", done) % done
        left = len(rows) - done
        if left:
            skipped = _("Skipped: %d (already being sent, or the endpoint is paused).") % left
            message = f"{message} {skipped}"
        self.message_user(request, message, messages.SUCCESS if done else messages.WARNING)
