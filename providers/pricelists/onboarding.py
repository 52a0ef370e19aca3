"""Taking a provider in: save it with its key encrypted, and test that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.encrypted_field import Secret
from providers.errors import AddressNotAllowed
from providers.http.addresses import origin
from providers.models import Provider
from providers.reconciling import evidence, id_search
from providers.transport import conversation


@dataclass(frozen=True, slots=True)
class Tested:
    """What a panel said about our account; ``amount`` in ``currency``."""

    amount: Decimal
    currency: str
    services: int


def save_provider(name: str, *, key: str, **details: Any) -> Provider:
    """A new provider called ``name``, or new details of the one with this name. Raises ValidationError."""
    provider = Provider.objects.filter(name=name).first() or Provider(name=name)
    for field, value in details.items():
        setattr(provider, field, value)
    provider.key = Secret.hide(key)
    provider.full_clean(validate_unique=provider.pk is None)
    provider.save()
    return provider


def check_key_stays(provider: Provider, *, url: str) -> None:
    """Raise ValidationError if the stored key of ``provider`` would be sent to another server by moving to ``url``.

    Whoever may change a provider could otherwise read its key: by pointing it at a server of theirs and testing it.
    """
    if not provider.key:
        return
    try:
        is_same = origin(provider.url) == origin(url)
    except AddressNotAllowed:
        is_same = False
    if not is_same:
        raise ValidationError(
            _("The scheme, host or port of the address changed. Enter the API key again: it is not sent elsewhere.")
        )


def test(provider: Provider) -> Tested:
    """Ask for the balance and the price list, keep the balance, and check whether the search may be used.

    Raises PanelError if the panel does not answer. The check needs a history of orders there; without one it says so in
    ``provider.search_check_result`` and is made again every hour until it passes.
    """
    asked_at = timezone.now()
    balance = conversation.balance(provider)
    evidence.note_balance(provider, balance.amount, asked_at=asked_at)
    services = conversation.services(provider)
    if provider.is_active and provider.is_search_allowed:
        id_search.control(provider)
    return Tested(balance.amount, balance.currency or provider.currency, len(services))
