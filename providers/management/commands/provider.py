"""Providers from the command line: add one, test it, import its price list, decide about its offers, reprice."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet

from orders.errors import InvalidAmount
from orders.management.operator import OperatorCommand
from orders.management.secret_input import read_environment_or_prompt, read_file
from orders.rules import amounts, service_types
from providers.errors import ProviderError
from providers.models import Offer, Provider
from providers.panels.dialect import AUTHS, METHODS, Listed
from providers.panels.dialects import DIALECTS
from providers.pricelists import assignment, availability, importer, onboarding
from providers.pricelists import markup as rules
from providers.transport import detection, type_rules

#: Odd rows of a price list that are shown one by one.
ODD_SHOWN = 20


class Command(OperatorCommand):
    help = "Adds a provider, tests it, imports its price list, approves held offers, reprices services."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add|test|import|approve|reject|reprice")
        add = actions.add_parser("add", help="a new provider, or new details of one")
        add.add_argument("name", help="letters, digits, dashes")
        add.add_argument("--url", required=True, help="the panel's full API address, as its document gives it")
        add.add_argument(
            "--key",
            help="our API key there; it is stored encrypted and never shown again. Everybody on this machine can "
            "read it in the process list: prefer --key-file, the variable PROVIDER_KEY, or the prompt",
        )
        add.add_argument("--key-file", metavar="FILE", help="a file that holds the key; - reads standard input")
        add.add_argument("--dialect", default="auto", choices=["auto", *DIALECTS])
        add.add_argument("--auth", default="", choices=AUTHS, help="where the key goes, if not as the dialect says")
        add.add_argument(
            "--encoding", default="", choices=METHODS, help="the request format, if not as the dialect says"
        )
        add.add_argument(
            "--request-ids", action=BooleanOptionalAction, help="the panel's document has request_id for add"
        )
        add.add_argument("--currency", help="what the panel bills in; by default what its balance says, else USD")
        add.add_argument("--exchange-rate", default="1", help="one unit of that currency in the store currency")
        test = actions.add_parser("test", help="balance, currency, number of services, in one line")
        test.add_argument("name")
        imports = actions.add_parser("import", help="reads the price list into offers")
        imports.add_argument("name")
        imports.add_argument(
            "--markup",
            help=f"percent on top of the cost: becomes the provider's rule (without any: {settings.DEFAULT_MARKUP})",
        )
        imports.add_argument(
            "--type",
            action="append",
            default=[],
            dest="types",
            metavar="THEIRS=OURS",
            help="sell what the list calls THEIRS (* = every unknown type) as the service type OURS, from now on, "
            "such as likes=default; THEIRS= forgets it",
        )
        imports.add_argument("--publish", action="store_true", help="also make categories, services and routes")
        imports.add_argument("--accept-short", action="store_true", help="believe a list that is much shorter")
        for action, what in (
            ("approve", "lets held offers be bought, at their new cost"),
            ("reject", "takes them off"),
        ):
            decides = actions.add_parser(action, help=f"{what}; without ID or --all: lists them")
            decides.add_argument("name")
            decides.add_argument("ids", nargs="*", metavar="ID", help="the offer's number at the panel")
            decides.add_argument("--all", action="store_true", dest="is_all", help="every offer that waits")
        reprices = actions.add_parser("reprice", help="prices services by the markup rules, pinned ones excepted")
        reprices.add_argument("name", nargs="?", help="only services with a route to this provider")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(**options)
        except ProviderError as problem:
            raise CommandError(f"{options['name']}: {problem}") from None
        except ValidationError as problem:
            raise CommandError(_told(problem)) from None
        except InvalidAmount as problem:
            raise CommandError(str(problem)) from None

    def _add(
        self,
        *,
        name: str,
        url: str,
        key: str | None,
        key_file: str | None,
        dialect: str,
        auth: str,
        encoding: str,
        request_ids: bool | None,
        currency: str | None,
        exchange_rate: str,
        **_: Any,
    ) -> None:
        key = _key(key, key_file)
        if dialect == "auto":
            found = detection.detect(url, key, auth=auth, encoding=encoding)
            for line in found.lines:
                self.stderr.write(line)
            if found.dialect is None:
                raise CommandError(f"No dialect answered at {url}. Name one with --dialect, or check address and key.")
            dialect, currency = found.dialect.name, currency or found.currency
            auth, encoding = found.auth, found.encoding
        currency = currency or detection.currency_of(DIALECTS[dialect].encoded_as(encoding), url, key, auth=auth)
        if not currency:
            self.stderr.write("Note: the panel does not say what it bills in. USD is assumed; give --currency if not.")
        # Not said: as it was.
        told = {} if request_ids is None else {"has_request_ids": request_ids}
        provider = onboarding.save_provider(
            name,
            **told,
            url=url,
            key=key,
            dialect=dialect,
            auth=auth,
            encoding=encoding,
            currency=currency or "USD",
            exchange_rate=amounts.parse(exchange_rate),
        )
        self.stdout.write(
            f"Provider {provider.name}: {provider.language.title}, {provider.currency} at "
            f"{amounts.plain(provider.exchange_rate)} {settings.STORE_CURRENCY}."
        )
        if provider.currency != settings.STORE_CURRENCY and provider.exchange_rate == 1:
            self.stderr.write(
                f"Note: the exchange rate is 1. If one {provider.currency} is not one {settings.STORE_CURRENCY}, "
                "give --exchange-rate before you import."
            )

    def _test(self, *, name: str, **_: Any) -> None:
        provider = _provider(name)
        found = onboarding.test(provider)
        self.stdout.write(f"{name}: balance {amounts.plain(found.amount)} {found.currency}, {found.services} services")
        if found.currency != provider.currency:
            self.stderr.write(f"Note: the panel bills in {found.currency}, the provider is set to {provider.currency}.")

    def _import(
        self, *, name: str, markup: str | None, types: list[str], publish: bool, accept_short: bool, **_: Any
    ) -> None:
        provider = _provider(name)
        percent = None if markup is None else amounts.parse(markup)
        if percent is not None and percent < 0:
            raise CommandError("--markup below zero would sell below cost.")
        self._set_types(provider, types)
        done = importer.import_offers(provider, is_short_fine=accept_short)
        self._tell_odd(done.unsellable)
        if unknown := type_rules.unknown_types(provider):
            self.stderr.write(
                f"Note: {unknown[0][1]} offers have the type {unknown[0][0]!r}, which is unknown. To sell them: "
                f"manage.py provider import {name} --type '{unknown[0][0]}=default'"
            )
        self.stdout.write(
            f"{name}: {done.added} offers added, {done.changed} changed, {done.unchanged} unchanged, "
            f"{done.missing} missing, {len(done.unsellable)} not sellable"
        )
        if done.held:
            self.stdout.write(f"{name}: {done.held} offers wait for approval: manage.py provider approve {name}")
        if done.repriced or done.withdrawn or done.restored:
            self.stdout.write(
                f"{name}: {done.repriced} prices changed, {done.withdrawn} services went off sale, "
                f"{done.restored} are on sale again"
            )
        if publish:
            count = importer.publish(provider, markup_percent=percent)
            self.stdout.write(f"{name}: {count} services published")
        elif percent is not None:
            rules.set_for(provider, percent=percent)
            self.stdout.write(f"{name}: {rules.reprice(provider)} prices changed by the new markup")
        if percent is not None:
            self.stdout.write(f"{name}: {rules.told(provider)} on top of the cost is its rule from now on")

    def _set_types(self, provider: Provider, types: list[str]) -> None:
        """Keeps what ``--type`` says as rules, all or none of it."""
        with transaction.atomic():
            for text in types:
                theirs, separator, ours = text.rpartition("=")
                kind = service_types.from_wire(ours)
                if not separator or not theirs.strip() or (ours.strip() and kind is None):
                    known = ", ".join(service_types.SERVICE_TYPES)
                    raise CommandError(f"--type {text!r}: write it like likes=default. Service types: {known}.")
                type_rules.set_rule(provider, type_name=theirs, kind=kind.code if kind else "")
            if types:
                count = assignment.apply_rules(provider)
                self.stdout.write(f"{provider.name}: {count} offers have another type now")

    def _tell_odd(self, rows: Sequence[Listed]) -> None:
        """Some of the odd rows, and how many there are of each kind."""
        for row in rows[:ODD_SHOWN]:
            self.stderr.write(f"not sellable: {row.upstream_id or '-'} {row.name}: {row.problem}")
        if len(rows) > ODD_SHOWN:
            self.stderr.write(f"not sellable: {len(rows) - ODD_SHOWN} more rows; all of them by reason:")
            for problem, count in Counter(row.problem for row in rows).most_common(ODD_SHOWN):
                self.stderr.write(f"  {count} x {problem}")

    def _approve(self, **options: Any) -> None:
        self._decide(availability.approve_all, "approved", **options)

    def _reject(self, **options: Any) -> None:
        self._decide(availability.reject_all, "rejected; they are off sale", **options)

    def _decide(
        self, decide: Callable[[QuerySet[Offer]], int], done: str, *, name: str, ids: list[str], is_all: bool, **_: Any
    ) -> None:
        provider = _provider(name)
        waiting = availability.waiting(provider)
        if not ids and not is_all:
            for offer in waiting.order_by("pk"):
                self.stdout.write(f"{offer.upstream_id} {offer.name}: {_why_held(offer)}")
            self.stdout.write(f"{name}: {waiting.count()} offers wait for approval")
            return
        chosen = waiting if is_all else Offer.objects.filter(provider=provider, upstream_id__in=ids)
        unknown = sorted(set(ids) - set(chosen.values_list("upstream_id", flat=True)))
        if ids and not is_all and unknown:
            raise CommandError(f"{name} has no offers {', '.join(unknown)}. Nothing was decided.")
        count = decide(chosen)
        self.stdout.write(f"{name}: {count} offers {done}")
        if len(ids) > count and not is_all:
            self.stderr.write(f"{len(ids) - count} of them did not wait for approval.")

    def _reprice(self, *, name: str | None, **_: Any) -> None:
        count = rules.reprice(_provider(name) if name else None)
        self.stdout.write(f"{name or 'all providers'}: {count} prices changed")


def _key(given: str | None, file: str | None) -> str:
    """The API key: as given, from ``file``, from PROVIDER_KEY, or typed at a prompt. Raises CommandError."""
    key = given or (read_file(file) if file else read_environment_or_prompt("PROVIDER_KEY", "API key"))
    if not key:
        raise CommandError("No API key was given. Use --key-file FILE, the variable PROVIDER_KEY, or --key.")
    return key


def _why_held(offer: Offer) -> str:
    if offer.held_rate is not None:
        return f"its cost went from {amounts.plain(offer.rate)} to {amounts.plain(offer.held_rate)}"
    last = offer.changes.filter(what__in=["back", "details"]).first()
    if last is None or last.what == "back":
        return f"it was gone and is back, at {amounts.plain(offer.rate)}"
    return f"its number stands for something else; before: {last.old}"


def _told(problem: ValidationError) -> str:
    return "; ".join(f"{field}: {' '.join(texts)}" for field, texts in problem.message_dict.items())


def _provider(name: str) -> Provider:
    provider = Provider.objects.filter(name=name).first()
    if provider is None:
        known = ", ".join(Provider.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no provider {name!r}; known: {known}.")
    return provider
