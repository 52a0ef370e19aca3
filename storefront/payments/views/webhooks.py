"""Receive the webhooks of gateways. Nothing is applied before the gateway's proof was checked."""

from __future__ import annotations

import logging

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders.errors import InvalidAmount
from storefront.payments import crediting, gateways
from storefront.payments.gateway import PaymentRefused

logger = logging.getLogger("vitrine.payments")
#: Maximum bytes of a webhook.
BODY_MAX = 64 * 1024


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, name: str) -> JsonResponse:
    """Apply a gateway's webhook.

    Returns:
        200 if the report was received, whether or not it changed anything; 400, 404 or 413 if nothing was changed.
    """
    gateway = gateways.find(name)
    if gateway is None:
        return _answer(404, "unknown gateway")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BODY_MAX:
        return _answer(413, "the body is too long")
    try:
        report = gateway.read_webhook(request)
        payment = crediting.report_paid(gateway, report=report)
    except (PaymentRefused, InvalidAmount) as problem:
        logger.warning("A webhook of %s was refused: %s", gateway.name, problem)
        return _answer(400, str(problem))
    if payment is None:
        return _answer(404, "unknown reference")
    return JsonResponse({"status": payment.status})


def _answer(status: int, words: str) -> JsonResponse:
    return JsonResponse({"error": words}, status=status)
