"""Back office pages of providers, provider services, submissions, orders, services, refills and cancellations."""

from providers.admin import catalog, deposit, order, placement, provider, upstream_request

__all__ = ["catalog", "deposit", "order", "placement", "provider", "upstream_request"]
