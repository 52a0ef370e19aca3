"""Fetch the rates of a source: one call through the safe HTTP client, outside of any transaction.

    claim   move the source's next fetch into the future, so that no other worker fetches it meanwhile
    call    read the answer
    record  store the rates, or why there are none (``updates``)

A worker that dies after the claim loses nothing: the source is due again after ``RETRY``. Two fetches of one source at
once, by a worker and an operator, do no harm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone, translation

from providers import note_texts
from providers.errors import AddressNotAllowed, ProviderError
from providers.http import client, policy
from providers.http.client import Limits
from providers.http.messages import Answer, Call
from providers.transport import conversation
from storefront.currencies import quotes, updates
from storefront.currencies.models import RateSource, SourceFormat
from storefront.currencies.problems import FetchProblem
from storefront.currencies.quotes import Quote, UnusableAnswer
from storefront.currencies.updates import FetchResult

#: Seconds for one fetch, and the largest answer in bytes: the rates of all currencies are a few kilobytes.
TIMEOUT = 15.0
MAX_BYTES = 512 * 1024
#: Time to the next attempt after a failure.
RETRY = timedelta(minutes=15)
#: Seconds during which one pass starts fetches. A task that runs for longer than a minute is stopped.
BUDGET = 30.0
#: Characters of an answer that are kept for operators.
DETAIL = 150
_ACCEPT = {SourceFormat.JSON: "application/json", SourceFormat.ECB: "application/xml, text/xml"}


def fetch_due() -> list[FetchResult]:
    """Fetch the sources that are due, one after the other, and warn staff of rates that will soon be outdated."""
    results = []
    claims_end = time.monotonic() + BUDGET
    due = RateSource.objects.filter(is_active=True, next_fetch_at__lte=timezone.now()).order_by("next_fetch_at")
    for source in due:
        if time.monotonic() >= claims_end:
            break
        row = RateSource.objects.filter(pk=source.pk, next_fetch_at=source.next_fetch_at)
        if row.update(next_fetch_at=timezone.now() + RETRY):
            results.append(fetch(source))
    updates.warn_of_old_rates()
    return results


def fetch(source: RateSource) -> FetchResult:
    """Fetch the rates of ``source`` now and store them.

    Returns:
        What became of the rate of each currency, or why there are no rates; it is stored with the source as well.
    """
    conversation.outside_transaction()
    codes = list(source.currencies.values_list("code", flat=True))
    try:
        found = _read(source, codes)
    except UnusableAnswer as failure:
        wait = max(RETRY, timedelta(seconds=failure.retry_after))
        return updates.record_failure(source, failure.problem, failure.detail, retry_at=timezone.now() + wait)
    return updates.record_rates(source, found)


def _read(source: RateSource, codes: Sequence[str]) -> dict[str, Quote]:
    """Ask the source and return its rates of ``codes``; raise UnusableAnswer, whose detail contains no key."""
    try:
        key = source.key.reveal()
    except ImproperlyConfigured:
        raise UnusableAnswer(FetchProblem.KEY_UNREADABLE) from None
    answer = _send(source, key)
    # Redact first and cut afterwards: half of a key would not be recognized.
    beginning = " ".join(client.redact(answer.text, (key,)).split())[:DETAIL]
    if 300 <= answer.status < 400:
        raise UnusableAnswer(FetchProblem.REDIRECT, f"HTTP {answer.status}")
    if answer.status != 200:
        detail = f"HTTP {answer.status} {beginning}".strip()
        raise UnusableAnswer(FetchProblem.STATUS, detail, retry_after=answer.retry_after or 0)
    try:
        return _rates(source, answer.text, codes)
    except UnusableAnswer as failure:
        raise UnusableAnswer(failure.problem, failure.detail or beginning) from None


def _send(source: RateSource, key: str) -> Answer:
    url = source.url.replace("{key}", quote(key, safe=""))
    headers = (("Accept", _ACCEPT[SourceFormat(source.format)]),)
    call = Call(verb="rates", method="GET", url=url, headers=headers, secrets=(key,) if key else ())
    allow_private = policy.allow_private()
    try:
        if not allow_private and not url.startswith("https://"):
            # Whoever can change the answer on its way could set the price of a payment.
            raise AddressNotAllowed("the URL does not start with https://")
        return client.send(call, limits=Limits(total=TIMEOUT, body=MAX_BYTES, allow_private=allow_private))
    except AddressNotAllowed as error:
        raise UnusableAnswer(FetchProblem.NOT_ALLOWED, _english(error)) from None
    except ProviderError as error:
        raise UnusableAnswer(FetchProblem.UNREACHABLE, _english(error)) from None


def _english(error: ProviderError) -> str:
    with translation.override("en"):
        return note_texts.describe(error.message)


def _rates(source: RateSource, text: str, codes: Sequence[str]) -> dict[str, Quote]:
    store = settings.STORE_CURRENCY
    if source.format == SourceFormat.ECB:
        return quotes.read_ecb(text, store=store, codes=codes, today=timezone.now().date())
    return quotes.read_json(
        text, path=source.path, base=source.base, is_inverse=source.is_inverse, store=store, codes=codes
    )
