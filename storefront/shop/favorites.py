"""A customer's favorite services."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Value

from orders.models import Service
from storefront.shop.models import Favorite


def set_favorite(user: Any, *, service: Service, is_on: bool) -> bool:
    """Add or remove a favorite; repeating the call changes nothing. Return whether it is a favorite now."""
    if is_on:
        Favorite.objects.get_or_create(user=user, service=service)
    else:
        Favorite.objects.filter(user=user, service=service).delete()
    return is_on


def is_favorite(user: Any) -> Exists | Value:
    """Return the condition for ``annotate`` and ``filter`` on services."""
    if not user.is_authenticated:
        return Value(False)
    return Exists(Favorite.objects.filter(user=user.pk, service=OuterRef("pk")))
