"""Submissions and the log of calls in the back office, read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.admin import base, formatting
from orders.models import Order
from providers import note_texts
from providers.admin import attention
from providers.models import LIVE, CallOutcome, PanelCall, Placement, PlacementState, Provider
from providers.panels.dialect import ALL_VERBS


def by_upstream_id(text: str) -> QuerySet[Placement]:
    """Return the submissions with this provider order ID at any provider, through the unique index by provider."""
    providers = list(Provider.objects.values_list("pk", flat=True))
    return Placement.objects.filter(provider__in=providers, upstream_id=text).exclude(upstream_id="")


class ByState(base.StatusFilter):
    ended = frozenset(PlacementState.values) - frozenset(LIVE)


@admin.register(Placement)
class PlacementAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = (
        "number",
        "of_order",
        "provider",
        "upstream_id",
        "status",
        "panel_status",
        "provider_cost",
        "at",
        "last_check",
    )
    list_filter = ("provider", ("state", ByState))
    list_select_related = ("provider",)
    ordering = ("-id",)
    search_fields = ("upstream_id",)
    search_help_text = _("Order ID or provider order ID")
    fields = (
        "of_order", "run", "provider", "offer", "status", "upstream_id", "quantity", "provider_cost", "provider_charge",
        "exchange_rate", "message", "reason", "panel_status", "missed_checks", "lease_until", "synced_at",
        "sync_at", "created_at", "ended_at", "calls",
    )  # fmt: skip

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        found = Q(pk__in=list(by_upstream_id(text).values_list("pk", flat=True)[:200]))
        if base.is_number(text):
            found |= Q(order_id=int(text))
        return rows.filter(found)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "order__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("ID"))
    def number(self, placement: Placement) -> int:
        return placement.pk

    @admin.display(description=_("order"))
    def of_order(self, placement: Placement) -> str:
        return base.page_link(Order(pk=placement.order_id), placement.order_id)

    @admin.display(description=_("state"))
    def status(self, placement: Placement) -> str:
        return state_mark(placement)

    @admin.display(description=_("cost"))
    def provider_cost(self, placement: Placement) -> str:
        return formatting.amount(placement.cost, placement.currency)

    @admin.display(description=_("charged by the provider"))
    def provider_charge(self, placement: Placement) -> str:
        return formatting.amount(placement.charged, placement.currency)

    @admin.display(description=pgettext_lazy("when", "sent"))
    def at(self, placement: Placement) -> str:
        return formatting.moment(placement.created_at)

    @admin.display(description=_("last status check"))
    def last_check(self, placement: Placement) -> str:
        return formatting.moment(placement.synced_at)

    @admin.display(description=_("provider message"))
    def message(self, placement: Placement) -> str:
        return note_texts.describe(placement.panel_error)

    @admin.display(description=_("call log"))
    def calls(self, placement: Placement) -> str:
        return base.list_link(PanelCall, _("Call log"), placement__id__exact=placement.pk)


def state_mark(placement: Placement) -> str:
    """Return a submission's state with the mark of the order status it resembles."""
    marks = {"accepted": "in-progress", "closed": "completed", "refused": "canceled", "not_sent": "canceled"}
    return formatting.status_badge(marks.get(placement.state, placement.state), label=placement.get_state_display())


@admin.register(PanelCall)
class PanelCallAdmin(base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = ("at", "provider", "verb", "outcome", "status", "elapsed_ms", "of_placement", "answer_start")
    list_filter = (
        "provider",
        attention.kinds_of("verb", _("action"), [(verb, verb) for verb in ALL_VERBS]),
        attention.kinds_of("outcome", _("outcome"), CallOutcome.choices),
    )
    list_select_related = ("provider",)
    fields = (
        "provider",
        "of_placement",
        "verb",
        "outcome",
        "status",
        "elapsed_ms",
        "created_at",
        "request_text",
        "answer_text",
    )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "placement__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("time"))
    def at(self, call: PanelCall) -> str:
        return formatting.moment(call.created_at)

    @admin.display(description=_("submission"))
    def of_placement(self, call: PanelCall) -> str:
        if call.placement_id is None:
            return formatting.NONE
        return base.page_link(Placement(pk=call.placement_id), call.placement_id)

    @admin.display(description=_("response"))
    def answer_start(self, call: PanelCall) -> str:
        return format_html('<bdi class="clip mono">{}</bdi>', call.answer[:120])

    @admin.display(description=_("request"))
    def request_text(self, call: PanelCall) -> str:
        return format_html('<pre dir="ltr" class="said">{}</pre>', call.request)

    @admin.display(description=_("response"))
    def answer_text(self, call: PanelCall) -> str:
        return format_html('<pre dir="ltr" class="said">{}</pre>', call.answer)
