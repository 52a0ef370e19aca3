"""Price lists: import offers without ever losing the catalogue to a bad answer, and publish them as services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from orders import pricing
from orders.models import Category, Service
from providers import calling
from providers.dialect import Listed
from providers.errors import PanelError
from providers.models import Offer, Provider, Route

#: A list shorter than this share of the offers we have is taken for a fault of the panel.
LEAST_SHARE = Decimal("0.8")
#: An offer that is missing from this many lists in a row goes off sale.
MISSES = 2
BATCH = 1000
_COPIED = (
    "name", "category", "description", "type_name", "kind", "rate", "is_flat", "min_quantity", "max_quantity",
    "has_refill", "has_cancel", "has_dripfeed", "problem",
)  # fmt: skip


class ListTooShort(PanelError):
    """The panel's list is empty or much shorter than the last: nothing was changed."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import did. ``unsellable`` holds the rows that cannot be sold, with the reason in ``problem``."""

    added: int
    changed: int
    unchanged: int
    missing: int
    unsellable: tuple[Listed, ...]


def import_offers(provider: Provider) -> Imported:
    """Reads the provider's price list into offers. Raises PanelError; then nothing was changed."""
    return store(provider, calling.services(provider))


def store(provider: Provider, rows: Iterable[Listed]) -> Imported:
    """Writes ``rows`` as the provider's price list: only what differs from the offers we have."""
    listed = {row.upstream_id: row for row in rows}
    offers = {offer.upstream_id: offer for offer in Offer.objects.filter(provider=provider)}
    _check_length(len(listed), sum(offer.is_available for offer in offers.values()))
    now = timezone.now()
    new = [_offer(provider, row) for name, row in listed.items() if name not in offers]
    changed = [offers[name] for name, row in listed.items() if name in offers and _update(offers[name], row)]
    gone = [offer for name, offer in offers.items() if name not in listed and offer.missed < MISSES]
    for offer in gone:
        offer.missed += 1
        offer.is_available = offer.is_available and offer.missed < MISSES
    with transaction.atomic():
        Offer.objects.bulk_create(new, batch_size=BATCH)
        Offer.objects.bulk_update(changed, [*_COPIED, "missed", "seen_at"], batch_size=BATCH // 4)
        Offer.objects.bulk_update(gone, ["missed", "is_available"], batch_size=BATCH)
        Provider.objects.filter(pk=provider.pk).update(imported_at=now)
    return Imported(
        added=len(new),
        changed=len(changed),
        unchanged=len(listed) - len(new) - len(changed),
        missing=len(gone),
        unsellable=tuple(row for row in listed.values() if row.problem),
    )


@transaction.atomic
def publish(provider: Provider, *, markup_percent: Decimal) -> int:
    """Makes a category, a service and a route for each sellable offer that no service uses yet; returns how many."""
    offers = list(Offer.objects.filter(provider=provider, routes=None, is_available=True, problem="").order_by("pk"))
    categories = _categories({offer.category or provider.name for offer in offers})
    services = Service.objects.bulk_create(
        [_service(provider, offer, categories[offer.category or provider.name], markup_percent) for offer in offers],
        batch_size=BATCH,
    )
    Route.objects.bulk_create(
        [Route(service=service, offer=offer) for service, offer in zip(services, offers, strict=True)],
        batch_size=BATCH,
    )
    return len(services)


def _check_length(listed: int, known: int) -> None:
    if listed == 0:
        raise ListTooShort("the price list is empty; nothing was changed")
    if listed < known * LEAST_SHARE:
        raise ListTooShort(f"the price list has {listed} services, {known} were on sale; nothing was changed")


def _offer(provider: Provider, row: Listed) -> Offer:
    return Offer(provider=provider, upstream_id=row.upstream_id, **{name: getattr(row, name) for name in _COPIED})


def _update(offer: Offer, row: Listed) -> bool:
    """Takes over what ``row`` says; whether anything differed."""
    differs = offer.missed > 0
    for name in _COPIED:
        if getattr(offer, name) != getattr(row, name):
            setattr(offer, name, getattr(row, name))
            differs = True
    if differs:
        offer.missed, offer.seen_at = 0, timezone.now()
    return differs


def _categories(names: set[str]) -> dict[str, Category]:
    known = {category.name: category for category in Category.objects.filter(name__in=names)}
    position = Category.objects.count()
    missing = sorted(names - known.keys())
    made = Category.objects.bulk_create(
        [Category(name=name, position=position + index) for index, name in enumerate(missing)]
    )
    return known | {category.name: category for category in made}


def _service(provider: Provider, offer: Offer, category: Category, markup_percent: Decimal) -> Service:
    return Service(
        category=category,
        name=offer.name,
        description=offer.description,
        kind=offer.kind,
        rate=pricing.sell_rate(offer.rate, exchange_rate=provider.exchange_rate, markup_percent=markup_percent),
        is_flat=offer.is_flat,
        min_quantity=offer.min_quantity,
        max_quantity=offer.max_quantity,
        link_pattern=provider.language.link_pattern,
        link_example=provider.language.link_example,
        has_refill=offer.has_refill,
        has_cancel=offer.has_cancel,
        has_dripfeed=offer.has_dripfeed,
    )
