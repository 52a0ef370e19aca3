"""Receive what gateways say: webhooks, returning browsers and answers to queries, and keep the evidence.

The gateway is asked or its proof checked first, outside any transaction; ``crediting`` then applies the result.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.utils import timezone

from orders.errors import InvalidAmount
from storefront.payments import crediting, gateways, starting
from storefront.payments.gateway import (
    Gateway,
    GatewayError,
    GatewayReport,
    GatewayUnreachable,
    Webhook,
    WebhookAnswer,
    WebhookRejected,
)
from storefront.payments.models import EventSource, Payment, PaymentEvent, PaymentMethod, PaymentStatus
from storefront.payments.wire.http import redact
from storefront.web.plain_text import one_line

logger = logging.getLogger("vitrine.payments")

#: Maximum number of events that are kept of one payment, and of characters of each.
EVENTS_MAX, CONTENT_MAX = 200, 16_000
#: What a gateway's reader raises for a body that it does not understand. None of these is a fault of the shop, but a
#: webhook that was not read must not be answered with "fine".
_UNREADABLE = (InvalidAmount, ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError)


def receive(method: PaymentMethod, webhook: Webhook) -> tuple[WebhookAnswer, Payment | None]:
    """Apply a webhook.

    Returns:
        What to answer to the gateway, and the payment that the webhook is about, if it is one of ours.

    Raises:
        WebhookRejected: It is not proven to come from the gateway, or not understood. Nothing was changed.
        GatewayUnreachable: The gateway was asked about it and did not answer. It should come again.
    """
    gateway = gateways.of(method)
    if method.checks_networks and gateway.webhook_networks and not is_from(webhook.ip, gateway.webhook_networks):
        raise WebhookRejected("the sender's address is not one of the gateway's")
    try:
        report = gateway.read_webhook(webhook)
        payment = crediting.apply_report(method, report) if report else None
    except GatewayError:
        raise
    except _UNREADABLE as problem:
        raise WebhookRejected(f"the content is not understood: {type(problem).__name__}") from None
    if payment and report:
        _keep_event(payment, EventSource.WEBHOOK, gateway, report, content=_text_of(webhook), ip=webhook.ip)
    elif report:
        logger.warning("A webhook of payment method %s names no payment of it", method.pk)
    return gateway.answer_webhook(webhook), payment


def returned(payment: Payment, params: Mapping[str, str]) -> Payment:
    """Apply what is proven when the customer's browser returns from the gateway. Errors leave the payment waiting."""
    if payment.status == PaymentStatus.CREDITED or payment.method is None:
        return payment
    gateway = gateways.of(payment.method)
    try:
        report = gateway.read_return(starting.details(payment), params)
        return _apply(payment, gateway, report, EventSource.RETURN)
    except (GatewayError, *_UNREADABLE) as problem:
        logger.warning("The return of payment %s proved nothing: %s", payment.pk, _reason(gateway, problem))
        return payment


def query(payment: Payment) -> Payment:
    """Ask the gateway for the state of ``payment`` and apply the answer.

    Raises:
        GatewayError: The gateway did not answer, or refused.
    """
    assert payment.method is not None
    gateway = gateways.of(payment.method)
    try:
        report = gateway.query(starting.details(payment))
        return _apply(payment, gateway, report, EventSource.QUERY)
    except _UNREADABLE as problem:
        raise GatewayUnreachable(f"the answer is not understood: {type(problem).__name__}") from None


def query_interval(payment: Payment) -> timedelta:
    """Return how long to wait before the gateway is asked again: a tenth of the age, from 1 minute to 1 hour."""
    age = timezone.now() - payment.created_at
    return min(max(age / 10, timedelta(minutes=1)), timedelta(hours=1))


def is_from(ip: str, networks: Iterable[str]) -> bool:
    """Return whether an address lies in one of the networks."""
    try:
        address = ipaddress.ip_address(ip)
        return any(address in ipaddress.ip_network(network) for network in networks)
    except ValueError:
        return False


def _apply(payment: Payment, gateway: Gateway, report: GatewayReport | None, source: EventSource) -> Payment:
    if report is None or payment.method is None:
        return payment
    applied = crediting.apply_report(payment.method, report)
    if applied is None or applied.pk != payment.pk:
        raise GatewayUnreachable("the answer is about another payment")
    if applied.mark != payment.mark:
        _keep_event(applied, source, gateway, report, content=report.note)
    return applied


def _keep_event(
    payment: Payment, source: EventSource, gateway: Gateway, report: GatewayReport, *, content: str, ip: str = ""
) -> None:
    if PaymentEvent.objects.filter(payment=payment)[:EVENTS_MAX].count() >= EVENTS_MAX:
        return
    shown = redact(content, gateway.secrets)[:CONTENT_MAX].replace("\x00", "")
    PaymentEvent.objects.create(
        payment=payment, source=source, state=report.state.value, content=shown, ip=_address(ip)
    )


def _text_of(webhook: Webhook) -> str:
    """Return a webhook as text for staff: its query and its body."""
    query = "&".join(f"{key}={value}" for key, value in webhook.query.items())
    return "\n".join(part for part in (query, webhook.body.decode(errors="replace")) if part)


def _address(ip: str) -> str | None:
    try:
        return str(ipaddress.ip_address(ip))
    except ValueError:
        return None


def _reason(gateway: Gateway, problem: Exception) -> str:
    return one_line(redact(str(problem), gateway.secrets), 300) or type(problem).__name__
