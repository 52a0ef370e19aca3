"""The ground floor in the back office. Orders and services show what panels do: see ``providers.admin``."""

from orders.admin import catalog, ledger, pricing

__all__ = ["catalog", "ledger", "pricing"]
