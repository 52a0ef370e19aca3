"""Orders that a provider's balance is too low for: they wait, while cheaper orders, refills and cancellations go on.

A panel that answers "not enough funds" means one order. From then on ``Provider.funds_limit`` is the most that an order
may cost there: the balance that the panel then names, less what was spent since, or just below the cost of the rejected
order if it names none. The limit ends with the first reading of a higher balance. In addition, orders above the limit
are tried again at ``funds_retry_at``, at intervals that double, so that no order waits for a reading that never comes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from decimal import Decimal

from django.utils import timezone

from orders.rules import amounts
from providers.errors import ProviderError
from providers.models import Provider
from providers.transport import balances
from providers.worker.backoff import Doubling

log = logging.getLogger("vitrine.providers")

#: The waiting times until orders above the limit are tried again.
RETRY = Doubling(first=60, last=1800)
_FIELDS = ("funds_limit", "funds_balance", "funds_seen_at", "funds_retry_at", "funds_attempts")


def can_afford(provider: Provider, cost: Decimal) -> bool:
    """Return whether an order that costs ``cost`` may be tried at ``provider`` now."""
    if provider.funds_limit is None or cost <= provider.funds_limit:
        return True
    return provider.funds_retry_at is not None and provider.funds_retry_at <= timezone.now()


def hold_back(provider: Provider, *, cost: Decimal) -> None:
    """Let orders that cost ``cost`` or more wait, because the panel rejected one for lack of funds.

    The balance is read once, not for each of several orders that were under way together.
    """
    provider.refresh_from_db(fields=_FIELDS)
    now = timezone.now()
    is_first = provider.funds_retry_at is None or provider.funds_retry_at <= now
    if is_first:
        provider.funds_attempts += 1
        provider.funds_retry_at = now + RETRY.delay(provider.funds_attempts)
        provider.funds_seen_at = now  # older readings do not show what is left now
        _ask_balance(provider)
    limits = [cost - amounts.QUANTUM, provider.funds_balance, provider.funds_limit]
    provider.funds_limit = max(min(amount for amount in limits if amount is not None), Decimal(0))
    provider.save(update_fields=_FIELDS)
    if is_first:  # log it once, not for each order that was under way
        log.warning("provider %s: %s", provider.name, describe(provider))


def refresh(provider: Provider) -> None:
    """End the limit if the balance has risen; read the balance when orders above the limit are due for a retry."""
    if provider.funds_limit is None:
        return
    before = provider.funds_balance if provider.funds_balance is not None else provider.funds_limit
    is_new = provider.balance_seen_at and provider.funds_seen_at and provider.balance_seen_at > provider.funds_seen_at
    if is_new and provider.balance is not None and provider.balance > before:
        release(provider)
    elif provider.funds_retry_at is None or provider.funds_retry_at <= timezone.now():
        balance = _ask_balance(provider)
        if balance is not None and balance > before:
            release(provider)
        elif balance is not None and balance <= provider.funds_limit:
            provider.funds_attempts += 1
            provider.funds_retry_at = timezone.now() + RETRY.delay(provider.funds_attempts)
            provider.save(update_fields=_FIELDS)
        # Otherwise only a new attempt can show whether the balance is sufficient.


def spend(provider: Provider, costs: Iterable[Decimal]) -> None:
    """Subtract the cost of accepted orders from what is left; an accepted order above the limit ends the limit."""
    spent = list(costs)
    if provider.funds_limit is None or not spent:
        return
    if max(spent) > provider.funds_limit:
        release(provider)
    elif provider.funds_balance is not None:
        provider.funds_balance = max(provider.funds_balance - sum(spent), Decimal(0))
        provider.funds_limit = min(provider.funds_limit, provider.funds_balance)
        provider.save(update_fields=_FIELDS)


def release(provider: Provider) -> None:
    """End the limit, so that orders of any cost are placed again."""
    provider.funds_limit = provider.funds_balance = provider.funds_seen_at = provider.funds_retry_at = None
    provider.funds_attempts = 0
    provider.save(update_fields=_FIELDS)


def describe(provider: Provider) -> str:
    """Return the limit and the time of the next attempt for the log, or "" if there is no limit."""
    if provider.funds_limit is None or provider.funds_retry_at is None:
        return ""
    most = f"{amounts.plain(provider.funds_limit)} {provider.currency}"
    return f"not enough funds: orders that cost more than {most} wait, next attempt at {provider.funds_retry_at:%H:%M}"


def _ask_balance(provider: Provider) -> Decimal | None:
    """Ask the panel for the balance and store it; return None if the panel does not name one."""
    try:
        amount = balances.update_balance(provider).amount
    except ProviderError:
        return None  # the call log has the answer
    provider.funds_balance, provider.funds_seen_at = amount, provider.balance_seen_at
    provider.save(update_fields=["funds_balance", "funds_seen_at"])
    return amount
