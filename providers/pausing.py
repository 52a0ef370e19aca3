"""When a provider is left alone: turns, pauses, back-off. The state is on the Provider row, shared by all processes."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from providers.dialect import Answer
from providers.errors import OutcomeUnknown, PanelError, Refused
from providers.models import Placement, Provider

log = logging.getLogger("vitrine.providers")

#: Seconds by what the panel said.
PAUSES = {"funds": 600, "key": 3600, "busy": 60}
#: This many failures in a row (not reached, or no clear answer) pause the provider. Then one order at a time goes out,
#: and the first one that is not clearly answered pauses it again, for longer.
FAILURES = 3
FAILURE_PAUSE, FAILURE_PAUSE_LAST = 60, 1800
#: So many orders in doubt within so many seconds, or more than this share of the newest placements, do the same; and
#: the pause lasts until the first search for them.
DOUBTS, DOUBTS_WITHIN = 3, 60
DOUBTS_SHARE, DOUBTS_AMONG = 0.05, 50
#: Seconds until an order is sent again after a proven non-send, doubled with every try.
BACK_OFF_FIRST, BACK_OFF_LAST = 10, 1800


def take_turn(provider: Provider, *, seconds: float) -> bool:
    """Whether this process may submit now; the turn of one that died ends by itself after ``seconds``."""
    now = timezone.now()
    free = Provider.objects.filter(Q(busy_until=None) | Q(busy_until__lt=now), pk=provider.pk)
    return free.update(busy_until=now + timedelta(seconds=seconds)) == 1


def end_turn(provider: Provider) -> None:
    Provider.objects.filter(pk=provider.pk).update(busy_until=None)


def after(provider: Provider, problem: PanelError | None, outcome: Answer | PanelError) -> None:
    """Draws the consequence of one ``add`` for the provider."""
    if problem is None or (isinstance(problem, Refused) and problem.reason not in PAUSES):
        if provider.failures or provider.is_half_open:
            Provider.objects.filter(pk=provider.pk).update(failures=0, is_half_open=False)
            provider.failures, provider.is_half_open = 0, False
        return
    if isinstance(problem, Refused):
        waits = outcome.retry_after if isinstance(outcome, Answer) else None
        pause(provider, seconds=waits or PAUSES[problem.reason], reason=problem.words)
        return
    provider.refresh_from_db(fields=["failures", "is_half_open", "paused_until"])
    if provider.is_paused:
        return  # the others that were under way when it was paused say nothing new
    Provider.objects.filter(pk=provider.pk).update(failures=F("failures") + 1)
    provider.failures += 1
    if why := _why_to_stop(provider, problem):
        _stop(provider, f"{why}: {problem.words}", is_doubt=isinstance(problem, OutcomeUnknown))


def back_off(tries: int) -> timedelta:
    """How long an order waits that was sent ``tries`` times in vain."""
    return timedelta(seconds=min(BACK_OFF_FIRST * 2 ** min(tries, 16), BACK_OFF_LAST))


def _why_to_stop(provider: Provider, problem: PanelError) -> str:
    """Why ``provider`` must be left alone after a failure, "" if it need not."""
    is_doubt = isinstance(problem, OutcomeUnknown)
    what = "no clear answer" if is_doubt else "not reached"
    if isinstance(problem, OutcomeUnknown) and problem.is_lasting:
        return "the next order would fare the same"
    if provider.is_half_open:
        return f"still {what}"
    if provider.failures >= FAILURES:
        return f"{provider.failures} times in a row {what}"
    return _too_many_doubts(provider) if is_doubt else ""


def _too_many_doubts(provider: Provider) -> str:
    placements, now = Placement.objects.filter(provider=provider), timezone.now()
    newest = list(placements.order_by("-pk").values_list("doubted_at", flat=True)[:DOUBTS_AMONG])
    doubts = [at for at in newest if at is not None]
    if len(doubts) > DOUBTS_AMONG * DOUBTS_SHARE:
        return f"{len(doubts)} orders in doubt among the last {len(newest)}"
    late = placements.filter(doubted_at__gte=now - timedelta(seconds=DOUBTS_WITHIN), doubted_at__lte=now)
    return f"{DOUBTS} orders in doubt within {DOUBTS_WITHIN} s" if late.count() >= DOUBTS else ""


def _stop(provider: Provider, reason: str, *, is_doubt: bool) -> None:
    """Pauses, and lets one order at a time go out afterwards until one is clearly answered."""
    seconds = min(FAILURE_PAUSE * 2 ** min(max(provider.failures - FAILURES, 0), 10), FAILURE_PAUSE_LAST)
    pause(provider, seconds=max(seconds, provider.settle_seconds + 10) if is_doubt else seconds, reason=reason)
    Provider.objects.filter(pk=provider.pk).update(is_half_open=True)
    provider.is_half_open = True


def pause(provider: Provider, *, seconds: int, reason: str) -> None:
    """No orders go to ``provider`` for a while; those that have no other route wait."""
    until = timezone.now() + timedelta(seconds=seconds)
    Provider.objects.filter(pk=provider.pk).update(paused_until=until, pause_reason=reason[:500])
    provider.paused_until, provider.pause_reason = until, reason[:500]
    log.warning("provider %s is paused for %s s: %s", provider.name, seconds, reason)


def resume(provider: Provider) -> None:
    """An operator lets orders go to ``provider`` again."""
    Provider.objects.filter(pk=provider.pk).update(paused_until=None, pause_reason="", failures=0, is_half_open=False)
