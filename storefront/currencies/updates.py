"""Write exchange rates: each change of a rate or margin is also a row of the history, in the same transaction.

A fetched rate is taken if it is close to the current one. Otherwise it waits for approval, and no payments are made in
the currency meanwhile, because nobody knows which of the two rates is right. A waiting rate ends when

- an operator approves it, rejects it, or enters another one,
- the source quotes a rate again that is close to the current one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from orders.rules import amounts
from storefront.currencies import display
from storefront.currencies.models import Currency, RateOrigin, RateRecord, RateSource
from storefront.currencies.problems import FetchProblem, QuoteProblem
from storefront.currencies.quotes import Quote

#: Staff are notified of pending rates of one currency at most this often: a source may alternate.
NOTICE_PAUSE = timedelta(hours=24)
_NOTHING_PENDING: dict[str, Any] = {"pending_rate": None, "pending_at": None}
_NOTHING_REJECTED: dict[str, Any] = {"rejected_rate": None, "rejected_at": None}
#: After a decision of an operator, the next rate that waits is news.
_DECIDED: dict[str, Any] = {**_NOTHING_PENDING, "pending_told_at": None}
#: What decides how an answer is read. After a change of these, an answer that was requested before is dropped.
_SETTINGS = ("format", "url", "base", "path", "is_inverse")


class Taken(Enum):
    """The result for one fetched rate."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    WAITING = "waiting"
    #: It is close to a rate that an operator rejected.
    IGNORED = "ignored"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyResult:
    """The result of a fetch for one currency."""

    code: str
    outcome: Taken
    rate: Decimal | None = None
    problem: QuoteProblem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """The result of one fetch; with a ``problem`` there are no rates."""

    source: RateSource
    currencies: list[CurrencyResult] = field(default_factory=list)
    problem: FetchProblem | None = None
    detail: str = ""
    #: The source was changed or deleted while it was being fetched, so nothing was stored.
    is_dropped: bool = False


class NoticeKind(Enum):
    """Why staff should look at exchange rates."""

    WAITING = "waiting"
    OLD = "old"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateNotice:
    """A notice for staff, passed to ``settings.CURRENCY_NOTICE_LISTENERS`` in the transaction that it is about.

    Args:
        currencies: For WAITING the currencies with a rate that waits for approval; for OLD those whose rate was not
            updated for half of the time after which payments stop.
    """

    kind: NoticeKind
    source: RateSource
    currencies: list[Currency]


class PendingRateChanged(Exception):
    """The pending rate differs from the one that the operator approved or rejected."""


# ------------------------------------------------------------------------------------------------ by hand


@transaction.atomic
def record_entry(currency: Currency, *, changed: Collection[str], by: str) -> None:
    """Complete a change that an operator has saved to ``currency``; call it in the transaction of the change.

    A rate that was entered counts as up to date from now on, and replaces one that waits for approval.

    Args:
        changed: The names of the changed fields; for a new currency, all of them.
        by: The operator, for the history.
    """
    now = timezone.now()
    columns: dict[str, Any] = {}
    if "source" in changed:
        columns |= {**_DECIDED, **_NOTHING_REJECTED, "problem": "", "warned_at": None}
    if "rate" in changed:
        at = now if currency.rate is not None else None
        columns |= {**_DECIDED, **_NOTHING_REJECTED, "rate_at": at, "confirmed_at": at, "warned_at": None}
    _write(currency, columns)
    if "source" in changed and currency.source_id is not None:
        # After the commit, because whoever stores fetched rates locks the source before its currencies.
        due = RateSource.objects.filter(pk=currency.source_id)
        transaction.on_commit(lambda: due.update(next_fetch_at=now))
    if {"rate", "margin"} & set(changed):
        _add_record(currency, RateOrigin.ENTERED, by)
    transaction.on_commit(display.clear_cache)


@transaction.atomic
def approve(currency: Currency, *, rate: Decimal, by: str) -> Currency:
    """Take the rate that waits for approval.

    Args:
        rate: The waiting rate that the operator saw.
        by: The operator, for the history.

    Raises:
        PendingRateChanged: Another rate waits by now, or none.
    """
    row = _pending(currency, rate)
    now = timezone.now()
    _write(row, {**_DECIDED, **_NOTHING_REJECTED, **_confirmed(now), "rate": rate, "rate_at": now})
    _add_record(row, RateOrigin.APPROVED, by)
    transaction.on_commit(display.clear_cache)
    return row


@transaction.atomic
def reject(currency: Currency, *, rate: Decimal) -> Currency:
    """Drop the rate that waits for approval, and ignore rates close to it while the current one counts as up to date.

    The current rate counts as confirmed now. If the source still quotes the rejected one when it is outdated, that
    waits for approval again.

    Args:
        rate: The waiting rate that the operator saw.

    Raises:
        PendingRateChanged: Another rate waits by now, or none.
    """
    row = _pending(currency, rate)
    now = timezone.now()
    confirmed = _confirmed(now) if row.rate is not None else {}
    _write(row, {**_DECIDED, **confirmed, "rejected_rate": rate, "rejected_at": now})
    transaction.on_commit(display.clear_cache)
    return row


def _pending(currency: Currency, rate: Decimal) -> Currency:
    row = Currency.objects.select_for_update().filter(pk=currency.pk).first()
    if row is None or row.pending_rate is None or row.pending_rate != rate:
        raise PendingRateChanged
    return row


# ------------------------------------------------------------------------------------------------ fetched


@transaction.atomic
def record_rates(source: RateSource, quotes: Mapping[str, Quote]) -> FetchResult:
    """Store the rates that ``source`` quoted, by currency code, and tell staff of those that wait for approval."""
    now = timezone.now()
    if not _is_same(source):
        return FetchResult(source=source, is_dropped=True)
    RateSource.objects.filter(pk=source.pk).update(
        fetched_at=now,
        failing_since=None,
        problem="",
        detail="",
        next_fetch_at=now + timedelta(minutes=source.interval),
    )
    results: list[CurrencyResult] = []
    waiting: list[Currency] = []
    for row in Currency.objects.select_for_update().filter(source=source, code__in=quotes).order_by("pk"):
        quote = quotes[row.code]
        if isinstance(quote, QuoteProblem):
            _write(row, {"problem": quote.value})
            results.append(CurrencyResult(code=row.code, outcome=Taken.PROBLEM, problem=quote))
            continue
        outcome = _take(row, quote, source, now)
        results.append(CurrencyResult(code=row.code, outcome=outcome, rate=quote))
        if outcome is Taken.WAITING and _is_untold(row, now):
            _write(row, {"pending_told_at": now})
            waiting.append(row)
    if waiting:
        _notify(RateNotice(kind=NoticeKind.WAITING, source=source, currencies=waiting))
    transaction.on_commit(display.clear_cache)
    return FetchResult(source=source, currencies=results)


@transaction.atomic
def record_failure(source: RateSource, problem: FetchProblem, detail: str, *, retry_at: datetime) -> FetchResult:
    """Store why ``source`` could not be read; the rates stay as they are."""
    if not _is_same(source):
        return FetchResult(source=source, is_dropped=True)
    source.refresh_from_db(fields=["failing_since"])
    RateSource.objects.filter(pk=source.pk).update(
        failing_since=source.failing_since or timezone.now(),
        problem=problem.value,
        detail=detail[:200],
        next_fetch_at=retry_at,
    )
    return FetchResult(source=source, problem=problem, detail=detail)


def _is_same(source: RateSource) -> bool:
    """Lock the source and return whether it still reads the same rates from the same place."""
    row = RateSource.objects.select_for_update().filter(pk=source.pk).first()
    return row is not None and all(getattr(row, name) == getattr(source, name) for name in _SETTINGS)


def _is_untold(row: Currency, now: datetime) -> bool:
    """Return whether staff should be told now of the rate that waits for approval."""
    if row.pending_told_at is None or row.pending_at is None:
        return True
    return row.pending_told_at < row.pending_at and row.pending_told_at <= now - NOTICE_PAUSE


def _take(row: Currency, rate: Decimal, source: RateSource, now: datetime) -> Taken:
    """Take ``rate``, a positive number, or let it wait for approval; write what changed."""
    if row.rate is not None and change(row.rate, rate) <= source.max_change:
        is_changed = rate != row.rate
        columns = {**_NOTHING_PENDING, **_NOTHING_REJECTED, **_confirmed(now)}
        _write(row, {**columns, "rate": rate, "rate_at": now} if is_changed else columns)
        if is_changed:
            _add_record(row, RateOrigin.FETCHED, source.name)
        return Taken.CHANGED if is_changed else Taken.UNCHANGED
    if row.rejected_rate is not None and row.rejected_at is not None:
        is_recent = row.rejected_at > now - timedelta(hours=source.stale_after)
        if is_recent and change(row.rejected_rate, rate) <= source.max_change:
            _write(row, {"problem": ""})
            return Taken.IGNORED
    # A rate close to the one that waits already is the same news: it waits since then.
    is_news = row.pending_rate is None or change(row.pending_rate, rate) > source.max_change
    at = now if is_news else row.pending_at
    _write(row, {**_NOTHING_REJECTED, "problem": "", "pending_rate": rate, "pending_at": at})
    return Taken.WAITING


def change(old: Decimal, new: Decimal) -> Decimal:
    """Return by how many percent the larger of two positive rates exceeds the smaller.

    It is the same in both directions. Relative to the old rate no fall could exceed 100 percent.
    """
    return amounts.multiply(amounts.divide(max(old, new), min(old, new)) - 1, 100)


# ------------------------------------------------------------------------------------------------ warnings


def warn_of_old_rates() -> int:
    """Tell staff, once per outage, of rates that were not updated for half of the time after which payments stop.

    A rate that waits for approval is no reason: staff were notified when it began to wait.

    Returns:
        The number of currencies.
    """
    now = timezone.now()
    candidates = Currency.objects.filter(
        source__isnull=False, rate__isnull=False, warned_at=None, pending_rate=None
    ).select_related("source")
    # Most passes find none, and then take no lock.
    if not any(is_old(row, now) for row in candidates):
        return 0
    by_source: dict[RateSource, list[Currency]] = {}
    with transaction.atomic():
        # Of two workers at once, the second waits for the lock and then finds the currencies marked.
        for row in candidates.select_for_update(of=("self",)).order_by("pk"):
            if row.source is not None and is_old(row, now):
                _write(row, {"warned_at": now})
                by_source.setdefault(row.source, []).append(row)
        for source, currencies in by_source.items():
            _notify(RateNotice(kind=NoticeKind.OLD, source=source, currencies=currencies))
    return sum(len(currencies) for currencies in by_source.values())


def is_old(row: Currency, now: datetime) -> bool:
    """Return whether the source has not updated the rate for half of the time after which it is outdated."""
    if row.source is None:
        return False
    half = timedelta(hours=row.source.stale_after) / 2
    return row.confirmed_at is None or row.confirmed_at <= now - half


def _notify(notice: RateNotice) -> None:
    for path in settings.CURRENCY_NOTICE_LISTENERS:
        import_string(path)(notice)


# ------------------------------------------------------------------------------------------------ rows


def _confirmed(now: datetime) -> dict[str, Any]:
    return {"confirmed_at": now, "warned_at": None, "problem": ""}


def _write(row: Currency, columns: Mapping[str, Any]) -> None:
    """Write columns of a row and of the object; nothing else, because an operator may save the others meanwhile."""
    if columns:
        Currency.objects.filter(pk=row.pk).update(**columns)
        for name, value in columns.items():
            setattr(row, name, value)


def _add_record(currency: Currency, origin: RateOrigin, by: str) -> None:
    """Append the current rate and margin of ``currency`` to the history; does nothing while the rate is unknown."""
    if currency.rate is not None:
        RateRecord.objects.create(
            currency=currency.code, rate=currency.rate, margin=currency.margin, origin=origin, by=by[:254]
        )
