"""Orders in doubt, decided by a person: it was placed, or it was not. Nothing here sends anything."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import fulfilment
from orders.models import Order
from orders.models.order import EventKind
from providers.errors import PanelError
from providers.models import Placement, State


class NotInDoubt(PanelError):
    """The placement is not, or no longer, in doubt."""


class NumberTaken(PanelError):
    """Another order of this provider has this number."""


def attach(placement: Placement, *, upstream_id: str, actor: Any = None) -> Placement:
    """It was placed: the panel's number is ``upstream_id``; from now on the order is followed."""
    try:
        with transaction.atomic():
            row = _locked(placement)
            row.state, row.upstream_id, row.sync_at = State.ACCEPTED, upstream_id.strip(), timezone.now()
            row.save(update_fields=["state", "upstream_id", "sync_at"])
            order = fulfilment.accepted(row.order_id, provider=row.provider_id, upstream_id=row.upstream_id)
            _tell(order, actor, decision="placed")
    except IntegrityError:
        raise NumberTaken(_("Another order of this provider already has this number.")) from None
    return row


def release(placement: Placement, *, send_again: bool, why: str, actor: Any = None) -> Placement:
    """It was not placed: the order goes back to the queue, or ends and is paid back. ``why`` is kept."""
    with transaction.atomic():
        row = _locked(placement)
        row.state, row.ended_at, row.words = State.NOT_SENT, timezone.now(), why[:600]
        row.save(update_fields=["state", "ended_at", "words"])
        order = Order.objects.get(pk=row.order_id)
        _tell(order, actor, decision="send again" if send_again else "pay back", why=why)
        if send_again:
            fulfilment.requeued(row.order_id, why=EventKind.NOT_SENT, provider=row.provider_id)
        else:
            fulfilment.failed(row.order_id, why=EventKind.NOTE, provider=row.provider_id)
    return row


def _locked(placement: Placement) -> Placement:
    Order.objects.select_for_update().get(pk=placement.order_id)
    row = Placement.objects.select_for_update().get(pk=placement.pk)
    if row.state != State.IN_DOUBT:
        raise NotInDoubt(_("This attempt is no longer in doubt."))
    return row


def _tell(order: Order, actor: Any, **facts: str) -> None:
    fulfilment.note(order, kind=EventKind.RESOLVED, actor=actor, **facts)
