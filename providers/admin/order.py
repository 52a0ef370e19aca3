"""Orders in the back office: the list, and the page of one order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orders.admin import base, formatting
from orders.errors import NotNow, OrdersError, OwnMoney
from orders.lifecycle import fulfillment, staff_decisions
from orders.models import Order, OrderEvent, Transfer
from orders.rules import amounts, state_machine
from providers import note_texts
from providers.admin import attention, decisions, placement
from providers.admin.decisions import decision
from providers.models import PanelCall, Placement, PlacementState, Provider, RefusalReason
from providers.placing import routing
from providers.placing.waiting import explain
from providers.reconciling import evidence
from providers.tracking import waiting

#: Links have no index, so only this many of the newest orders are searched for a link.
LINKS_AMONG = 200_000


@dataclass(frozen=True)
class OrderLine:
    """One line of the timeline."""

    event: OrderEvent
    title: str
    detail: str


@dataclass(frozen=True)
class Try:
    """One submission with its cost; ``here`` is in the store currency, at the exchange rate when it was sent."""

    row: Placement
    mark: str
    message: str
    there: str
    refunded: str
    here: Decimal
    is_in_doubt: bool
    evidence: list[str]
    taught: str
    calls: str

    @property
    def here_words(self) -> str:
        return formatting.amount(self.here)


class ByStatus(base.StatusFilter):
    ended = frozenset(status.value for status in state_machine.TERMINAL)


@admin.register(Order)
class OrderAdmin(base.IndexedSearchMixin, base.LargeTableMixin, base.ReadOnlyMixin, base.ModelAdmin):
    list_display = (
        "number",
        "mark",
        "customer",
        "service_name",
        "delivered",
        "charge_amount",
        "refund_amount",
        "source",
        "at",
    )
    list_filter = (("status", ByStatus), attention.OrderAttention, "source")
    list_select_related = ("user", "service")
    actions: Any = ("start_by_hand", "complete_by_hand", "mark_reports_seen")
    search_fields = ("id",)
    search_help_text = _(
        "Order ID, provider order ID, or the beginning of a customer's email address or of a link. Links are searched "
        "in the newest 200,000 orders."
    )

    def get_urls(self) -> list[Any]:
        def at(address: str, name: str, view: Any) -> Any:
            return path(address, self.admin_site.admin_view(view), name=name)

        order, row = "orders_order", "providers_placement"
        return [
            at("<int:pk>/cancel/", f"{order}_cancel", decision(Order, decisions.ReasonForm, decisions.cancel)),
            at("<int:pk>/seen/", f"{order}_seen", decision(Order, forms.Form, decisions.mark_seen)),
            at("<int:pk>/partial/", f"{order}_partial", decision(Order, decisions.NotDeliveredForm, decisions.shorten)),
            at(
                "doubt/<int:pk>/placed/",
                f"{row}_placed",
                decision(Placement, decisions.NumberForm, decisions.was_placed),
            ),
            at(
                "doubt/<int:pk>/again/", f"{row}_again", decision(Placement, decisions.ReasonForm, decisions.send_again)
            ),
            at("doubt/<int:pk>/teach/", f"{row}_teach", decision(Placement, forms.Form, decisions.teach)),
            at("doubt/<int:pk>/search/", f"{row}_search", decision(Placement, forms.Form, decisions.search_now)),
            at("doubt/<int:pk>/back/", f"{row}_back", decision(Placement, decisions.ReasonForm, decisions.pay_back)),
            *super().get_urls(),
        ]

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Look up each kind of text through an index, so that no search reads the whole history."""
        if "@" in text and "/" not in text:
            return rows.filter(user__in=base.customers_with_email(text))
        numbers = set(placement.by_upstream_id(text).values_list("order_id", flat=True)[:200])
        if base.is_number(text):
            numbers.add(int(text))
        if numbers:
            return rows.filter(pk__in=numbers)
        newest = Order.objects.aggregate(newest=Max("pk"))["newest"] or 0
        return rows.filter(link__startswith=text, pk__gt=newest - LINKS_AMONG)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("user__id__exact", "service__id__exact") or super().lookup_allowed(lookup, value, request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(decisions.PERMISSION)

    @admin.action(description=_("Start delivery by hand"), permissions=["decide"])
    def start_by_hand(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._deliver_by_hand(request, queryset, state_machine.Status.IN_PROGRESS)

    @admin.action(description=_("Complete delivery by hand"), permissions=["decide"])
    def complete_by_hand(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._deliver_by_hand(request, queryset, state_machine.Status.COMPLETED)

    def _deliver_by_hand(self, request: HttpRequest, orders: QuerySet[Order], status: state_machine.Status) -> None:
        """Set the status of each order in a transaction of its own; one that is refused does not stop the others."""
        done = 0
        for order in orders:
            try:
                with transaction.atomic():
                    if order.user_id == request.user.pk:
                        raise OwnMoney(gettext("This is your own order. Ask a colleague to decide."))
                    if routing.may_be_placed(order):
                        raise NotNow(gettext("A provider delivers this order, so its progress cannot be set."))
                    staff_decisions.report(order, status=status, actor=request.user)
                    self.log_change(request, order, f"Delivered by hand: {status.value}.")
                    done += 1
            except OrdersError as problem:
                text = gettext("Order %(order)s: %(why)s") % {"order": order.pk, "why": problem}
                self.message_user(request, text, messages.ERROR)
        if done:
            self.message_user(request, ngettext("%d order updated.", "%d orders updated.", done) % done)

    @admin.action(description=_("Mark as seen"), permissions=["decide"])
    def mark_reports_seen(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        keys = list(queryset.filter(odd_at__isnull=False).values_list("pk", flat=True))
        for key in keys:
            fulfillment.mark_seen(key, actor=request.user)
        text = ngettext("%d order marked as seen.", "%d orders marked as seen.", len(keys))
        self.message_user(request, text % len(keys))

    # ---------------------------------------------------------------------------------------------- page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_permission(request, order) or request.method != "GET":
            raise PermissionDenied
        tries = [self._try(row) for row in _placements(order)]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Order %s") % order.pk,
            "opts": self.opts,
            "order": order,
            "reasons": [attention.REASONS[name] for name in waiting.reasons_of(order)],
            "waits_for": explain(order),
            "lines": _lines(order),
            "tries": tries,
            "money": _money(order, tries),
            "transfers": base.list_link(Transfer, _("Transactions"), order__id__exact=order.pk),
            **_choices(request, order),
        }
        return TemplateResponse(request, "admin/orders/order/page.html", context)

    @staticmethod
    def _try(row: Placement) -> Try:
        paid = row.charged if row.charged is not None else row.cost
        return Try(
            row=row,
            mark=placement.state_mark(row),
            message=note_texts.describe(row.panel_error),
            there=formatting.amount(paid, row.currency),
            refunded=formatting.amount(row.refunded, row.currency) if row.refunded is not None else "",
            here=amounts.round_up(amounts.multiply(paid, row.exchange_rate)),
            is_in_doubt=row.state == PlacementState.IN_DOUBT,
            evidence=evidence.sentences(row) if row.state == PlacementState.IN_DOUBT else [],
            taught="" if row.evidence.get("number") else row.evidence.get("said", ""),
            calls=base.list_link(PanelCall, _("Call log"), placement__id__exact=row.pk),
        )

    # ---------------------------------------------------------------------------------------------- columns

    @admin.display(description=_("ID"))
    def number(self, order: Order) -> int:
        return order.pk

    @admin.display(description=_("customer"))
    def customer(self, order: Order) -> str:
        return format_html('<bdi class="clip">{}</bdi>', order.user)

    @admin.display(description=_("service"))
    def service_name(self, order: Order) -> str:
        return format_html('<bdi class="clip" title="{0}">{0}</bdi>', order.service)

    @admin.display(description=_("status"))
    def mark(self, order: Order) -> str:
        return formatting.status_badge(order.status)

    @admin.display(description=_("delivered"))
    def delivered(self, order: Order) -> str:
        return formatting.delivered(order)

    @admin.display(description=_("charge"))
    def charge_amount(self, order: Order) -> str:
        return formatting.amount(order.charge)

    @admin.display(description=_("refunded"))
    def refund_amount(self, order: Order) -> str:
        return formatting.amount(order.refunded) if order.refunded else formatting.NONE

    @admin.display(description=_("ordered at"))
    def at(self, order: Order) -> str:
        return formatting.moment(order.created_at)


def _placements(order: Order) -> QuerySet[Placement]:
    return Placement.objects.filter(order=order).select_related("provider", "offer").order_by("-id")


def _lines(order: Order) -> list[OrderLine]:
    """Return the whole timeline, newest first, in two queries."""
    names: dict[Any, str] = dict(Provider.objects.values_list("pk", "name"))
    events = OrderEvent.objects.filter(order=order).select_related("actor").order_by("-id")
    return [OrderLine(event, event.get_kind_display(), _describe(event, names)) for event in events]


def _describe(event: OrderEvent, names: dict[Any, str]) -> str:
    """Describe the data of ``event``, with the labels of the codes that providers store."""
    reason = event.data.get("reason")
    if reason in RefusalReason.values:
        event.data = event.data | {"reason": str(RefusalReason(reason).label)}
    return formatting.describe_event(event, names, describe_note=note_texts.describe)


def _money(order: Order, tries: list[Try]) -> dict[str, str]:
    spent = sum(
        (one.here for one in tries if one.row.state in (PlacementState.ACCEPTED, PlacementState.CLOSED)), Decimal(0)
    )
    left = order.paid - spent
    return {
        "charge": formatting.amount(order.charge),
        "rate": formatting.amount(order.rate),
        "refunded": formatting.amount(order.refunded),
        "paid": formatting.amount(order.paid),
        "cost": formatting.amount(spent) if spent else formatting.NONE,
        "margin": formatting.amount(left) if spent else formatting.NONE,
        "share": formatting.percent(left / order.paid) if spent and order.paid else "",
    }


def _choices(request: HttpRequest, order: Order) -> dict[str, Any]:
    """Return what this person may decide now."""
    may = request.user.has_perm(decisions.PERMISSION)
    return {
        "can_decide": may,
        "can_cancel": may and order.state in staff_decisions.CANCELABLE,
        "can_shorten": may and order.state in staff_decisions.SHORTENABLE,
        "reason": decisions.ReasonForm(auto_id=False),
        "upstream_number": decisions.NumberForm(auto_id=False),
        "undelivered": decisions.NotDeliveredForm(auto_id=False),
    }
