"""Create, change, pause, resume and remove a customer's webhook endpoints, and rotate their secrets."""

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

#: Maximum number of endpoints per customer.
MAX_ENDPOINTS = 5
#: How long the former secret still signs after a rotation.
ROTATION_PERIOD = timedelta(hours=24)


class TooManyEndpoints(Exception):
    """The customer already has the maximum number of endpoints."""


def add(user: User, *, url: str, **flags: bool) -> tuple[Endpoint, str]:
    """Create an endpoint.

    Returns:
        The endpoint and its secret as text. The caller must show the secret now: it cannot be shown again.

    Raises:
        TooManyEndpoints: The customer already has ``MAX_ENDPOINTS`` endpoints.
    """
    secret = signing.new_secret()
    with transaction.atomic():
        # Lock the user, so that two forms sent at once are counted one after the other.
        User.objects.select_for_update().get(pk=user.pk)
        if Endpoint.objects.filter(user=user).count() >= MAX_ENDPOINTS:
            raise TooManyEndpoints
        columns: dict[str, Any] = {"url": url, "secret": Secret.hide(secret), **flags}
        endpoint = Endpoint.objects.create(user=user, **columns)
        _notify_owner(endpoint, "webhook_created", _created)
    return endpoint, secret


@transaction.atomic
def change(endpoint: Endpoint, *, url: str, **flags: bool) -> Endpoint:
    """Change the URL and the events of an endpoint.

    A new URL clears the record of failures, and the owner is notified of it.
    """
    if url != endpoint.url:
        _notify_owner(endpoint, "webhook_changed", lambda row: _url_changed(row, url))
        endpoint.url, endpoint.failing_since, endpoint.held_until = url, None, None
    for name, is_wanted in flags.items():
        setattr(endpoint, name, is_wanted)
    endpoint.save(update_fields=["url", "failing_since", "held_until", *FLAGS.values()])
    return endpoint


@transaction.atomic
def rotate(endpoint: Endpoint) -> str:
    """Replace the secret and return the new one, which can be shown only once.

    The former secret also signs for ``ROTATION_PERIOD``, so that a receiver that still checks with it refuses nothing.
    """
    secret = signing.new_secret()
    endpoint.former_secret, endpoint.secret = endpoint.secret, Secret.hide(secret)
    endpoint.former_until = timezone.now() + ROTATION_PERIOD
    endpoint.save(update_fields=["secret", "former_secret", "former_until"])
    _notify_owner(endpoint, "webhook_secret_changed", _rotated)
    return secret


def pause(endpoint: Endpoint) -> Endpoint:
    """Stop sending to the endpoint and recording events for it. Deliveries that are already waiting are kept."""
    endpoint.is_active, endpoint.pause_reason, endpoint.paused_at = False, Pause.OWNER, timezone.now()
    endpoint.save(update_fields=["is_active", "pause_reason", "paused_at"])
    return endpoint


def resume(endpoint: Endpoint) -> Endpoint:
    endpoint.is_active, endpoint.pause_reason, endpoint.paused_at = True, "", None
    endpoint.failing_since = endpoint.held_until = None
    endpoint.save(update_fields=["is_active", "pause_reason", "paused_at", "failing_since", "held_until"])
    return endpoint


def _notify_owner(endpoint: Endpoint, name: str, compose: Callable[[Endpoint], Notice]) -> None:
    """Notify the owner by email and write to the security log.

    Webhooks send orders and balances to the owner of the URL.
    """
    security_log.note(name, None, endpoint.user, endpoint=endpoint.pk)
    notices.send(endpoint.user, name, lambda: compose(endpoint))


def _created(endpoint: Endpoint) -> Notice:
    return _notice(_("New webhook created"), _("Events from your account are now sent to %s.") % endpoint.url)


def _url_changed(endpoint: Endpoint, url: str) -> Notice:
    text = _("Events from your account are now sent to %(new)s instead of %(old)s.")
    return _notice(_("Webhook URL changed"), text % {"old": endpoint.url, "new": url})


def _rotated(endpoint: Endpoint) -> Notice:
    return _notice(_("Webhook secret changed"), _("The webhook %s now has a new signing secret.") % endpoint.url)


def _notice(subject: str, text: str) -> Notice:
    advice = _("If you didn't do this, delete the webhook and change your password right away.")
    return Notice(subject, (text, advice), reverse("webhooks:endpoints"))


def remove(endpoint: Endpoint) -> None:
    """Delete the endpoint and all of its deliveries.

    The row lock waits for a transaction that is about to add deliveries to the endpoint. Lock order: the endpoint's
    row, then the rows of its deliveries.
    """
    with transaction.atomic():
        for row in Endpoint.objects.select_for_update().filter(pk=endpoint.pk):
            row.delete()
