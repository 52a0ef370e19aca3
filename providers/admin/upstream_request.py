"""Refills and cancellations in the back office: those that staff must handle first, and the actions for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.admin import base, formatting
from orders.errors import OrdersError, OwnMoney
from orders.lifecycle import customer_requests
from orders.models import Cancellation, Order, Refill
from orders.models.customer_request import OPEN_REQUEST
from providers import note_texts
from providers.admin import attention, decisions
from providers.admin.placement import by_upstream_id
from providers.models import Placement, UpstreamRequest
from providers.tracking import upstream_requests

#: The mark of the order status that it resembles.
MARKS = {"waiting": "pending", "sent": "processing", "in_progress": "in_progress", "rejected": "canceled"}


class ReasonForm(ActionForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Required to reject. Customers don't see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RequestStatusFilter(admin.SimpleListFilter):
    """Shows open requests by default."""

    title = gettext_lazy("status")
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("person", _("for staff")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "all":
                return queryset
            case "person":
                return queryset.filter(status__in=OPEN_REQUEST, needs_operator=True)
        return queryset.filter(status__in=OPEN_REQUEST)


class RequestAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    """The list of refills and the list of cancellations."""

    list_display = (
        "number",
        "of_order",
        "mark",
        "reason_text",
        "provider",
        "provider_order",
        "last_request",
        "age",
        "requested_by",
    )
    list_display_links = None
    list_filter = (RequestStatusFilter, attention.RequestAttention)
    list_select_related = ("order", "actor")
    ordering = ("-needs_operator", "id")
    search_fields = ("order__id",)
    search_help_text = gettext_lazy("Order ID or provider order ID")
    action_form = ReasonForm
    actions: Any = ("complete", "reject", "send")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        had = Placement.objects.filter(order=OuterRef("order_id"), state__in=upstream_requests.HAD).order_by("-pk")
        name = self.opts.model_name
        sent = UpstreamRequest.objects.filter(**{str(name): OuterRef("pk")}).order_by("-pk")
        rows: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = rows.annotate(
            provider_name=Subquery(had.values("provider__name")[:1]),
            upstream_order=Subquery(had.values("upstream_id")[:1]),
            sent_state=Subquery(sent.values("state")[:1]),
            sent_message=Subquery(sent.values("panel_error")[:1]),
        )
        return annotated

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        numbers = set(by_upstream_id(text).values_list("order_id", flat=True)[:200])
        return rows.filter(order__in=numbers | ({int(text)} if base.is_number(text) else set()))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(decisions.PERMISSION)

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=gettext_lazy("ID"))
    def number(self, row: Any) -> int:
        return int(row.pk)

    @admin.display(description=gettext_lazy("order"))
    def of_order(self, row: Any) -> str:
        return base.page_link(Order(pk=row.order_id), row.order_id)

    @admin.display(description=gettext_lazy("status"))
    def mark(self, row: Any) -> str:
        label = _("For staff") if row.is_open and row.needs_operator else row.get_status_display()
        return formatting.status_badge(MARKS.get(row.status, row.status), label=label)

    @admin.display(description=gettext_lazy("reason"))
    def reason_text(self, row: Any) -> str:
        return (
            format_html('<bdi class="clip" title="{0}">{0}</bdi>', note_texts.describe(row.reason_label))
            if row.reason
            else formatting.NONE
        )

    @admin.display(description=gettext_lazy("provider"))
    def provider(self, row: Any) -> str:
        return row.provider_name or formatting.NONE

    @admin.display(description=gettext_lazy("provider order ID"))
    def provider_order(self, row: Any) -> str:
        return format_html('<bdi class="mono">{}</bdi>', row.upstream_order) if row.upstream_order else formatting.NONE

    @admin.display(description=gettext_lazy("last request to the provider"))
    def last_request(self, row: Any) -> str:
        if not row.sent_state:
            return formatting.NONE
        label = dict(UpstreamRequest._meta.get_field("state").flatchoices).get(row.sent_state, row.sent_state)
        message = note_texts.describe(row.sent_message)
        return format_html('{} <small class="sub"><bdi class="clip">{}</bdi></small>', label, message)

    @admin.display(description=gettext_lazy("age"))
    def age(self, row: Any) -> str:
        return formatting.ago(row.created_at)

    @admin.display(description=gettext_lazy("requested by"))
    def requested_by(self, row: Any) -> str:
        return format_html('<bdi class="clip">{}</bdi>', row.actor or formatting.NONE)

    # ---------------------------------------------------------------------------------------------- actions

    @admin.action(description=gettext_lazy("Mark as completed"), permissions=["decide"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(
            request, queryset, lambda row: customer_requests.complete(row, actor=request.user), "Marked as completed."
        )

    @admin.action(description=gettext_lazy("Reject"), permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(request, _("Enter a reason to reject. Nothing was changed."), messages.ERROR)
            return
        self._each(
            request,
            queryset,
            lambda row: customer_requests.reject(row, reason=reason, actor=request.user),
            f"Rejected: {reason}",
        )

    @admin.action(description=gettext_lazy("Send to the provider again"), permissions=["decide"])
    def send(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._each(
            request,
            queryset,
            lambda row: upstream_requests.send_again(row, actor=request.user),
            "Sent to the provider again.",
        )

    def _each(self, request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], Any], did: str) -> None:
        """Act on each row in its own transaction and log it; an error at one row does not stop the others."""
        done = 0
        for row in rows:
            try:
                with transaction.atomic():
                    if row.order.user_id == request.user.pk:
                        raise OwnMoney(_("This is your own order. Ask a colleague to decide."))
                    act(row)
                    self.log_change(request, row, did)
                    done += 1
            except OrdersError as problem:
                self.message_user(
                    request, _("Order %(order)s: %(why)s") % {"order": row.order_id, "why": problem}, messages.ERROR
                )
        if done:
            text = ngettext("%d request updated.", "%d requests updated.", done)
            self.message_user(request, text % done, messages.SUCCESS)


@admin.register(Refill)
class RefillAdmin(RequestAdmin):
    pass


@admin.register(Cancellation)
class CancellationAdmin(RequestAdmin):
    actions = ("cancel_order", *RequestAdmin.actions)

    @admin.action(description=gettext_lazy("Cancel and refund the order"), permissions=["decide"])
    def cancel_order(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Cancel the order without telling the panel; that completes the request."""
        why = request.POST.get("reason", "").strip()[:500]

        def act(row: Cancellation) -> None:
            decisions.cancel(row.order, request.user, why=why)

        self._each(request, queryset, act, "Order canceled and refunded.")
