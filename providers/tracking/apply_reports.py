"""What status reports change, written for many placements in a few statements. No HTTP here.

Orders first, then placements, then when each is looked at next. A crash in between leaves placements that are still
due: the same reports come again and change nothing a second time.
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

#: Open placements: (up to this age in hours, multiple of SYNC_INTERVAL until the next look); beyond, LONGEST.
INTERVALS = ((1, 1), (6, 5), (24, 10), (168, 30))
LONGEST = 120
#: Ended ones, since panels change their mind: (up to so many hours after the end, hours until the next look).
LATE_LOOKS = ((1, 1), (6, 5), (24, 18), (72, 48), (168, 96))
#: A panel that does not know an order may only be slow to write it down: looks in a row, and time since the first.
MISSES, MISSING_FOR = 3, timedelta(hours=1)
LEFT_OUT = notes.encode(Note.LEFT_OUT)
#: What a placement could ever have been charged; more is a mistake.
_LARGEST_CHARGE = Decimal(10**12)


class Followed(NamedTuple):
    """A placement and its order, or the run of it that it is for, as much as it takes to judge a report. Field for
    field what ``COLUMNS`` reads."""

    pk: int
    upstream_id: str
    state: str
    panel_status: str
    panel_error: str
    charged: Decimal | None
    first_charged: Decimal | None
    missed_checks: int
    first_missed_at: datetime | None
    refunded: Decimal | None
    order_id: int
    run: int
    quantity: int
    status: str
    remains: int | None
    start_count: int | None
    user_id: int
    runs: int


#: Where the fields begin that an order and a run of it both have, and where those that only an order has.
_SHARED, _OF_ORDER = Followed._fields.index("quantity"), Followed._fields.index("user_id")
COLUMNS = (*Followed._fields[:_SHARED], *(f"order__{name}" for name in Followed._fields[_SHARED:]))
Report = Progress | str | None
_WRITTEN = ("panel_status", "panel_error", "charged", "first_charged", "missed_checks", "first_missed_at")
_FIRST_WRITTEN = Followed._fields.index(_WRITTEN[0])
_BEFORE = slice(_FIRST_WRITTEN, _FIRST_WRITTEN + len(_WRITTEN))


def _next_look(now: datetime) -> tuple[str, list[datetime | None]]:
    """SQL and its values: when a placement that is looked at ``now`` is looked at again, by its age; NULL: never."""
    hour, interval = timedelta(hours=1), timedelta(seconds=settings.SYNC_INTERVAL)
    branches = [("ended_at >", now - age * hour, now + wait * hour) for age, wait in LATE_LOOKS]
    branches += [("ended_at IS NULL AND created_at >", now - age * hour, now + n * interval) for age, n in INTERVALS]
    whens = " ".join(f"WHEN {condition} %s THEN %s" for condition, _, _ in branches)
    values = [at for _, limit, look in branches for at in (limit, look)]
    return f"CASE {whens} WHEN ended_at IS NULL THEN %s END", [*values, now + LONGEST * interval]


def apply(provider: Provider, reports: Sequence[tuple[Followed, Report]], counts: Counter[str]) -> None:
    """Takes in what the panel says about placements; a text is its error for that one, None that it said nothing."""
    now = timezone.now()
    simple: dict[int, tuple[Followed, Progress, Decision]] = {}
    others: list[tuple[Followed, Progress]] = []
    closed: list[int] = []
    written: list[tuple[Any, ...]] = []
    posts = _posts(reports)
    for row, report in _with_runs(reports):
        if isinstance(report, Progress):
            told = _understood(provider, report, posts.get(row.order_id))
            after = _reported(provider, row, told)
            if _says_nothing_new(row, told):
                if after != row[_BEFORE]:
                    written.append((row.pk, *after))
                continue
            decision = _decide(row, told)
            if _is_change(row, decision):
                if _is_simple(row, decision) and row.order_id not in simple:
                    simple[row.order_id] = row, told, decision
                else:
                    others.append((row, told))
            if decision.status in state_machine.TERMINAL and row.state == PlacementState.ACCEPTED:
                closed.append(row.pk)
        else:
            after = _unanswered(row, report, now)
            counts["missing"] += 1
        if after != row[_BEFORE]:
            written.append((row.pk, *after))
    changed = len(simple) + len(others)
    others += _advance(simple)
    failed = _end(others)
    counts["looked_at"] += len(reports)
    counts["changed"] += changed - len(failed)
    _write(reports, written, [pk for pk in closed if pk not in failed], now)


def _says_nothing_new(row: Followed, report: Progress) -> bool:
    """Whether the order stands as it stood: most reports say so, and nothing has to be decided about them."""
    return (
        report.status in state_machine.FOLLOWED
        and report.status == row.status
        and report.remains == row.remains
        and report.start_count in (None, row.start_count)
    )


def _is_change(row: Followed, decision: Decision) -> bool:
    """Whether anything of ``decision`` has to be written to the order."""
    if decision.oddity or decision.undelivered is not None:
        return True
    return (decision.status, decision.remains, decision.start_count) != (row.status, row.remains, row.start_count)


def _is_simple(row: Followed, decision: Decision) -> bool:
    """An order in runs follows from all its runs, and one that ends may have runs that wait."""
    is_alone = not row.run and (row.runs == 1 or decision.status not in state_machine.TERMINAL)
    return is_alone and fulfillment.is_simple(Status(row.status), decision)


def _advance(simple: Mapping[int, tuple[Followed, Progress, Decision]]) -> list[tuple[Followed, Progress]]:
    """Writes what moves no money, all in a few statements; returns what has to be judged order by order."""
    if not simple:
        return []
    steps = [
        fulfillment.Step(row.order_id, row.user_id, Status(row.status), row.remains, row.start_count, decision)
        for row, _, decision in simple.values()
    ]
    try:
        done = fulfillment.advance_orders(steps)
    except Exception:  # one value that the database does not take must not hold up all the others
        log.exception("%s reports could not be applied at once", len(steps))
        done = set()
    return [(row, told) for order_id, (row, told, _) in simple.items() if order_id not in done]


def put_off(rows: Iterable[Followed], *, panel_error: str, wait: timedelta) -> None:
    """Nothing was learnt about ``rows``: they are looked at again after ``wait``."""
    now = timezone.now()
    Placement.objects.filter(pk__in=bulk.keys(row.pk for row in rows), sync_at__isnull=False).update(
        synced_at=now, sync_at=now + wait, panel_error=panel_error[:600]
    )


def _with_runs(reports: Sequence[tuple[Followed, Report]]) -> Sequence[tuple[Followed, Report]]:
    """A placement of one run is judged by how that run stands, not by its order."""
    split = {row.order_id for row, _ in reports if row.run}
    if not split:
        return reports
    columns = ("order_id", "number", *Followed._fields[_SHARED:_OF_ORDER])
    runs = {found[:2]: found[2:] for found in Run.objects.filter(order__in=split).values_list(*columns)}
    return [
        (Followed._make((*row[:_SHARED], *runs[row.order_id, row.run], *row[_OF_ORDER:])) if row.run else row, report)
        for row, report in reports
    ]


def _decide(row: Followed, report: Progress) -> Decision:
    return state_machine.decide(
        current=Status(row.status),
        quantity=row.quantity,
        start_count=row.start_count,
        remains=row.remains,
        progress=report,
    )


def _posts(reports: Sequence[tuple[Followed, Report]]) -> dict[int, tuple[int, int]]:
    """(posts, the most for each) of the subscriptions whose panel tells the posts they served, by order."""
    told = [row.order_id for row, report in reports if isinstance(report, Progress) and report.posts is not None]
    if not told:
        return {}
    asked = Order.objects.filter(pk__in=told, service__kind="subscriptions").values_list("pk", "fields")
    return {pk: (service_types.posts_of(fields), fields["max"]) for pk, fields in asked}


def _understood(provider: Provider, report: Progress, posts: tuple[int, int] | None) -> Progress:
    """``report`` as this provider means it. Of a subscription the posts it served are paid for, whatever the panel
    calls its end."""
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


def _reported(provider: Provider, row: Followed, report: Progress) -> tuple[Any, ...]:
    """The values of ``_WRITTEN`` after a report. A charge in another currency says nothing, nor does one of nothing,
    unless the order is canceled: then all of it came back. Where the panel named what it gave back, that stands."""
    charged, is_ours = row.charged, report.currency in ("", provider.currency)
    is_all_back = report.charge == 0 and report.status is Status.CANCELED
    is_usable = is_ours and row.refunded is None and report.charge is not None
    if is_usable and report.charge is not None and (is_all_back or 0 < report.charge < _LARGEST_CHARGE):
        charged = amounts.round_up(report.charge)
    return report.panel_status[:64], "", charged, row.first_charged or charged, 0, None


def _unanswered(row: Followed, words: str | None, now: datetime) -> tuple[Any, ...]:
    """The values of ``_WRITTEN`` after a look that said nothing. Told to a person once it lasts; changes no order."""
    since = row.first_missed_at or now
    if row.missed_checks + 1 >= MISSES and now - since >= MISSING_FOR and row.status not in state_machine.TERMINAL:
        fulfillment.record_oddity(row.order_id, Oddity.UNKNOWN_THERE, panel_error=words or LEFT_OUT)
    return row.panel_status, (words or LEFT_OUT)[:600], row.charged, row.first_charged, row.missed_checks + 1, since


def _end(ending: Iterable[tuple[Followed, Progress]]) -> set[int]:
    """Reports that end an order, move money or are odd: each in its own transaction. Returns the placements of which
    the report could not be applied; one such order holds up no other."""
    failed = set()
    for row, report in ending:
        try:
            fulfillment.apply_progress(row.order_id, run=row.run, progress=report)
        except Exception:  # whatever it is, it is this order's alone; logged whole, and looked at again
            log.exception("order %s: the panel's report could not be applied", row.order_id)
            failed.add(row.pk)
    return failed


def _write(
    reports: Sequence[tuple[Followed, Report]], written: list[tuple[Any, ...]], closed: list[int], now: datetime
) -> None:
    with transaction.atomic():
        bulk.update(Placement, _WRITTEN, written)
        if closed:
            ending = Placement.objects.filter(pk__in=bulk.keys(closed), state=PlacementState.ACCEPTED)
            ending.update(state=PlacementState.CLOSED, ended_at=now)
        _plan_next_looks([row.pk for row, _ in reports], now)


def _plan_next_looks(keys: list[int], now: datetime) -> None:
    """Hand-written: Django would take longer to make this statement than the database to run it."""
    case, values = _next_look(now)
    to_row = connection.ops.adapt_datetimefield_value
    given: Any
    chosen, given = "= ANY(%s)", keys
    if connection.vendor != "postgresql":
        chosen, given = "IN (SELECT value FROM json_each(%s))", json.dumps(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE providers_placement SET synced_at = %s, sync_at = {case}"  # noqa: S608  # words of this module
            f" WHERE id {chosen} AND sync_at IS NOT NULL",
            [*(to_row(at) for at in (now, *values)), given],
        )
