"""Back office pages of providers, provider services, submissions, orders, services, refills and cancellations."""

from providers.admin import catalog, order, placement, provider, upstream_request

__all__ = ["catalog", "order", "placement", "provider", "upstream_request"]
