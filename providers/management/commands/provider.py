"""The ``provider`` command: add a provider, test it, import its price list, approve provider services, reprice."""

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
from providers import note_texts
from providers.errors import ProviderError
from providers.models import Offer, Provider
from providers.panels.dialect import AUTHS, METHODS, PriceListRow
from providers.panels.dialects import DIALECTS
from providers.pricelists import assignment, availability, importer, onboarding
from providers.pricelists import markup as rules
from providers.transport import detection, type_rules

#: The number of unsellable rows of a price list that are printed one by one.
MAX_UNSELLABLE_SHOWN = 20


class Command(OperatorCommand):
    help = "Add or test a provider, import its price list, approve or reject provider services, recalculate prices."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add|test|import|approve|reject|reprice")
        add = actions.add_parser("add", help="add a provider, or change an existing one")
        add.add_argument("name", help="letters, digits and dashes")
        add.add_argument("--url", required=True, help="the panel's full API address, as its document gives it")
        add.add_argument(
            "--key",
            help="the API key; it is stored encrypted and never shown again. Other users of this machine can see it in "
            "the process list, so prefer --key-file, the variable PROVIDER_KEY or the prompt",
        )
        add.add_argument("--key-file", metavar="FILE", help="read the API key from this file; - is standard input")
        add.add_argument("--dialect", default="auto", choices=["auto", *DIALECTS])
        add.add_argument(
            "--auth", default="", choices=AUTHS, help="where the API key goes, if not where the dialect says"
        )
        add.add_argument("--encoding", default="", choices=METHODS, help="the request format, if not the dialect's")
        add.add_argument("--request-ids", action=BooleanOptionalAction, help="the panel documents request_id for add")
        add.add_argument(
            "--currency", help="the currency the panel bills in; default: the one its balance states, otherwise USD"
        )
        add.add_argument(
            "--exchange-rate", default="1", help="the value of one unit of that currency in the store currency"
        )
        test = actions.add_parser("test", help="print balance, currency and number of services")
        test.add_argument("name")
        imports = actions.add_parser("import", help="import the price list")
        imports.add_argument("name")
        imports.add_argument(
            "--markup",
            help=f"set the provider's markup in percent (default without any rule: {settings.DEFAULT_MARKUP})",
        )
        imports.add_argument(
            "--type",
            action="append",
            default=[],
            dest="types",
            metavar="THEIRS=OURS",
            help="sell what the list calls THEIRS (* = every unknown type) as the service type OURS, in later imports "
            "too, for example likes=default; THEIRS= removes the rule",
        )
        imports.add_argument("--publish", action="store_true", help="also create categories, services and routes")
        imports.add_argument(
            "--accept-short", action="store_true", help="accept a list that is much shorter than the last one"
        )
        for action, what in (
            ("approve", "approve provider services, with their new cost"),
            ("reject", "take provider services off sale"),
        ):
            decides = actions.add_parser(action, help=f"{what}; without ID or --all, list what waits")
            decides.add_argument("name")
            decides.add_argument("ids", nargs="*", metavar="ID", help="the service's number at the provider")
            decides.add_argument("--all", action="store_true", dest="is_all", help="all that wait for approval")
        reprices = actions.add_parser("reprice", help="recalculate prices by the markup rules, except pinned ones")
        reprices.add_argument("name", nargs="?", help="only for services with a route to this provider")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['action']}")(**options)
        except ProviderError as problem:
            raise CommandError(f"{options['name']}: {note_texts.describe(problem.message)}") from None
        except ValidationError as problem:
            raise CommandError(_error_text(problem)) from None
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
                raise CommandError(
                    f"No dialect works at {url}. Check the address and the key, or choose a dialect with --dialect."
                )
            dialect, currency = found.dialect.name, currency or found.currency
            auth, encoding = found.auth, found.encoding
        currency = currency or detection.currency_of(DIALECTS[dialect].encoded_as(encoding), url, key, auth=auth)
        if not currency:
            self.stderr.write(
                "Warning: the panel does not state its currency, so USD is assumed. Use --currency to change it."
            )
        # Option omitted: keep the current value.
        details = {} if request_ids is None else {"has_request_ids": request_ids}
        provider = onboarding.save_provider(
            name,
            **details,
            url=url,
            key=key,
            dialect_name=dialect,
            auth=auth,
            encoding=encoding,
            currency=currency or "USD",
            exchange_rate=amounts.parse(exchange_rate),
        )
        self.stdout.write(
            f"Provider {provider.name}: {provider.dialect.title}, {provider.currency} at "
            f"{amounts.plain(provider.exchange_rate)} {settings.STORE_CURRENCY}."
        )
        if provider.currency != settings.STORE_CURRENCY and provider.exchange_rate == 1:
            self.stderr.write(
                f"Warning: the exchange rate is 1. If one {provider.currency} is not worth one "
                f"{settings.STORE_CURRENCY}, set --exchange-rate before you import."
            )

    def _test(self, *, name: str, **_: Any) -> None:
        provider = _provider(name)
        found = onboarding.test_connection(provider)
        self.stdout.write(f"{name}: balance {amounts.plain(found.amount)} {found.currency}, {found.services} services")
        if found.currency != provider.currency:
            self.stderr.write(f"Warning: the panel bills in {found.currency} but is set to {provider.currency}.")

    def _import(
        self, *, name: str, markup: str | None, types: list[str], publish: bool, accept_short: bool, **_: Any
    ) -> None:
        provider = _provider(name)
        percent = None if markup is None else amounts.parse(markup)
        if percent is not None and percent < 0:
            raise CommandError("--markup must not be negative: services would be sold below cost.")
        self._set_types(provider, types)
        done = importer.import_offers(provider, is_short_fine=accept_short)
        self._print_unsellable(done.unsellable)
        if unknown := type_rules.unknown_types(provider):
            self.stderr.write(
                f"Warning: {_provider_services(unknown[0][1])} of the unknown type {unknown[0][0]!r}. To sell them, "
                f"run manage.py provider import {name} --type '{unknown[0][0]}=default'"
            )
        self.stdout.write(
            f"{name}: {_provider_services(done.added)} added, {done.changed} changed, {done.unchanged} unchanged, "
            f"{done.missing} missing, {len(done.unsellable)} not sellable"
        )
        if done.held:
            self.stdout.write(
                f"{name}: {_provider_services(done.held)} to approve. To list them, "
                f"run manage.py provider approve {name}"
            )
        if done.repriced or done.withdrawn or done.restored:
            self.stdout.write(
                f"{name}: {done.repriced} prices changed, {done.withdrawn} services taken off sale, "
                f"{done.restored} put back on sale"
            )
        if publish:
            count = importer.publish(provider, markup_percent=percent)
            self.stdout.write(f"{name}: {count} services published")
        elif percent is not None:
            rules.set_for(provider, percent=percent)
            self.stdout.write(f"{name}: {rules.reprice(provider)} prices changed")
        if percent is not None:
            self.stdout.write(f"{name}: the markup is {rules.describe(provider)}")

    def _set_types(self, provider: Provider, types: list[str]) -> None:
        """Store the rules given with ``--type``, all of them or none."""
        with transaction.atomic():
            for text in types:
                theirs, separator, ours = text.rpartition("=")
                service_type = service_types.from_wire(ours)
                if not separator or not theirs.strip() or (ours.strip() and service_type is None):
                    known = ", ".join(service_types.SERVICE_TYPES)
                    raise CommandError(
                        f"--type {text!r} is not valid. Write it like likes=default. Service types: {known}."
                    )
                type_rules.set_rule(provider, type_name=theirs, service_type=service_type.code if service_type else "")
            if types:
                count = assignment.apply_rules(provider)
                self.stdout.write(f"{provider.name}: {_provider_services(count)} got another type")

    def _print_unsellable(self, rows: Sequence[PriceListRow]) -> None:
        """Print the first unsellable rows, and how many there are for each reason."""
        for row in rows[:MAX_UNSELLABLE_SHOWN]:
            self.stderr.write(f"not sellable: {row.upstream_id or '-'} {row.name}: {note_texts.describe(row.problem)}")
        if len(rows) > MAX_UNSELLABLE_SHOWN:
            self.stderr.write(f"not sellable: {len(rows) - MAX_UNSELLABLE_SHOWN} more. All by reason:")
            for problem, count in Counter(row.problem for row in rows).most_common(MAX_UNSELLABLE_SHOWN):
                self.stderr.write(f"  {count} x {note_texts.describe(problem)}")

    def _approve(self, **options: Any) -> None:
        self._decide(availability.approve_all, "approved", **options)

    def _reject(self, **options: Any) -> None:
        self._decide(availability.reject_all, "rejected and taken off sale", **options)

    def _decide(
        self, decide: Callable[[QuerySet[Offer]], int], done: str, *, name: str, ids: list[str], is_all: bool, **_: Any
    ) -> None:
        provider = _provider(name)
        waiting = availability.waiting(provider)
        if not ids and not is_all:
            for offer in waiting.order_by("pk"):
                self.stdout.write(f"{offer.upstream_id} {offer.name}: {_why_held(offer)}")
            self.stdout.write(f"{name}: {_provider_services(waiting.count())} to approve")
            return
        chosen = waiting if is_all else Offer.objects.filter(provider=provider, upstream_id__in=ids)
        unknown = sorted(set(ids) - set(chosen.values_list("upstream_id", flat=True)))
        if ids and not is_all and unknown:
            raise CommandError(f"{name} has no services with the numbers {', '.join(unknown)}. Nothing was changed.")
        count = decide(chosen)
        self.stdout.write(f"{name}: {_provider_services(count)} {done}")
        if len(ids) > count and not is_all:
            self.stderr.write(f"{len(ids) - count} of them did not wait for approval and were not changed.")

    def _reprice(self, *, name: str | None, **_: Any) -> None:
        count = rules.reprice(_provider(name) if name else None)
        self.stdout.write(f"{name or 'all providers'}: {count} prices changed")


def _key(given: str | None, file: str | None) -> str:
    """Return the API key: ``given``, or from ``file``, PROVIDER_KEY or a prompt. Raises CommandError without one."""
    key = given or (read_file(file) if file else read_environment_or_prompt("PROVIDER_KEY", "API key"))
    if not key:
        raise CommandError("An API key is required. Use --key-file FILE, the variable PROVIDER_KEY or --key.")
    return key


def _provider_services(count: int) -> str:
    return f"{count} provider service{'' if count == 1 else 's'}"


def _why_held(offer: Offer) -> str:
    if offer.pending_rate is not None:
        return f"the cost changed from {amounts.plain(offer.rate)} to {amounts.plain(offer.pending_rate)}"
    last = offer.changes.filter(what__in=["back", "details"]).first()
    if last is None or last.what == "back":
        return f"it is listed again, at a cost of {amounts.plain(offer.rate)}"
    return f"it may be another service now; before: {last.old}"


def _error_text(problem: ValidationError) -> str:
    return "; ".join(f"{field}: {' '.join(texts)}" for field, texts in problem.message_dict.items())


def _provider(name: str) -> Provider:
    provider = Provider.objects.filter(name=name).first()
    if provider is None:
        known = ", ".join(Provider.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no provider {name!r}. Providers: {known}.")
    return provider
