"""The balance, its transactions, and payments."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from orders.models import Transfer
from storefront.api.rest.base import RestViewSet
from storefront.api.rest.filters import PaymentFilter, TransactionFilter
from storefront.api.rest.serializers import BalanceSerializer, PaymentSerializer, TransactionSerializer
from storefront.payments.models import Payment


class BalanceViewSet(RestViewSet):
    sandbox_actions = frozenset({"retrieve"})
    tag = "Money"

    @extend_schema(responses=BalanceSerializer)
    def retrieve(self, request: Request) -> Response:
        """Read the balance."""
        return Response(BalanceSerializer({"balance": self.caller_balance()}).data)


class TransactionViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """The changes of the customer's balance, newest first."""

    queryset = Transfer.objects.none()  # names the model to the description; own_rows has them
    serializer_class = TransactionSerializer
    filterset_class = TransactionFilter
    tag = "Money"

    def own_rows(self) -> QuerySet[Transfer]:
        return Transfer.objects.filter(wallet__user=self.caller.user_id)


class PaymentViewSet(ListModelMixin, RetrieveModelMixin, RestViewSet):
    """The customer's payments, newest first."""

    queryset = Payment.objects.none()  # names the model to the description; own_rows has them
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    tag = "Money"

    def own_rows(self) -> QuerySet[Payment]:
        return Payment.objects.of(self.caller.user)
