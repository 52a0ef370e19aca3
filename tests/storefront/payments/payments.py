"""Helpers that create payments as gateways, customers and staff do."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from orders.models import Account, Transfer
from storefront.accounts.models import User
from storefront.payments import crediting, starting
from storefront.payments.gateway import Customer
from storefront.payments.gateways.demo import HEADER, signature
from storefront.payments.models import Payment, PaymentMethod
from storefront.web import private_files
from tests.uploads import png

SECRET = "only-the-tests-sign-with-this"


def bank(name: str = "Bank transfer", **details: Any) -> PaymentMethod:
    texts = {"instructions": "Send {amount}, purpose {reference}.", "details": "IBAN: 1"}
    config = texts | {
        key: details.pop(key) for key in ("instructions", "details", "transaction_number") if key in details
    }
    facts = {"minimum": Decimal(5)} | details
    return PaymentMethod.objects.create(gateway="transfer", name=name, config=config, **facts)


def demo_method(**details: Any) -> PaymentMethod:
    """Return the demo's payment method, changed by ``details``."""
    facts = {"name": "Demo payment", "minimum": Decimal(1), "maximum": Decimal(10_000), **details}
    return PaymentMethod.objects.update_or_create(gateway="demo", defaults=facts)[0]


def demo_key() -> str:
    """Return the key of the demo's method on the "Add funds" form."""
    return str((PaymentMethod.objects.filter(gateway="demo").first() or demo_method()).pk)


def start(user: User, method: PaymentMethod, amount: str = "10", **details: Any) -> Payment:
    customer = Customer(number=user.pk, email=user.email, ip="203.0.113.7")
    return starting.start(user, method=method, amount=Decimal(amount), customer=customer, **details)


def demo(user: User, amount: str = "10", **details: Any) -> Payment:
    """Start a payment with the demo gateway."""
    method = PaymentMethod.objects.filter(gateway="demo").first() or demo_method()
    return start(user, method, amount, **details)


def manual(user: User, amount: str = "10", method: PaymentMethod | None = None) -> Payment:
    """Start a manual payment without a proof."""
    return start(user, method or bank(), amount)


def webhook_path(method: PaymentMethod | None = None) -> str:
    """Return the path of a method's webhooks, by default the demo's."""
    method = method or PaymentMethod.objects.get(gateway="demo")
    return reverse("payments:webhook", args=[method.pk, method.token])


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
    return sender.post(webhook_path(), raw, content_type="application/json", headers={HEADER: signed})


def balance(user: User) -> Decimal:
    return Account.objects.get(user=user).balance or Decimal(0)


def status_after(body: dict[str, Any], **details: Any) -> str:
    """Deliver a webhook that has to be accepted, and return the status of its payment."""
    assert deliver(body, **details).status_code == 200
    return Payment.objects.get(reference=body["reference"]).status


def credited_amounts(payment: Payment) -> list[Decimal]:
    """Return the amounts of the ledger's transfers for the payment."""
    reference = f"payment:{payment.gateway}:{payment.reference}"
    return list(
        Transfer.objects.filter(reference__startswith=reference).order_by("pk").values_list("amount", flat=True)
    )
