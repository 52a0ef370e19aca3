"""When a provider is left alone: turns, pauses, back-off. The state is on the Provider row, shared by all processes."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from providers.dialect import Answer
from providers.errors import NotSent, PanelError, Refused
from providers.models import Provider

log = logging.getLogger("vitrine.providers")

#: Seconds by what the panel said.
PAUSES = {"funds": 600, "key": 3600, "busy": 60}
#: This many failures in a row (not reached, or no clear answer) pause the provider.
FAILURES = 3
FAILURE_PAUSE, FAILURE_PAUSE_LAST = 60, 1800


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
        if provider.failures:
            Provider.objects.filter(pk=provider.pk).update(failures=0)
            provider.failures = 0
        return
    if isinstance(problem, Refused):
        waits = outcome.retry_after if isinstance(outcome, Answer) else None
        pause(provider, seconds=waits or PAUSES[problem.reason], reason=problem.words)
        return
    Provider.objects.filter(pk=provider.pk).update(failures=F("failures") + 1)
    provider.refresh_from_db(fields=["failures"])
    if provider.failures >= FAILURES:
        seconds = min(FAILURE_PAUSE * 2 ** min(provider.failures - FAILURES, 10), FAILURE_PAUSE_LAST)
        kind = "not reached" if isinstance(problem, NotSent) else "no clear answer"
        pause(provider, seconds=seconds, reason=f"{provider.failures} times in a row {kind}: {problem.words}")


def pause(provider: Provider, *, seconds: int, reason: str) -> None:
    """No orders go to ``provider`` for a while; those that have no other route wait."""
    until = timezone.now() + timedelta(seconds=seconds)
    Provider.objects.filter(pk=provider.pk).update(paused_until=until, pause_reason=reason[:500])
    provider.paused_until, provider.pause_reason = until, reason[:500]
    log.warning("provider %s is paused for %s s: %s", provider.name, seconds, reason)


def resume(provider: Provider) -> None:
    """An operator lets orders go to ``provider`` again."""
    Provider.objects.filter(pk=provider.pk).update(paused_until=None, pause_reason="", failures=0)
