"""The facts that an operator sees next to a ticket: the customer, and the orders with their submissions.

Each part needs the permission for what it shows. The number of queries does not depend on the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orders.admin import base, formatting
from orders.models import Account, Order
from providers.admin import placement
from providers.models import Placement
from storefront.support.models import Ticket

NEWEST = 5
#: Submissions read per order, on average. Drip-feed orders have many, and the newest show where an order is.
PLACEMENTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionFacts:
    """One submission of an order to a provider. Only operators may see it."""

    provider: str
    upstream_id: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    order: Order
    link: str
    mark: str
    delivered: str
    submissions: list[SubmissionFacts]


@dataclass(slots=True, kw_only=True)
class CustomerFacts:
    link: str
    orders_link: str = ""
    balance: str = ""
    spent: str = ""
    newest: list[OrderFacts] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)


def customer(ticket: Ticket, viewer: Any) -> CustomerFacts:
    user = ticket.user
    facts = CustomerFacts(link=base.page_link(user) if viewer.has_perm("accounts.view_user") else str(user))
    if viewer.has_perm("orders.view_account"):
        wallet = Account.objects.filter(user=user).first()
        if wallet:
            facts.balance, facts.spent = formatting.amount(wallet.balance), formatting.amount(wallet.spent)
    if viewer.has_perm("orders.view_order"):
        newest = Order.objects.of(user).select_related("service")[:NEWEST]
        facts.newest = [_order_facts(order, viewer, []) for order in newest]
        facts.orders_link = base.list_url(Order, user__id__exact=user.pk)
    others = Ticket.objects.of(user).exclude(pk=ticket.pk).order_by("-last_message")
    facts.tickets = list(others[:NEWEST])
    return facts


def attached(ticket: Ticket, viewer: Any) -> list[OrderFacts]:
    """Return the orders of the ticket. Their submissions are included only for viewers who may see placements."""
    orders = list(Order.objects.filter(tickets__ticket=ticket).select_related("service").order_by("tickets__id"))
    submissions_by_order: dict[int, list[SubmissionFacts]] = {}
    if orders and viewer.has_perm("providers.view_placement"):
        rows = Placement.objects.filter(order__in=orders).select_related("provider").order_by("-id")
        for row in rows[: PLACEMENTS * len(orders)]:
            submission = SubmissionFacts(
                provider=base.page_link(row, row.provider),
                upstream_id=row.upstream_id or formatting.NONE,
                mark=placement.state_mark(row),
            )
            submissions_by_order.setdefault(row.order_id, []).append(submission)
    return [_order_facts(order, viewer, submissions_by_order.get(order.pk, [])) for order in orders]


def _order_facts(order: Order, viewer: Any, submissions: list[SubmissionFacts]) -> OrderFacts:
    may_open = viewer.has_perm("orders.view_order")
    return OrderFacts(
        order=order,
        link=base.page_link(order, order.pk) if may_open else str(order.pk),
        mark=formatting.status_badge(order.status),
        delivered=formatting.delivered(order),
        submissions=submissions,
    )
