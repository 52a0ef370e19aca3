"""The rows of the ground floor."""

from orders.models.aftercare import Cancellation, Refill
from orders.models.catalog import Category, Service
from orders.models.ledger import Account, Transfer
from orders.models.measure import Measure, PriceChange
from orders.models.order import Order, OrderEvent
from orders.models.run import Run

__all__ = [
    "Account",
    "Cancellation",
    "Category",
    "Measure",
    "Order",
    "OrderEvent",
    "PriceChange",
    "Refill",
    "Run",
    "Service",
    "Transfer",
]
