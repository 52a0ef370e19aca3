"""Markup rules, and repricing of services when a cost, a rule or an exchange rate changes.

The most specific rule applies: that of the service, the category, the provider, then the one without any of them, and
at last ``settings.DEFAULT_MARKUP``. Pinned prices are not changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from orders.catalog import price_changes
from orders.catalog.price_changes import RateChange
from orders.db import bulk
from orders.models import Service
from orders.rules import amounts, charges
from providers.models import Markup, Provider, Route
from providers.placing import routing

_PERCENT_QUANTUM = Decimal("0.01")


class Rule(NamedTuple):
    """A percentage of the cost, plus ``fixed`` in the store currency, per 1,000 or for one where the price is flat."""

    percent: Decimal
    fixed: Decimal = Decimal(0)

    def price(self, cost_rate: Decimal, *, exchange_rate: Decimal) -> Decimal:
        """Return the rate to sell at, never below cost; ``cost_rate`` is in the provider's currency."""
        sold = charges.sell_rate(cost_rate, exchange_rate=exchange_rate, markup_percent=self.percent)
        return sold + max(self.fixed, Decimal(0))


@dataclass(frozen=True, slots=True)
class Rules:
    """All markup rules, by what they apply to."""

    fallback: Rule
    services: dict[int, Rule] = field(default_factory=dict)
    categories: dict[int, Rule] = field(default_factory=dict)
    providers: dict[int, Rule] = field(default_factory=dict)

    def rule(self, *, service_id: int | None, category_id: int | None, provider_id: int) -> Rule:
        """Return the most specific rule; a service that does not exist yet has no id."""
        for rules, key in (
            (self.services, service_id),
            (self.categories, category_id),
            (self.providers, provider_id),
        ):
            if key is not None and key in rules:
                return rules[key]
        return self.fallback


def load() -> Rules:
    """Return the current rules, with one query."""
    rules = Rules(Rule(amounts.parse(settings.DEFAULT_MARKUP)))
    fallback = rules.fallback
    rows = Markup.objects.order_by("-pk").values_list("service_id", "category_id", "provider_id", "percent", "fixed")
    for service_id, category_id, provider_id, percent, fixed in rows:
        rule = Rule(percent, fixed)
        if service_id is not None:
            rules.services[service_id] = rule
        elif category_id is not None:
            rules.categories[category_id] = rule
        elif provider_id is not None:
            rules.providers[provider_id] = rule
        else:
            fallback = rule  # the oldest one, in case there are two
    return Rules(fallback, rules.services, rules.categories, rules.providers)


def set_for(provider: Provider, *, percent: Decimal) -> bool:
    """Set the percentage of the provider's rule, rounded up to hundredths; the fixed amount stays.

    Returns:
        Whether the rule changed.

    Raises:
        ValidationError: ``percent`` is not allowed.
    """
    rule = Markup.objects.filter(provider=provider).first() or Markup(provider=provider)
    percent = amounts.round_up(percent, _PERCENT_QUANTUM)
    if rule.pk and rule.percent == percent:
        return False
    rule.percent = percent
    rule.full_clean()
    rule.save()
    return True


def describe(provider: Provider) -> str:
    """Return the provider's rule as text."""
    rule = load().rule(service_id=None, category_id=None, provider_id=provider.pk)
    fixed = f" and {amounts.plain(rule.fixed)} {settings.STORE_CURRENCY}" if rule.fixed else ""
    return f"{amounts.plain(rule.percent, 0)}%{fixed}"


@transaction.atomic
def reprice(provider: Provider | None = None, *, offers: Iterable[int] | None = None) -> int:
    """Set the prices of services by the rules, from the cost on their first usable route.

    Pinned prices, services without a usable route, and services whose price is for other units than the cost are not
    changed.

    Args:
        provider: Only services with a route to this provider.
        offers: Only services with a route to one of these offers (primary keys).

    Returns:
        The number of prices that changed.
    """
    touched = None if offers is None else _services_of(provider, set(offers))
    rules = load()
    changed: list[RateChange] = []
    for row in _first_routes(provider).values():
        (
            service_id,
            service_type,
            is_on_sale,
            category_id,
            old,
            is_flat,
            provider_id,
            cost,
            is_cost_flat,
            exchange_rate,
        ) = row
        if is_flat != is_cost_flat or (touched is not None and service_id not in touched):
            continue
        rule = rules.rule(service_id=service_id, category_id=category_id, provider_id=provider_id)
        new = rule.price(cost, exchange_rate=exchange_rate)
        if new != old:
            changed.append(RateChange(service_id, service_type, is_flat, old, new, is_on_sale))
    bulk.update(Service, ["rate"], [(change.service_id, change.new_rate) for change in changed])
    price_changes.record(changed)
    return len(changed)


def _first_routes(provider: Provider | None) -> dict[int, tuple[Any, ...]]:
    """Return the first usable route of each service whose price is not pinned."""
    routes = routing.usable().filter(service__is_pinned=False)
    # Selected here and not by a subquery: just after an import the database has no statistics about the new rows, and
    # would read all of them for each service.
    wanted = Route.objects.all() if provider is None else Route.objects.filter(offer__provider=provider)
    services = set(wanted.values_list("service_id", flat=True))
    best: dict[int, tuple[Any, ...]] = {}
    for row in routes.values_list(
        "service_id",
        "service__service_type",
        "service__is_active",
        "service__category_id",
        "service__rate",
        "service__is_flat",
        "offer__provider_id",
        "offer__rate",
        "offer__is_flat",
        "offer__provider__exchange_rate",
    ):
        if row[0] in services:
            best.setdefault(row[0], row)
    return best


def _services_of(provider: Provider | None, offers: set[int]) -> set[int]:
    routes = Route.objects.filter(is_active=True)
    if provider is not None:
        routes = routes.filter(offer__provider=provider)
    return {service for service, offer in routes.values_list("service_id", "offer_id") if offer in offers}
