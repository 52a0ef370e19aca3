"""Orders as the Admin API shows them: a fixed number of queries, however many orders there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils import timezone

from orders.lifecycle import customer_requests, staff_decisions
from orders.models import Cancellation, Order, OrderEvent, Refill
from orders.models.order import Source
from orders.rules import amounts
from orders.rules.state_machine import Status
from providers.models import Placement
from storefront.api.adminapi.inputs import ORDER_STATUSES
from storefront.web import panel_vocabulary

#: The word of this API for each status.
STATUS_WORDS: Mapping[Status, str] = {status: word for word, those in ORDER_STATUSES.items() for status in those}


def rows(orders: Iterable[Order]) -> list[dict[str, Any]]:
    """Return the orders as JSON values. Their ``user`` and ``service`` must be loaded."""
    listed = list(orders)
    ids = [order.pk for order in listed]
    placements = _latest_placements(ids)
    events = OrderEvent.objects.filter(order__in=ids).order_by().values_list("order").annotate(Max("created_at"))
    changed = dict(events)
    refills = {request.order_id: request for request in Refill.objects.filter(order__in=ids).order_by("pk")}
    cancels = {request.order_id: request for request in Cancellation.objects.filter(order__in=ids).order_by("pk")}
    return [
        {
            **_row(order, placements.get(order.pk), changed.get(order.pk)),
            "actions": _actions(order, refills.get(order.pk), cancels.get(order.pk)),
        }
        for order in listed
    ]


def _row(order: Order, placement: Placement | None, changed: datetime | None) -> dict[str, Any]:
    comments = order.fields.get("comments")
    numbers = (order.pk, order.status, order.quantity, 0, order.start_count, order.remains)
    return {
        "id": order.pk,
        "external_id": placement.upstream_id if placement else "",
        "user": order.user.email,
        "user_email": order.user.email,
        "creation_type": "API" if order.source == Source.API else "Web",
        "charge": amounts.plain(order.paid),
        "link": order.link,
        "start_count": order.start_count or 0,
        "quantity": order.quantity,
        "service_id": order.service_id,
        "service_name": order.service.name,
        "service_type": order.service.type.wire,
        "status": STATUS_WORDS[order.state],
        "remains": int(panel_vocabulary.order_row(numbers)["remains"]),
        "created": date(order.created_at),
        "last_update": date(max(filter(None, (order.created_at, order.started_at, order.ended_at, changed)))),
        "mode": "Manual" if order.service.is_manual else "Auto",
        "provider": placement.provider.name if placement else "",
        "ip_address": "",
        "order_buttons": {"comment": "\n".join(comments)} if comments else {},
        "fields": order.fields,
    }


def _actions(order: Order, refill: Refill | None, cancel: Cancellation | None) -> dict[str, bool]:
    """Return which actions are possible now."""
    is_manual = order.service.is_manual
    return {
        "resend": order.state is Status.QUEUED and not is_manual,
        "edit_link": order.state is Status.QUEUED or (is_manual and order.is_open),
        "refill": customer_requests.why_no_refill(order, refill) is None,
        "request_cancel": customer_requests.why_no_cancel(order, cancel) is None,
        "cancel_and_refund": order.state in staff_decisions.CANCELABLE,
    }


def date(moment: datetime | None) -> str:
    """Return a time in the shop's time zone as this API writes it: 2026-11-20 14:03:11."""
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _latest_placements(order_ids: list[int]) -> dict[int, Placement]:
    """Return the newest placement of each order that a provider has or had."""
    found = Placement.objects.filter(order__in=order_ids).exclude(upstream_id="").select_related("provider")
    return {placement.order_id: placement for placement in found.order_by("pk")}
