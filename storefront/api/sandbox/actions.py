"""The panel API's actions for sandbox keys: the same shapes and texts, with rows that move no money."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings

from orders.catalog.customer_pricing import CustomerPricing
from orders.errors import InsufficientFunds, LinkInUse, NotPossible, OrderInvalid, RequestReused, ServiceNotSold
from orders.rules import amounts
from storefront.api.keys import Caller
from storefront.api.panel import actions as live
from storefront.api.panel import queries, responses, rows
from storefront.api.panel.actions import Answer
from storefront.api.panel.parameters import Params, number, text
from storefront.api.panel.responses import PanelRefusal
from storefront.api.sandbox import store
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill
from storefront.web import panel_vocabulary


def balance(caller: Caller, params: Params) -> Answer:
    return {"balance": amounts.plain(store.balance(caller.key_id)), "currency": settings.STORE_CURRENCY}


def add(caller: Caller, params: Params) -> Answer:
    """Place an order with play money. A repeated request returns the first one's order."""
    service_id = number(text(params, "service")) or 0
    try:
        found = queries.service_for(caller, service_id)
        if found is None:
            raise ServiceNotSold
        service, own_rate = found
        order = store.place_order(
            caller,
            service=service,
            inputs=params,
            request_id=text(params, "request_id"),
            pricing=CustomerPricing(caller.discount, {} if own_rate is None else {service_id: own_rate}),
        )
    except (ServiceNotSold, OrderInvalid, LinkInUse, RequestReused, InsufficientFunds) as problem:
        raise PanelRefusal(responses.why_not_placed(problem)) from None
    return {"order": order.pk}


def status(caller: Caller, params: Params) -> Answer:
    def find(numbers: list[int]) -> dict[int, dict[str, str]]:
        rows = SandboxOrder.objects.of(caller.key_id).filter(pk__in=numbers).select_related("service")
        return {row.pk: _order_row(row) for row in rows}

    return rows.statuses(params, find)


def refill(caller: Caller, params: Params) -> Answer:
    def ask(numbers: list[int]) -> dict[int, int | NotPossible]:
        made = store.refill_many(caller.key_id, numbers=numbers)
        return {pk: outcome if isinstance(outcome, NotPossible) else outcome.pk for pk, outcome in made.items()}

    return rows.refills(params, ask)


def refill_status(caller: Caller, params: Params) -> Answer:
    def find(numbers: list[int]) -> dict[int, str]:
        rows = SandboxRefill.objects.filter(order__key=caller.key_id, pk__in=numbers)
        return {row.pk: panel_vocabulary.REFILL_WORDS[row.status] for row in rows}

    return rows.refill_statuses(params, find)


def cancel(caller: Caller, params: Params) -> Answer:
    def ask(numbers: list[int]) -> dict[int, int | NotPossible]:
        made = store.cancel_many(caller.key_id, numbers=numbers)
        return {pk: outcome if isinstance(outcome, NotPossible) else 1 for pk, outcome in made.items()}

    return rows.cancels(params, ask)


ACTIONS: Mapping[str, Callable[[Caller, Params], Answer]] = {
    # The price list is the shop's own, at the customer's prices.
    "services": live.services,
    **{action.__name__: action for action in (add, status, refill, refill_status, cancel, balance)},
}


def _order_row(row: SandboxOrder) -> dict[str, str]:
    order = row.as_order()
    paid = amounts.to_units(order.paid, amounts.AMOUNT_PLACES)
    return panel_vocabulary.order_row(
        (order.pk, order.state.value, order.quantity, paid, order.start_count, order.remains)
    )
