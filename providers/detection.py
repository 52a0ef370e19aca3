"""Finding a panel's dialect by asking it: the read-only verbs of each dialect, and why it was not that one."""

from __future__ import annotations

from dataclasses import dataclass

from providers import calling, client, reading
from providers.dialect import Answer, Dialect
from providers.dialects import DIALECTS
from providers.errors import PanelError


@dataclass(frozen=True, slots=True)
class Detected:
    """The dialect that fits (None: no one does), the panel's currency, and a sentence for every dialect tried."""

    dialect: Dialect | None
    currency: str
    lines: tuple[str, ...]


def detect(url: str, key: str, *, auth: str = "") -> Detected:
    """Asks ``url`` for balance and services in every dialect. Buys nothing, stores nothing."""
    lines: list[str] = []
    best: tuple[int, Dialect, str] | None = None
    for dialect in DIALECTS.values():
        try:
            score, currency, sentence = _try(dialect, url, key, auth)
        except PanelError as problem:
            why = client.redact(str(problem), [key]) or type(problem).__name__
            lines.append(f"{dialect.name}: not this one, {why}")
            continue
        lines.append(f"{dialect.name}: {sentence}")
        if best is None or score > best[0]:
            best = score, dialect, currency
    return Detected(best[1] if best else None, best[2] if best else "", tuple(lines))


def currency_of(dialect: Dialect, url: str, key: str, *, auth: str = "") -> str:
    """The currency the panel names with our balance; "" if it names none or does not answer."""
    try:
        currency = reading.read_balance(_ask(dialect, "balance", url, key, auth), dialect).currency
    except PanelError:
        return ""
    return currency if len(currency) == 3 and currency.isalpha() else ""


def _try(dialect: Dialect, url: str, key: str, auth: str) -> tuple[int, str, str]:
    """(how well it fits, currency, sentence). Raises PanelError where the panel does not answer this dialect."""
    balance = reading.read_balance(_ask(dialect, "balance", url, key, auth), dialect)
    listed = reading.read_services(_ask(dialect, "services", url, key, auth), dialect)
    host_fits = dialect.document in url
    sellable = sum(not row.problem for row in listed)
    unknown = len(listed) - sellable
    sentence = f"answers, {len(listed)} services, {unknown} of them it could not order"
    # The panel's own address decides first; then the dialect that can order the most; the first of equals wins.
    return (1_000_000 if host_fits else 0) + sellable, balance.currency, sentence


def _ask(dialect: Dialect, verb: str, url: str, key: str, auth: str) -> Answer:
    outcome = calling.exchange(dialect.call(verb, url, key, auth=auth))
    if isinstance(outcome, PanelError):
        raise outcome
    return outcome
