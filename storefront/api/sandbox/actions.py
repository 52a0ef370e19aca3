"""The actions of the panel API for keys of the sandbox: the same shapes and words, over rows that move no money."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings

from orders import money
from orders.errors import InsufficientFunds, LinkInUse, NotPossible, OrderInvalid, RequestReused, ServiceNotSold
from orders.terms import Terms
from storefront.api.sandbox import book
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill
from storefront.api.v2 import actions as live
from storefront.api.v2 import answers, reading
from storefront.api.v2.actions import Answer
from storefront.api.v2.answers import Refused
from storefront.api.v2.callers import Caller
from storefront.api.v2.request import Params, ids, number, text


def balance(caller: Caller, params: Params) -> Answer:
    return {"balance": money.plain(book.balance(caller.key_id)), "currency": settings.STORE_CURRENCY}


def add(caller: Caller, params: Params) -> Answer:
    """Buys with play money. The same request buys once."""
    service_id = number(text(params, "service")) or 0
    try:
        found = reading.service_for(caller, service_id)
        if found is None:
            raise ServiceNotSold
        service, own_rate = found
        order = book.place_order(
            caller,
            service=service,
            inputs=params,
            request_id=text(params, "request_id"),
            paid_by=Terms(caller.discount, {} if own_rate is None else {service_id: own_rate}),
        )
    except (ServiceNotSold, OrderInvalid, LinkInUse, RequestReused, InsufficientFunds) as problem:
        raise Refused(answers.why_not_placed(problem)) from None
    return {"order": order.pk}


def status(caller: Caller, params: Params) -> Answer:
    many = ids(params, "orders")
    asked = many or ids(params, "order", "order_id", "id")
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    rows = SandboxOrder.objects.of(caller.key_id).filter(pk__in=_numbers(asked)).select_related("service")
    known = {row.pk: _order_row(row) for row in rows}
    found = {word: known.get(number(word) or 0, {"error": answers.INCORRECT_ORDER}) for word in asked}
    return found if many or len(asked) > 1 else found[asked[0]]


def refill(caller: Caller, params: Params) -> Answer:
    many = ids(params, "orders")
    asked = many or ids(params, "order")
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    found = book.refill_many(caller.key_id, numbers=_numbers(asked))
    rows = {word: _told(found.get(number(word) or 0), is_refill=True) for word in asked}
    if many or len(asked) > 1:
        return [{"order": _as_asked(word), "refill": row} for word, row in rows.items()]
    result = rows[asked[0]]
    if isinstance(result, dict):
        raise Refused(result["error"])
    return {"refill": str(result)}


def refill_status(caller: Caller, params: Params) -> Answer:
    many = ids(params, "refills")
    asked = many or ids(params, "refill", "order")
    if not asked:
        raise Refused(answers.REFILL_NOT_FOUND)
    rows = SandboxRefill.objects.filter(order__key=caller.key_id, pk__in=_numbers(asked))
    known = {row.pk: answers.REFILL_WORDS[row.status] for row in rows}
    found = {word: known.get(number(word) or 0) for word in asked}
    if many or len(asked) > 1:
        missing = {"error": answers.REFILL_NOT_FOUND}
        return [{"refill": _as_asked(word), "status": told or missing} for word, told in found.items()]
    if found[asked[0]] is None:
        raise Refused(answers.REFILL_NOT_FOUND)
    return {"status": found[asked[0]]}


def cancel(caller: Caller, params: Params) -> Answer:
    asked = ids(params, "orders", "order")
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    found = book.cancel_many(caller.key_id, numbers=_numbers(asked))
    told = {word: _told(found.get(number(word) or 0), is_refill=False) for word in asked}
    return [{"order": _as_asked(word), "cancel": row} for word, row in told.items()]


ACTIONS: Mapping[str, Callable[[Caller, Params], Answer]] = {
    # The price list is the shop's own, as the customer pays it.
    "services": live.services,
    **{action.__name__: action for action in (add, status, refill, refill_status, cancel, balance)},
}


def _order_row(row: SandboxOrder) -> dict[str, str]:
    order = row.as_order()
    paid = money.to_units(order.paid, money.AMOUNT_PLACES)
    return answers.order_row((order.pk, order.state.value, order.quantity, paid, order.start_count, order.remains))


def _told(outcome: SandboxOrder | SandboxRefill | NotPossible | None, *, is_refill: bool) -> int | dict[str, str]:
    match outcome:
        case None:
            return {"error": answers.INCORRECT_ORDER}
        case NotPossible():
            return {"error": answers.why_not(outcome, is_refill=is_refill)}
        case SandboxRefill():
            return outcome.pk
    return 1


def _numbers(asked: list[str]) -> list[int]:
    # Never empty, or garbage could be told from a stranger's id by counting queries.
    return [found for found in map(number, asked) if found is not None] or [0]


def _as_asked(word: str) -> int | str:
    found = number(word)
    return word if found is None else found
