"""The circuit breaker: pauses a provider that fails. Its state is in the Provider row, shared by all processes.

Every automatic pause ends by itself and is twice as long as the one before, until an order is clearly answered.
``Provider.pause_reason`` holds why: a note, or what the provider said. A panel where our
balance is too low for one order is not paused, see ``transport.funds``.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from providers import note_texts, notes
from providers.errors import NotSent, OutcomeUnknown, ProviderError, Refused
from providers.http.messages import Answer
from providers.models import Placement, Provider
from providers.notes import Note
from providers.transport import conversation, funds, offer_pauses
from providers.worker.backoff import Doubling

log = logging.getLogger("vitrine.providers")

#: The lengths of pauses, by cause.
PAUSES = {"busy": Doubling(60, 600), "key": Doubling(60, 3600), "failure": Doubling(60, 1800)}
#: The number of failures in a row that pauses a provider: calls that did not reach it, and answers that leave the
#: outcome of an order unknown. After the pause one order at a time is sent, and the first one without a clear answer
#: pauses it again.
FAILURES, UNCLEAR_ANSWERS = 3, 2
#: A larger share of unknown outcomes among the newest placements of the last hour pauses it too.
UNKNOWN_SHARE, UNKNOWN_AMONG, UNKNOWN_WITHIN = 0.05, 50, timedelta(hours=1)
#: The maximum number of seconds to wait, whatever a panel's Retry-After header says.
RETRY_AFTER_LAST = 3600
#: The waiting times of an order that was not sent.
NOT_SENT = Doubling(first=10, last=1800)


def clear_answer(provider: Provider) -> None:
    """Reset the failure counters, because the panel clearly accepted or rejected an order."""
    if provider.failures or provider.is_half_open or provider.pauses:
        Provider.objects.filter(pk=provider.pk).update(failures=0, is_half_open=False, pauses=0)
        provider.failures, provider.is_half_open, provider.pauses = 0, False, 0


def failed(provider: Provider, problem: ProviderError, outcome: Answer | ProviderError) -> None:
    """Handle an ``add`` that was neither accepted nor rejected for a reason of the order: count it, and maybe pause."""
    provider.refresh_from_db(fields=["failures", "pauses", "is_half_open", "paused_until"])
    if provider.is_paused:
        return  # calls that were under way when it was paused must not extend the pause
    if isinstance(problem, Refused):
        if problem.reason == "key":
            check_key(provider, problem.message)
        else:
            waits = outcome.retry_after if isinstance(outcome, Answer) else None
            _pause_longer(provider, "busy", reason=problem.message, least=min(waits or 0, RETRY_AFTER_LAST))
        return
    Provider.objects.filter(pk=provider.pk).update(failures=F("failures") + 1)
    provider.failures += 1
    if why := _why_to_stop(provider, problem):
        _pause_longer(provider, "failure", reason=why)
        Provider.objects.filter(pk=provider.pk).update(is_half_open=True)
        provider.is_half_open = True


def check_key(provider: Provider, words: str) -> timedelta:
    """Pause the provider, for a short time at first, because the panel rejected the API key.

    Most such answers are temporary. The balance is read with the same key, so that the operator learns whether the
    key itself is wrong. A pause that already runs is not changed.

    Returns:
        How long to wait.
    """
    provider.refresh_from_db(fields=["pauses", "paused_until"])
    if provider.paused_until is not None and provider.is_paused:
        return min(provider.paused_until - timezone.now(), timedelta(seconds=RETRY_AFTER_LAST))
    try:
        conversation.balance(provider)
        reason = notes.encode(Note.KEY_ACCEPTED, message=words)
    except Refused as refusal:
        reason = notes.encode(Note.KEY_REJECTED, message=refusal.message or words)
    except ProviderError:
        reason = notes.encode(Note.KEY_UNCHECKED, message=words)
    return timedelta(seconds=_pause_longer(provider, "key", reason=reason))


def back_off(tries: int) -> timedelta:
    """Return how long an order waits after ``tries`` attempts that were not sent."""
    return NOT_SENT.delay(tries + 1)


def _why_to_stop(provider: Provider, problem: ProviderError) -> str:
    """Return why ``provider`` must be paused after a failure, as a note, or "" if it need not be."""
    words, is_unreached = problem.message, isinstance(problem, NotSent)
    if isinstance(problem, OutcomeUnknown) and problem.is_lasting:
        return notes.encode(Note.NEXT_ORDER_TOO, message=words)
    if provider.is_half_open:
        return notes.encode(Note.STILL_UNREACHABLE if is_unreached else Note.STILL_UNCLEAR, message=words)
    if provider.failures >= (FAILURES if is_unreached else UNCLEAR_ANSWERS):
        note = Note.UNREACHABLE if is_unreached else Note.UNCLEAR
        return notes.encode(note, message=words, count=provider.failures)
    return "" if is_unreached else _too_many_unknown(provider, words)


def _too_many_unknown(provider: Provider, words: str) -> str:
    since = timezone.now() - UNKNOWN_WITHIN
    placements = Placement.objects.filter(provider=provider, created_at__gte=since).order_by("-pk")
    newest = list(placements.values_list("offer_id", "in_doubt_at")[:UNKNOWN_AMONG])
    paused = offer_pauses.paused_offers()  # these offers are paused on their own
    unknown = sum(at is not None for offer_id, at in newest if offer_id not in paused)
    if unknown <= UNKNOWN_AMONG * UNKNOWN_SHARE:
        return ""
    return notes.encode(Note.MANY_UNKNOWN, message=words, count=unknown, total=len(newest))


def _pause_longer(provider: Provider, kind: str, *, reason: str, least: int = 0) -> int:
    """Pause twice as long as the last time; return the seconds."""
    seconds = least or round(PAUSES[kind].delay(provider.pauses + 1).total_seconds())
    Provider.objects.filter(pk=provider.pk).update(pauses=F("pauses") + 1)
    provider.pauses += 1
    pause(provider, seconds=seconds, reason=reason)
    return seconds


def pause(provider: Provider, *, seconds: int, reason: str) -> None:
    """Send no orders to ``provider`` for ``seconds``; orders without another route wait.

    A longer pause is not shortened: "too many requests" must not resume a provider that bills in another currency.
    """
    until = timezone.now() + timedelta(seconds=seconds)
    shorter = Provider.objects.filter(pk=provider.pk).exclude(paused_until__gt=until)
    if shorter.update(paused_until=until, pause_reason=reason[:500]):
        log.warning("provider %s is paused for %s s: %s", provider.name, seconds, note_texts.describe(reason))
    provider.refresh_from_db(fields=["paused_until", "pause_reason"])


def resume(provider: Provider) -> None:
    """End the pause of ``provider`` and reset its failure counters, on behalf of an operator."""
    Provider.objects.filter(pk=provider.pk).update(
        paused_until=None, pause_reason="", failures=0, pauses=0, is_half_open=False
    )
    funds.release(provider)
