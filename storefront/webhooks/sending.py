"""Send due webhook deliveries in three steps: claim, call, record.

    claim   one transaction: pick deliveries, a few of each endpoint, and lease them. Nothing is sent before it commits.
    call    from a bounded pool of threads that do HTTP and nothing else.
    record  each answer in its own transaction: delivered, to be sent again, or given up.

A delivery whose worker died is due again when its lease ends: an event may arrive twice, but a worker that dies loses
none. A worker that was stopped sends nothing that others may have taken over in the meantime (see
``providers.worker``).
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from providers import notes
from providers.errors import AddressNotAllowed, LeaseEnded, NotSent, ProviderError
from providers.http import client
from providers.http.client import Limits
from providers.http.messages import Answer, Call
from providers.notes import Note
from providers.transport import conversation
from providers.worker import leases, turns
from providers.worker import outbox as worker_outbox
from providers.worker.backoff import Steps
from providers.worker.clock import Deadline
from providers.worker.leases import Lease
from storefront.webhooks import signing
from storefront.webhooks.models import Attempt, Delivery, Endpoint, Pause

#: Maximum number of deliveries in flight in total, and per endpoint. A failing endpoint gets one at a time, and all
#: failing endpoints together get half of the total.
MAX_IN_FLIGHT = 16
MAX_PER_ENDPOINT = 2
#: Delays in seconds between the attempts; after the last one the delivery is given up.
RETRY_DELAYS = Steps((30, 120, 600, 3_600, 10_800, 43_200, 86_400), jitter=0.2)
#: How long nothing is sent to an endpoint after a failure. Otherwise a dead endpoint with a long backlog would keep the
#: workers busy for hours.
FAILURE_HOLD = timedelta(seconds=15)
#: An endpoint at which every delivery failed for this long is paused.
PAUSE_AFTER = timedelta(days=3)
#: Seconds that one attempt may take, and seconds during which one pass claims deliveries.
TIMEOUT = 10.0
CLAIM_SECONDS = 20.0
#: Name of the turn. Only one pass claims at a time, so that webhooks never occupy all workers.
TURN = "webhooks"
#: Maximum number of bytes read of an answer.
MAX_RESPONSE_BYTES = 64 * 1024
#: Seconds between two checks of a pass that is waiting for answers.
POLL_INTERVAL = 0.25


@dataclass(slots=True)
class _ClaimedDelivery:
    """A claimed delivery. ``call`` is None if its signature cannot be made."""

    delivery: Delivery
    began: datetime
    call: Call | None
    send_by: Deadline


def deliver_due(*, budget: float = CLAIM_SECONDS, linger: float = 0.0) -> Counter[str]:
    """Send the deliveries that are due.

    One pass claims at a time; a second one returns at once.

    Args:
        budget: Seconds during which the pass claims deliveries.
        linger: Seconds without work for which the pass keeps looking. A delivery committed just after a wake-up does
            not cause a wake-up of its own.

    Returns:
        The number of deliveries by outcome: delivered, failed, given_up or late.
    """
    conversation.outside_transaction()
    counts: Counter[str] = Counter()
    claims_end = time.monotonic() + budget
    # Check again after each pass: a delivery can come due after the pass's last check, while the pass still holds the
    # turn and no other pass can start.
    while time.monotonic() < claims_end and is_any_due():
        turn = turns.take(TURN, seconds=TIMEOUT + settings.LEASE_GRACE)
        if turn is None:
            break
        counts += _pass(turn, claims_end, linger)
    return counts


def _pass(turn: turns.HeldTurn, claims_end: float, linger: float) -> Counter[str]:
    counts: Counter[str] = Counter()
    pool = ThreadPoolExecutor(MAX_IN_FLIGHT, thread_name_prefix="webhook")
    in_flight_calls: dict[Future[Answer | ProviderError], _ClaimedDelivery] = {}
    last_work, last_claim, has_turn = time.monotonic(), 0.0, True
    try:
        while True:
            if has_turn and _should_claim(len(in_flight_calls), last_claim):
                last_claim = time.monotonic()
                claimed = _claim(MAX_IN_FLIGHT - len(in_flight_calls), turn)
                has_turn = claimed is not None
                for sent in claimed or ():
                    in_flight_calls[pool.submit(_send, sent)] = sent
            last_work = time.monotonic() if in_flight_calls else last_work
            if has_turn and (time.monotonic() >= claims_end or _is_idle(len(in_flight_calls), last_work + linger)):
                # Give up the turn while waiting for slow endpoints, so that the next pass can serve all others.
                has_turn = False
                turn.end()
            if not in_flight_calls:
                if not has_turn:
                    return counts
                time.sleep(POLL_INTERVAL)
            else:
                for future in wait(in_flight_calls, POLL_INTERVAL, return_when=FIRST_COMPLETED).done:
                    counts[_record(in_flight_calls.pop(future), future.result())] += 1
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if has_turn:
            turn.end()


def _should_claim(in_flight: int, last_claim: float) -> bool:
    """Return whether to claim deliveries now.

    If less than a quarter of the slots is free, a claim is made only every ``POLL_INTERVAL`` seconds instead of after
    every answer.
    """
    return in_flight < MAX_IN_FLIGHT and (
        in_flight <= MAX_IN_FLIGHT * 3 // 4 or time.monotonic() >= last_claim + POLL_INTERVAL
    )


def _is_idle(in_flight: int, until: float) -> bool:
    return not in_flight and time.monotonic() >= until and not is_any_due()


def is_any_due() -> bool:
    """Return whether a delivery could be sent now."""
    now = leases.database_now()
    return Endpoint.objects.ready(now).filter(pk__in=Delivery.objects.due(now).values("endpoint")).exists()


# ------------------------------------------------------------------------------------------------ claim


def _claim(limit: int, turn: turns.HeldTurn) -> list[_ClaimedDelivery] | None:
    """Lease up to ``limit`` deliveries and prepare their calls, the oldest of each endpoint first, healthy ones first.

    Returns:
        The prepared deliveries; None if the turn was lost, because this process was stopped and another one claims now.
    """
    lease = Lease.begin(longest_call=TIMEOUT)
    now, until = lease.begun_at, lease.until
    skips = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        if not turn.keep():
            return None
        picked = _pick(now, limit)
        if not picked:
            return []
        free = Delivery.objects.due(now).filter(pk__in=picked).order_by("pk")
        rows = list(free.select_for_update(skip_locked=skips, of=("self",)).select_related("endpoint", "event"))
        taken = [delivery.pk for delivery in rows]
        Delivery.objects.filter(pk__in=taken).update(due_at=until, lease_until=until, attempts=F("attempts") + 1)
    for delivery in rows:
        delivery.due_at, delivery.lease_until, delivery.attempts = until, until, delivery.attempts + 1
    return [_prepare(delivery, lease) for delivery in rows]


def _pick(now: datetime, limit: int) -> list[int]:
    """Choose deliveries: one of each healthy endpoint, then a second one of each, then one of each failing endpoint."""
    own = Delivery.objects.filter(endpoint=OuterRef("pk"))
    due: Any = own.due(now).order_by("due_at", "pk").values("pk")
    in_flight_count: Any = (
        own.filter(lease_until__gt=now).order_by().values("endpoint").annotate(n=Count("pk")).values("n")
    )
    ready = Endpoint.objects.ready(now).filter(pk__in=Delivery.objects.due(now).values("endpoint"))
    rows = ready.annotate(
        first=Subquery(due[:1]), second=Subquery(due[1:2]), in_flight=Coalesce(Subquery(in_flight_count), 0)
    )
    firsts, seconds, failing = [], [], []
    for failing_since, in_flight, first, second in rows.order_by("first").values_list(
        "failing_since", "in_flight", "first", "second"
    ):
        if failing_since is not None and not in_flight:
            failing.append(first)
        elif failing_since is None and in_flight < MAX_PER_ENDPOINT:
            firsts.append(first)
            if in_flight + 1 < MAX_PER_ENDPOINT and second is not None:
                seconds.append(second)
    room = (
        MAX_IN_FLIGHT // 2 - Delivery.objects.filter(lease_until__gt=now, endpoint__failing_since__isnull=False).count()
    )
    return [*firsts, *seconds, *failing[: max(room, 0)]][:limit]


def _prepare(delivery: Delivery, lease: Lease) -> _ClaimedDelivery:
    try:
        body, secrets = delivery.event.body.encode(), delivery.endpoint.secrets
    except ImproperlyConfigured:
        return _ClaimedDelivery(delivery, lease.begun_at, None, lease.send_by)
    headers = (
        ("Content-Type", "application/json"),
        ("X-Vitrine-Event", delivery.event.topic),
        ("X-Vitrine-Delivery", str(delivery.pk)),
        (signing.HEADER, signing.signature(body, keys=secrets, at=int(timezone.now().timestamp()))),
    )
    url = delivery.endpoint.url
    call = Call(verb="webhook", method="POST", url=url, content=body, headers=headers, secrets=secrets)
    return _ClaimedDelivery(delivery, lease.begun_at, call, lease.send_by)


def _send(sent: _ClaimedDelivery) -> Answer | ProviderError:
    """Send the call and return the outcome, errors included, as a value: the thread that runs this uses no database."""
    call = sent.call
    allow_private = bool(settings.ALLOW_PRIVATE_WEBHOOKS)
    try:
        if call is None:
            raise NotSent(notes.encode(Note.SECRET_UNREADABLE))
        if not allow_private and not call.url.startswith("https://"):
            raise AddressNotAllowed(notes.encode(Note.URL_NOT_ALLOWED))
        limits = Limits(total=TIMEOUT, body=MAX_RESPONSE_BYTES, allow_private=allow_private)
        return client.send(call, limits=limits, send_by=sent.send_by)
    except ProviderError as problem:
        return problem


# ------------------------------------------------------------------------------------------------ record


def _record(sent: _ClaimedDelivery, outcome: Answer | ProviderError) -> str:
    """Store the outcome of one delivery and its attempt.

    Returns:
        "delivered", "failed" or "given_up"; "late" if the lease had ended and another worker has the delivery, or if
            the delivery was removed.
    """
    if isinstance(outcome, LeaseEnded):
        worker_outbox.release(sent.delivery)
        return "late"
    answer = outcome if isinstance(outcome, Answer) else None
    error = _error(outcome)
    now, delivery = leases.database_now(), sent.delivery
    due_at = None if not error or (answer and answer.status == 410) else _retry_at(delivery, answer, now)
    name = "failed" if due_at else "given_up" if error else "delivered"
    with transaction.atomic():
        # Lock the endpoint before its deliveries, in the same order as the removal of an endpoint.
        list(Endpoint.objects.select_for_update(no_key=True).filter(pk=delivery.endpoint_id).values_list("pk"))
        claimed = Delivery.objects.filter(pk=delivery.pk, lease_until=delivery.lease_until)
        if not claimed.update(
            due_at=due_at,
            lease_until=None,
            delivered_at=None if error else now,
            given_up_at=now if name == "given_up" else None,
            last_status=answer.status if answer else None,
            last_error=error,
        ):
            return "late"
        secrets = sent.call.secrets if sent.call else ()
        Attempt.objects.create(
            delivery=delivery,
            at=sent.began,
            status=answer.status if answer else None,
            elapsed_ms=answer.elapsed_ms if answer else round((now - sent.began).total_seconds() * 1000),
            error=error,
            answer=client.redact(answer.text, secrets)[: Attempt.KEPT_TEXT] if answer else "",
        )
        _update_endpoint(delivery.endpoint, error, is_gone=bool(answer and answer.status == 410), now=now)
    return name


def _error(outcome: Answer | ProviderError) -> str:
    """Return why the event was not delivered, as a note or an HTTP status, or "" if it was."""
    if isinstance(outcome, AddressNotAllowed):
        # Do not use the error's own text: it is written for provider panels and reveals the IP address of a host name.
        return notes.encode(Note.URL_NOT_ALLOWED)
    if isinstance(outcome, ProviderError):
        return outcome.message
    if 200 <= outcome.status < 300:
        return ""
    if 300 <= outcome.status < 400:
        return notes.encode(Note.REDIRECTED, status=outcome.status)
    return f"HTTP {outcome.status}"


def _retry_at(delivery: Delivery, answer: Answer | None, now: datetime) -> datetime | None:
    """Return when to try again, or None to give up. A longer ``Retry-After`` of the endpoint is respected."""
    wait = RETRY_DELAYS.delay(delivery.attempts)
    retry_after = timedelta(seconds=answer.retry_after if answer and answer.retry_after else 0)
    return None if wait is None else now + max(wait, retry_after)


def _update_endpoint(endpoint: Endpoint, error: str, *, is_gone: bool, now: datetime) -> None:
    """Update the endpoint after an outcome: mark it as healthy or failing, or pause it."""
    row = Endpoint.objects.filter(pk=endpoint.pk)
    if not error:
        if endpoint.failing_since is not None:
            row.update(failing_since=None, held_until=None)
        return
    row.update(failing_since=Coalesce("failing_since", Value(now)), held_until=now + FAILURE_HOLD)
    has_failed_too_long = endpoint.failing_since is not None and endpoint.failing_since < now - PAUSE_AFTER
    if is_gone or has_failed_too_long:
        reason = Pause.GONE if is_gone else Pause.FAILURES
        row.filter(is_active=True).update(is_active=False, pause_reason=reason, paused_at=now)
