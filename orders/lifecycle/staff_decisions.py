"""What staff decide about one order, in the back office or by a program: cancel, set partial, deliver by hand.

Each function locks the order, checks that the step is possible, and raises NotNow with a text for staff if it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.buying import checkout
from orders.errors import LinkInUse, NotNow
from orders.lifecycle import fulfillment
from orders.models import Order, PullLease
from orders.models.event_codes import EventDecision
from orders.models.order import EventKind
from orders.rules import order_inputs, same_link
from orders.rules.state_machine import FOLLOWED, TERMINAL, Progress, Status

#: Open orders without a call under way; an unknown outcome is decided on the submission.
CANCELABLE = (Status.QUEUED, *FOLLOWED)
#: Orders that a panel had. An ended one may still turn out to be short; that only ever refunds more.
SHORTENABLE = (*FOLLOWED, Status.COMPLETED, Status.PARTIAL)
#: What can be reported about an order that is delivered by hand.
REPORTABLE = (Status.PROCESSING, Status.IN_PROGRESS, Status.COMPLETED, Status.PARTIAL, Status.CANCELED)


def cancel(order: Order, *, actor: Any, why: str = "") -> Order:
    """Cancel an open order and refund it in full, without telling the panel."""
    with transaction.atomic():
        lock(order, CANCELABLE)
        return fulfillment.cancel(order.pk, actor=actor, **({"why": why} if why else {}))


def set_partial(order: Order, *, remains: int, actor: Any, why: str = "") -> Order:
    """Mark the order as partial, or as partial by more than before, and refund what was not delivered."""
    with transaction.atomic():
        row = lock(order, SHORTENABLE)
        if remains > row.quantity:
            raise NotNow(_("Enter at most %d, the quantity that was ordered.") % row.quantity)
        fulfillment.add_event(
            row, kind=EventKind.NOTE, actor=actor, decision=EventDecision.SET_PARTIAL, remains=remains, why=why
        )
        decided = fulfillment.apply_progress(row.pk, progress=Progress(status=Status.PARTIAL, remains=remains))
        if decided.undelivered is None:
            raise NotNow(_("At least this much has been refunded already."))
        row.refresh_from_db()
        return row


def take_by_hand(
    *, limit: int, service_ids: Sequence[int] = (), lease: timedelta, actor: Any = None
) -> dict[int, datetime | None]:
    """Hand out orders that are delivered by hand: first those whose lease is over, then queued ones, the oldest first.

    An order that is handed out is processing. Until the lease is over it is not handed out again, and after the first
    report about it never.

    Args:
        service_ids: Only orders of these services; all services that are delivered by hand if empty.
        lease: How long the program that asks may take until its first report; zero means for ever.

    Returns:
        When the former lease ended, by the id of the order; None for an order that is handed out for the first time.
    """
    now = timezone.now()
    by_hand = Order.objects.open().filter(service__is_manual=True)
    if service_ids:
        by_hand = by_hand.filter(service__in=service_ids)
    with transaction.atomic():
        taken: dict[int, datetime | None] = {}
        if lease:
            taken |= _take_again(by_hand, limit, until=now + lease)
        waiting = by_hand.filter(Q(starts_at=None) | Q(starts_at__lte=now), status=Status.QUEUED)
        first = [pk for (pk,) in _locked(waiting, "pk")[: limit - len(taken)]]
        for pk in first:
            fulfillment.start_by_hand(pk, actor=actor)
        if lease:
            PullLease.objects.bulk_create(PullLease(order_id=pk, until=now + lease) for pk in first)
    return taken | dict.fromkeys(first)


def _take_again(orders: QuerySet[Order], limit: int, *, until: datetime) -> dict[int, datetime]:
    """Renew leases that are over; return when each ended, by the id of its order."""
    over = PullLease.objects.filter(until__lte=timezone.now())
    # The lease of an order that was canceled or finished in another way has no meaning any more.
    over.exclude(order__status=Status.PROCESSING).delete()
    taken = {}
    for pk, ended in _locked(orders.filter(pull_lease__in=over), "pk", "pull_lease__until")[:limit]:
        # The condition excludes an order that another program took since the row was read.
        if PullLease.objects.filter(order=pk, until=ended).update(until=until):
            taken[pk] = ended
    return taken


def _locked(orders: QuerySet[Order], *columns: str) -> Any:
    """Return the columns of the orders that nobody else has locked, the oldest first, and lock them."""
    skips = connection.features.has_select_for_update_skip_locked
    return orders.select_for_update(of=("self",), skip_locked=skips).order_by("pk").values_list(*columns)


def report(
    order: Order,
    *,
    status: Status | None = None,
    start_count: int | None = None,
    remains: int | None = None,
    actor: Any = None,
) -> Order:
    """Apply the progress of an order that is delivered by hand; without ``status`` only the numbers change.

    The order is not handed out again after that: the program that pulled it is delivering it.
    """
    with transaction.atomic():
        row = lock(order, (*CANCELABLE, *TERMINAL))
        if not row.service.is_manual:
            raise NotNow(_("A provider delivers this order, so its progress cannot be set."))
        if status is None:
            status = row.state if row.state in REPORTABLE else Status.PROCESSING
        if status not in REPORTABLE:
            raise NotNow(_("This status cannot be set."))
        if status is Status.CANCELED and row.state is not Status.CANCELED:
            return cancel(row, actor=actor)
        if status is Status.PARTIAL and remains is None:
            remains = row.remains
        if remains is not None and remains > row.quantity:
            raise NotNow(_("Enter at most %d, the quantity that was ordered.") % row.quantity)
        progress = Progress(status=status, start_count=start_count, remains=remains)
        decision = fulfillment.decide(row, progress)
        if decision.oddity or decision.status is not status:
            raise _not_now(row)
        fulfillment.apply_progress(row.pk, progress=progress, actor=actor)
        PullLease.objects.filter(order=row.pk).delete()
        row.refresh_from_db()
        return row


def change_link(order: Order, *, link: str, actor: Any = None) -> Order:
    """Change the link of an open order that no provider has.

    Raises:
        InvalidField: The link is not one that the service accepts.
        LinkInUse: The service allows one open order per link, and another one has this link.
    """
    with transaction.atomic():
        row = lock(order, CANCELABLE)
        if row.state is not Status.QUEUED and not row.service.is_manual:
            raise NotNow(_("The provider has this order with its current link."))
        if not row.service.type.has_link:
            raise NotNow(_("Orders of this service have no link."))
        order_inputs.read_link(link)
        checkout.check_link(row.service, link)
        row.link = link
        if row.link_lock is not None:
            row.link_lock = same_link.lock(row.service_id, link)
        try:
            with transaction.atomic():
                row.save(update_fields=["link", "link_lock"])
        except IntegrityError:
            raise LinkInUse("Another open order of this service has this link.") from None
        fulfillment.add_event(row, kind=EventKind.NOTE, actor=actor, decision=EventDecision.CHANGE_LINK)
        return row


def try_again(order: Order, *, actor: Any = None) -> Order:
    """Send a queued order now instead of at its next attempt."""
    with transaction.atomic():
        row = lock(order, (Status.QUEUED,))
        if row.service.is_manual:
            raise NotNow(_("It is delivered by hand, so it waits for staff."))
        row.due_at = None
        row.save(update_fields=["due_at"])
        fulfillment.add_event(row, kind=EventKind.NOTE, actor=actor, decision=EventDecision.TRY_AGAIN)
        transaction.on_commit(lambda: checkout.wake(row), robust=True)
        return row


def lock(order: Order, allowed: tuple[Status, ...]) -> Order:
    """Return the order under its lock. Raises NotNow unless its status is one of ``allowed``."""
    row = Order.objects.select_for_update(of=("self",)).select_related("service").get(pk=order.pk)
    if row.state not in allowed:
        raise _not_now(row)
    return row


def _not_now(order: Order) -> NotNow:
    return NotNow(_("The status of the order is now “%s”. Check it again.") % order.get_status_display())
