"""The back office of the middle floor: providers, and the pages of services and orders, which show what panels do."""

from providers.admin import catalog, order, placement, provider, upstream_request

__all__ = ["catalog", "order", "placement", "provider", "upstream_request"]
