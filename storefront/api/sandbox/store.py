"""Write the sandbox's rows: place orders with play money, request refills and cancellations, delete old rows.

Nothing else writes them. Prices and rules are the shop's own (``checkout.quote``, ``customer_requests``). The money is
not: no wallet is read or written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.buying import checkout, idempotency
from orders.buying.checkout import Quote
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import InsufficientFunds, LinkInUse, NotPossible, OrdersError, RequestReused
from orders.lifecycle import customer_requests
from orders.models import Service
from orders.rules import amounts, charges, same_link
from orders.rules.state_machine import Status
from storefront.accounts.models import ApiKey
from storefront.api.keys import Caller
from storefront.api.sandbox import progress
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill

RETENTION = timedelta(days=30)


def balance(key_id: int) -> Decimal:
    """Return the key's play money in the store currency, never below zero, with one query."""
    return max(amounts.parse(settings.SANDBOX_BALANCE) - SandboxOrder.objects.of(key_id).spent(), Decimal(0))


def place_order(
    caller: Caller, *, service: Service, inputs: Mapping[str, Any], pricing: CustomerPricing, request_id: str = ""
) -> SandboxOrder:
    """Place an order with the play money of the caller's key, or return the one that the same request placed before.

    Raises:
        OrderInvalid, ServiceNotSold, RequestReused, LinkInUse, InsufficientFunds: As in the shop.
    """
    name, fingerprint = request_id or None, idempotency.fingerprint(service.pk, inputs)
    idempotency.IdempotentRequest(caller.user_id, name).check()
    try:
        quoted = checkout.quote(service, inputs=inputs, pricing=pricing)
    except OrdersError:
        # The service may be off sale by now, although the same request was successful before.
        earlier = _find_repeated(caller.key_id, name, fingerprint)
        if earlier is None:
            raise
        return earlier
    order = _draft(quoted, key_id=caller.key_id, request_id=name, fingerprint=fingerprint)
    with transaction.atomic():
        # Allow one purchase of a key at a time, so that none is placed twice and no money is spent twice.
        ApiKey.objects.select_for_update(no_key=True).only("pk").get(pk=caller.key_id)
        earlier = _find_repeated(caller.key_id, name, fingerprint)
        if earlier is not None:
            return earlier
        if order.link_lock is not None and _is_link_held(order):
            raise LinkInUse(f"a sandbox order for this link of service {service.pk} is open")
        if order.charge > balance(caller.key_id):
            raise InsufficientFunds(f"the play money of key {caller.key_id} is less than {order.charge}")
        order.save(force_insert=True)
    return order


def refill_many(key_id: int, *, numbers: Sequence[int]) -> dict[int, SandboxRefill | NotPossible]:
    """Request a refill for each of the key's orders among ``numbers``.

    Returns:
        The refill or the problem, by order number. The number of queries does not depend on the number of orders.
    """
    outcome: dict[int, SandboxRefill | NotPossible] = {}
    asked = []
    with transaction.atomic():
        orders = _locked(key_id, numbers)
        refills = SandboxRefill.objects.filter(order__in=orders).order_by("pk")
        last = {refill.order_id: refill.as_refill() for refill in refills}
        for order in orders:
            problem = customer_requests.why_no_refill(order.as_order(), last.get(order.pk))
            if problem is not None:
                outcome[order.pk] = problem
            else:
                asked.append(_new_refill(order))
        made = SandboxRefill.objects.bulk_create(asked)
    return outcome | {refill.order_id: refill for refill in made}


def cancel_many(key_id: int, *, numbers: Sequence[int]) -> dict[int, SandboxOrder | NotPossible]:
    """Cancel the key's orders among ``numbers``.

    Returns:
        The order or the problem, by order number. The number of queries is the same for up to 100 orders.
    """
    outcome: dict[int, SandboxOrder | NotPossible] = {}
    stopped = []
    with transaction.atomic():
        for order in _locked(key_id, numbers):
            problem = customer_requests.why_no_cancel(order.as_order(), order.as_cancellation())
            outcome[order.pk] = problem or order
            if problem is None:
                _cancel(order)
                stopped.append(order)
        columns = ["started_at", "delivered_at", "ends_at", "final_status", "final_remains", "refund"]
        SandboxOrder.objects.bulk_update(stopped, [*columns, "cancel_requested_at"])
    return outcome


def prune() -> int:
    """Delete orders that began longer ago than ``RETENTION``, with their refills.

    Returns:
        The number of deleted rows.
    """
    before = timezone.now() - RETENTION
    old = SandboxOrder.objects.filter(
        Q(requested_start_at=None) | Q(requested_start_at__lt=before), created_at__lt=before
    )
    rows, _ = old.delete()
    return rows


# ------------------------------------------------------------------------------------------------ helpers


def _duration() -> timedelta:
    return timedelta(seconds=settings.SANDBOX_SECONDS)


def _draft(quoted: Quote, **whose: Any) -> SandboxOrder:
    """Return the unsaved order of ``quoted`` with its whole course. ``whose`` are additional columns."""
    details, now = quoted.details, timezone.now()
    order = SandboxOrder(
        **whose,
        link_lock=_link_lock(quoted),
        service=quoted.service,
        link=details.link,
        quantity=details.quantity,
        fields=details.fields,
        runs=details.runs,
        interval=details.interval,
        charge=quoted.charge,
        requested_start_at=quoted.starts_at,
        created_at=now,
    )
    begins_at = quoted.starts_at or now
    order.course = progress.course(order.outcome_text, quantity=order.quantity, begins_at=begins_at, length=_duration())
    order.refund = _refund(order)
    return order


def _link_lock(quoted: Quote) -> int | None:
    link = quoted.details.link
    return same_link.lock(quoted.service.pk, link) if link and quoted.service.is_one_per_link else None


def _refund(order: SandboxOrder) -> Decimal:
    """Return the refund at the end of the order's course, computed as in the shop."""
    if order.course.status not in (Status.CANCELED, Status.PARTIAL):
        return Decimal(0)
    return charges.refund(order.charge, quantity=order.quantity, remains=order.final_remains)


def _find_repeated(key_id: int, request_id: str | None, fingerprint: int) -> SandboxOrder | None:
    """Return the order of the same request, found by its id, or without one by its fingerprint.

    Raises:
        RequestReused: The id was used for another order.
    """
    window = idempotency.REQUEST_ID_WINDOW if request_id else timedelta(seconds=settings.IDEMPOTENCY_SECONDS)
    own = SandboxOrder.objects.of(key_id).filter(request_id=request_id)
    recent = own.filter(created_at__gt=timezone.now() - window)
    if request_id is None:
        return recent.filter(fingerprint=fingerprint).first()
    found = recent.first()
    if found is not None and found.fingerprint != fingerprint:
        raise RequestReused(found.pk)
    return found


def _is_link_held(order: SandboxOrder) -> bool:
    return SandboxOrder.objects.of(order.key_id).filter(link_lock=order.link_lock).open().exists()


def _locked(key_id: int, numbers: Sequence[int]) -> list[SandboxOrder]:
    rows = SandboxOrder.objects.of(key_id).filter(pk__in=numbers).select_related("service").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def _new_refill(order: SandboxOrder) -> SandboxRefill:
    now = timezone.now()
    is_rejected = progress.is_rejected(order.outcome_text)
    return SandboxRefill(order=order, is_rejected=is_rejected, created_at=now, ends_at=now + _duration())


def _cancel(order: SandboxOrder) -> None:
    order.cancel_requested_at = timezone.now()
    order.course = progress.stop_course(
        order.course, quantity=order.quantity, now=order.cancel_requested_at, length=_duration()
    )
    order.refund = _refund(order)
