"""The rows of the ground floor."""

from orders.models.catalog import Category, Service
from orders.models.ledger import Account, Transfer
from orders.models.order import Order, OrderEvent

__all__ = ["Account", "Category", "Order", "OrderEvent", "Service", "Transfer"]
