"""Start a payment: store the row first, then call the gateway, in this order and never in one transaction."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from storefront.payments import crediting, gateways, quotes, return_urls
from storefront.payments.gateway import Customer, GatewayUnreachable, PaymentDetails, Urls
from storefront.payments.models import Payment, PaymentMethod

#: When a gateway is asked for the first time, if the webhook has not arrived by then.
FIRST_QUERY = timedelta(minutes=2)


def start(
    user: Any,
    *,
    method: PaymentMethod,
    amount: Decimal,
    customer: Customer,
    return_to: str = "",
    coupon_code: str = "",
    purpose: str = "",
) -> Payment:
    """Start a payment of ``amount``; ``next_url`` of it is where the customer goes next.

    ``purpose`` is passed on to PAYMENT_START_LISTENERS.

    After a GatewayError the row is kept: if the gateway knows the payment after all, its webhook finds the row.

    Raises:
        payment_errors.TooManyOpenPayments: The customer has too many unpaid payments.
        rates.NoRate: There is no current exchange rate for the currency of the method.
        GatewayUnreachable: The gateway did not answer, or it named a host that it may not use.
        GatewayRejected: The gateway refused the payment.
    """
    gateway = gateways.of(method)
    payment = crediting.open_payment(
        user,
        method=method,
        quote=quotes.quote(method, amount),
        return_to=return_to,
        coupon_code=coupon_code,
        purpose=purpose,
        expires_after=gateway.expires_after,
    )
    step = gateway.start(details(payment), customer=customer, urls=urls(payment))
    if not return_urls.is_allowed(gateway, step.action):
        raise GatewayUnreachable(f"{gateway.name} sends customers to a host that it has not named")
    query_at = timezone.now() + FIRST_QUERY if gateway.can_query else None
    return crediting.mark_started(payment, step=step, query_at=query_at)


def next_url(payment: Payment) -> str:
    """Return where the customer goes after the start: the gateway's page, or the page of the payment."""
    own_page = reverse("payments:payment", args=[payment.reference])
    return str(payment.action.get("url") or own_page) if payment.action.get("kind") == "redirect" else own_page


def details(payment: Payment) -> PaymentDetails:
    """Return the facts of a payment that its gateway sees."""
    return PaymentDetails(
        reference=payment.reference,
        number=payment.pk,
        amount=payment.pay_amount,
        currency=payment.pay_currency,
        description=_("Payment %s") % payment.reference,
        upstream_id=payment.upstream_id,
        data=payment.data,
        created_at=payment.created_at,
        expires_at=payment.expires_at,
    )


def urls(payment: Payment) -> Urls:
    assert payment.method is not None
    return Urls(
        webhook=payment.method.webhook_url,
        done=f"{settings.SHOP_URL}{reverse('payments:return', args=[payment.reference])}",
        canceled=f"{settings.SHOP_URL}{reverse('payments:payment', args=[payment.reference])}",
    )
