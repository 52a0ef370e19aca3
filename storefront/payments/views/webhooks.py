"""Receive the webhooks of gateways. Nothing is applied before the gateway's proof was checked."""

from __future__ import annotations

import hmac
import logging

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from storefront.accounts.ip_addresses import client_address
from storefront.payments import gateways, receiving
from storefront.payments.gateway import GatewayError, Webhook, WebhookRejected
from storefront.payments.models import PaymentMethod

logger = logging.getLogger("vitrine.payments")
#: Maximum bytes of a webhook.
BODY_MAX = 64 * 1024


@csrf_exempt
def webhook(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """Apply a webhook of the gateway of payment method ``pk``.

    Returns:
        What the gateway wants to read if the webhook was understood, whether or not it changed anything; 400, 404,
        405 or 413 if it was not; 503 if the gateway has to come again because it could not be asked.
    """
    method = PaymentMethod.objects.filter(pk=pk).first()
    if method is None or not hmac.compare_digest(method.token, token) or not gateways.is_usable(method):
        return _answer(404, "unknown webhook address")
    gateway = gateways.GATEWAYS[method.gateway]
    if request.method not in gateway.webhook_methods:
        return HttpResponseNotAllowed(gateway.webhook_methods)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_MAX:
        return _answer(413, "the body is too long")
    try:
        answer, payment = receiving.receive(method, _read(request, method))
    except WebhookRejected as problem:
        logger.warning("A webhook of payment method %s was rejected: %s", method.pk, problem)
        return _answer(400, "the webhook was rejected")
    except GatewayError as problem:
        logger.warning("A webhook of payment method %s could not be verified: %s", method.pk, problem)
        return _answer(503, "the payment could not be verified now")
    response = HttpResponse(answer.body, content_type=answer.content_type)
    if payment is not None:
        logger.info("A webhook of payment method %s was applied to payment %s", method.pk, payment.pk)
    return response


def _read(request: HttpRequest, method: PaymentMethod) -> Webhook:
    body = request.body
    return Webhook(
        method=request.method or "",
        body=body,
        headers=dict(request.headers.items()),
        query={name: str(text) for name, text in request.GET.items()},
        form={name: str(text) for name, text in request.POST.items()},
        url=method.webhook_url,
        ip=client_address(request),
    )


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
