"""Add a provider: save it with its key encrypted, and test the connection."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orders.db.encrypted_field import Secret
from providers.errors import AddressNotAllowed
from providers.http.addresses import origin
from providers.models import Provider
from providers.reconciling import id_search
from providers.transport import balances, conversation


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """The result of a connection test: our balance, ``amount`` in ``currency``, and the number of services listed."""

    amount: Decimal
    currency: str
    services: int


def save_provider(name: str, *, key: str, **details: Any) -> Provider:
    """Create the provider ``name``, or change the one with this name.

    Args:
        key: The API key in clear text; it is stored encrypted.
        details: Other fields of Provider.

    Raises:
        ValidationError: a field is not valid; nothing was saved.
    """
    provider = Provider.objects.filter(name=name).first() or Provider(name=name)
    for field, value in details.items():
        setattr(provider, field, value)
    provider.key = Secret.hide(key)
    provider.full_clean(validate_unique=provider.pk is None)
    provider.save()
    return provider


def check_key_stays(provider: Provider, *, url: str) -> None:
    """Raise ValidationError if the stored key of ``provider`` would be sent to another server by moving to ``url``.

    Otherwise anyone who may edit a provider could read its key, by moving it to a server of their own and testing it.
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


def test_connection(provider: Provider) -> ConnectionTest:
    """Ask for the balance and the price list, store the balance, and check whether lost orders may be searched for.

    The search check needs orders that were placed earlier. Without them it says so in
    ``provider.search_check_result`` and runs again every hour until it passes.

    Raises:
        ProviderError: the panel did not answer.
    """
    balance = balances.update_balance(provider)
    services = conversation.services(provider)
    if provider.is_active and provider.is_search_allowed:
        id_search.check_search(provider)
    return ConnectionTest(balance.amount, balance.currency or provider.currency, len(services))
