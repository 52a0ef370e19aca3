"""The search for orders with an unknown outcome among the panel's order numbers, and the check that permits it.

    search              requests the status of every number that a lost order can have, and acts on what is proven
    check_search        requests numbers between ours that cannot be ours; a panel that shows one of them must not be
                        searched
    recheck_not_placed  requests orders again that were decided as not placed; finding one turns the search off

Only reads are sent to the panel. ``id_windows`` decides what the answers prove. If no search check has passed recently,
or an operator turned the search off, only the balance is read.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from orders.models.event_codes import DecidedBy
from orders.rules import amounts
from orders.rules.state_machine import Progress
from providers import note_texts, notes
from providers.errors import ProviderError
from providers.http import policy
from providers.models import Placement, PlacementState, Provider
from providers.notes import Note
from providers.panels.error_texts import is_foreign
from providers.reconciling import decisions, evidence, id_windows
from providers.reconciling.id_windows import Claim, Finding, Hit, KnownOrder, Verdict, WhyOpen, Window
from providers.transport import circuit_breaker, conversation

log = logging.getLogger("vitrine.providers")

#: Calls of one search, ids in one call, seconds between two calls, seconds in which calls may start.
CALLS, IDS, CALL_INTERVAL, BUDGET = 20, 100, 1.0, 25.0
#: How long orders that were decided as not placed are requested again.
LOOK_BACK = timedelta(days=2)
#: Calls of one search check. It runs daily, if possible in the hours (local time) with few orders.
CHECK_CALLS, QUIET_HOURS = 5, range(2, 6)
CHECK_EVERY, CHECK_IF_QUIET = timedelta(hours=28), timedelta(hours=12)
#: Added to the settling time of a panel when rows are selected, as a safety margin.
MARGIN = timedelta(hours=1)
SILENT = Finding(Verdict.OPEN, why=WhyOpen.SILENT)
#: Known numbers in which a search check looks for gaps. The newest may be in the window of a lost order.
LOOKED_THROUGH = 2000
#: Orders with this many placements are not sent again automatically.
TRIES = 5
ALERT = timedelta(minutes=15)
SETTLE_LAST = 3600
#: Known numbers that are read before and after an order in doubt.
NEAR = 200


@dataclass(slots=True)
class _Answers:
    """The panel's answers: the orders it has, by number, and every number that it gave a clear answer about."""

    rows: dict[int, Progress] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    is_whole: bool = True


def providers_to_search() -> list[int]:
    """Return the providers with an order in doubt that is due for a search."""
    due = _doubts().filter(next_search_at__lte=timezone.now(), provider__is_active=True)
    return list(due.order_by().values_list("provider_id", flat=True).distinct())


def providers_to_check() -> list[int]:
    """Return the providers whose search check is due: daily, and at once if none has passed recently."""
    now = timezone.now()
    is_quiet = timezone.localtime(now).hour in QUIET_HOURS
    due = Q(search_checked_at=None) | Q(search_checked_at__lt=now - (CHECK_IF_QUIET if is_quiet else CHECK_EVERY))
    providers = Provider.objects.filter(due, is_active=True, is_search_allowed=True)
    return list(providers.order_by("pk").values_list("pk", flat=True))


def search(provider: Provider, *, is_now: bool = False) -> Counter[str]:
    """Search for the due orders in doubt at ``provider``; return how many were placed, unplaced, or stay open.

    ``is_now`` ignores when the next search is due. No order is decided as not placed before the panel has settled.
    """
    conversation.outside_transaction()
    until = time.monotonic() + BUDGET
    mine = _take(provider, is_now=is_now)
    if not mine:
        return Counter()
    settled = timezone.now() - _settle_time(provider)
    if at_rest := [row for row in mine if _ended_at(row) <= settled]:
        evidence.compare_balance(provider, at_rest)
    why = _why_not(provider, until)
    findings = {row.pk: Finding(Verdict.OPEN, why=why) for row in mine} if why else _findings(provider, mine, until)
    return Counter(_act(provider, row, findings[row.pk]) for row in mine)


def check_search(provider: Provider, *, until: float | None = None) -> bool:
    """Run the search check of ``provider`` and store the result; an order of another customer turns the search off.

    Returns:
        Whether it passed. It also fails, without consequences, if the panel did not answer or if its numbers do not
        rise strictly with time.
    """
    conversation.outside_transaction()
    known = _latest(provider)
    if reason := id_windows.why_unreliable(known):
        return _note(provider, reason)
    # Placements that became unknown earlier cannot have a number above the oldest one that is read here.
    sent = _sure(provider.pk).order_by("-pk").values_list("created_at", flat=True)[:LOOKED_THROUGH]
    since = min(sent) - _settle_time(provider) - MARGIN
    asked = _gaps(provider, _claims(provider, since=since))
    if not asked and _gaps(provider, ()):
        return _note(provider, notes.encode(Note.NO_FREE_NUMBERS))
    answers = _ask(provider, asked, anchor=max(one.number for one in known), until=until)
    claims = _claims(provider, since=since)
    strangers = [one for one in _hits(provider, answers) if not any(claim.window.holds(one.number) for claim in claims)]
    if strangers:
        _switch_off(provider, notes.encode(Note.FOREIGN_ORDER, number=str(strangers[0].number)))
        return False
    if not answers.is_whole:
        return _note(provider, notes.encode(Note.CHECK_UNANSWERED))
    _note(provider, notes.encode(Note.CHECK_PASSED, count=len(asked)))
    provider.search_checked_at = timezone.now()
    Provider.objects.filter(pk=provider.pk).update(search_checked_at=provider.search_checked_at)
    return True


def _gaps(provider: Provider, claims: Collection[Claim]) -> list[int]:
    """Return the newest numbers between ours that none of ``claims`` can have, at most as many as a check requests.

    It goes back as far as necessary, because a lost order may have every number since it was sent until a later order
    closes its window.
    """
    most = CHECK_CALLS * (_batch(provider) - 1)
    sure, found = _sure(provider.pk).order_by("-pk"), list[int]()
    for start in range(0, LOOKED_THROUGH, NEAR):
        known = _known(sure[start : start + NEAR + 1])
        found += id_windows.gaps(known, claims, most - len(found))
        if len(found) >= _batch(provider) - 1 or len(known) <= NEAR:
            break
    return found


def recheck_not_placed(provider: Provider) -> int:
    """Request orders again that were decided as not placed; return how many were placed after all.

    Each of them is recorded as a loss. If the search itself was wrong, the panel gets more time to settle, and the
    search is off until an operator allows it.
    """
    conversation.outside_transaction()
    rows = Placement.objects.filter(
        provider=provider,
        state=PlacementState.NOT_SENT,
        in_doubt_at__isnull=False,
        ended_at__gte=timezone.now() - LOOK_BACK,
    )
    ended = {row.pk: (row, _claim(row)) for row in rows.select_related("provider", "order").order_by("pk")}
    closed = [one.window for _, one in ended.values() if one.window.lower and one.window.upper]
    numbers = _within_limit([range(one.lower + 1, one.upper or 0) for one in closed], provider)
    if not numbers:
        return 0
    answers = _ask(provider, numbers, anchor=min(numbers) - 1)
    claims, decimals, found = [*_claims(provider), *(one for _, one in ended.values())], _decimals(answers), 0
    for hit in _hits(provider, answers):
        owners = [one.key for one in claims if id_windows.fits(hit, one, decimals)]
        if len(owners) == 1 and owners[0] in ended:
            found += 1
            _late(provider, ended[owners[0]][0], hit)
    return found


# ------------------------------------------------------------------------------------------------ one search


def _take(provider: Provider, *, is_now: bool) -> list[Placement]:
    """Claim the due placements in doubt by moving their next search, and return them."""
    now, settle = timezone.now(), _settle_time(provider)
    due = _doubts().filter(provider=provider).select_related("provider")
    taken = []
    for row in (due if is_now else due.filter(next_search_at__lte=now)).order_by("pk"):
        at = id_windows.next_look(_ended_at(row), settle, now)
        if _doubts().filter(pk=row.pk, next_search_at=row.next_search_at).update(next_search_at=at):
            taken.append(row)
    return taken


def _why_not(provider: Provider, until: float) -> WhyOpen | None:
    """Return why ``provider`` must not be searched now; None if it may."""
    if not provider.is_search_allowed:
        return WhyOpen.NOT_ALLOWED
    if reason := id_windows.why_unreliable(_latest(provider)):
        _note(provider, reason)
        return WhyOpen.NO_CHECK
    return None if provider.is_search_on or check_search(provider, until=until) else WhyOpen.NO_CHECK


def _findings(provider: Provider, mine: list[Placement], until: float) -> dict[int, Finding]:
    """Request the numbers that ``mine`` can have, and return what the answers prove about each of them."""
    ranges: dict[int, range] = {}
    for row in mine:
        window = _window(row)
        if window.lower:
            earlier, later = _near(row)
            ranges[row.pk] = id_windows.numbers(window, [*earlier, *later], timezone.now())
    numbers = _within_limit(ranges.values(), provider)
    answers = _ask(provider, numbers, anchor=min((one.start - 1 for one in ranges.values()), default=0), until=until)
    # Read after the calls, and in this order: whatever the panel showed was sent by a placement that is a claim by now,
    # and if its answer has arrived since, it has its number by now.
    claims = _claims(provider, since=min(row.created_at for row in mine) - _settle_time(provider) - MARGIN)
    hits = _hits(provider, answers)
    judged = id_windows.judge(claims, hits, answered=answers.answered, decimals=_decimals(answers))
    left_out = Finding(Verdict.OPEN, why=WhyOpen.NO_EARLIER)
    found = {row.pk: judged.get(row.pk, SILENT) if row.pk in ranges else left_out for row in mine}
    asked = set(numbers)
    for key, numbers_within in ranges.items():
        if found[key].verdict is Verdict.OPEN and not found[key].hits and not asked.issuperset(numbers_within):
            found[key] = Finding(Verdict.OPEN, why=WhyOpen.TOO_WIDE)
    return found


def _act(provider: Provider, row: Placement, finding: Finding) -> str:
    """Act on what is proven, and store what that is based on; return "placed", "unplaced" or "open"."""
    window, tries = _window(row), _tries(row)
    if finding.verdict is Verdict.UNPLACED and tries >= TRIES:
        finding = Finding(Verdict.OPEN, why=WhyOpen.TRIES)
    found: dict[str, Any] = {"lower": window.lower, "upper": window.upper}
    evidence.add(
        row,
        search={
            **found,
            "verdict": finding.verdict,
            "why": finding.why or "",
            "hits": [_shown(hit) for hit in finding.hits],
        },
    )
    try:
        if finding.verdict is Verdict.PLACED:
            decisions.attach(row, upstream_id=str(finding.hits[0].number), by=DecidedBy.SEARCH, **found)
        elif finding.verdict is Verdict.UNPLACED:
            due_at = timezone.now() + circuit_breaker.back_off(tries)
            decisions.release(
                row, send_again=True, why=notes.encode(Note.NOT_FOUND), due_at=due_at, by=DecidedBy.SEARCH, **found
            )
    except ProviderError as problem:  # an operator or another process was faster
        log.info("order %s at %s: found %s, but: %s", row.order_id, provider.name, finding.verdict, problem)
        return Verdict.OPEN
    if finding.verdict is Verdict.OPEN and timezone.now() - _ended_at(row) >= ALERT and "alerted" not in row.evidence:
        evidence.add(row, alerted=True)
        log.warning("the outcome of order %s at %s has been unknown for over 15 minutes", row.order_id, provider.name)
    return finding.verdict


# ------------------------------------------------------------------------------------------------ the panel


def _ask(provider: Provider, numbers: Collection[int], *, anchor: int, until: float | None = None) -> _Answers:
    """Request ``numbers`` until the time is over or the panel does not answer.

    Each call also requests ``anchor``, an order of ours: an answer without it is not used.
    """
    answers, ids = _Answers(), list(numbers)
    until = until or time.monotonic() + BUDGET
    for start in range(0, len(ids), _batch(provider) - 1):
        if start:
            time.sleep(CALL_INTERVAL)
        batch = [anchor, *ids[start : start + _batch(provider) - 1]]
        try:
            late = time.monotonic() > until
            reports = {} if late else conversation.statuses(provider, [str(number) for number in batch])
        except ProviderError:
            reports = {}
        if not isinstance(reports.get(str(anchor)), Progress):
            break
        for number in batch:
            report = reports.get(str(number))
            if isinstance(report, Progress) and report.panel_status:
                answers.rows[number] = report
                answers.answered.add(number)
            elif isinstance(report, str) and is_foreign(report):
                answers.answered.add(number)
    answers.is_whole = answers.answered.issuperset(ids)
    return answers


def _hits(provider: Provider, answers: _Answers) -> list[Hit]:
    """Return the orders that the panel showed and that no placement of ours has."""
    shown = [str(number) for number in answers.rows]
    known = Placement.objects.filter(provider=provider, upstream_id__in=shown).values_list("upstream_id", flat=True)
    ours = {int(number) for number in known}
    return [
        Hit(number=number, charge=row.charge, currency=row.currency, remains=row.remains, panel_status=row.panel_status)
        for number, row in answers.rows.items()
        if number not in ours
    ]


def _decimals(answers: _Answers) -> int:
    return id_windows.decimal_places(row.charge for row in answers.rows.values())


def _batch(provider: Provider) -> int:
    return min(IDS, provider.dialect.batch_size)


def _within_limit(ranges: Iterable[range], provider: Provider) -> list[int]:
    """Return the numbers in ``ranges``, each once, as many as one search may request.

    Narrow ranges come first, so that a wide one does not use all calls. Of a range that is too wide, the beginning is
    taken: a panel numbers an order when the request arrives, so most lost orders are there.
    """
    most = CALLS * (_batch(provider) - 1)
    found: set[int] = set()
    for numbers in sorted(ranges, key=len):
        for number in numbers:
            if len(found) >= most:
                return sorted(found)
            found.add(number)
    return sorted(found)


# ------------------------------------------------------------------------------------------------ what we know


def _doubts() -> QuerySet[Placement]:
    return Placement.objects.filter(state=PlacementState.IN_DOUBT)


def _ended_at(row: Placement) -> datetime:
    """Return the latest time at which the request can have reached the panel."""
    return row.in_doubt_at or row.lease_until


def _settle_time(provider: Provider) -> timedelta:
    return timedelta(seconds=provider.settle_seconds)


def _sure(provider_id: int) -> QuerySet[Placement]:
    """Return placements whose number and times are certain."""
    return Placement.objects.filter(
        provider_id=provider_id,
        state__in=(PlacementState.ACCEPTED, PlacementState.CLOSED),
        in_doubt_at=None,
        answered_at__isnull=False,
    )


def _known(rows: QuerySet[Placement]) -> list[KnownOrder]:
    """Return the numbers and times of ``rows`` whose number is a decimal one.

    If the worker's clock is ahead of the database's, the start of the lease, which is earlier than the claim, is the
    earliest time at which the order can have been sent.
    """
    found = rows.values_list("upstream_id", "created_at", "lease_until", "answered_at")
    longest = _longest_lease()
    return [
        KnownOrder(int(number), min(created_at, lease_until - longest), answered_at)
        for number, created_at, lease_until, answered_at in found
        if answered_at and number.isascii() and number.isdigit()
    ]


def _latest(provider: Provider) -> list[KnownOrder]:
    return _known(_sure(provider.pk).order_by("-pk")[: id_windows.HISTORY])


def _near(row: Placement) -> tuple[list[KnownOrder], list[KnownOrder]]:
    """Return known numbers around a placement: the last ones before it, and the first ones after it had settled."""
    sure, settled = _sure(row.provider_id), _ended_at(row) + _settle_time(row.provider)
    before = sure.filter(pk__lt=row.pk).order_by("-pk")[:NEAR]
    after = sure.filter(pk__gt=row.pk, lease_until__gt=settled + _longest_lease()).order_by("pk")[:NEAR]
    return _known(before), _known(after)


def _longest_lease() -> timedelta:
    return timedelta(seconds=policy.limits("add").total + settings.LEASE_GRACE)


def _window(row: Placement) -> Window:
    settle = _settle_time(row.provider)
    earlier, later = _near(row)
    return id_windows.window(earlier, later, sent_at=row.created_at, ended_at=_ended_at(row), settle=settle)


def _claim(row: Placement) -> Claim:
    """Return the claim of ``row``; one that was decided as not placed is a claim too, in case that was wrong."""
    window = _window(row)
    if row.state == PlacementState.SUBMITTING:
        window = Window(window.lower)
    request = "" if row.state == PlacementState.NOT_SENT else _request(row)
    return Claim(
        key=row.pk, window=window, cost=row.cost, currency=row.currency, quantity=row.quantity, request=request
    )


def _request(row: Placement) -> str:
    """Return what ``row`` requested; the panel itself cannot distinguish two placements with the same text."""
    order = row.order
    runs = (1, 0) if row.run else (order.runs, order.interval)
    return json.dumps([row.offer_id, row.quantity, runs, order.link, order.fields], sort_keys=True)


def _claims(provider: Provider, *, since: datetime | None = None) -> list[Claim]:
    """Return every placement that may have a number we do not know, in the order they were sent.

    These are placements without an outcome, and those that became unknown at ``since`` or later and were decided as
    not placed: if that was wrong, their number belongs to no other placement.
    """
    unknown = Q(state__in=(PlacementState.SUBMITTING, PlacementState.IN_DOUBT))
    if since:
        unknown |= Q(state=PlacementState.NOT_SENT, in_doubt_at__gte=since)
    rows = Placement.objects.filter(unknown, provider=provider).select_related("provider", "order")
    return [_claim(row) for row in rows.order_by("pk")]


def _tries(row: Placement) -> int:
    return Placement.objects.filter(order_id=row.order_id, run=row.run).count()


def _shown(hit: Hit) -> dict[str, Any]:
    """Return a hit as it is stored and shown."""
    charge = "" if hit.charge is None else amounts.plain(hit.charge)
    return {**asdict(hit), "charge": f"{charge} {hit.currency}".strip(), "remains": hit.remains}


# ------------------------------------------------------------------------------------------------ consequences


def _note(provider: Provider, note: str) -> bool:
    """Store the result of a check, a note; return False, the result of a check that did not pass."""
    Provider.objects.filter(pk=provider.pk).update(search_check_result=note)
    provider.search_check_result = note
    return False


def _switch_off(provider: Provider, why: str, **values: Any) -> None:
    Provider.objects.filter(pk=provider.pk).update(
        is_search_allowed=False, search_checked_at=None, search_check_result=why, **values
    )
    provider.is_search_allowed, provider.search_checked_at, provider.search_check_result = False, None, why
    log.warning(
        "orders of unknown outcome are no longer searched for at %s: %s", provider.name, note_texts.describe(why)
    )


def _late(provider: Provider, row: Placement, hit: Hit) -> None:
    """Record that ``row`` was placed although it was decided as not placed: the panel is slower than set."""
    by_search = row.evidence.get("search", {}).get("verdict") == Verdict.UNPLACED
    decisions.found_late(row, upstream_id=str(hit.number), charge=hit.charge)
    if by_search:
        settle = min(max(provider.settle_seconds * 2, provider.settle_seconds + 60), SETTLE_LAST)
        why = notes.encode(Note.FOUND_LATE, order=str(row.order_id), number=str(hit.number))
        _switch_off(provider, why, settle_seconds=max(settle, provider.settle_seconds))
        provider.settle_seconds = max(settle, provider.settle_seconds)
