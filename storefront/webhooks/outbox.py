"""Turn shop events into webhook deliveries, in the transaction of the change; ``sending`` sends them afterwards."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from orders.db import bulk
from orders.events import ShopEvent, Topic
from orders.models import Order, Refill
from orders.models.customer_request import RequestStatus
from orders.rules import amounts
from orders.rules.service_types import SERVICE_TYPES
from providers.worker import outbox as worker_outbox
from storefront.web import panel_vocabulary
from storefront.webhooks.models import FLAGS, TEST, Delivery, Endpoint, WebhookEvent

_ORDER_COLUMNS = ("user_id", "pk", "status", "quantity", "charge", "refunded", "start_count", "remains")


def record(events: Sequence[ShopEvent]) -> None:
    """Store ``events`` for the endpoints that receive it.

    Takes one statement if no endpoint does; otherwise the number of statements does not depend on the number of events.
    """
    listeners = list(_listeners(events))
    if not listeners:
        return
    by_user: dict[int, list[Endpoint]] = defaultdict(list)
    for endpoint in listeners:
        by_user[endpoint.user_id].append(endpoint)
    event_data = _EventData(events, by_user)
    prepared: list[tuple[str, Mapping[str, Any], list[Endpoint]]] = []
    for event in events:
        candidates = listeners if event.topic is Topic.PRICES else by_user.get(event_data.owner_of(event) or 0, [])
        wanted = [endpoint for endpoint in candidates if getattr(endpoint, FLAGS[event.topic])]
        data = event_data.data_of(event) if wanted else None
        if data is not None:
            prepared.append((event.topic.value, data, wanted))
    _insert(prepared)


def send_test(endpoint: Endpoint) -> None:
    """Create a test event for the endpoint."""
    with transaction.atomic():
        _insert([(TEST, {"endpoint": endpoint.pk}, [endpoint])])


def resend(deliveries: Iterable[Delivery]) -> int:
    """Make the given deliveries due now and return how many were.

    Deliveries that are being sent at this moment and those of paused endpoints are left out.
    """
    now = timezone.now()
    rows = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries], endpoint__is_active=True)
    with transaction.atomic():
        # A settled delivery starts over with its attempts; one that is waiting only becomes due sooner.
        settled = rows.filter(due_at=None)
        done = settled.update(due_at=now, attempts=0, delivered_at=None, given_up_at=None, last_error="")
        done += rows.filter(due_at__gt=now, lease_until=None).update(due_at=now)
        if done:
            transaction.on_commit(wake, robust=True)
    return done


def wake() -> None:
    """Start a sending pass now; see ``providers.worker.outbox.wake``."""
    worker_outbox.wake("storefront.webhooks.tasks.deliver")


# ------------------------------------------------------------------------------------------------ recipients


def _listeners(events: Sequence[ShopEvent]) -> Iterable[Endpoint]:
    wanted = Q(pk__in=[])
    for topic, flag in FLAGS.items():
        matching = [event for event in events if event.topic is topic]
        if matching:
            wanted |= Q(**{flag: True}) & (Q() if topic is Topic.PRICES else _owners(matching))
    rows = Endpoint.objects.listening().filter(wanted).only("pk", "user_id", *FLAGS.values())
    if connection.vendor != "postgresql":
        return rows
    # Lock the endpoints, so that none is removed before the deliveries are committed: the broken foreign key would roll
    # back the change that caused the event. FOR KEY SHARE is the lock that the foreign keys take at commit anyway;
    # Django's ORM cannot express it.
    sql, values = rows.query.sql_with_params()
    return Endpoint.objects.raw(f"{sql} FOR KEY SHARE OF {Endpoint._meta.db_table}", values)


def _owners(events: Sequence[ShopEvent]) -> Q:
    """Return a condition for the owners of the events: by the event's own user, otherwise by the user of its order."""
    user_ids = {event.user_id for event in events if event.user_id is not None}
    orders = {event.order_id for event in events if event.user_id is None and event.order_id is not None}
    by_user = Q(user__in=user_ids)
    return by_user | Q(user__in=Order.objects.filter(pk__in=orders).values("user_id")) if orders else by_user


class _EventData:
    """The data of the events in the format of the panel API, read in this transaction with at most two queries."""

    def __init__(self, events: Sequence[ShopEvent], by_user: Mapping[int, Any]) -> None:
        matching = [event for event in events if event.topic is Topic.ORDER or event.user_id is None]
        orders = [event.order_id for event in matching if event.order_id is not None]
        refills = [event.refill_id for event in events if event.topic is Topic.REFILL and event.refill_id is not None]
        self.orders: dict[int, tuple[int, dict[str, str]]] = {}
        self.refills: dict[int, dict[str, Any]] = {}
        if orders:
            rows = Order.objects.filter(pk__in=orders, user__in=list(by_user))
            for user_id, pk, status, quantity, charge, refunded, *rest in rows.values_list(*_ORDER_COLUMNS):
                paid = amounts.to_units(charge - refunded, amounts.AMOUNT_PLACES)
                self.orders[pk] = user_id, panel_vocabulary.order_row((pk, status, quantity, paid, *rest))
        if refills:
            found = Refill.objects.filter(pk__in=refills).values_list("pk", "order_id", "status")
            for pk, order_id, status in found:
                word = panel_vocabulary.REFILL_WORDS[RequestStatus(status)]
                self.refills[pk] = {"refill": pk, "order": order_id, "status": word}

    def owner_of(self, event: ShopEvent) -> int | None:
        if event.user_id is not None:
            return event.user_id
        return self.orders[event.order_id][0] if event.order_id in self.orders else None

    def data_of(self, event: ShopEvent) -> Mapping[str, Any] | None:
        match event.topic:
            case Topic.ORDER:
                found = self.orders.get(event.order_id or 0)
                return {"order": event.order_id, **found[1]} if found else None
            case Topic.REFILL:
                return self.refills.get(event.refill_id or 0)
            case Topic.PRICES:
                return {
                    "currency": settings.STORE_CURRENCY,
                    "services": [_price(row) for row in event.data["services"]],
                }
            case Topic.LOW_BALANCE:
                return {**event.data, "currency": settings.STORE_CURRENCY}


def _price(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service's old and new rate in the format of the API's price list."""
    is_read_flat = SERVICE_TYPES[row["service_type"]].is_flat
    rates = {
        name: panel_vocabulary.wire_rate(amounts.parse(row[name]), row["is_flat"], is_read_flat)
        for name in ("old_rate", "rate")
    }
    return {"service": row["service"], **rates}


# ------------------------------------------------------------------------------------------------ storage


def _insert(prepared: Sequence[tuple[str, Mapping[str, Any], Sequence[Endpoint]]]) -> None:
    now = timezone.now()
    events, deliveries = [], []
    for topic, data, endpoints in prepared:
        event_id = uuid.uuid4()
        events.append((event_id, topic, _body(event_id, topic, data, now), now))
        deliveries += [(event_id, endpoint.pk, now, now, 0, "") for endpoint in endpoints]
    bulk.insert(WebhookEvent, ["id", "topic", "body", "created_at"], events)
    bulk.insert(Delivery, ["event", "endpoint", "due_at", "created_at", "attempts", "last_error"], deliveries)
    if deliveries:
        transaction.on_commit(wake, robust=True)


def _body(event_id: uuid.UUID, topic: str, data: Mapping[str, Any], at: datetime) -> str:
    """Return the event as JSON in plain ASCII, so that no receiver can fail on an encoding."""
    content = {"id": str(event_id), "event": topic, "created_at": _stamp(at), "data": data}
    return json.dumps(content, separators=(",", ":"))


def _stamp(at: datetime) -> str:
    """Return a time in ISO 8601, in UTC and with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
