"""Orders and requests that wait longer than expected, by reason, as query sets over open rows.

An order is in at most one of the groups of its state. Each group takes a fixed number of queries, however many orders
there are. Operators see the groups on the start page, in the list of orders and on the order's page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from orders.models import Cancellation, DeliveryStats, Order, Refill, Run
from orders.models.customer_request import OPEN_REQUEST
from orders.rules.state_machine import FOLLOWED, Status
from providers.models import Placement, PlacementState, Route
from providers.placing import routing
from providers.reconciling import decisions

#: A queued order or run is normally placed within seconds after it is due.
QUEUED_FOR = timedelta(minutes=15)
#: A call that places an order ends within a minute, and its lease soon after.
SUBMITTING_FOR = timedelta(minutes=5)
#: Orders of a service normally end within its 90th percentile; several times that is too long, but never less than
#: ``IN_PROGRESS_AT_LEAST``. Services that were not measured yet have ``IN_PROGRESS_FOR``.
IN_PROGRESS_TIMES = 3
IN_PROGRESS_AT_LEAST = timedelta(hours=6)
IN_PROGRESS_FOR = timedelta(days=14)
#: Subscriptions run for as long as the customer's account posts.
SUBSCRIPTION_FOR = timedelta(days=90)
#: A cancellation shows in the order's status within hours; refills take days.
CANCELLATION_FOR = timedelta(days=2)
REFILL_FOR = timedelta(days=14)


#: Days since noon of 24 November 4714 BC; 2440587.5 of them passed until 1970.
_SQLITE_EPOCH = "CAST((JULIANDAY(%(expressions)s) - 2440587.5) * 86400 AS INTEGER)"


class _Epoch(Func):
    """The whole seconds from 1970 to a time."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template=_SQLITE_EPOCH, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="EXTRACT(EPOCH FROM %(expressions)s)::bigint", **extra)


def undecided() -> QuerySet[Order]:
    """Return orders whose outcome stays unknown until an operator decides."""
    return Order.objects.open().filter(pk__in=decisions.awaiting_decision().order_by().values("order_id"))


def searched() -> QuerySet[Order]:
    """Return orders with an unknown outcome that are still searched for."""
    unknown = Placement.objects.filter(state=PlacementState.IN_DOUBT, ended_at=None)
    waiting = unknown.exclude(pk__in=decisions.awaiting_decision().order_by().values("pk"))
    return Order.objects.open().filter(pk__in=waiting.values("order_id"))


def routeless() -> QuerySet[Order]:
    """Return queued orders without a usable route, whatever their age."""
    queued = Order.objects.open().filter(status=Status.QUEUED, service__is_manual=False)
    return queued.filter(~Exists(_usable("service_id")))


def by_hand() -> QuerySet[Order]:
    """Return queued orders whose time has come and that staff delivers, whatever their age."""
    started = Q(starts_at=None) | Q(starts_at__lte=timezone.now())
    return Order.objects.open().filter(started, status=Status.QUEUED, service__is_manual=True)


def paused() -> QuerySet[Order]:
    """Return late orders whose routes all lead to paused providers."""
    return _late().filter(Exists(_usable("service_id")), ~Exists(_unpaused()))


def retrying() -> QuerySet[Order]:
    """Return late orders that are tried again later, because a provider rejected them or was not reached."""
    return _late().filter(Exists(_unpaused()), due_at__gt=timezone.now())


def unplaced() -> QuerySet[Order]:
    """Return late orders that could be placed now, and orders with a due run."""
    now = timezone.now()
    is_due = Q(due_at=None) | Q(due_at__lte=now)
    runs = Run.objects.filter(status=Status.QUEUED, ended_at=None, due_at__lt=now - QUEUED_FOR)
    whole = _late().filter(Exists(_unpaused()), is_due)
    return Order.objects.open().filter(Q(pk__in=whole.values("pk")) | Q(pk__in=runs.values("order_id")))


def submitting() -> QuerySet[Order]:
    """Return orders whose submission has neither ended nor expired, because their worker died or is stopped."""
    old = timezone.now() - SUBMITTING_FOR
    claims = Placement.objects.filter(state=PlacementState.SUBMITTING, ended_at=None, lease_until__lt=old)
    return Order.objects.open().filter(pk__in=claims.values("order_id"))


def overdue() -> QuerySet[Order]:
    """Return orders that take much longer than usual for their service."""
    now = timezone.now()
    expected = Case(
        When(service__service_type="subscriptions", then=_seconds(SUBSCRIPTION_FOR)),
        When(
            service__delivery_stats__sample__gte=DeliveryStats.LEAST,
            service__delivery_stats__finish_p90__isnull=False,
            then=Greatest(F("service__delivery_stats__finish_p90") * IN_PROGRESS_TIMES, _seconds(IN_PROGRESS_AT_LEAST)),
        ),
        default=_seconds(IN_PROGRESS_FOR),
        output_field=IntegerField(),
    )
    deliveries = (F("runs") - 1) * F("interval") * 60
    begun = Coalesce("starts_at", "created_at", output_field=DateTimeField())
    age = Value(int(now.timestamp()), output_field=IntegerField()) - _Epoch(begun)
    moving = Order.objects.open().filter(status__in=FOLLOWED, created_at__lt=now - IN_PROGRESS_AT_LEAST)
    return moving.alias(waited=age, expected=expected + deliveries).filter(waited__gt=F("expected"))


def odd() -> QuerySet[Order]:
    """Return orders with an unexpected report that no operator has marked as seen."""
    return Order.objects.filter(odd_at__isnull=False)


#: The groups by name, in the order in which an operator should look at them.
ORDERS: Mapping[str, Callable[[], QuerySet[Order]]] = {
    "undecided": undecided,
    "searched": searched,
    "submitting": submitting,
    "by_hand": by_hand,
    "routeless": routeless,
    "paused": paused,
    "retrying": retrying,
    "waiting": unplaced,
    "overdue": overdue,
    "odd": odd,
}


def reasons_of(order: Order) -> list[str]:
    """Return why ``order`` needs attention, as names of ``ORDERS``; a fixed number of queries."""
    return [name for name, orders in ORDERS.items() if orders().filter(pk=order.pk).exists()]


def slow_requests(model: type[Refill | Cancellation]) -> QuerySet[Any]:
    """Return open refills or cancellations that have waited too long for the panel and not for an operator."""
    limit = REFILL_FOR if model is Refill else CANCELLATION_FOR
    return model.objects.filter(
        status__in=OPEN_REQUEST, ended_at=None, needs_operator=False, created_at__lt=timezone.now() - limit
    )


def _late() -> QuerySet[Order]:
    """Return queued orders that should have been placed by now, considering the customer's start time."""
    limit = timezone.now() - QUEUED_FOR
    started = Q(starts_at=None) | Q(starts_at__lt=limit)
    whole = Q(runs=1) | ~Exists(Run.objects.filter(order_id=OuterRef("pk")))
    queued = Order.objects.open().filter(status=Status.QUEUED, created_at__lt=limit, service__is_manual=False)
    return queued.filter(started, whole)


def _usable(service: str) -> QuerySet[Route]:
    return routing.usable().filter(service_id=OuterRef(service)).order_by()


def _unpaused() -> QuerySet[Route]:
    paused_until = "offer__provider__paused_until"
    is_open = Q(**{paused_until: None}) | Q(**{f"{paused_until}__lte": timezone.now()})
    return _usable("service_id").filter(is_open)


def _seconds(time: timedelta) -> Value:
    return Value(int(time.total_seconds()), output_field=IntegerField())
