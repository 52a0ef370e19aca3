"""The actions of the panel API, one function each: from parameters to a call of the ground floor, and back to words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from django.conf import settings

from orders import checkout, money
from orders.errors import InsufficientFunds, OrderInvalid, ServiceNotSold
from orders.models import Order, Service
from orders.models.order import Source
from storefront.accounts.models import User
from storefront.api.v2 import answers
from storefront.api.v2.answers import Refused
from storefront.api.v2.request import Params, ids, number, text

Answer: TypeAlias = dict[str, Any] | list[dict[str, Any]]


def services(user: User, params: Params) -> Answer:
    """The whole price list, always: clients take off sale what is missing from it."""
    rows = Service.objects.on_sale().values_list(*answers.SERVICE_COLUMNS)
    return [answers.service_row(row) for row in rows]


def balance(user: User, params: Params) -> Answer:
    wallet = getattr(user, "wallet", None)
    held = wallet.balance if wallet else None
    return {"balance": money.plain(held or Decimal(0)), "currency": settings.STORE_CURRENCY}


def add(user: User, params: Params) -> Answer:
    """Buys. The same ``request_id`` buys once."""
    request_id = text(params, "request_id")
    service = Service.objects.select_related("category").filter(pk=number(text(params, "service")) or 0).first()
    try:
        if service is None:
            raise ServiceNotSold
        order = checkout.place_order(
            user, service=service, inputs=params, source=Source.API, request_id=request_id or None
        )
    except ServiceNotSold:
        raise Refused(answers.INCORRECT_SERVICE) from None
    except OrderInvalid as problem:
        raise Refused(answers.sentence(problem.problems[0])) from None
    except InsufficientFunds:
        raise Refused(answers.NOT_ENOUGH_FUNDS) from None
    return {"order": order.pk}


def status(user: User, params: Params) -> Answer:
    """One order as itself; several, or any number asked under ``orders``, as an object by the ids as they were asked.

    A stranger's order and one that never was get the same answer from the same query.
    """
    many = ids(params, "orders")
    asked = many or ids(params, "order", "order_id", "id")
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    rows = Order.objects.filter(user=user, pk__in=_numbers(asked)).values_list(*answers.ORDER_COLUMNS)
    known = {row[0]: answers.order_row(row) for row in rows}
    found = {word: known.get(number(word), {"error": answers.INCORRECT_ORDER}) for word in asked}
    return found if many or len(asked) > 1 else found[asked[0]]


def refill(user: User, params: Params) -> Answer:
    """Refills are not sold yet, and the answer says so for each order."""
    many = ids(params, "orders")
    asked = many or ids(params, "order")
    errors = _errors(user, asked, answers.NO_REFILL)
    if many or len(asked) > 1:
        return [{"order": _as_asked(word), "refill": {"error": errors[word]}} for word in asked]
    raise Refused(errors[asked[0]])


def refill_status(user: User, params: Params) -> Answer:
    """No refill exists yet, so none is found."""
    many = ids(params, "refills")
    if not many:
        raise Refused(answers.REFILL_NOT_FOUND)
    return [{"refill": _as_asked(word), "status": {"error": answers.REFILL_NOT_FOUND}} for word in many]


def cancel(user: User, params: Params) -> Answer:
    """Canceling is not sold yet, and the answer says so for each order."""
    errors = _errors(user, ids(params, "orders", "order"), answers.NO_CANCEL)
    return [{"order": _as_asked(word), "cancel": {"error": text}} for word, text in errors.items()]


ACTIONS: Mapping[str, Callable[[User, Params], Answer]] = {
    action.__name__: action for action in (services, add, status, refill, refill_status, cancel, balance)
}


def _errors(user: User, asked: list[str], refusal: str) -> dict[str, str]:
    """For each id ``refusal``, or the text for an order that is not the customer's."""
    if not asked:
        raise Refused(answers.INCORRECT_ORDER)
    own = set(Order.objects.filter(user=user, pk__in=_numbers(asked)).values_list("pk", flat=True))
    return {word: refusal if number(word) in own else answers.INCORRECT_ORDER for word in asked}


def _numbers(asked: list[str]) -> list[int]:
    # One that no order can have keeps the query: garbage must not be told from a stranger's id by counting queries.
    return [found for found in map(number, asked) if found is not None] or [0]


def _as_asked(word: str) -> int | str:
    """Numbers go back as numbers, as the example page shows them."""
    found = number(word)
    return word if found is None else found
