"""Providers from the command line: add one, test it, import its price list."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from orders import money
from orders.errors import InvalidAmount
from orders.management.operator import OperatorCommand
from providers import detection, onboarding, pricelist
from providers.dialects import DIALECTS
from providers.errors import PanelError
from providers.models import Provider


class Command(OperatorCommand):
    help = "Adds a provider, tests it, imports its price list."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add|test|import")
        add = actions.add_parser("add", help="a new provider, or new details of one")
        add.add_argument("name", help="letters, digits, dashes")
        add.add_argument("--url", required=True, help="the panel's full API address, as its document gives it")
        add.add_argument("--key", required=True, help="our API key there; it is stored encrypted and never shown again")
        add.add_argument("--dialect", default="auto", choices=["auto", *DIALECTS])
        add.add_argument("--currency", help="what the panel bills in; by default what its balance says, else USD")
        add.add_argument("--exchange-rate", default="1", help="one unit of that currency in the store currency")
        test = actions.add_parser("test", help="balance, currency, number of services, in one line")
        test.add_argument("name")
        imports = actions.add_parser("import", help="reads the price list into offers")
        imports.add_argument("name")
        imports.add_argument("--markup", help=f"percent on top of the cost (default {settings.DEFAULT_MARKUP})")
        imports.add_argument("--publish", action="store_true", help="also make categories, services and routes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(**options)
        except PanelError as problem:
            raise CommandError(f"{options['name']}: {problem}") from None
        except InvalidAmount as problem:
            raise CommandError(str(problem)) from None

    def _add(
        self, *, name: str, url: str, key: str, dialect: str, currency: str | None, exchange_rate: str, **_: Any
    ) -> None:
        if dialect == "auto":
            found = detection.detect(url, key)
            for line in found.lines:
                self.stderr.write(line)
            if found.dialect is None:
                raise CommandError(f"No dialect answered at {url}. Name one with --dialect, or check address and key.")
            dialect, currency = found.dialect.name, currency or found.currency
        try:
            provider = onboarding.save_provider(
                name,
                url=url,
                key=key,
                dialect=dialect,
                currency=currency or "USD",
                exchange_rate=money.parse(exchange_rate),
            )
        except ValidationError as problem:
            raise CommandError(
                "; ".join(f"{field}: {' '.join(texts)}" for field, texts in problem.message_dict.items())
            ) from None
        self.stdout.write(
            f"Provider {provider.name}: {provider.language.title}, {provider.currency} at "
            f"{money.plain(provider.exchange_rate)} {settings.STORE_CURRENCY}."
        )
        if provider.currency != settings.STORE_CURRENCY and provider.exchange_rate == 1:
            self.stderr.write(
                f"Note: the exchange rate is 1. If one {provider.currency} is not one {settings.STORE_CURRENCY}, "
                "give --exchange-rate before you import."
            )

    def _test(self, *, name: str, **_: Any) -> None:
        provider = _provider(name)
        found = onboarding.test(provider)
        self.stdout.write(f"{name}: balance {money.plain(found.amount)} {found.currency}, {found.services} services")
        if found.currency != provider.currency:
            self.stderr.write(f"Note: the panel bills in {found.currency}, the provider is set to {provider.currency}.")

    def _import(self, *, name: str, markup: str | None, publish: bool, **_: Any) -> None:
        provider = _provider(name)
        done = pricelist.import_offers(provider)
        for row in done.unsellable:
            self.stderr.write(f"not sellable: {row.upstream_id} {row.name}: {row.problem}")
        self.stdout.write(
            f"{name}: {done.added} offers added, {done.changed} changed, {done.unchanged} unchanged, "
            f"{done.missing} missing, {len(done.unsellable)} not sellable"
        )
        if publish:
            percent = money.parse(markup or settings.DEFAULT_MARKUP)
            if percent < 0:
                raise CommandError("--markup below zero would sell below cost.")
            count = pricelist.publish(provider, markup_percent=percent)
            self.stdout.write(f"{name}: {count} services published")


def _provider(name: str) -> Provider:
    provider = Provider.objects.filter(name=name).first()
    if provider is None:
        known = ", ".join(Provider.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no provider {name!r}; known: {known}.")
    return provider
