"""The admin pages of support: tickets and published content."""

from storefront.support.admin import content, ticket

__all__ = ["content", "ticket"]
