"""A customer's endpoints: made, changed, paused, removed, and their secrets. The pages are thin callers of this."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.db.encrypted_field import Secret
from storefront.accounts import notices, security_log
from storefront.accounts.models import User
from storefront.accounts.notices import Notice
from storefront.webhooks import signing
from storefront.webhooks.models import FLAGS, Endpoint, Pause

#: A customer's endpoints.
MOST = 5
#: For so long a secret still signs after its successor was made.
ROTATION = timedelta(hours=24)


class TooManyEndpoints(Exception):
    """The customer has as many endpoints as there may be."""


def add(user: User, *, url: str, **flags: bool) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which whoever asked must show now, once. Raises TooMany."""
    secret = signing.new_secret()
    with transaction.atomic():
        # Two forms sent at once are counted one after the other.
        User.objects.select_for_update().get(pk=user.pk)
        if Endpoint.objects.filter(user=user).count() >= MOST:
            raise TooManyEndpoints
        columns: dict[str, Any] = {"url": url, "secret": Secret.hide(secret), **flags}
        endpoint = Endpoint.objects.create(user=user, **columns)
        _tell_owner(endpoint, "webhook_created", _created)
    return endpoint, secret


@transaction.atomic
def change(endpoint: Endpoint, *, url: str, **flags: bool) -> Endpoint:
    """A new address starts with a clean record, and the owner is told of it."""
    if url != endpoint.url:
        _tell_owner(endpoint, "webhook_changed", lambda row: _moved(row, url))
        endpoint.url, endpoint.failing_since, endpoint.held_until = url, None, None
    for name, is_wanted in flags.items():
        setattr(endpoint, name, is_wanted)
    endpoint.save(update_fields=["url", "failing_since", "held_until", *FLAGS.values()])
    return endpoint


@transaction.atomic
def rotate(endpoint: Endpoint) -> str:
    """A new secret, to be shown once. The one before signs as well for ROTATION: nothing is refused meanwhile."""
    secret = signing.new_secret()
    endpoint.former_secret, endpoint.secret = endpoint.secret, Secret.hide(secret)
    endpoint.former_until = timezone.now() + ROTATION
    endpoint.save(update_fields=["secret", "former_secret", "former_until"])
    _tell_owner(endpoint, "webhook_secret_changed", _rotated)
    return secret


def pause(endpoint: Endpoint) -> Endpoint:
    """Nothing is sent any more, and no event is kept; what waits stays."""
    endpoint.is_active, endpoint.pause_reason, endpoint.paused_at = False, Pause.OWNER, timezone.now()
    endpoint.save(update_fields=["is_active", "pause_reason", "paused_at"])
    return endpoint


def resume(endpoint: Endpoint) -> Endpoint:
    endpoint.is_active, endpoint.pause_reason, endpoint.paused_at = True, "", None
    endpoint.failing_since = endpoint.held_until = None
    endpoint.save(update_fields=["is_active", "pause_reason", "paused_at", "failing_since", "held_until"])
    return endpoint


def _tell_owner(endpoint: Endpoint, name: str, compose: Callable[[Endpoint], Notice]) -> None:
    """By e-mail, and in the security log: webhooks carry orders and balances to whoever has the address."""
    security_log.note(name, None, endpoint.user, endpoint=endpoint.pk)
    notices.send(endpoint.user, name, lambda: compose(endpoint))


def _created(endpoint: Endpoint) -> Notice:
    return _notice(_("A new webhook was created"), _("Events of your account are now sent to %s.") % endpoint.url)


def _moved(endpoint: Endpoint, url: str) -> Notice:
    told = _("Events of your account that went to %(old)s are now sent to %(new)s.")
    return _notice(_("The address of a webhook was changed"), told % {"old": endpoint.url, "new": url})


def _rotated(endpoint: Endpoint) -> Notice:
    return _notice(
        _("The secret of a webhook was changed"), _("The webhook to %s got a new signing secret.") % endpoint.url
    )


def _notice(subject: str, told: str) -> Notice:
    advice = _("If you did not do this, remove the webhook and change your password at once.")
    return Notice(subject, (told, advice), reverse("webhooks:endpoints"))


def remove(endpoint: Endpoint) -> None:
    """With all that was sent to it. Waits for whoever is about to tell it something.

    Lock order: the endpoint's row, then those of its deliveries.
    """
    with transaction.atomic():
        for row in Endpoint.objects.select_for_update().filter(pk=endpoint.pk):
            row.delete()
