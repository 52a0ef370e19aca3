"""Decisions about orders whose outcome is unknown, made by an operator or by the search."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.lifecycle import fulfillment
from orders.models import Order
from orders.models.event_codes import EventDecision, Oddity
from orders.models.order import EventKind
from providers import notes
from providers.errors import NumberHeld, OutcomeUnknown, ProviderError
from providers.models import Placement, PlacementState, Provider, RefusalText
from providers.models.provider import SEARCH_CHECK_VALIDITY
from providers.notes import Note
from providers.reconciling import evidence, id_windows
from providers.worker import leases

#: The search, if it is on, decides nearly everything in this time: two minutes until the panel has settled, and two to
#: search.
PATIENCE = timedelta(minutes=5)


class NotInDoubt(ProviderError):
    """The outcome of the placement is known."""


class NumberTaken(ProviderError):
    """Another order at this provider has this number."""


class NothingToTeach(ProviderError):
    """The panel sent no error text that could mean "not placed"."""


def opening(provider: Provider, problem: ProviderError) -> dict[str, Any]:
    """Return the values of a placement whose outcome becomes unknown now."""
    # On the database's clock, because the search compares it with orders that other machines sent.
    now = leases.database_now()
    return {
        "panel_error": problem.message[:600],
        "answered_at": now,
        "in_doubt_at": now,
        "next_search_at": id_windows.next_look(now, timedelta(seconds=provider.settle_seconds), now),
        "evidence": evidence.opening(problem),
    }


def awaiting_decision() -> QuerySet[Placement]:
    """Return placements in doubt that need an operator: the search is off, or did not decide in time."""
    now = timezone.now()
    is_searched = Q(provider__is_search_allowed=True, provider__search_checked_at__gt=now - SEARCH_CHECK_VALIDITY)
    return Placement.objects.filter(
        ~is_searched | Q(in_doubt_at__lt=now - PATIENCE), state=PlacementState.IN_DOUBT, ended_at=None
    ).order_by("pk")


def number_conflict(placement: Placement, upstream_id: str) -> OutcomeUnknown:
    """Return the error for an answer with a number that another order already has.

    One of the two was not placed, and only an operator or the search can tell which. Two orders are never tracked
    under one number.
    """
    numbered = Placement.objects.filter(provider=placement.provider_id, upstream_id=upstream_id)
    holder, mine = numbered.select_related("order").first(), placement.order
    if holder is None:
        return OutcomeUnknown(notes.encode(Note.ANSWER_NOT_RECORDED), upstream_id=upstream_id, is_lasting=True)
    is_twin = (holder.offer_id, holder.quantity, holder.order.link, holder.order.fields) == (
        placement.offer_id, placement.quantity, mine.link, mine.fields
    )  # fmt: skip
    text = notes.encode(Note.NUMBER_TAKEN, number=upstream_id, order=str(holder.order_id))
    return NumberHeld(text, upstream_id=upstream_id, holder=holder.order_id, is_twin=is_twin)


def attach(placement: Placement, *, upstream_id: str, actor: Any = None, **facts: Any) -> Placement:
    """Decide that the order was placed as ``upstream_id``; from now on it is tracked.

    Args:
        facts: What the decision is based on, for the order's activity.
    """
    try:
        with transaction.atomic():
            row = _locked(placement)
            row.state, row.upstream_id, row.sync_at = PlacementState.ACCEPTED, upstream_id.strip(), timezone.now()
            row.next_search_at = None
            row.save(update_fields=["state", "upstream_id", "sync_at", "next_search_at"])
            order = fulfillment.accept(row.order_id, run=row.run, provider=row.provider_id, upstream_id=row.upstream_id)
            _tell(order, actor, decision=EventDecision.PLACED, **facts)
    except IntegrityError:
        raise NumberTaken(_("Another order already has this number at this provider.")) from None
    return row


def release(
    placement: Placement,
    *,
    send_again: bool,
    why: str,
    actor: Any = None,
    due_at: datetime | None = None,
    **facts: Any,
) -> Placement:
    """Decide that the order was not placed: it returns to the queue (until ``due_at``), or fails and is refunded.

    Args:
        why: The reason, for the order's activity.
        facts: What the decision is based on, for the order's activity.
    """
    with transaction.atomic():
        row = _locked(placement)
        row.state, row.ended_at, row.panel_error = PlacementState.NOT_SENT, timezone.now(), why[:600]
        row.next_search_at = None
        row.save(update_fields=["state", "ended_at", "panel_error", "next_search_at"])
        order = Order.objects.get(pk=row.order_id)
        _tell(
            order,
            actor,
            decision=EventDecision.SEND_AGAIN if send_again else EventDecision.REFUND,
            why=why,
            **facts,
        )
        if send_again:
            fulfillment.requeue(
                row.order_id, run=row.run, why=EventKind.NOT_SENT, due_at=due_at, provider=row.provider_id
            )
        else:
            fulfillment.fail(row.order_id, run=row.run, why=EventKind.NOTE, provider=row.provider_id)
    return row


def teach(placement: Placement, actor: Any = None) -> Placement:
    """Save that this error text of this panel means "not placed"; the order returns to the queue.

    Raises:
        NothingToTeach: the panel sent no error text, or more than an error text.
    """
    said = placement.evidence.get("said", "")
    if not said or placement.evidence.get("number"):
        raise NothingToTeach(_("The provider gave no error text that could mean “not placed”."))
    with transaction.atomic():
        RefusalText.objects.get_or_create(provider_id=placement.provider_id, text=_plain(said))
        return release(placement, send_again=True, why=notes.encode(Note.STORED_ERROR, message=said), actor=actor)


def search_now(placement: Placement) -> None:
    """Let the next pass search for the order among the panel's numbers.

    Raises:
        NotInDoubt: the outcome is known.
    """
    open_rows = Placement.objects.filter(pk=placement.pk, state=PlacementState.IN_DOUBT)
    if not open_rows.update(next_search_at=timezone.now()):
        raise NotInDoubt(_("The outcome of this order is already known. Reload the page."))


def is_taught(provider: Provider, said: str) -> bool:
    """Return whether an operator has saved that this error text of this panel means "not placed"."""
    return bool(said) and RefusalText.objects.filter(provider=provider, text=_plain(said)).exists()


def found_late(placement: Placement, *, upstream_id: str, charge: Decimal | None) -> bool:
    """Record that the panel has an order that was decided as not placed; its cost is a loss of ours.

    The customer was refunded or is served by another placement, so the balance is never charged again.
    """
    try:
        with transaction.atomic():
            late = Placement.objects.filter(pk=placement.pk, state=PlacementState.NOT_SENT, upstream_id="")
            if not late.update(state=PlacementState.CLOSED, upstream_id=upstream_id, charged=charge or placement.cost):
                return False
            fulfillment.record_oddity(
                placement.order_id, Oddity.FOUND_LATE, provider=placement.provider_id, upstream_id=upstream_id
            )
    except IntegrityError:
        return False
    return True


def _plain(said: str) -> str:
    return " ".join(said.lower().split())[:600]


def _locked(placement: Placement) -> Placement:
    Order.objects.select_for_update().get(pk=placement.order_id)
    row = Placement.objects.select_for_update().get(pk=placement.pk)
    if row.state != PlacementState.IN_DOUBT:
        raise NotInDoubt(_("The outcome of this order is already known. Reload the page."))
    return row


def _tell(order: Order, actor: Any, **facts: Any) -> None:
    fulfillment.add_event(order, kind=EventKind.RESOLVED, actor=actor, **facts)
