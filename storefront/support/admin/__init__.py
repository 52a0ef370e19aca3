"""Support in the back office: the desk where tickets are answered, and what the shop tells everybody."""

from storefront.support.admin import content, ticket

__all__ = ["content", "ticket"]
