"""The actions of the panel API, one function each: they read the parameters, call the shop and return the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import QuerySet

from orders.buying import checkout, idempotency
from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import InsufficientFunds, LinkInUse, NotPossible, OrderInvalid, RequestReused, ServiceNotSold
from orders.lifecycle import customer_requests
from orders.models import Order, Refill
from orders.models.customer_request import RequestStatus
from orders.models.order import Source
from orders.rules import amounts
from storefront.api.keys import Caller
from storefront.api.panel import queries, responses, rows, services_cache
from storefront.api.panel.parameters import Params, number, text
from storefront.api.panel.responses import PanelRefusal, ServicesDocument
from storefront.web import panel_vocabulary

Answer: TypeAlias = dict[str, Any] | list[dict[str, Any]] | ServicesDocument


def services(caller: Caller, params: Params) -> Answer:
    """Return the whole price list.

    It is never filtered, because clients take services off sale that are missing from it.
    """
    return services_cache.services_document(caller)


def balance(caller: Caller, params: Params) -> Answer:
    held = amounts.plain_units(caller.balance, amounts.AMOUNT_PLACES)
    return {"balance": held, "currency": settings.STORE_CURRENCY}


def add(caller: Caller, params: Params) -> Answer:
    """Place an order. A repeated request returns the first one's order."""
    service_id = number(text(params, "service")) or 0
    try:
        found = queries.service_for(caller, service_id)
        if found is None:
            raise ServiceNotSold
        service, own_rate = found
        order = checkout.place_order(
            caller.user,
            service=service,
            inputs=params,
            source=Source.API,
            request_id=text(params, "request_id"),
            fingerprint=idempotency.fingerprint(service_id, params),
            catalog_version=caller.catalog_version,
            pricing=CustomerPricing(caller.discount, {} if own_rate is None else {service_id: own_rate}),
        )
    except (ServiceNotSold, OrderInvalid, LinkInUse, RequestReused, InsufficientFunds) as problem:
        raise PanelRefusal(responses.why_not_placed(problem)) from None
    return {"order": order.pk}


def status(caller: Caller, params: Params) -> Answer:
    """Return the state of orders.

    An order of another customer and a nonexistent one get the same answer from the same query.
    """

    def find(numbers: list[int]) -> dict[int, dict[str, str]]:
        return panel_vocabulary.order_rows(queries.order_rows(caller.user_id, numbers))

    return rows.statuses(params, find)


def refill(caller: Caller, params: Params) -> Answer:
    def ask(numbers: list[int]) -> dict[int, int | NotPossible]:
        made = customer_requests.request_refills(_own(caller, numbers), actor=caller.user)
        return {pk: outcome if isinstance(outcome, NotPossible) else outcome.pk for pk, outcome in made.items()}

    return rows.refills(params, ask)


def refill_status(caller: Caller, params: Params) -> Answer:
    def find(numbers: list[int]) -> dict[int, str]:
        rows = Refill.objects.filter(order__user=caller.user_id, pk__in=numbers).values_list("pk", "status")
        return {pk: panel_vocabulary.REFILL_WORDS[RequestStatus(status)] for pk, status in rows}

    return rows.refill_statuses(params, find)


def cancel(caller: Caller, params: Params) -> Answer:
    def ask(numbers: list[int]) -> dict[int, int | NotPossible]:
        made = customer_requests.request_cancellations(_own(caller, numbers), actor=caller.user)
        return {pk: outcome if isinstance(outcome, NotPossible) else 1 for pk, outcome in made.items()}

    return rows.cancels(params, ask)


#: Actions that change something. When there are too many calls, these get an error with HTTP 200, which says that
#: nothing was done, never another HTTP status.
WRITES = frozenset({"add", "refill", "cancel"})
ACTIONS: Mapping[str, Callable[[Caller, Params], Answer]] = {
    action.__name__: action for action in (services, add, status, refill, refill_status, cancel, balance)
}


def _own(caller: Caller, numbers: list[int]) -> QuerySet[Order]:
    return Order.objects.filter(user=caller.user_id, pk__in=numbers)
