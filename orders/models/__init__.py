"""Database models of orders, services and the ledger."""

from orders.models.catalog import CatalogVersion, Category, Service
from orders.models.customer_request import Cancellation, Refill
from orders.models.delivery_stats import DeliveryStats, PriceChange
from orders.models.ledger import Account, Transfer
from orders.models.level import CustomerRate, PriceLevel
from orders.models.order import Order, OrderEvent
from orders.models.pull_lease import PullLease
from orders.models.run import Run
from orders.models.translation import CategoryText, ServiceText

__all__ = [
    "Account",
    "Cancellation",
    "CatalogVersion",
    "Category",
    "CategoryText",
    "CustomerRate",
    "DeliveryStats",
    "Order",
    "OrderEvent",
    "PriceChange",
    "PriceLevel",
    "PullLease",
    "Refill",
    "Run",
    "Service",
    "ServiceText",
    "Transfer",
]
