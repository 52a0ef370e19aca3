"""Taking a provider in: save it with its key encrypted, and test that it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from providers import calling, evidence
from providers.encryption import Secret
from providers.models import Provider


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


def test(provider: Provider) -> Tested:
    """Asks for the balance and the price list, keeps the balance. Raises PanelError."""
    asked_at = timezone.now()
    balance = calling.balance(provider)
    evidence.note_balance(provider, balance.amount, asked_at=asked_at)
    services = calling.services(provider)
    return Tested(balance.amount, balance.currency or provider.currency, len(services))
