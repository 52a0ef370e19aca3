"""Applying of status reports: for many placements, with a few statements. No HTTP.

Orders are written first, then placements, then the time of the next check. After a crash in between, the placements are
still due; the same reports come again and change nothing a second time.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from orders.db import bulk
from orders.lifecycle import fulfillment
from orders.models import Order, Run
from orders.models.event_codes import Oddity
from orders.rules import amounts, service_types, state_machine
from orders.rules.state_machine import Decision, Progress, Status
from providers import notes
from providers.models import Placement, PlacementState, Provider
from providers.notes import Note

log = logging.getLogger("vitrine.providers")

#: Open placements: (maximum age in hours, multiple of SYNC_INTERVAL until the next check). For older ones, LONGEST.
INTERVALS = ((1, 1), (6, 5), (24, 10), (168, 30))
LONGEST = 120
#: Ended placements are checked again, because panels correct their reports: (hours since the end, hours until the next
#: check).
LATE_LOOKS = ((1, 1), (6, 5), (24, 18), (72, 48), (168, 96))
#: A panel that does not know an order may only be slow to store it. An operator is notified after this number of checks
#: in a row and this time since the first.
MISSES, MISSING_FOR = 3, timedelta(hours=1)
LEFT_OUT = notes.encode(Note.LEFT_OUT)
#: The maximum charge of a placement; a higher one is an error of the panel.
_LARGEST_CHARGE = Decimal(10**12)


class TrackedPlacement(NamedTuple):
    """A placement with the columns of its order or run that a report may change, in the order of ``COLUMNS``."""

    pk: int
    upstream_id: str
    state: str
    panel_status: str
    panel_error: str
    missed_checks: int
    first_missed_at: datetime | None
    charged: Decimal | None
    first_charged: Decimal | None
    refunded: Decimal | None
    order_id: int
    run: int
    quantity: int
    status: str
    remains: int | None
    start_count: int | None
    user_id: int
    runs: int


#: The positions of the first field that orders and runs share, and of the first field that only orders have.
_SHARED, _OF_ORDER = TrackedPlacement._fields.index("quantity"), TrackedPlacement._fields.index("user_id")
COLUMNS = (*TrackedPlacement._fields[:_SHARED], *(f"order__{name}" for name in TrackedPlacement._fields[_SHARED:]))
Report = Progress | str | None
#: The columns that a report writes. Those of the charge come last: most reports do not change them.
_WRITTEN = ("panel_status", "panel_error", "missed_checks", "first_missed_at", "charged", "first_charged")
_CHARGES = 2
_FIRST_WRITTEN = TrackedPlacement._fields.index(_WRITTEN[0])
_BEFORE = slice(_FIRST_WRITTEN, _FIRST_WRITTEN + len(_WRITTEN))


def _next_look(now: datetime) -> tuple[str, list[datetime | None]]:
    """Return the SQL, and its parameters, of the next check of a placement by its age; NULL means never."""
    hour, interval = timedelta(hours=1), timedelta(seconds=settings.SYNC_INTERVAL)
    branches = [("ended_at >", now - age * hour, now + wait * hour) for age, wait in LATE_LOOKS]
    branches += [("ended_at IS NULL AND created_at >", now - age * hour, now + n * interval) for age, n in INTERVALS]
    whens = " ".join(f"WHEN {condition} %s THEN %s" for condition, _, _ in branches)
    values = [at for _, limit, look in branches for at in (limit, look)]
    return f"CASE {whens} WHEN ended_at IS NULL THEN %s END", [*values, now + LONGEST * interval]


def apply(provider: Provider, reports: Sequence[tuple[TrackedPlacement, Report]], counts: Counter[str]) -> None:
    """Apply the panel's reports about placements; a string is its error for one of them, None means no answer.

    Returns:
        Counts of the placements that were checked, changed, or without an answer.
    """
    now = timezone.now()
    simple: dict[int, tuple[TrackedPlacement, Progress, Decision]] = {}
    others: list[tuple[TrackedPlacement, Progress]] = []
    closed: list[int] = []
    written: list[tuple[Any, ...]] = []
    posts = _posts(reports)
    for row, report in _with_runs(reports):
        if isinstance(report, Progress):
            progress = _interpret(provider, report, posts.get(row.order_id))
            after = _values_after_report(provider, row, progress)
            if _is_unchanged(row, progress):
                if after != row[_BEFORE]:
                    written.append((row.pk, *after))
                continue
            decision = _decide(row, progress)
            if _is_change(row, decision):
                if _is_simple(row, decision) and row.order_id not in simple:
                    simple[row.order_id] = row, progress, decision
                else:
                    others.append((row, progress))
            if decision.status in state_machine.TERMINAL and row.state == PlacementState.ACCEPTED:
                closed.append(row.pk)
        else:
            after = _values_without_report(row, report, now)
            counts["missing"] += 1
        if after != row[_BEFORE]:
            written.append((row.pk, *after))
    changed = len(simple) + len(others)
    others += _advance(simple)
    failed = _end(others)
    counts["looked_at"] += len(reports)
    counts["changed"] += changed - len(failed)
    _write(reports, written, [pk for pk in closed if pk not in failed], now)


def _is_unchanged(row: TrackedPlacement, report: Progress) -> bool:
    """Return whether the report changes nothing; most reports do not, and then nothing has to be decided."""
    return (
        report.status in state_machine.FOLLOWED
        and report.status == row.status
        and report.remains == row.remains
        and report.start_count in (None, row.start_count)
    )


def _is_change(row: TrackedPlacement, decision: Decision) -> bool:
    """Return whether ``decision`` changes anything about the order."""
    if decision.oddity or decision.undelivered is not None:
        return True
    return (decision.status, decision.remains, decision.start_count) != (row.status, row.remains, row.start_count)


def _is_simple(row: TrackedPlacement, decision: Decision) -> bool:
    """Return whether the order has no runs; with runs, its status depends on all of them."""
    is_alone = not row.run and (row.runs == 1 or decision.status not in state_machine.TERMINAL)
    return is_alone and fulfillment.is_simple(Status(row.status), decision)


def _advance(
    simple: Mapping[int, tuple[TrackedPlacement, Progress, Decision]],
) -> list[tuple[TrackedPlacement, Progress]]:
    """Write the changes that move no money with a few statements; return the others, which are written one by one."""
    if not simple:
        return []
    steps = [
        fulfillment.Step(row.order_id, row.user_id, Status(row.status), row.remains, row.start_count, decision)
        for row, _, decision in simple.values()
    ]
    try:
        done = fulfillment.advance_orders(steps)
    except Exception:  # one value that the database rejects must not stop the others
        log.exception("%s reports could not be applied at once", len(steps))
        done = set()
    return [(row, progress) for order_id, (row, progress, _) in simple.items() if order_id not in done]


def postpone(rows: Iterable[TrackedPlacement], *, panel_error: str, wait: timedelta) -> None:
    """Store the panel's error for ``rows``, and check them again after ``wait``."""
    now = timezone.now()
    Placement.objects.filter(pk__in=bulk.keys(row.pk for row in rows), sync_at__isnull=False).update(
        synced_at=now, sync_at=now + wait, panel_error=panel_error[:600]
    )


def _with_runs(reports: Sequence[tuple[TrackedPlacement, Report]]) -> Sequence[tuple[TrackedPlacement, Report]]:
    """Replace the order's values by those of the run for placements of one run."""
    split = {row.order_id for row, _ in reports if row.run}
    if not split:
        return reports
    columns = ("order_id", "number", *TrackedPlacement._fields[_SHARED:_OF_ORDER])
    runs = {found[:2]: found[2:] for found in Run.objects.filter(order__in=split).values_list(*columns)}
    return [
        (
            TrackedPlacement._make((*row[:_SHARED], *runs[row.order_id, row.run], *row[_OF_ORDER:]))
            if row.run
            else row,
            report,
        )
        for row, report in reports
    ]


def _decide(row: TrackedPlacement, report: Progress) -> Decision:
    return state_machine.decide(
        current=Status(row.status),
        quantity=row.quantity,
        start_count=row.start_count,
        remains=row.remains,
        progress=report,
    )


def _posts(reports: Sequence[tuple[TrackedPlacement, Report]]) -> dict[int, tuple[int, int]]:
    """Return (posts, maximum per post) of the subscriptions whose panel reports the posts it served, by order."""
    order_ids = [row.order_id for row, report in reports if isinstance(report, Progress) and report.posts is not None]
    if not order_ids:
        return {}
    asked = Order.objects.filter(pk__in=order_ids, service__service_type="subscriptions").values_list("pk", "fields")
    return {pk: (service_types.posts_of(fields), fields["max"]) for pk, fields in asked}


def _interpret(provider: Provider, report: Progress, posts: tuple[int, int] | None) -> Progress:
    """Return ``report`` as this provider means it.

    The customer pays for the posts that a subscription served, whatever status the panel reports at its end.
    """
    if report.status is Status.FAILED and provider.has_failure_refunds:
        report = replace(report, status=Status.CANCELED)
    if posts is None or report.posts is None or report.remains is not None:
        return report
    asked, most = posts
    left = max(asked - max(report.posts, 0), 0)
    status = report.status
    if status in (Status.PARTIAL, Status.CANCELED):
        status = Status.COMPLETED if not left else Status.CANCELED if left == asked else Status.PARTIAL
    return replace(report, status=status, remains=left * most)


def _values_after_report(provider: Provider, row: TrackedPlacement, report: Progress) -> tuple[Any, ...]:
    """Return the values of ``_WRITTEN`` after a report.

    A charge in another currency is ignored. So is a charge of 0, unless the order is canceled: then the whole charge
    was returned. If the panel named the amount it returned, that amount counts.
    """
    charged, is_ours = row.charged, report.currency in ("", provider.currency)
    is_all_back = report.charge == 0 and report.status is Status.CANCELED
    is_usable = is_ours and row.refunded is None and report.charge is not None
    if is_usable and report.charge is not None and (is_all_back or 0 < report.charge < _LARGEST_CHARGE):
        charged = amounts.round_up(report.charge)
    return report.panel_status[:64], "", 0, None, charged, row.first_charged or charged


def _values_without_report(row: TrackedPlacement, panel_error: str | None, now: datetime) -> tuple[Any, ...]:
    """Return the values of ``_WRITTEN`` after a check without an answer; when that lasts, an operator is notified."""
    since = row.first_missed_at or now
    if row.missed_checks + 1 >= MISSES and now - since >= MISSING_FOR and row.status not in state_machine.TERMINAL:
        fulfillment.record_oddity(row.order_id, Oddity.UNKNOWN_THERE, panel_error=panel_error or LEFT_OUT)
    return (
        row.panel_status,
        (panel_error or LEFT_OUT)[:600],
        row.missed_checks + 1,
        since,
        row.charged,
        row.first_charged,
    )


def _end(ending: Iterable[tuple[TrackedPlacement, Progress]]) -> set[int]:
    """Apply reports that end an order, move money or are unexpected, each in its own transaction.

    Returns:
        The placements whose report could not be applied. They do not stop the others.
    """
    failed = set()
    for row, report in ending:
        try:
            fulfillment.apply_progress(row.order_id, run=row.run, progress=report)
        except Exception:  # the error concerns only this order; it is logged, and the order is checked again
            log.exception("order %s: the panel's report could not be applied", row.order_id)
            failed.add(row.pk)
    return failed


def _write(
    reports: Sequence[tuple[TrackedPlacement, Report]], written: list[tuple[Any, ...]], closed: list[int], now: datetime
) -> None:
    charges = {row.pk: ((row.charged, row.first_charged), row.refunded) for row, _ in reports}
    same = [row[:-_CHARGES] for row in written if row[-_CHARGES:] == charges[row[0]][0]]
    recharged = [(*row, charges[row[0]][1]) for row in written if row[-_CHARGES:] != charges[row[0]][0]]
    with transaction.atomic():
        bulk.update(Placement, _WRITTEN[:-_CHARGES], same)
        # The answer to a cancellation may have set the cost since these rows were read, and it names the only figure of
        # what the panel returned. Such a row is left alone until its next check.
        bulk.update_unchanged(Placement, _WRITTEN, recharged, expected=("refunded",))
        if closed:
            ending = Placement.objects.filter(pk__in=bulk.keys(closed), state=PlacementState.ACCEPTED)
            ending.update(state=PlacementState.CLOSED, ended_at=now)
        _plan_next_looks([row.pk for row, _ in reports], now)


def _plan_next_looks(keys: list[int], now: datetime) -> None:
    """Set the next checks with handwritten SQL: Django would take longer to build it than the database to run it."""
    case, values = _next_look(now)
    to_row = connection.ops.adapt_datetimefield_value
    given: Any
    chosen, given = "= ANY(%s)", keys
    if connection.vendor != "postgresql":
        chosen, given = "IN (SELECT value FROM json_each(%s))", json.dumps(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE providers_placement SET synced_at = %s, sync_at = {case}"  # noqa: S608  # built from constants of this module
            f" WHERE id {chosen} AND sync_at IS NOT NULL",
            [*(to_row(at) for at in (now, *values)), given],
        )
