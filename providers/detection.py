"""Finding a panel's dialect by asking it, reading only: which one fits, and of each other one why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers import calling, client, reading
from providers.dialect import Answer, Dialect, Seen
from providers.dialects import DIALECTS
from providers.errors import PanelError
from providers.panels.bodies import parse
from providers.panels.services import read_services

#: Numbers that no order has. Some panels show only in such an answer what they speak.
NO_ORDERS = ["0", "999999999999999999"]


@dataclass(frozen=True, slots=True)
class Detected:
    """The dialect that fits (None: no one does), the panel's currency, and a sentence for every dialect tried."""

    dialect: Dialect | None
    currency: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    """A dialect that the panel answers. Its own address decides first; then the signs of just this dialect, if most of
    what is listed can be ordered in it; then how much can be. The first of equals wins."""

    dialect: Dialect
    currency: str
    services: int
    sellable: int
    is_at_home: bool

    @property
    def rank(self) -> tuple[bool, bool, int]:
        is_special = self.dialect.differs is not None and self.sellable * 2 > self.services
        return self.is_at_home, is_special, self.sellable

    @property
    def sentence(self) -> str:
        return f"answers, {self.services} services, {self.services - self.sellable} of them it could not order"


def detect(url: str, key: str, *, auth: str = "") -> Detected:
    """Asks ``url`` for balance, services and two orders that cannot exist, in every dialect. Buys nothing."""
    fits: dict[str, _Fit] = {}
    why: dict[str, str] = {}
    for dialect in DIALECTS.values():
        try:
            fits[dialect.name] = _try(dialect, url, key, auth)
        except PanelError as problem:
            why[dialect.name] = client.redact(str(problem), [key]) or type(problem).__name__
    best = max(fits.values(), key=lambda fit: fit.rank, default=None)
    lines = []
    for name in DIALECTS:
        fit = fits.get(name)
        if fit is None:
            lines.append(f"{name}: not this one, {why[name]}")
        elif fit is best:
            lines.append(f"{name}: {fit.sentence}")
        else:
            lines.append(f"{name}: not this one, it {fit.sentence}; {best.dialect.name if best else ''} fits closer")
    return Detected(best.dialect if best else None, best.currency if best else "", tuple(lines))


def currency_of(dialect: Dialect, url: str, key: str, *, auth: str = "") -> str:
    """The currency the panel names with our balance; "" if it names none or does not answer."""
    try:
        currency = reading.read_balance(_ask(dialect, "balance", url, key, auth), dialect).currency
    except PanelError:
        return ""
    return currency if len(currency) == 3 and currency.isalpha() else ""


class _Differs(PanelError):
    """The panel answers, and is not the one that this dialect was written from."""


def _try(dialect: Dialect, url: str, key: str, auth: str) -> _Fit:
    """Raises PanelError where the panel does not speak this dialect."""
    balance = reading.read_balance(_ask(dialect, "balance", url, key, auth), dialect)
    answer = _ask(dialect, "services", url, key, auth)
    listed = read_services(answer, dialect)
    if dialect.differs is not None:
        unknown = _ask(dialect, "status", url, key, auth, **dialect.status_params(NO_ORDERS))
        if problem := dialect.differs(Seen(_rows(answer, dialect), unknown.text)):
            raise _Differs(problem)
    sellable = sum(not row.problem for row in listed)
    return _Fit(dialect, balance.currency, len(listed), sellable, dialect.document in url)


def _rows(answer: Answer, dialect: Dialect) -> list[Mapping[str, Any]]:
    rows = parse(answer, dialect, is_lenient=True)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _ask(dialect: Dialect, verb: str, url: str, key: str, auth: str, **params: str) -> Answer:
    outcome = calling.exchange(dialect.call(verb, url, key, auth=auth, **params))
    if isinstance(outcome, PanelError):
        raise outcome
    return outcome
