"""Webhook endpoints of the customer, and the events that were sent to them."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from storefront.api.rest.base import RestViewSet
from storefront.api.rest.idempotency import idempotent
from storefront.api.rest.problems import Code, Problem
from storefront.api.rest.serializers import (
    EndpointChange,
    EndpointRequest,
    EndpointSerializer,
    EndpointWithSecretSerializer,
    EventSerializer,
)
from storefront.webhooks import endpoints, outbox
from storefront.webhooks.forms import EndpointForm
from storefront.webhooks.models import FLAGS, Delivery, Endpoint


class EndpointViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """Webhook endpoints: where events of the customer's account are sent."""

    queryset = Endpoint.objects.none()  # names the model to the description; own_rows has them
    serializer_class = EndpointSerializer
    tag = "Webhooks"

    def own_rows(self) -> QuerySet[Endpoint]:
        return Endpoint.objects.filter(user=self.caller.user_id)

    @extend_schema(request=EndpointRequest, responses={201: EndpointWithSecretSerializer})
    @idempotent()
    def create(self, request: Request) -> Response:
        """Add an endpoint. The answer has the signing secret, which cannot be read again."""
        columns = _columns(EndpointRequest.read(request.data))
        try:
            endpoint, secret = endpoints.add(self.caller.user, **columns)
        except endpoints.TooManyEndpoints:
            raise Problem(
                Code.TOO_MANY_ENDPOINTS, f"You have {endpoints.MAX_ENDPOINTS} endpoints. Remove one first."
            ) from None
        headers = {"Location": f"/api/v3/webhook-endpoints/{endpoint.pk}"}
        return Response(_with_secret(endpoint, secret), status=201, headers=headers)

    @extend_schema(request=EndpointChange, responses=EndpointSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the URL or the events of an endpoint, pause it or resume it."""
        endpoint = self.get_object()
        sent = EndpointChange.read(request.data)
        if sent.keys() & {"url", "events"}:
            endpoint = endpoints.change(endpoint, **_columns({**EndpointSerializer(endpoint).data, **sent}))
        is_active = sent.get("is_active", endpoint.is_active)
        if is_active and not endpoint.is_active:
            endpoint = endpoints.resume(endpoint)
            outbox.wake()
        elif endpoint.is_active and not is_active:
            endpoint = endpoints.pause(endpoint)
        return Response(EndpointSerializer(endpoint).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove an endpoint with everything that was sent to it."""
        endpoints.remove(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses=EndpointWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    @idempotent()
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Replace the signing secret. The former one also signs for 24 hours."""
        endpoint = self.get_object()
        return Response(_with_secret(endpoint, endpoints.rotate(endpoint)))

    @extend_schema(request=None, responses={202: EndpointSerializer})
    @action(detail=True, methods=["post"])
    @idempotent()
    def test(self, request: Request, pk: str) -> Response:
        """Send a test event to an active endpoint."""
        endpoint = self.get_object()
        if not endpoint.is_active:
            raise Problem(Code.ENDPOINT_PAUSED)
        outbox.send_test(endpoint)
        return Response(EndpointSerializer(endpoint).data, status=202)


class EventViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """Events that were recorded for the customer's webhook endpoints, newest first."""

    queryset = Delivery.objects.none()  # names the model to the description; own_rows has them
    serializer_class = EventSerializer
    lookup_field = "event"
    lookup_value_regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    tag = "Webhooks"

    def own_rows(self) -> QuerySet[Delivery]:
        own = Delivery.objects.filter(endpoint__user=self.caller.user_id)
        # One row for each event: its first delivery to an endpoint of this customer.
        earlier = own.filter(event=OuterRef("event"), pk__lt=OuterRef("pk"))
        every = Prefetch("event__deliveries", own.order_by("pk"), to_attr="own_deliveries")
        return own.filter(~Exists(earlier)).select_related("event").prefetch_related(every)


def _with_secret(endpoint: Endpoint, secret: str) -> dict[str, Any]:
    return {**EndpointSerializer(endpoint).data, "secret": secret}


def _columns(data: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of an endpoint, by the rules of the form on the webhook page.

    Raises:
        ValidationError: The URL is not allowed, or there is no event.
    """
    form = EndpointForm({"url": data["url"], **{flag: topic in data["events"] for topic, flag in FLAGS.items()}})
    if not form.is_valid():
        found = json.loads(form.errors.as_json())
        raise ValidationError(
            {
                ("url" if name == "url" else "events"): [ErrorDetail(row["message"], row["code"]) for row in rows]
                for name, rows in found.items()
            }
        )
    return dict(form.cleaned_data)
