"""The actions of the panel API, one function each: from parameters to a call of the ground floor, and back to words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import QuerySet

from orders import aftercare, checkout, money, repeats
from orders.errors import InsufficientFunds, LinkInUse, NotPossible, OrderInvalid, RequestReused, ServiceNotSold
from orders.models import Cancellation, Order, Refill
from orders.models.aftercare import RequestStatus
from orders.models.order import Source
from orders.terms import Terms
from storefront.api.v2 import answers, pricebook, reading
from storefront.api.v2.answers import Book, Refused
from storefront.api.v2.callers import Caller
from storefront.api.v2.request import Params, ids, number, text

Answer: TypeAlias = dict[str, Any] | list[dict[str, Any]] | Book


def services(caller: Caller, params: Params) -> Answer:
    """The whole price list, always: clients take off sale what is missing from it."""
    return pricebook.book(caller)


def balance(caller: Caller, params: Params) -> Answer:
    held = money.plain_units(caller.balance, money.AMOUNT_PLACES)
    return {"balance": held, "currency": settings.STORE_CURRENCY}


def add(caller: Caller, params: Params) -> Answer:
    """Buys. The same request buys once."""
    service_id = number(text(params, "service")) or 0
    try:
        found = reading.service_for(caller, service_id)
        if found is None:
            raise ServiceNotSold
        service, own_rate = found
        order = checkout.place_order(
            caller.user,
            service=service,
            inputs=params,
            source=Source.API,
            request_id=text(params, "request_id"),
            fingerprint=repeats.fingerprint(service_id, params),
            stamp=caller.stamp,
            paid_by=Terms(caller.discount, {} if own_rate is None else {service_id: own_rate}),
        )
    except (ServiceNotSold, OrderInvalid, LinkInUse, RequestReused, InsufficientFunds) as problem:
        raise Refused(answers.why_not_placed(problem)) from None
    return {"order": order.pk}


def status(caller: Caller, params: Params) -> Answer:
    """One order as itself; several, or any number asked under ``orders``, as an object by the ids as they were asked.

    A stranger's order and one that never was get the same answer from the same query.
    """
    many = ids(params, "orders")
    asked = many or ids(params, "order", "order_id", "id")
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    numbers = [number(word) or 0 for word in asked]
    known = {row[0]: answers.order_row(row) for row in reading.standings(caller.user_id, numbers)}
    found = {word: known.get(pk, {"error": answers.INCORRECT_ORDER}) for word, pk in zip(asked, numbers, strict=True)}
    return found if many or len(asked) > 1 else found[asked[0]]


def refill(caller: Caller, params: Params) -> Answer:
    """Asks for refills. The number of a single one is a text, those of many are numbers, as the example page has it."""
    many = ids(params, "orders")
    asked = many or ids(params, "order")
    found = aftercare.refill_many(_own(caller, asked), actor=caller.user)
    rows = {word: _told(found.get(number(word) or 0), is_refill=True) for word in asked}
    if many or len(asked) > 1:
        return [{"order": _as_asked(word), "refill": row} for word, row in rows.items()]
    result = rows[asked[0]]
    if isinstance(result, dict):
        raise Refused(result["error"])
    return {"refill": str(result)}


def refill_status(caller: Caller, params: Params) -> Answer:
    """How refills stand. Some clients send the number of a refill as ``order``."""
    many = ids(params, "refills")
    asked = many or ids(params, "refill", "order")
    if not asked:
        raise Refused(answers.REFILL_NOT_FOUND)
    rows = Refill.objects.filter(order__user=caller.user_id, pk__in=_numbers(asked)).values_list("pk", "status")
    known = {pk: answers.REFILL_WORDS[RequestStatus(status)] for pk, status in rows}
    found = {word: known.get(number(word) or 0) for word in asked}
    if many or len(asked) > 1:
        missing = {"error": answers.REFILL_NOT_FOUND}
        return [{"refill": _as_asked(word), "status": told or missing} for word, told in found.items()]
    if found[asked[0]] is None:
        raise Refused(answers.REFILL_NOT_FOUND)
    return {"status": found[asked[0]]}


def cancel(caller: Caller, params: Params) -> Answer:
    """Asks to stop orders. 1 says that the request was taken; what became of the order is in its status."""
    asked = ids(params, "orders", "order")
    found = aftercare.cancel_many(_own(caller, asked), actor=caller.user)
    told = {word: _told(found.get(number(word) or 0), is_refill=False) for word in asked}
    return [{"order": _as_asked(word), "cancel": row} for word, row in told.items()]


#: What changes something. To these, "too many" is an answer that nothing was done, never a status of HTTP.
WRITES = frozenset({"add", "refill", "cancel"})
ACTIONS: Mapping[str, Callable[[Caller, Params], Answer]] = {
    action.__name__: action for action in (services, add, status, refill, refill_status, cancel, balance)
}


def _own(caller: Caller, asked: list[str]) -> QuerySet[Order]:
    """The customer's own among the orders that were asked for. Raises Refused if none was."""
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    return Order.objects.filter(user=caller.user_id, pk__in=_numbers(asked))


def _told(outcome: Refill | Cancellation | NotPossible | None, *, is_refill: bool) -> int | dict[str, str]:
    """What one row says: the refill's number, 1 for a cancellation that was taken, or the error."""
    match outcome:
        case None:
            return {"error": answers.INCORRECT_ORDER}
        case NotPossible():
            return {"error": answers.why_not(outcome, is_refill=is_refill)}
        case Refill():
            return outcome.pk
    return 1


def _numbers(asked: list[str]) -> list[int]:
    # One that no order can have keeps the query: garbage must not be told from a stranger's id by counting queries.
    return [found for found in map(number, asked) if found is not None] or [0]


def _as_asked(word: str) -> int | str:
    """Numbers go back as numbers, as the example page shows them."""
    found = number(word)
    return word if found is None else found
