"""Payments as gateways, customers and staff make them, through the doors that they have."""

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
    words = {"instructions": "Send {amount}, purpose {reference}.", "details": "IBAN 1"}
    return ManualMethod.objects.create(name=name, minimum=Decimal(5), **{**words, **details})


def demo(user: User, amount: str = "10", **details: Any) -> Payment:
    """A payment that was begun with the demo gateway."""
    gateway = GATEWAYS["demo"]
    return starting.start(user, gateway=gateway, way=gateway.ways()[0], amount=Decimal(amount), **details)


def by_hand(user: User, amount: str = "10", method: ManualMethod | None = None) -> Payment:
    """A payment by hand, of which nobody has sent a proof yet."""
    wanted, gateway = method or bank(), GATEWAYS["transfer"]
    way = next(way for way in gateway.ways() if way.method == str(wanted.pk))
    return starting.start(user, gateway=gateway, way=way, amount=Decimal(amount))


def proven(user: User, amount: str = "10") -> Payment:
    """A payment by hand that waits for staff."""
    payment = by_hand(user, amount)
    key = private_files.PrivateStorage().save("proofs/one.png", ContentFile(png()))
    crediting.credit_proven(payment, key=key, kind="png", size=len(png()))
    payment.refresh_from_db()
    return payment


def told(payment: Payment, **changes: Any) -> dict[str, Any]:
    """What the webhook of a payment in full says."""
    facts = {
        "id": "p1",
        "status": "paid",
        "amount": str(payment.amount),
        "currency": "USD",
        "reference": payment.reference,
    }
    return {**facts, **changes}


def deliver(body: Any, *, at: float | None = None, header: str | None = None, client: Client | None = None) -> Any:
    """Posts a webhook; ``body`` is JSON, or bytes as they are."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = signature(raw, at=int(time.time() if at is None else at)) if header is None else header
    sender = client or Client(raise_request_exception=False)
    return sender.post(WEBHOOK, raw, content_type="application/json", headers={HEADER: signed})


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def booked(payment: Payment) -> list[Decimal]:
    """What the ledger brought into the wallet for this top-up."""
    reference = f"payment:{payment.gateway}:{payment.reference}"
    return list(Transfer.objects.filter(reference=reference).values_list("amount", flat=True))
