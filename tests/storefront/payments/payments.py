"""Helpers that create payments as gateways, customers and staff do."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.test import Client

from orders.models import Account, Transfer
from storefront.accounts.models import User
from storefront.payments import crediting, starting
from storefront.payments.gateways import GATEWAYS
from storefront.payments.gateways.demo import HEADER, signature
from storefront.payments.models import ManualMethod, Payment
from storefront.web import private_files
from tests.uploads import png

SECRET = "only-the-tests-sign-with-this"
WEBHOOK = "/wallet/add-funds/webhooks/demo/"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(*permissions: str, email: str = "staff@example.com") -> User:
    user = User.objects.create_user(email, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def bank(name: str = "Bank transfer", **details: Any) -> ManualMethod:
    texts = {"instructions": "Send {amount}, purpose {reference}.", "details": "IBAN 1"}
    return ManualMethod.objects.create(name=name, minimum=Decimal(5), **{**texts, **details})


def demo(user: User, amount: str = "10", **details: Any) -> Payment:
    """Start a payment with the demo gateway."""
    gateway = GATEWAYS["demo"]
    return starting.start(user, gateway=gateway, way=gateway.ways()[0], amount=Decimal(amount), **details)


def manual(user: User, amount: str = "10", method: ManualMethod | None = None) -> Payment:
    """Start a manual payment without a proof."""
    wanted, gateway = method or bank(), GATEWAYS["transfer"]
    way = next(way for way in gateway.ways() if way.method == str(wanted.pk))
    return starting.start(user, gateway=gateway, way=way, amount=Decimal(amount))


def with_proof(user: User, amount: str = "10") -> Payment:
    """Create a manual payment with a proof, waiting for review."""
    payment = manual(user, amount)
    key = private_files.PrivateStorage().save("proofs/one.png", ContentFile(png()))
    crediting.add_proof(payment, key=key, kind="png", size=len(png()))
    payment.refresh_from_db()
    return payment


def webhook_of(payment: Payment, **changes: Any) -> dict[str, Any]:
    """Return the webhook of a fully paid payment, with ``changes``."""
    facts = {
        "id": "p1",
        "status": "paid",
        "amount": str(payment.amount),
        "currency": "USD",
        "reference": payment.reference,
    }
    return {**facts, **changes}


def deliver(body: Any, *, at: float | None = None, header: str | None = None, client: Client | None = None) -> Any:
    """Post a signed webhook; ``body`` is encoded as JSON unless it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = signature(raw, at=int(time.time() if at is None else at)) if header is None else header
    sender = client or Client(raise_request_exception=False)
    return sender.post(WEBHOOK, raw, content_type="application/json", headers={HEADER: signed})


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def credited_amounts(payment: Payment) -> list[Decimal]:
    """Return the amounts of the ledger's transfers for the payment."""
    reference = f"payment:{payment.gateway}:{payment.reference}"
    return list(Transfer.objects.filter(reference=reference).values_list("amount", flat=True))
