"""Services with the customer's prices, their delivery times and price history."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import DeliveryStats, PriceChange, Service
from storefront.api.rest.base import RestViewSet
from storefront.api.rest.filters import ServiceFilter
from storefront.api.rest.serializers import DeliveryTimesSerializer, PriceChangeSerializer, ServiceSerializer


class ServiceViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """The services on sale, at the prices of the key's customer."""

    queryset = Service.objects.none()  # names the model to the description; own_rows has them
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilter
    sandbox_actions = frozenset({"list", "retrieve", "delivery_times", "price_history"})
    tag = "Services"

    def own_rows(self) -> QuerySet[Service]:
        return Service.objects.on_sale().with_own_rates(self.caller.user)

    @action(detail=True, url_path="delivery-times", serializer_class=DeliveryTimesSerializer, filterset_class=None)
    def delivery_times(self, request: Request, pk: str) -> Response:
        """Read the delivery times of a service. They are not found before enough orders were delivered."""
        on_sale = Service.objects.on_sale().order_by()
        measured = DeliveryStats.objects.filter(service__in=on_sale, sample__gte=DeliveryStats.LEAST)
        return Response(self.get_serializer(get_object_or_404(measured, service=pk)).data)

    @extend_schema(responses=PriceChangeSerializer(many=True))
    @action(detail=True, url_path="price-history", serializer_class=PriceChangeSerializer, filterset_class=None)
    def price_history(self, request: Request, pk: str) -> Response:
        """List the price changes of a service, newest first."""
        service = get_object_or_404(Service.objects.on_sale(), pk=pk)
        page: Any = self.paginate_queryset(PriceChange.objects.filter(service=service))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
