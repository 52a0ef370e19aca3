"""The ``run_due`` command: one pass over due work without a task cluster."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from orders.management.operator import OperatorCommand
from providers import note_texts
from providers.errors import ProviderError
from providers.models import Provider
from providers.placing import routing, submission
from providers.pricelists import importer
from providers.reconciling import id_search
from providers.tracking import status_sync, upstream_requests

STEPS = ("submit", "search", "sync", "pricelist")


class Command(OperatorCommand):
    help = "Place, search and track orders and import price lists, once. The last line is JSON with the counts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("step", nargs="?", default="all", choices=[*STEPS, "all"])
        parser.add_argument("--now", action="store_true", help="ignore waiting times and pauses of providers")

    def handle(self, *args: Any, step: str, now: bool, **options: Any) -> None:
        counts: dict[str, dict[str, int]] = {}
        for name in STEPS if step == "all" else (step,):
            counts[name] = dict(getattr(self, f"_{name}")(now))
        self.stdout.write(json.dumps(counts, sort_keys=True))

    def _submit(self, now: bool) -> Counter[str]:
        counts: Counter[str] = Counter({"in_doubt": submission.expire_leases()})
        for provider in Provider.objects.filter(pk__in=routing.providers_to_submit(is_now=now)):
            done = submission.submit_due(provider, is_now=now)
            self._say(provider, "submit", done)
            counts += done
        return counts

    def _search(self, now: bool) -> Counter[str]:
        counts: Counter[str] = Counter()
        providers = Provider.objects.filter(is_active=True)
        for provider in providers if now else providers.filter(pk__in=id_search.providers_to_search()):
            done = Counter({str(verdict): count for verdict, count in id_search.search(provider, is_now=now).items()})
            self._say(provider, "search", done)
            counts += done
        return counts

    def _sync(self, now: bool) -> Counter[str]:
        counts: Counter[str] = Counter()
        providers = Provider.objects.filter(is_active=True)
        due = {*upstream_requests.triage(is_now=now), *status_sync.providers_to_sync()}
        for provider in providers if now else providers.filter(pk__in=due):
            # Requests first, so that the status sync of the same pass sees what they canceled.
            done = upstream_requests.run(provider, is_now=now) + status_sync.sync_statuses(provider, is_now=now)
            self._say(provider, "sync", done)
            counts += done
        return counts

    def _pricelist(self, now: bool) -> Counter[str]:
        counts: Counter[str] = Counter()
        for provider in Provider.objects.filter(is_active=True):
            try:
                done = importer.import_offers(provider)
            except ProviderError as problem:
                self.stderr.write(
                    f"{provider.name}: the price list was not imported: {note_texts.describe(problem.message)}"
                )
                counts["failed"] += 1
                continue
            counts += Counter(added=done.added, changed=done.changed, missing=done.missing)
        return counts

    def _say(self, provider: Provider, step: str, done: Counter[str]) -> None:
        if done:
            words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(done.items()))
            self.stdout.write(f"{provider.name}: {step}: {words}")
