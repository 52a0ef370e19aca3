"""The balance, its transactions, and payments."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import Transfer
from orders.rules import amounts
from storefront.api.rest.base import RestViewSet
from storefront.api.rest.filters import PaymentFilter, TransactionFilter
from storefront.api.rest.serializers import BalanceSerializer, PaymentSerializer, TransactionSerializer
from storefront.payments.models import Payment


class BalanceViewSet(RestViewSet):
    tag = "Money"

    @extend_schema(responses=BalanceSerializer)
    def retrieve(self, request: Request) -> Response:
        """Read the balance."""
        held = amounts.from_units(self.caller.balance, amounts.AMOUNT_PLACES)
        return Response(BalanceSerializer({"balance": held}).data)


class TransactionViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """The changes of the customer's balance, newest first."""

    queryset = Transfer.objects.none()  # names the model to the description; get_queryset has the rows
    serializer_class = TransactionSerializer
    filterset_class = TransactionFilter
    tag = "Money"

    def get_queryset(self) -> QuerySet[Transfer]:
        return Transfer.objects.filter(wallet__user=self.caller.user_id)


class PaymentViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """The customer's payments, newest first."""

    queryset = Payment.objects.none()  # names the model to the description; get_queryset has the rows
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    tag = "Money"

    def get_queryset(self) -> QuerySet[Payment]:
        return Payment.objects.of(self.caller.user)
