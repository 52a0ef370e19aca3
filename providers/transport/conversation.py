"""One conversation with a panel: build the call in the provider's dialect, send it, read the answer, keep a record."""

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
from providers.panels.dialect import Balance, Dialect, Listed
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
    """Raises PanelError. Nothing is stored but the record of the call."""
    return _read(provider, "balance", {}, read_balance)


def statuses(provider: Provider, ids: list[str]) -> dict[str, Progress | str]:
    """What the panel says about ``ids``, which need not be ours (see ``read_status``). Raises PanelError."""
    params = provider.dialect.status_params(ids)
    reports = _read(provider, "status", params, lambda answer, dialect: read_status(answer, dialect, ids))
    return redact_reports(reports, (provider.key.reveal(),))


def services(provider: Provider) -> list[Listed]:
    """The provider's price list, cleaned. Raises PanelError."""
    rules = load_rules(provider)
    return _read(provider, "services", {}, lambda answer, dialect: read_services(answer, dialect, rules))


def redact_reports(reports: Mapping[str, R], secrets: Collection[str]) -> dict[str, R]:
    """Return ``reports`` about orders or refills without ``secrets``: a panel may echo the key in a text of its own."""
    return {asked: _redact_report(report, secrets) for asked, report in reports.items()}


def exchange(call: Call, *, until: float | None = None, send_by: Deadline | None = None) -> Answer | ProviderError:
    """Sends ``call``; the outcome as a value, so that a thread without a database can do it.

    ``until``, on the monotonic clock, ends the call before its usual time limit; it gets a second in any case.
    ``send_by`` is the last moment for its first byte: after it, the outcome is LeaseEnded. A call that does something
    at the panel must have one.
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
    """A call to a panel under a database lock would stop the shop for as long as the panel takes."""
    blocks = connection.atomic_blocks
    # Django's own test for "durable": the transaction that a test case wraps around a test does not count.
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise transaction.TransactionManagementError("a panel must not be called inside a transaction")


def record(
    provider: Provider, call: Call, outcome: Answer | ProviderError, *, name: str, placement: Placement | None = None
) -> None:
    """Keeps what was sent and what came back, without the key."""
    build_record(provider, call, outcome, name=name, placement=placement).save()


def build_record(
    provider: Provider, call: Call, outcome: Answer | ProviderError, *, name: str, placement: Placement | None = None
) -> PanelCall:
    """What ``record`` keeps, for the caller to insert."""
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
    """The outcome class of a failed call, for the record."""
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
        # Good reads are not kept: there are thousands a day and they say nothing new.
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
    """The request as kept for the operator: its fields, without the key."""
    fields = call.json if call.json is not None else dict(call.query or call.form)
    text = json.dumps({name: value for name, value in fields.items() if name != "key"}, ensure_ascii=False)
    return client.redact(text[:KEPT_TEXT], call.secrets)
