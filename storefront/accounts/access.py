"""List and revoke what acts for a customer without signing in, such as API keys and webhooks.

Other applications add their kinds through ACCOUNTS_ACCESS_SOURCES, a list of dotted paths to objects like ``Source``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from storefront.accounts.models import ApiKey, User


@dataclass(frozen=True)
class Grant:
    """One thing that acts for a customer. ``name`` is the name that the customer sees."""

    kind: str
    pk: int
    name: str
    created_at: datetime
    last_used_at: datetime | None

    @property
    def token(self) -> str:
        """Return the value that identifies the grant in a form."""
        return f"{self.kind}:{self.pk}"


class Source(Protocol):
    """The interface for one kind of grant."""

    kind: str
    title: Any

    def active(self, user: User) -> list[Grant]:
        """Return the active grants of ``user``, oldest first."""

    def revoke(self, user: User, pks: Collection[int]) -> None:
        """Revoke the grants of ``user`` with these primary keys."""


class ApiKeys:
    kind = "key"
    title = gettext_lazy("API keys")

    def active(self, user: User) -> list[Grant]:
        return [
            Grant(
                self.kind,
                key.pk,
                _("API key %(name)s (%(prefix)s…)") % {"name": key.name or "–", "prefix": key.prefix},
                key.created_at,
                key.last_used_at,
            )
            for key in ApiKey.objects.active().filter(user=user).order_by("pk")
        ]

    def revoke(self, user: User, pks: Collection[int]) -> None:
        ApiKey.objects.active().filter(user=user, pk__in=pks).update(revoked_at=timezone.now())


api_keys = ApiKeys()


def sources() -> list[Source]:
    return [import_string(path) for path in settings.ACCOUNTS_ACCESS_SOURCES]


def active(user: User) -> list[Grant]:
    """Return every active grant of ``user``."""
    return [grant for source in sources() for grant in source.active(user)]


def revoke(user: User, grants: Collection[Grant]) -> None:
    for source in sources():
        pks = [grant.pk for grant in grants if grant.kind == source.kind]
        if pks:
            source.revoke(user, pks)
