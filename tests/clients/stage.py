"""The orders and services that the clients find, and the expected answers, read from the database."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from orders.ledger import audit
from orders.models import Account, Order, Refill, Service, Transfer
from orders.rules.service_types import SERVICE_TYPES
from tests.factories import category, service
from tests.storefront.api.reseller import Reseller, read_response, reseller

#: What a panel says of an order, by how it stands here.
WORDS = {
    "queued": "Pending", "in_doubt": "Processing", "in_progress": "In progress", "completed": "Completed",
    "partial": "Partial", "canceled": "Canceled",
}  # fmt: skip
NO_ORDER = {"error": "Incorrect order ID"}
NO_REFILL = {"error": "Refill not found"}
MSIE = "Mozilla/4.0 (compatible; MSIE 5.01; Windows NT 5.0)"


@dataclass
class Stage:
    port: int
    reseller: Reseller
    stranger: Reseller
    services: dict[str, Service]
    orders: dict[str, Order]
    theirs: Order
    """An order of the stranger's, completed, so that only its owner may ask for a refill."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v2"

    @property
    def key(self) -> str:
        return self.reseller.key

    def raw(self, request: bytes) -> tuple[int, dict[str, str], Any]:
        """Send these bytes, keep the sending side open, and read until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(request)
            return read_response(client)

    def bought(self, answer: Any, *, after: Decimal) -> Order:
        """The order this answer names: the newest, this customer's, paid once out of a wallet that held ``after``."""
        order = Order.objects.latest("pk")
        assert answer == {"order": order.pk}
        assert (order.user, order.status, order.source) == (self.reseller.user, "queued", "api")
        assert Transfer.objects.filter(order=order, kind="charge").count() == 1
        assert self.reseller.balance == after - order.charge
        assert list(audit.findings()) == []
        return order


def set_up(port: int) -> Stage:
    own, stranger = reseller("1000"), reseller()
    within = category("First Category")
    flags = {"has_refill": True, "has_cancel": True, "has_dripfeed": True, "category": within}
    services = {
        service_type.code: service(service_type.code, is_flat=service_type.is_flat, **flags)
        for service_type in SERVICE_TYPES.values()
    }
    services["plain"] = service(category=within, min_quantity=10)
    sold = services["default"]
    orders = {
        "queued": create_order(own, sold, "queued"),
        "in_doubt": create_order(own, sold, "in_doubt"),
        "in_progress": create_order(own, sold, "in_progress", start_count=3572, remains=157),
        "completed": create_order(own, sold, "completed", start_count=0, remains=0),
        "second": create_order(own, sold, "completed", remains=0),
        "third": create_order(own, sold, "completed", remains=0),
        "partial": create_order(own, sold, "partial", remains=60, paid_back=Decimal("0.3")),
        "canceled": create_order(own, sold, "canceled", remains=200, paid_back=Decimal("0.5")),
        "plain": create_order(own, services["plain"], "completed", remains=0),
    }
    return Stage(port, own, stranger, services, orders, create_order(stranger, sold, "completed", remains=0))


def create_order(
    owner: Reseller, sold: Service, status: str, *, paid_back: Decimal = Decimal(0), **details: Any
) -> Order:
    """An order for 200 pieces in a later status. It was free unless partly refunded, so that the ledger adds up."""
    ended = timezone.now() if status in ("completed", "partial", "canceled") else None
    order = Order.objects.create(
        user=owner.user, service=sold, status=status, quantity=200, rate=sold.rate, charge=paid_back,
        refunded=paid_back, link=f"https://example.com/{owner.user.pk}/{status}", ended_at=ended, **details,
    )  # fmt: skip
    if paid_back:
        move("charge", order, owner)
        move("refund", order, owner)
    return order


def move(kind: str, order: Order, owner: Reseller) -> None:
    wallet, sales = Account.objects.get(user=owner.user), Account.objects.get(kind="sales")
    assert wallet.balance is not None
    ends = {"source": wallet, "target": sales} if kind == "charge" else {"source": sales, "target": wallet}
    after = wallet.balance - order.charge if kind == "charge" else wallet.balance
    Transfer.objects.create(
        kind=kind, reference=f"test:{kind}:{order.pk}", amount=order.charge, wallet=wallet, wallet_after=after,
        order=order, **ends,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ what must be said
def plain(amount: Decimal) -> str:
    """Return an amount with two decimals or as many as it needs: no exponent, no blanks, no commas."""
    return f"{amount:.2f}" if amount == round(amount, 2) else f"{amount:f}".rstrip("0")


def status_of(order: Order) -> dict[str, str]:
    word = WORDS[order.status]
    remains = {"Completed": 0, "Canceled": order.quantity}.get(word, order.remains)
    return {
        "charge": plain(order.charge - order.refunded),
        "start_count": str(order.start_count or 0),
        "status": word,
        "remains": str(order.quantity if remains is None else remains),
        "currency": "USD",
    }


def statuses_of(orders: Iterable[Order]) -> dict[str, Any]:
    return {str(order.pk): status_of(order) for order in orders}


def price_list() -> list[dict[str, Any]]:
    """Return every service on sale, as the example page of the panel API shows one."""
    return [
        {
            "service": sold.pk, "name": sold.name, "type": SERVICE_TYPES[sold.service_type].wire,
            "category": sold.category.name,
            "rate": plain(sold.rate), "min": str(sold.min_quantity), "max": str(sold.max_quantity),
            "refill": sold.has_refill, "cancel": sold.has_cancel,
        }
        for sold in Service.objects.filter(is_active=True).order_by("pk")
    ]  # fmt: skip


def is_price_list(answer: Any) -> bool:
    """Return whether ``answer`` is the whole price list, beside what else we tell of a service."""
    return [{name: row[name] for name in wanted} for row, wanted in zip(answer, price_list(), strict=True)] == (
        price_list()
    )


def refill_of(order: Order) -> int:
    """Return the number of the one refill that was asked for."""
    return Refill.objects.get(order=order).pk
