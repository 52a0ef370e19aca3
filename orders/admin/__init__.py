"""Back office pages for the ledger, categories and special prices.

Orders and services are in ``providers.admin``, because their pages show what happens at panels.
"""

from orders.admin import catalog, ledger, pricing

__all__ = ["catalog", "ledger", "pricing"]
