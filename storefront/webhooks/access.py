"""Let a password reset list and pause the customer's webhooks.

A webhook acts for the customer: if its address belongs to another person, that person keeps receiving the customer's
events.
"""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from storefront.accounts.access import Grant
from storefront.accounts.models import User
from storefront.webhooks.models import Endpoint, Pause


class Webhooks:
    kind = "webhook"
    title = gettext_lazy("Webhooks")

    def active(self, user: User) -> list[Grant]:
        return [
            Grant(self.kind, row.pk, _("Webhook %s") % row.url, row.created_at, None)
            for row in Endpoint.objects.filter(user=user, is_active=True).order_by("pk")
        ]

    def revoke(self, user: User, pks: Collection[int]) -> None:
        """Pause the given webhooks, so that nothing more is sent; the history of their deliveries is kept."""
        Endpoint.objects.filter(user=user, pk__in=pks).update(
            is_active=False, pause_reason=Pause.REVOKED, paused_at=timezone.now()
        )


webhooks = Webhooks()
