"""The filters of lists, as query parameters. An invalid value is an error, never ignored."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend

from orders.models import Cancellation, Order, Refill, Service, Transfer
from orders.models.customer_request import RequestStatus
from orders.models.ledger import TransferKind
from orders.rules.service_types import SERVICE_TYPES
from orders.rules.state_machine import Status
from storefront.api.rest.fields import ID_MAX
from storefront.api.rest.serializers import (
    REQUEST_STATUS_WORDS,
    REQUEST_STATUSES,
    STATUS_WORDS,
    STATUSES,
)
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill
from storefront.payments.models import Payment, PaymentStatus

_SEARCH_MAX = 100


class RowsFilter(DjangoFilterBackend):
    """Filter the rows of the sandbox by their own columns."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        return view.sandbox.filterset_class if view.reads_sandbox else super().get_filterset_class(view, queryset)


class IdFilter(django_filters.NumberFilter):
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, min_value=1, max_value=ID_MAX, **options)


class SearchFilter(django_filters.CharFilter):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_SEARCH_MAX, **options)


class WordFilter(django_filters.ChoiceFilter):
    """Filter by a word of the API that stands for one or several values of the column."""

    def __init__(self, values: dict[Any, str], words: tuple[str, ...], **options: Any) -> None:
        self.values = values
        super().__init__(choices=[(word, word) for word in words], **options)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        return qs.filter(**{f"{self.field_name}__in": [row for row, word in self.values.items() if word == value]})


class ServiceFilter(django_filters.FilterSet):
    category = IdFilter(label="The ID of a category.")
    type = django_filters.ChoiceFilter(
        field_name="service_type", choices=[(code, code) for code in SERVICE_TYPES], label="The type of the service."
    )
    search = SearchFilter(method="filter_search", label="Words that the name, category or description contains.")
    supports_refill = django_filters.BooleanFilter(field_name="has_refill", label="Whether refills are included.")
    supports_cancel = django_filters.BooleanFilter(field_name="has_cancel", label="Whether orders can be canceled.")

    class Meta:
        model = Service
        fields = ()

    def filter_search(self, services: Any, name: str, value: str) -> Any:
        return services.matching(value)


class CreatedFilter(django_filters.FilterSet):
    created_after = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", label="Created at this time or later."
    )
    created_before = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", label="Created before this time."
    )


class OrderFilter(CreatedFilter):
    service = IdFilter(label="The ID of a service.")
    status = WordFilter(STATUSES, STATUS_WORDS, field_name="status", label="The status.")

    class Meta:
        model = Order
        fields = ()


class _RequestFilter(CreatedFilter):
    order = IdFilter(label="The ID of an order.")
    status = WordFilter(REQUEST_STATUSES, REQUEST_STATUS_WORDS, field_name="status", label="The status.")


class RefillFilter(_RequestFilter):
    class Meta:
        model = Refill
        fields = ()


class CancellationFilter(_RequestFilter):
    class Meta:
        model = Cancellation
        fields = ()


class TransactionFilter(CreatedFilter):
    kind = django_filters.ChoiceFilter(choices=[(kind, kind) for kind in TransferKind.values], label="The kind.")
    order = IdFilter(label="The ID of an order.")

    class Meta:
        model = Transfer
        fields = ()


class PaymentFilter(CreatedFilter):
    status = django_filters.ChoiceFilter(
        choices=[(status, status) for status in PaymentStatus.values], label="The status."
    )

    class Meta:
        model = Payment
        fields = ()


# ------------------------------------------------------------------------------------------------ the sandbox
class SandboxOrderFilter(CreatedFilter):
    service = IdFilter()
    status = django_filters.ChoiceFilter(choices=[(word, word) for word in STATUS_WORDS], method="filter_status")

    class Meta:
        model = SandboxOrder
        fields = ()

    def filter_status(self, orders: QuerySet[SandboxOrder], name: str, value: str) -> QuerySet[SandboxOrder]:
        """Filter by the state at present, which follows from the times of the order."""
        now = timezone.now()
        is_open = Q(ends_at=None) | Q(ends_at__gt=now)
        ended = [status for status, word in STATUSES.items() if word == value]
        condition = ~is_open & Q(final_status__in=ended)
        if value == STATUSES[Status.QUEUED]:
            condition |= is_open & Q(started_at__gt=now)
        elif value == STATUSES[Status.IN_PROGRESS]:
            condition |= is_open & Q(started_at__lte=now)
        return orders.filter(condition)


class SandboxRefillFilter(CreatedFilter):
    order = IdFilter()
    status = django_filters.ChoiceFilter(
        choices=[(word, word) for word in REQUEST_STATUS_WORDS], method="filter_status"
    )

    class Meta:
        model = SandboxRefill
        fields = ()

    def filter_status(self, refills: QuerySet[SandboxRefill], name: str, value: str) -> QuerySet[SandboxRefill]:
        now = timezone.now()
        if value in (REQUEST_STATUSES[RequestStatus.COMPLETED], REQUEST_STATUSES[RequestStatus.REJECTED]):
            is_rejected = value == REQUEST_STATUSES[RequestStatus.REJECTED]
            return refills.filter(ends_at__lte=now, is_rejected=is_rejected)
        # Open refills are those of the last minutes, so they are few.
        found = [row.pk for row in refills.filter(ends_at__gt=now) if REQUEST_STATUSES[row.status] == value]
        return refills.filter(pk__in=found)


class SandboxCancellationFilter(django_filters.FilterSet):
    order = IdFilter(field_name="pk")
    status = django_filters.ChoiceFilter(
        choices=[(word, word) for word in REQUEST_STATUS_WORDS], method="filter_status"
    )
    created_after = django_filters.IsoDateTimeFilter(field_name="cancel_requested_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="cancel_requested_at", lookup_expr="lt")

    class Meta:
        model = SandboxOrder
        fields = ()

    def filter_status(self, orders: QuerySet[SandboxOrder], name: str, value: str) -> QuerySet[SandboxOrder]:
        is_open = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
        stopped = Q(final_status__in=(Status.CANCELED, Status.PARTIAL))
        conditions = {
            REQUEST_STATUSES[RequestStatus.WAITING]: is_open,
            REQUEST_STATUSES[RequestStatus.COMPLETED]: ~is_open & stopped,
            REQUEST_STATUSES[RequestStatus.REJECTED]: ~is_open & ~stopped,
        }
        return orders.filter(conditions[value]) if value in conditions else orders.none()
