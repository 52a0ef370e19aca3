"""Import of price lists, and publishing of offers as services.

An import compares the list with the stored offers and writes only the differences, with a few statements however long
the list is. ``diff`` decides what changes about an offer, ``availability`` what that means for services, and ``markup``
what it means for prices. All of it is one transaction. A list that looks wrong changes nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.db import bulk
from orders.models import Category, Service
from orders.rules import amounts
from providers import note_texts, notes
from providers.errors import BadList, CurrencyChanged, ProviderError
from providers.models import Offer, OfferChange, Provider, Route
from providers.notes import Note
from providers.panels.dialect import PriceListRow
from providers.pricelists import availability, diff, markup
from providers.pricelists.diff import COPIED, WRITTEN, HistoryLine, StoredOffer
from providers.transport import balances, circuit_breaker, conversation

log = logging.getLogger("vitrine.providers")

#: A list shorter than this share of the last good one, or of its sellable rows, is an error of the panel.
LEAST_SHARE = Decimal("0.8")
#: Seconds for which a provider that bills in another currency is paused, long enough for an operator to look.
CURRENCY_PAUSE = 365 * 24 * 3600
#: Rates from here on, in the store currency, mean "not for sale"; panels list 99999999 or 1e12.
ABSURD_RATE = 10_000_000
BATCH = 1000
_CREATED = ("provider", "upstream_id", *WRITTEN, "assigned_type", "seen_at")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import, in offers; the ``problem`` of ``unsellable`` rows says why they cannot be sold."""

    added: int
    changed: int
    unchanged: int
    missing: int
    unsellable: tuple[PriceListRow, ...]
    gone: int = 0
    held: int = 0
    #: The number of services whose price changed, that went off sale, and that went on sale again.
    repriced: int = 0
    withdrawn: int = 0
    restored: int = 0


def import_offers(provider: Provider, *, is_short_fine: bool = False) -> ImportResult:
    """Read the provider's price list and store it.

    Args:
        is_short_fine: Whether to accept a list that is much shorter than the last one.

    Raises:
        ProviderError: nothing was changed except ``price_list_error`` of the provider, which has the reason.
    """
    try:
        _check_balance(provider)
        return store(provider, conversation.services(provider), is_short_fine=is_short_fine)
    except ProviderError as problem:
        _alert(provider, problem)
        raise


@transaction.atomic
def store(provider: Provider, rows: Iterable[PriceListRow], *, is_short_fine: bool = False) -> ImportResult:
    """Store ``rows`` as the provider's price list.

    Raises:
        BadList: the list looks wrong; nothing was changed.
    """
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)  # one import at a time
    listed, left_out = _split_rows(provider, list(rows))
    known = known_offers(provider)
    _check_length(listed, known, is_short_fine=is_short_fine)
    steps = list(_changed_offers(provider, listed, known))
    new = [row for name, row in listed.items() if name not in known]
    now = timezone.now()
    bulk.update(Offer, [*WRITTEN, "seen_at"], [(after.pk, *after[2:], now) for _, after in steps])
    bulk.insert(Offer, _CREATED, [_created(provider, row, now) for row in new])
    _keep_history(provider, steps, new if known else [], now)
    done = _update_services(provider, steps)
    Provider.objects.filter(pk=provider.pk).update(imported_at=now, price_list_error="")
    missed = sum(after.missed_imports > before.missed_imports for before, after in steps)
    return ImportResult(
        added=len(new),
        changed=len(steps) - missed,
        unchanged=len(listed) - len(new) - len(steps) + missed,
        missing=missed,
        unsellable=(*(row for row in listed.values() if row.problem), *left_out),
        gone=sum(after.missed_imports >= diff.MISSES for _, after in steps),
        held=sum(after.is_pending_approval and not before.is_pending_approval for before, after in steps),
        **done,
    )


def write_steps(provider: Provider, steps: list[tuple[StoredOffer, StoredOffer]]) -> None:
    """Write offers that changed without a new price list, and update services, in the caller's transaction."""
    bulk.update(Offer, WRITTEN, [(after.pk, *after[2:]) for _, after in steps])
    _keep_history(provider, steps, [], timezone.now())
    _update_services(provider, steps)


def _changed_offers(
    provider: Provider, listed: dict[str, PriceListRow], known: dict[str, StoredOffer]
) -> Iterable[tuple[StoredOffer, StoredOffer]]:
    """Return (before, after) of every offer that the list changes."""
    for name, before in known.items():
        row = listed.get(name)
        if row is not None:
            after = diff.merge(before, row, jump=provider.price_jump)
        elif before.missed_imports < diff.MISSES:
            after = diff.mark_missing(before)
        else:
            continue
        if after != before:
            yield before, after


def _update_services(provider: Provider, steps: list[tuple[StoredOffer, StoredOffer]]) -> dict[str, int]:
    """Update availability and prices of services after offers changed; return counts."""
    retyped = {after.pk for before, after in steps if after.service_type != before.service_type}
    if retyped:
        availability.disable_mismatched_routes(provider, retyped)
    lost = {after.pk for before, after in steps if before.is_sellable and not after.is_sellable}
    found = {after.pk for before, after in steps if after.is_sellable and not before.is_sellable}
    dearer = {after.pk for before, after in steps if after.rate != before.rate}
    availability.copy_offer_changes(provider, steps)
    return {
        "withdrawn": availability.withdraw(provider, lost) if lost else 0,
        "restored": availability.restore(provider, found) if found else 0,
        "repriced": markup.reprice(provider, offers=lost | found | dearer) if lost | found | dearer else 0,
    }


# ------------------------------------------------------------------------------------------------ guards


def _check_balance(provider: Provider) -> None:
    """Read the balance, and check that the panel bills in the provider's currency. It need not answer."""
    try:
        balance = balances.update_balance(provider)
    except ProviderError as problem:
        log.info("%s: no balance: %s", provider.name, note_texts.describe(problem.message))
        return
    if _differs(balance.currency, provider):
        raise _currency_changed(provider, balance.currency)


def _split_rows(provider: Provider, rows: list[PriceListRow]) -> tuple[dict[str, PriceListRow], list[PriceListRow]]:
    """Split ``rows`` into usable ones by number, and others that have no number or a duplicate one.

    A single row in another currency cannot be sold. If all rows are, the provider's currency has changed.
    """
    currencies = {row.currency for row in rows}
    others = {currency for currency in currencies if _differs(currency, provider)}
    if others and provider.currency not in currencies:
        raise _currency_changed(provider, ", ".join(sorted(others)))
    absurd = ABSURD_RATE / provider.exchange_rate
    listed: dict[str, PriceListRow] = {}
    left_out = []
    for row in rows:
        if not row.upstream_id or row.upstream_id in listed:
            left_out.append(row)
        elif row.rate >= absurd and not row.problem:
            problem = notes.encode(Note.NOT_FOR_SALE)
            listed[row.upstream_id] = replace(row, problem=problem)
        elif row.currency in others:
            problem = notes.encode(Note.OTHER_CURRENCY, billed=row.currency, configured=provider.currency)
            listed[row.upstream_id] = replace(row, problem=row.problem or problem)
        else:
            listed[row.upstream_id] = row
    return listed, left_out


def watch_currency(provider: Provider, currency: str) -> bool:
    """Pause ``provider`` if a report about an order names another ``currency`` than it is set to.

    Some panels write a fixed currency into every status, so each currency pauses the provider once: after an operator
    has resumed it, it stays active. Charges in that currency are not used.

    Returns:
        Whether the currency differs.
    """
    if not _differs(currency, provider):
        return False
    is_new = Provider.objects.filter(pk=provider.pk).exclude(order_currency=currency).update(order_currency=currency)
    if is_new:
        _alert(provider, _currency_changed(provider, currency))
    return True


def _differs(currency: str, provider: Provider) -> bool:
    """Return whether ``currency`` is a currency code other than the provider's; signs and words are ignored."""
    return bool(re.fullmatch(r"[A-Z]{3}", currency)) and currency != provider.currency


def _currency_changed(provider: Provider, currency: str) -> CurrencyChanged:
    return CurrencyChanged(notes.encode(Note.CURRENCY_CHANGED, billed=currency[:100], configured=provider.currency))


def _check_length(listed: dict[str, PriceListRow], known: dict[str, StoredOffer], *, is_short_fine: bool) -> None:
    if not listed:
        raise BadList(notes.encode(Note.LIST_EMPTY))
    last = [offer for offer in known.values() if not offer.missed_imports]
    for note, now, before in (
        (Note.LIST_SHORT, len(listed), len(last)),
        (Note.LIST_SHORT_OF_SELLABLE, _sellable(listed.values()), _sellable(last)),
    ):
        if now < before * LEAST_SHARE and not is_short_fine:
            raise BadList(notes.encode(note, count=now, before=before))


def _sellable(rows: Iterable[PriceListRow | StoredOffer]) -> int:
    return sum(not row.problem for row in rows)


def _alert(provider: Provider, problem: ProviderError) -> None:
    """Tell the operator, in the log and on the provider; the same problem once."""
    words = (problem.message or type(problem).__name__)[:500]
    if Provider.objects.filter(pk=provider.pk).exclude(price_list_error=words).update(price_list_error=words):
        log.warning("%s: the price list was not imported: %s", provider.name, note_texts.describe(words))
    if isinstance(problem, CurrencyChanged):
        provider.refresh_from_db(fields=["paused_until", "pause_reason"])
        if not (provider.is_paused and provider.pause_reason == words):
            circuit_breaker.pause(provider, seconds=CURRENCY_PAUSE, reason=words)


# ------------------------------------------------------------------------------------------------ rows


def known_offers(provider: Provider) -> dict[str, StoredOffer]:
    offers = Offer.objects.filter(provider=provider).order_by()
    return {row[1]: StoredOffer._make(row) for row in bulk.select(offers, ("id", "upstream_id", *WRITTEN))}


def _created(provider: Provider, row: PriceListRow, now: Any) -> tuple[Any, ...]:
    copied = (getattr(row, name) for name in COPIED)
    return (provider.pk, row.upstream_id, *copied, True, False, None, 0, "", now)


def _keep_history(
    provider: Provider, steps: list[tuple[StoredOffer, StoredOffer]], new: list[PriceListRow], now: Any
) -> None:
    """Store the changes of offers, except for the first price list of a provider."""
    lines = [(after.pk, *note, now) for before, after in steps for note in diff.history_lines(before, after)]
    if new:
        names = {row.upstream_id: HistoryLine("new", "", amounts.plain(row.rate)) for row in new}
        offers = Offer.objects.filter(provider=provider, seen_at=now, missed_imports=0).values_list("pk", "upstream_id")
        lines += [(key, *names[name], now) for key, name in offers if name in names]
    bulk.insert(OfferChange, ["offer", "what", "old", "new", "created_at"], lines)


# ------------------------------------------------------------------------------------------------ publishing


@transaction.atomic
def publish(provider: Provider, *, markup_percent: Decimal | None = None) -> int:
    """Create a category, a service and a route for each sellable offer that no service uses; return their number.

    Args:
        markup_percent: Becomes the provider's markup rule first; services that are already on sale are repriced.
    """
    is_new_rule = markup_percent is not None and markup.set_for(provider, percent=markup_percent)
    sellable = Offer.objects.filter(
        provider=provider, routes=None, is_available=True, is_pending_approval=False, problem=""
    )
    offers = list(sellable.order_by("pk"))
    categories = _categories({offer.category or provider.name for offer in offers})
    rules = markup.load()
    services = Service.objects.bulk_create(
        [_service(provider, offer, categories[offer.category or provider.name], rules) for offer in offers],
        batch_size=BATCH,
    )
    Route.objects.bulk_create(
        [Route(service=service, offer=offer) for service, offer in zip(services, offers, strict=True)],
        batch_size=BATCH,
    )
    if is_new_rule:
        markup.reprice(provider)
    return len(services)


def _categories(names: set[str]) -> dict[str, Category]:
    known = {category.name: category for category in Category.objects.filter(name__in=names)}
    position = Category.objects.count()
    missing = sorted(names - known.keys())
    made = Category.objects.bulk_create(
        [Category(name=name, position=position + index) for index, name in enumerate(missing)]
    )
    return known | {category.name: category for category in made}


def _service(provider: Provider, offer: Offer, category: Category, rules: markup.Rules) -> Service:
    rule = rules.rule(service_id=None, category_id=category.pk, provider_id=provider.pk)
    return Service(
        category=category,
        name=offer.name,
        description=offer.description,
        service_type=offer.service_type,
        rate=rule.price(offer.rate, exchange_rate=provider.exchange_rate),
        is_flat=offer.is_flat,
        min_quantity=offer.min_quantity,
        max_quantity=offer.max_quantity,
        link_pattern=provider.dialect.link_pattern,
        link_example=provider.dialect.link_example,
        has_refill=offer.has_refill,
        has_cancel=offer.has_cancel,
        has_dripfeed=offer.has_dripfeed,
    )
