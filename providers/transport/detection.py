"""Detection of a panel's dialect by read-only requests: which dialect fits, and why each other one does not."""

from __future__ import annotations

from dataclasses import dataclass

from providers import note_texts
from providers.errors import ProviderError
from providers.http import client
from providers.http.messages import Answer
from providers.panels.balance import read_balance
from providers.panels.dialect import DetectionAnswers, Dialect
from providers.panels.dialects import DIALECTS
from providers.panels.services import raw_rows, read_services
from providers.transport import conversation

#: Numbers that no order has. Some panels can only be recognized by their answer about such numbers.
NO_ORDERS = ["0", "999999999999999999"]


@dataclass(frozen=True, slots=True)
class Detected:
    """The result of a detection.

    ``dialect`` is None if none fits. ``lines`` has a sentence for every dialect that was tried. ``encoding`` and
    ``auth`` are how requests are made where that differs from the dialect's document, else "".
    """

    dialect: Dialect | None
    currency: str
    lines: tuple[str, ...]
    encoding: str = ""
    auth: str = ""


@dataclass(frozen=True, slots=True)
class _RequestFormat:
    """A request format: ``encoding`` and ``auth`` as in Provider; "" means as in the dialect's document."""

    encoding: str = ""
    auth: str = ""

    @property
    def description(self) -> str:
        parts = [
            {"json": "as JSON", "query": "by GET"}.get(self.encoding, ""),
            "with a bearer token" if self.auth else "",
        ]
        return "".join(f" {text}" for text in parts if text)


#: Panels of the standard API use all of these formats; panels with a document of their own only the documented one.
#: The first format that works is used. GET comes last because it puts the key into the panel's access log.
_STANDARD_FORMATS = (
    _RequestFormat(),
    _RequestFormat(encoding="json"),
    _RequestFormat(auth="both"),
    _RequestFormat(encoding="json", auth="both"),
    _RequestFormat(encoding="query"),
)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A dialect in which the panel answers.

    Candidates are compared by: the panel's own address; features that only this dialect has, if most of the listed
    services can be ordered in it; the number of these services; the documented request format. The first of equals
    wins.
    """

    dialect: Dialect
    request_format: _RequestFormat
    currency: str
    services: int
    sellable: int
    is_at_home: bool

    @property
    def rank(self) -> tuple[bool, bool, int, bool]:
        is_special = self.dialect.differs is not None and self.sellable * 2 > self.services
        return self.is_at_home, is_special, self.sellable, self.request_format == _RequestFormat()

    @property
    def sentence(self) -> str:
        unsellable = self.services - self.sellable
        listed = f"{self.services} services, {unsellable} of them it could not order"
        return f"answers{self.request_format.description}, {listed}"


class _Differs(ProviderError):
    """The panel answers, but not like the panel that this dialect describes."""


class _Conversation:
    """Read-only requests to one panel; the same request of several dialects is sent once."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self._answers: dict[str, Answer | ProviderError] = {}

    def ask(self, dialect: Dialect, verb: str, auth: str, **params: str) -> Answer:
        """Send the request for ``verb``, or return its answer if it was sent before.

        Raises:
            ProviderError: there was no answer.
        """
        call = dialect.call(verb, self.url, self.key, auth=auth, **params)
        request = repr((call.method, call.query, call.form, call.json, call.headers))
        if request not in self._answers:
            self._answers[request] = conversation.exchange(call)
        outcome = self._answers[request]
        if isinstance(outcome, ProviderError):
            raise outcome
        return outcome

    def try_formats(self, dialect: Dialect, auth: str, encoding: str) -> _Fit:
        """Return the first request format in which the panel answers in ``dialect``.

        Raises:
            ProviderError: none works; the error of the documented format.
        """
        formats: tuple[_RequestFormat, ...] = _STANDARD_FORMATS if dialect.differs is None else (_RequestFormat(),)
        if encoding:  # the operator chose the request format
            formats = (_RequestFormat(encoding=encoding), _RequestFormat(encoding=encoding, auth="both"))
        problem: ProviderError | None = None
        for request_format in formats:
            if auth and request_format.auth:  # the operator chose where the key goes
                continue
            try:
                return self._try(dialect, request_format, auth)
            except ProviderError as error:
                problem = problem or error
        assert problem is not None
        raise problem

    def _show(self, price_list: Answer, dialect: Dialect, auth: str) -> DetectionAnswers:
        refills = ""
        if "refill_status" in dialect.verbs:
            refills = self.ask(
                dialect, "refill_status", auth, **dialect.request_params("refill_status", NO_ORDERS)
            ).text
        return DetectionAnswers(
            rows=raw_rows(price_list, dialect),
            unknown=self.ask(dialect, "status", auth, orders=",".join(NO_ORDERS)).text,
            unknown_one=self.ask(dialect, "status", auth, order=NO_ORDERS[0]).text,
            unknown_refills=refills,
        )

    def _try(self, dialect: Dialect, request_format: _RequestFormat, auth: str) -> _Fit:
        encoded, auth = dialect.encoded_as(request_format.encoding), auth or request_format.auth
        balance = read_balance(self.ask(encoded, "balance", auth), encoded)
        answer = self.ask(encoded, "services", auth)
        listed = read_services(answer, encoded)
        if dialect.differs is not None:
            if problem := dialect.differs(self._show(answer, encoded, auth)):
                raise _Differs(problem)
        sellable = sum(not row.problem for row in listed)
        return _Fit(dialect, request_format, balance.currency, len(listed), sellable, dialect.document in self.url)


def detect(url: str, key: str, *, auth: str = "", encoding: str = "") -> Detected:
    """Ask the panel at ``url`` for its balance, its services and orders that cannot exist, in every dialect.

    Nothing is bought.
    """
    fits: dict[str, _Fit] = {}
    why: dict[str, str] = {}
    conversation = _Conversation(url, key)
    for dialect in DIALECTS.values():
        try:
            fits[dialect.name] = conversation.try_formats(dialect, auth, encoding)
        except ProviderError as problem:
            why[dialect.name] = client.redact(note_texts.describe(problem.message), [key]) or type(problem).__name__
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
    if best is None:
        return Detected(None, "", tuple(lines))
    return Detected(
        best.dialect, best.currency, tuple(lines), best.request_format.encoding, best.request_format.auth or auth
    )


def currency_of(dialect: Dialect, url: str, key: str, *, auth: str = "") -> str:
    """Return the currency that the panel names with our balance, or "" if it names none or does not answer."""
    try:
        return read_balance(_Conversation(url, key).ask(dialect, "balance", auth), dialect).currency
    except ProviderError:
        return ""
