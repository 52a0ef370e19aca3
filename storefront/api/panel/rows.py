"""The shapes of single and multiple answers about orders and refills, for the shop and the sandbox.

Each function takes the parameters and a function that it calls once, with all numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from orders.errors import NotPossible
from storefront.api.panel import responses
from storefront.api.panel.parameters import Params, ids, number, numbers
from storefront.api.panel.responses import PanelRefusal

#: The result for each order number: the number of its new refill (1 for an accepted cancellation), or the problem.
Outcomes: TypeAlias = Mapping[int, int | NotPossible]


def statuses(params: Params, find: Callable[[list[int]], Mapping[int, dict[str, str]]]) -> dict[str, Any]:
    """Return one order as a row.

    Several orders, or any number of them sent as ``orders``, are an object by the ids as they were sent.
    """
    many = ids(params, "orders")
    asked = many or ids(params, "order", "order_id", "id")
    pks = _numbers(asked, responses.INCORRECT_ORDER)
    known, missing = find(pks), {"error": responses.INCORRECT_ORDER}
    found = {word: known.get(pk, missing) for word, pk in zip(asked, pks, strict=True)}
    return found if many or len(asked) > 1 else found[asked[0]]


def refills(params: Params, ask: Callable[[list[int]], Outcomes]) -> dict[str, Any] | list[dict[str, Any]]:
    """Request refills.

    The number of a single refill is a text and those of several are numbers, as on the example page.
    """
    many = ids(params, "orders")
    asked = many or ids(params, "order")
    rows = _request_rows(asked, ask, is_refill=True)
    if many or len(asked) > 1:
        return [{"order": _as_asked(word), "refill": row} for word, row in rows.items()]
    result = rows[asked[0]]
    if isinstance(result, dict):
        raise PanelRefusal(result["error"])
    return {"refill": str(result)}


def refill_statuses(
    params: Params, find: Callable[[list[int]], Mapping[int, str]]
) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the status of refills. Some clients send the number of a refill as ``order``."""
    many = ids(params, "refills")
    asked = many or ids(params, "refill", "order")
    pks = _numbers(asked, responses.REFILL_NOT_FOUND)
    known = find(pks)
    found = {word: known.get(pk) for word, pk in zip(asked, pks, strict=True)}
    if many or len(asked) > 1:
        missing = {"error": responses.REFILL_NOT_FOUND}
        return [{"refill": _as_asked(word), "status": told or missing} for word, told in found.items()]
    if found[asked[0]] is None:
        raise PanelRefusal(responses.REFILL_NOT_FOUND)
    return {"status": found[asked[0]]}


def cancels(params: Params, ask: Callable[[list[int]], Outcomes]) -> list[dict[str, Any]]:
    """Request cancellations. 1 means that the request was accepted; the result shows in the order's status."""
    told = _request_rows(ids(params, "orders", "order"), ask, is_refill=False)
    return [{"order": _as_asked(word), "cancel": row} for word, row in told.items()]


def _request_rows(
    asked: list[str], ask: Callable[[list[int]], Outcomes], *, is_refill: bool
) -> dict[str, int | dict[str, str]]:
    pks = _numbers(asked, responses.INCORRECT_ORDER)
    found = ask(pks)
    rows: dict[str, int | dict[str, str]] = {}
    for word, pk in zip(asked, pks, strict=True):
        outcome = found.get(pk)
        if outcome is None:
            rows[word] = {"error": responses.INCORRECT_ORDER}
        elif isinstance(outcome, NotPossible):
            rows[word] = {"error": responses.why_not(outcome, is_refill=is_refill)}
        else:
            rows[word] = outcome
    return rows


def _numbers(asked: list[str], missing: str) -> list[int]:
    """Return the numbers that were sent.

    A text that cannot be a number becomes 0, which no row has. The same queries run for it as for an id of others,
    so that the two cannot be told apart.

    Raises:
        PanelRefusal: No number was sent.
    """
    if not asked:
        raise PanelRefusal(missing)
    return numbers(asked)


def _as_asked(word: str) -> int | str:
    """Return a number as a number, as the example page shows it, and any other text as it is."""
    found = number(word)
    return word if found is None else found
