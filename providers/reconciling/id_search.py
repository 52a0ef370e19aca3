"""The search for orders of unknown outcome among the panel's numbers, and the control that permits it.

    search      asks ``status`` for every number that the lost order can have: attaches, or sends again, what is proven
    control     asks for numbers between ours that cannot be ours: a panel that shows one of them must not be searched
    look_back   asks again about what was decided as not placed: an order that came later ends the search there

Only reads go to the panel. ``windows`` says what the answers prove. Where a control has not passed lately, or an
operator has switched the search off, only the balance is read.
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
from providers import notes
from providers.errors import ProviderError
from providers.http import policy
from providers.models import Placement, PlacementState, Provider, note_texts
from providers.notes import Note
from providers.panels.error_texts import is_foreign
from providers.reconciling import decisions, evidence, id_windows
from providers.reconciling.id_windows import Claim, Finding, Hit, Known, Verdict, WhyOpen, Window
from providers.transport import circuit_breaker, conversation

log = logging.getLogger("vitrine.providers")

#: Calls of one search, ids in one call, seconds between two calls, seconds in which calls may begin.
CALLS, IDS, PACE, BUDGET = 20, 100, 1.0, 25.0
#: What was decided as not placed is asked about for so long.
LOOK_BACK = timedelta(days=2)
#: Calls of one control. It is due every day, if possible in the hours (local time) when few orders come.
CONTROL_CALLS, QUIET_HOURS = 5, range(2, 6)
CONTROL_EVERY, CONTROL_IF_QUIET = timedelta(hours=28), timedelta(hours=12)
#: Added to the time that a panel settles, where it is only about which rows to read.
MARGIN = timedelta(hours=1)
SILENT = Finding(Verdict.OPEN, why=WhyOpen.SILENT)
#: Known numbers that a control looks through for gaps. An order of unknown outcome may cover the newest of them.
LOOKED_THROUGH = 2000
#: Orders that were sent so often are not sent again by themselves.
TRIES = 5
ALERT = timedelta(minutes=15)
SETTLE_LAST = 3600
#: Numbers that we know, read on each side of an order in doubt.
NEAR = 200


@dataclass(slots=True)
class _Answers:
    """What the panel said: the rows it has, by number, and every number it gave a clear answer about."""

    rows: dict[int, Progress] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    is_whole: bool = True


def providers_to_search() -> list[int]:
    """Providers with an order in doubt that is to be looked at."""
    due = _doubts().filter(next_search_at__lte=timezone.now(), provider__is_active=True)
    return list(due.order_by().values_list("provider_id", flat=True).distinct())


def providers_to_control() -> list[int]:
    """Providers whose control is due: daily, and at once where none has passed yet or lately."""
    now = timezone.now()
    is_quiet = timezone.localtime(now).hour in QUIET_HOURS
    due = Q(search_checked_at=None) | Q(search_checked_at__lt=now - (CONTROL_IF_QUIET if is_quiet else CONTROL_EVERY))
    providers = Provider.objects.filter(due, is_active=True, is_search_allowed=True)
    return list(providers.order_by("pk").values_list("pk", flat=True))


def search(provider: Provider, *, is_now: bool = False) -> Counter[str]:
    """Look for what is due at ``provider``; return how many were found placed, unplaced, or stay open.

    ``is_now`` ignores when the next look is due. Nothing is proven as not placed before the panel has settled, whenever
    it is looked for.
    """
    conversation.outside_transaction()
    until = time.monotonic() + BUDGET
    mine = _take(provider, is_now=is_now)
    if not mine:
        return Counter()
    settled = timezone.now() - _settle_time(provider)
    if at_rest := [row for row in mine if _ended_at(row) <= settled]:
        evidence.weigh(provider, at_rest)
    why = _why_not(provider, until)
    findings = {row.pk: Finding(Verdict.OPEN, why=why) for row in mine} if why else _findings(provider, mine, until)
    return Counter(_act(provider, row, findings[row.pk]) for row in mine)


def control(provider: Provider, *, until: float | None = None) -> bool:
    """Check whether ``provider`` may be searched, and store the result; an order of others switches the search off.

    Also false, without consequences, where the panel did not answer or its numbers do not rise strictly with time.
    """
    conversation.outside_transaction()
    known = _latest(provider)
    if distrust := id_windows.distrust(known):
        return _note(provider, distrust)
    # Attempts that became unknown earlier have no number above the oldest one that is looked at.
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
    """The newest numbers between ours that none of ``claims`` can have, at most what a control asks for.

    Goes back as far as it takes to find any: one order of unknown outcome, as long as nothing closes its window, may
    have every number since then.
    """
    most = CONTROL_CALLS * (_batch(provider) - 1)
    sure, found = _sure(provider.pk).order_by("-pk"), list[int]()
    for start in range(0, LOOKED_THROUGH, NEAR):
        known = _known(sure[start : start + NEAR + 1])
        found += id_windows.gaps(known, claims, most - len(found))
        if len(found) >= _batch(provider) - 1 or len(known) <= NEAR:
            break
    return found


def look_back(provider: Provider) -> int:
    """Asks again about orders that were decided as not placed; returns how many were placed after all.

    Such an order is written down where it belongs, as a loss; and where the search itself was wrong, the panel gets
    more time to settle and is not searched again before a person allows it.
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
    """The doubts that this process looks at now: moving the next look on is what claims them."""
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
    if distrust := id_windows.distrust(_latest(provider)):
        _note(provider, distrust)
        return WhyOpen.NO_CHECK
    return None if provider.is_search_on or control(provider, until=until) else WhyOpen.NO_CHECK


def _findings(provider: Provider, mine: list[Placement], until: float) -> dict[int, Finding]:
    """What the panel's answers prove about each of ``mine``."""
    ranges: dict[int, range] = {}
    for row in mine:
        window = _window(row)
        if window.lower:
            earlier, later = _near(row)
            ranges[row.pk] = id_windows.numbers(window, [*earlier, *later], timezone.now())
    numbers = _within_limit(ranges.values(), provider)
    answers = _ask(provider, numbers, anchor=min((one.start - 1 for one in ranges.values()), default=0), until=until)
    # Read afterwards, and in this order: what the panel showed was sent by an attempt that is a claim by now, and one
    # whose answer came since has its number by now.
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
    """Does what is proven, and writes down what it rests on. Returns "placed", "unplaced" or "open"."""
    window, tries = _window(row), _tries(row)
    if finding.verdict is Verdict.UNPLACED and tries >= TRIES:
        finding = Finding(Verdict.OPEN, why=WhyOpen.TRIES)
    found: dict[str, Any] = {"lower": window.lower, "upper": window.upper}
    evidence.keep(
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
    except ProviderError as problem:  # somebody was faster
        log.info("order %s at %s: found %s, but: %s", row.order_id, provider.name, finding.verdict, problem)
        return Verdict.OPEN
    if finding.verdict is Verdict.OPEN and timezone.now() - _ended_at(row) >= ALERT and "alerted" not in row.evidence:
        evidence.keep(row, alerted=True)
        log.warning("the outcome of order %s at %s has been unknown for over 15 minutes", row.order_id, provider.name)
    return finding.verdict


# ------------------------------------------------------------------------------------------------ the panel


def _ask(provider: Provider, numbers: Collection[int], *, anchor: int, until: float | None = None) -> _Answers:
    """Asks for ``numbers`` until the time is over or the panel does not answer.

    Each call asks for ``anchor`` too, which is ours: a panel that does not show it says nothing about the others.
    """
    answers, ids = _Answers(), list(numbers)
    until = until or time.monotonic() + BUDGET
    for start in range(0, len(ids), _batch(provider) - 1):
        if start:
            time.sleep(PACE)
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
    """What the panel showed and no placement of ours has."""
    shown = [str(number) for number in answers.rows]
    known = Placement.objects.filter(provider=provider, upstream_id__in=shown).values_list("upstream_id", flat=True)
    ours = {int(number) for number in known}
    return [
        Hit(number=number, charge=row.charge, currency=row.currency, remains=row.remains, panel_status=row.panel_status)
        for number, row in answers.rows.items()
        if number not in ours
    ]


def _decimals(answers: _Answers) -> int:
    return id_windows.places(row.charge for row in answers.rows.values())


def _batch(provider: Provider) -> int:
    return min(IDS, provider.dialect.batch_size)


def _within_limit(ranges: Iterable[range], provider: Provider) -> list[int]:
    """The numbers in ``ranges``, each once, as many as one search may ask for.

    Of a range that is too wide, its beginning: a panel numbers an order when the request arrives, so most lost orders
    are there. The narrow ranges come first: a wide one must not use up the calls for all others.
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
    """Until when the request can have reached the panel."""
    return row.in_doubt_at or row.lease_until


def _settle_time(provider: Provider) -> timedelta:
    return timedelta(seconds=provider.settle_seconds)


def _sure(provider_id: int) -> QuerySet[Placement]:
    """Placements whose number and times are known without a doubt."""
    return Placement.objects.filter(
        provider_id=provider_id,
        state__in=(PlacementState.ACCEPTED, PlacementState.CLOSED),
        in_doubt_at=None,
        answered_at__isnull=False,
    )


def _known(rows: QuerySet[Placement]) -> list[Known]:
    """What is known about ``rows``, if their numbers are plain ones.

    The lease began before the claim, by the clock of the database. Where the worker's clock is ahead of that, it is
    when the order was sent at the earliest.
    """
    found = rows.values_list("upstream_id", "created_at", "lease_until", "answered_at")
    longest = _longest_lease()
    return [
        Known(int(number), min(created_at, lease_until - longest), answered_at)
        for number, created_at, lease_until, answered_at in found
        if answered_at and number.isascii() and number.isdigit()
    ]


def _latest(provider: Provider) -> list[Known]:
    return _known(_sure(provider.pk).order_by("-pk")[: id_windows.HISTORY])


def _near(row: Placement) -> tuple[list[Known], list[Known]]:
    """Numbers that we know on both sides of an attempt: the last before it, the first after it had settled."""
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
    """What ``row`` may own. One that was decided as not placed may be an owner too, if that was wrong."""
    window = _window(row)
    if row.state == PlacementState.SUBMITTING:
        window = Window(window.lower)
    request = "" if row.state == PlacementState.NOT_SENT else _request(row)
    return Claim(
        key=row.pk, window=window, cost=row.cost, currency=row.currency, quantity=row.quantity, request=request
    )


def _request(row: Placement) -> str:
    """What ``row`` asked for: the panel itself cannot tell two attempts with the same text from each other."""
    order = row.order
    runs = (1, 0) if row.run else (order.runs, order.interval)
    return json.dumps([row.offer_id, row.quantity, runs, order.link, order.fields], sort_keys=True)


def _claims(provider: Provider, *, since: datetime | None = None) -> list[Claim]:
    """Every attempt that may have a number we do not know, in the order they were sent.

    That is each one without an outcome, and each one that became unknown at ``since`` or later and was taken for not
    placed: if that was a mistake, its number is no other attempt's.
    """
    unknown = Q(state__in=(PlacementState.SUBMITTING, PlacementState.IN_DOUBT))
    if since:
        unknown |= Q(state=PlacementState.NOT_SENT, in_doubt_at__gte=since)
    rows = Placement.objects.filter(unknown, provider=provider).select_related("provider", "order")
    return [_claim(row) for row in rows.order_by("pk")]


def _tries(row: Placement) -> int:
    return Placement.objects.filter(order_id=row.order_id, run=row.run).count()


def _shown(hit: Hit) -> dict[str, Any]:
    """A hit as it is kept and shown."""
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
    """``row`` was taken for not placed, and there it is: a loss, and the panel is slower than we thought."""
    by_search = row.evidence.get("search", {}).get("verdict") == Verdict.UNPLACED
    decisions.found_late(row, upstream_id=str(hit.number), charge=hit.charge)
    if by_search:
        settle = min(max(provider.settle_seconds * 2, provider.settle_seconds + 60), SETTLE_LAST)
        why = notes.encode(Note.FOUND_LATE, order=str(row.order_id), number=str(hit.number))
        _switch_off(provider, why, settle_seconds=max(settle, provider.settle_seconds))
        provider.settle_seconds = max(settle, provider.settle_seconds)
