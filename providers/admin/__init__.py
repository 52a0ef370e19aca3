"""The back office of the middle floor: providers, and the pages of services and orders, which show what panels do."""

from providers.admin import aftercare, catalog, order, placement, provider

__all__ = ["aftercare", "catalog", "order", "placement", "provider"]
