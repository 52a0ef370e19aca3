"""Read the answer to ``add``: the only parser that decides whether something was bought. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from orders.rules.service_types import INPUTS
from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer
from providers.http.messages import Answer
from providers.panels.bodies import is_order_number, parse_or_text, scalar, shorten, whole_id
from providers.panels.dialect import Dialect
from providers.panels.envelopes import Texts, find_texts, layers, walk
from providers.panels.error_texts import REFUSING, rejection_reason

#: HTTP statuses of proxies in front of a panel: with a page instead of JSON, the next order would get the same answer.
_WALLS = frozenset({*range(300, 400), 401, 403, 404, 405, 503})
#: The names of fields with a new order's number. ``id`` counts only if none of the others is present.
_ORDER_NAMES = ("order", "order_id", "orderid", "id_order", "order_number")
#: Fields that may refer to an order if they have a value.
_TRACES = frozenset({*_ORDER_NAMES, "id", "orders", "order_ids", "orderids"})
#: The parameters of ``add`` in validation errors, and the reason of a rejection that names one of them.
_PARAMETERS = {
    **dict.fromkeys(("key", "api_key", "token", "api_token"), "key"),
    **dict.fromkeys(("service", "service_id"), "service"),
    **dict.fromkeys(("quantity", "amount"), "quantity"),
    **dict.fromkeys(("link", "url"), "link"),
    **dict.fromkeys(("action", *INPUTS.keys() - {"link", "quantity", "start_at"}), "request"),
}
_VALIDATION_STATUSES = (400, 422)
_NUMBER_IN_TEXT = re.compile(r"\border\b\D{0,20}?([0-9]{1,18})\b", re.IGNORECASE)


def read_add(answer: Answer, dialect: Dialect) -> str:
    """Return the new order's number at the panel, as text.

    Every answer that is not a clear acceptance or rejection is unknown. An answer that names an order's number is never
    a rejection.

    Raises:
        Refused: the panel says readably that it bought nothing.
        OutcomeUnknown: every other case.
    """
    try:
        body = parse_or_text(answer, dialect)
    except UnreadableAnswer as unreadable:
        # This is the page of a rate limiter. Broken JSON may contain an order's number, so it is unknown.
        if answer.status == 429 and answer.text.lstrip()[:1] not in ("{", "[", '"'):
            raise Refused(unreadable.message, reason="busy") from None
        raise OutcomeUnknown(unreadable.message, is_lasting=answer.status in _WALLS) from None
    texts, trace = find_texts(body, answer.status), _trace(body)
    said = texts.error or texts.note
    if trace is None:
        _raise_if_rejected(answer, body, texts)
        if said and not texts.is_done and (200 <= answer.status < 300 or 400 <= answer.status < 500):
            raise OutcomeUnknown(
                f"HTTP {answer.status}: {said}",
                said=said,
                upstream_id=_number_in(said),
                is_lasting=answer.status == 404,
            )
    elif 200 <= answer.status < 300 and not texts.is_failed:
        number = _new_number(body)
        if number is not None and is_order_number(number):
            return str(number)
    raise OutcomeUnknown(
        f"HTTP {answer.status}, no plain order id: {shorten(answer.text)}",
        upstream_id=scalar(trace) or _number_in(said),
        is_lasting=bool(texts.is_failed and trace is not None) or answer.status in range(300, 400),
    )


def _raise_if_rejected(answer: Answer, body: Any, texts: Texts) -> None:
    """Raise Refused if the answer, which names no order, clearly says that nothing was bought."""
    said, status = texts.error or texts.note, answer.status
    if status == 429:
        raise Refused(f"HTTP 429: {said or shorten(answer.text)}", reason="busy")
    is_error = 400 <= status < 500
    if not is_error and not 200 <= status < 300:
        return
    if status in _VALIDATION_STATUSES and (reason := _validation_reason(body)):
        by_words = rejection_reason(said)
        raise Refused(said, reason=reason if by_words in ("", "request") else by_words)
    reason = rejection_reason(said) if said else ""
    if not reason and is_error and (said or (status == 401 and isinstance(body, dict))):
        reason = REFUSING.get(status, "")
    # "success" with a text that sounds like a rejection is neither.
    if reason and not (texts.is_done and not texts.is_failed):
        raise Refused(said or f"HTTP {status}", reason=reason)


def _validation_reason(body: Any) -> str:
    """Return what was wrong with the request, if ``body`` is a validation error that names its parameters.

    Frameworks check parameters before they do anything: ``{"errors": {"link": ["..."]}}`` (Laravel and others),
    ``{"detail": [{"loc": ["body", "link"], "msg": "..."}]}`` (FastAPI).
    """
    named: list[str] = []
    for name, value in walk(body):
        if name in ("errors", "error", "message", "detail", "fields") and isinstance(value, dict):
            named += [
                str(field).lower() for field, problem in value.items() if problem and not isinstance(problem, bool)
            ]
        elif name == "loc" and isinstance(value, list) and value:
            named.append(str(value[-1]).lower())
    reasons = [_PARAMETERS.get(field) for field in named]
    return reasons[0] or "" if reasons and all(reasons) else ""


def _new_number(body: Any) -> Any:
    """Return the order's number in ``body``; None if it names none, or several."""
    for names in (_ORDER_NAMES, ("id",)):
        numbers = {str(number): number for number in _numbers(body, names)}
        if numbers:
            return next(iter(numbers.values())) if len(numbers) == 1 else None
    return None


def _numbers(body: Any, names: tuple[str, ...]) -> Iterator[Any]:
    for layer in layers(body):
        if not isinstance(layer, dict):
            continue
        for name, value in layer.items():
            if name.strip().lower() in names and not _is_empty(value) and not isinstance(value, (dict, list)):
                yield whole_id(value) if isinstance(value, Decimal) else value


def _trace(body: Any) -> Any:
    """Return the first value in ``body`` that may be an order's number, at any depth, or None."""
    for name, value in walk(body):
        if name in _TRACES and not isinstance(value, dict):
            items = value if isinstance(value, list) else [value]
            if any(not _is_empty(item) and not _is_sentence(item) for item in items):
                return value
    data = next((value for name, value in walk(body) if name in ("data", "result")), None)
    return data if isinstance(data, int) and not isinstance(data, bool) and data > 1 else None


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("", "0", "null", "none", "false", "undefined")
    return not value  # nothing, no, zero, an empty list


def _is_sentence(value: Any) -> bool:
    return isinstance(value, str) and " " in value.strip() and not any(character.isdigit() for character in value)


def _number_in(text: str) -> str:
    """Return the order number in a text; it is evidence for an operator and never used automatically."""
    match = _NUMBER_IN_TEXT.search(text)
    return match[1] if match and match[1].strip("0") else ""
