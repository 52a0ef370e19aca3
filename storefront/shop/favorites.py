"""A customer's favourites: put on and taken off by the star, and which services have one."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Value

from orders.models import Service
from storefront.shop.models import Favorite


def set_favorite(user: Any, *, service: Service, is_on: bool) -> bool:
    """Gives ``service`` the star or takes it; the same again changes nothing. Returns whether it has one now."""
    if is_on:
        Favorite.objects.get_or_create(user=user, service=service)
    else:
        Favorite.objects.filter(user=user, service=service).delete()
    return is_on


def is_favorite(user: Any) -> Exists | Value:
    """For ``annotate`` and ``filter`` on services."""
    if not user.is_authenticated:
        return Value(False)
    return Exists(Favorite.objects.filter(user=user.pk, service=OuterRef("pk")))
