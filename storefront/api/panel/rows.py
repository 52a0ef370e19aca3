"""What one and what many look like: the answers about orders and refills, whoever knows of them (shop or sandbox).

Each takes the parameters and a function that is asked once, with all numbers, for what it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from orders.errors import NotPossible
from storefront.api.panel import responses
from storefront.api.panel.parsing import Params, ids, number
from storefront.api.panel.responses import PanelRefusal

#: By the number of an order: the number of its new refill (1 for a cancellation that was taken), or why it cannot be.
Outcomes: TypeAlias = Mapping[int, int | NotPossible]


def statuses(params: Params, find: Callable[[list[int]], Mapping[int, dict[str, str]]]) -> dict[str, Any]:
    """One order as itself; several, or any number asked under ``orders``, as an object by the ids as asked."""
    many = ids(params, "orders")
    asked = many or ids(params, "order", "order_id", "id")
    numbers = _numbers(asked, responses.INCORRECT_ORDER)
    known, missing = find(numbers), {"error": responses.INCORRECT_ORDER}
    found = {word: known.get(pk, missing) for word, pk in zip(asked, numbers, strict=True)}
    return found if many or len(asked) > 1 else found[asked[0]]


def refills(params: Params, ask: Callable[[list[int]], Outcomes]) -> dict[str, Any] | list[dict[str, Any]]:
    """The number of a single refill is a text, those of many are numbers, as the example page has it."""
    many = ids(params, "orders")
    asked = many or ids(params, "order")
    rows = _told(asked, ask, is_refill=True)
    if many or len(asked) > 1:
        return [{"order": _as_asked(word), "refill": row} for word, row in rows.items()]
    result = rows[asked[0]]
    if isinstance(result, dict):
        raise PanelRefusal(result["error"])
    return {"refill": str(result)}


def refill_statuses(
    params: Params, find: Callable[[list[int]], Mapping[int, str]]
) -> dict[str, Any] | list[dict[str, Any]]:
    """How refills stand. Some clients send the number of a refill as ``order``."""
    many = ids(params, "refills")
    asked = many or ids(params, "refill", "order")
    numbers = _numbers(asked, responses.REFILL_NOT_FOUND)
    known = find(numbers)
    found = {word: known.get(pk) for word, pk in zip(asked, numbers, strict=True)}
    if many or len(asked) > 1:
        missing = {"error": responses.REFILL_NOT_FOUND}
        return [{"refill": _as_asked(word), "status": told or missing} for word, told in found.items()]
    if found[asked[0]] is None:
        raise PanelRefusal(responses.REFILL_NOT_FOUND)
    return {"status": found[asked[0]]}


def cancels(params: Params, ask: Callable[[list[int]], Outcomes]) -> list[dict[str, Any]]:
    """1 says that the request was taken; what became of the order is in its status."""
    told = _told(ids(params, "orders", "order"), ask, is_refill=False)
    return [{"order": _as_asked(word), "cancel": row} for word, row in told.items()]


def _told(
    asked: list[str], ask: Callable[[list[int]], Outcomes], *, is_refill: bool
) -> dict[str, int | dict[str, str]]:
    numbers = _numbers(asked, responses.INCORRECT_ORDER)
    found = ask(numbers)
    rows: dict[str, int | dict[str, str]] = {}
    for word, pk in zip(asked, numbers, strict=True):
        outcome = found.get(pk)
        if outcome is None:
            rows[word] = {"error": responses.INCORRECT_ORDER}
        elif isinstance(outcome, NotPossible):
            rows[word] = {"error": responses.why_not(outcome, is_refill=is_refill)}
        else:
            rows[word] = outcome
    return rows


def _numbers(asked: list[str], missing: str) -> list[int]:
    """Raises Refused if nothing was asked for. What cannot be a number of ours is 0, which nothing has: garbage must
    not be told from a stranger's id by counting queries."""
    if not asked:
        raise PanelRefusal(missing)
    return [number(word) or 0 for word in asked]


def _as_asked(word: str) -> int | str:
    """Numbers go back as numbers, as the example page shows them."""
    found = number(word)
    return word if found is None else found
