"""The rows of the ground floor."""

from orders.models.aftercare import Cancellation, Refill
from orders.models.catalog import CatalogStamp, Category, Service
from orders.models.ledger import Account, Transfer
from orders.models.level import CustomerRate, PriceLevel
from orders.models.measure import Measure, PriceChange
from orders.models.order import Order, OrderEvent
from orders.models.run import Run
from orders.models.text import CategoryText, ServiceText

__all__ = [
    "Account",
    "Cancellation",
    "CatalogStamp",
    "Category",
    "CategoryText",
    "CustomerRate",
    "Measure",
    "Order",
    "OrderEvent",
    "PriceChange",
    "PriceLevel",
    "Refill",
    "Run",
    "Service",
    "ServiceText",
    "Transfer",
]
