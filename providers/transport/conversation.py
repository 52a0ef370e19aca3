"""Calls to a panel: build the request in the provider's dialect, send it, read the answer, and write the call log."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from django.db import connection, transaction

from orders.rules.state_machine import Progress
from providers.errors import NotSent, OutcomeUnknown, ProviderError, Refused, UnreadableAnswer
from providers.http import client, policy
from providers.http.messages import Answer, Call
from providers.models import PanelCall, Placement, Provider
from providers.panels.balance import read_balance
from providers.panels.dialect import Balance, Dialect, PriceListRow
from providers.panels.refills_and_cancellations import RefillReport
from providers.panels.services import read_services
from providers.panels.status import read_status
from providers.transport import call_stats
from providers.transport.type_rules import load_rules
from providers.worker.clock import Deadline

T = TypeVar("T")
R = TypeVar("R", Progress | str, RefillReport | str)
log = logging.getLogger("vitrine.panels")
KEPT_TEXT = 4000


def balance(provider: Provider) -> Balance:
    """Ask for our balance, and store nothing but the call log.

    Raises:
        ProviderError: the panel did not name a balance.
    """
    return _read(provider, "balance", {}, read_balance)


def statuses(provider: Provider, ids: list[str]) -> dict[str, Progress | str]:
    """Ask for the status of ``ids``, which may be numbers of other customers' orders (see ``read_status``).

    Raises:
        ProviderError: the answer as a whole could not be used.
    """
    params = provider.dialect.status_params(ids)
    reports = _read(provider, "status", params, lambda answer, dialect: read_status(answer, dialect, ids))
    return redact_reports(reports, (provider.key.reveal(),))


def services(provider: Provider) -> list[PriceListRow]:
    """Ask for the price list and return its rows, cleaned.

    Raises:
        ProviderError: the panel did not send a price list.
    """
    rules = load_rules(provider)
    return _read(provider, "services", {}, lambda answer, dialect: read_services(answer, dialect, rules))


def redact_reports(reports: Mapping[str, R], secrets: Collection[str]) -> dict[str, R]:
    """Remove ``secrets`` from ``reports`` about orders or refills, because a panel may echo the key in a text."""
    return {asked: _redact_report(report, secrets) for asked, report in reports.items()}


def exchange(call: Call, *, until: float | None = None, send_by: Deadline | None = None) -> Answer | ProviderError:
    """Send ``call`` and return the answer or the error; runs in threads that do not use the database.

    Args:
        until: Seconds on the monotonic clock at which the call ends, if that is before its usual time limit. It gets
            one second in any case.
        send_by: The last moment for the first byte; after it, LeaseEnded is returned. Required for calls that change
            something at the panel.
    """
    if call.is_write and send_by is None:
        raise ValueError(f"{call.verb} must be sent within the lease of its claim")
    limits = policy.limits(call.verb)
    if until is not None:
        limits = replace(limits, total=min(limits.total, max(until - time.monotonic(), 1.0)))
    try:
        return client.send(call, limits=limits, send_by=send_by)
    except ProviderError as problem:
        return problem


def outside_transaction() -> None:
    """Raise an error inside a transaction: a call under a database lock would stop the shop while the panel answers."""
    blocks = connection.atomic_blocks
    # As for Django's "durable": the transaction that a test case wraps around a test does not count.
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise transaction.TransactionManagementError("a panel must not be called inside a transaction")


def record(
    provider: Provider, call: Call, outcome: Answer | ProviderError, *, name: str, placement: Placement | None = None
) -> None:
    """Write one call and its answer to the call log, without the key."""
    build_record(provider, call, outcome, name=name, placement=placement).save()


def build_record(
    provider: Provider, call: Call, outcome: Answer | ProviderError, *, name: str, placement: Placement | None = None
) -> PanelCall:
    """Return the row of the call log for the caller to insert."""
    answer = outcome if isinstance(outcome, Answer) else None
    text = answer.text if answer else str(outcome)
    return PanelCall(
        provider=provider,
        placement=placement,
        verb=call.verb,
        outcome=name,
        request=_sent(call),
        status=answer.status if answer else None,
        answer=client.redact(text[:KEPT_TEXT], call.secrets),
        elapsed_ms=answer.elapsed_ms if answer else 0,
    )


def name_of(problem: ProviderError) -> str:
    """Return the name of the outcome of a failed call for the call log."""
    names: dict[type[ProviderError], str] = {
        Refused: "refused",
        NotSent: "not_sent",
        OutcomeUnknown: "no_answer",
        UnreadableAnswer: "unreadable",
    }
    return next((name for kind, name in names.items() if isinstance(problem, kind)), "error")


def _read(provider: Provider, verb: str, params: dict[str, str], read: Callable[[Answer, Dialect], T]) -> T:
    outside_transaction()
    dialect = provider.dialect
    call = dialect.call(verb, provider.url, provider.key.reveal(), auth=provider.auth, **params)
    outcome, tally = exchange(call), call_stats.Tally()
    try:
        if isinstance(outcome, ProviderError):
            raise outcome
        found = read(outcome, dialect)
        tally.add(verb, outcome, None)
        return found
    except ProviderError as problem:
        tally.add(verb, outcome, problem)
        # Successful reads are not logged, because there are thousands of them a day.
        record(provider, call, outcome, name=name_of(problem))
        problem.message = client.redact(problem.message, call.secrets)
        raise
    finally:
        tally.write(provider)


def _redact_report(report: R, secrets: Collection[str]) -> R:
    if isinstance(report, str):
        return client.redact(report, secrets)
    is_known = report.status if isinstance(report, Progress) else report.stage
    return report if is_known else replace(report, panel_status=client.redact(report.panel_status, secrets))


def _sent(call: Call) -> str:
    """Return the fields of the request, without the key."""
    fields = call.json if call.json is not None else dict(call.query or call.form)
    text = json.dumps({name: value for name, value in fields.items() if name != "key"}, ensure_ascii=False)
    return client.redact(text[:KEPT_TEXT], call.secrets)
