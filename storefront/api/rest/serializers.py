"""The resources of the REST API as JSON. Every field is always present; null means that there is no value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.models import (
    Cancellation,
    Category,
    DeliveryStats,
    Order,
    OrderEvent,
    PriceChange,
    Refill,
    Service,
    Transfer,
)
from orders.models.customer_request import RequestStatus
from orders.models.event_codes import EventStep
from orders.models.ledger import TransferKind
from orders.models.order import EventKind
from orders.rules import charges, order_inputs
from orders.rules.order_inputs import Input, Shape
from orders.rules.service_types import INPUTS, SERVICE_TYPES, Count
from orders.rules.state_machine import Status
from storefront.api.rest.fields import AmountField, IdField, RequestSerializer
from storefront.payments.models import Payment, PaymentStatus
from storefront.webhooks.models import FLAGS, TEST, Delivery, DeliveryState, Endpoint, Pause

#: The status that customers see, by the internal one.
STATUSES = {
    Status.QUEUED: "pending",
    Status.SUBMITTING: "pending",
    Status.PENDING: "pending",
    Status.IN_DOUBT: "under_review",
    Status.PROCESSING: "processing",
    Status.IN_PROGRESS: "in_progress",
    Status.COMPLETED: "completed",
    Status.PARTIAL: "partial",
    Status.CANCELED: "canceled",
    Status.FAILED: "failed",
}
STATUS_WORDS = tuple(dict.fromkeys(STATUSES.values()))
REQUEST_STATUSES = {
    RequestStatus.WAITING: "pending",
    RequestStatus.SENT: "pending",
    RequestStatus.IN_PROGRESS: "in_progress",
    RequestStatus.COMPLETED: "completed",
    RequestStatus.REJECTED: "rejected",
}
REQUEST_STATUS_WORDS = tuple(dict.fromkeys(REQUEST_STATUSES.values()))
#: Orders in one request of many.
ORDERS_MAX = 100


class CurrencyField(serializers.CharField):
    """The store currency; every amount of the API is in it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, source="*", help_text="The store currency, by ISO 4217.", **options)

    def to_representation(self, value: Any) -> str:
        return str(settings.STORE_CURRENCY)


# ------------------------------------------------------------------------------------------------ catalog
class CategorySerializer(serializers.ModelSerializer[Category]):
    class Meta:
        model = Category
        fields = ("id", "name")


class ServiceSerializer(serializers.ModelSerializer[Service]):
    """A service on sale, at the price of the key's customer."""

    category = CategorySerializer()
    type = serializers.ChoiceField(source="service_type", choices=list(SERVICE_TYPES))
    rate = serializers.SerializerMethodField(help_text="Your price for rate_per pieces.")
    rate_per = serializers.SerializerMethodField(help_text="The number of pieces that rate buys: 1000 or 1.")
    currency = CurrencyField()
    supports_refill = serializers.BooleanField(source="has_refill")
    supports_cancel = serializers.BooleanField(source="has_cancel")
    supports_dripfeed = serializers.BooleanField(source="has_runs")
    required_inputs = serializers.SerializerMethodField(help_text="The fields that an order needs besides service.")
    optional_inputs = serializers.SerializerMethodField(help_text="The fields that an order may have.")

    class Meta:
        model = Service
        fields = (
            "id", "name", "description", "category", "type", "rate", "rate_per", "currency", "min_quantity",
            "max_quantity", "supports_refill", "supports_cancel", "supports_dripfeed", "refill_days", "link_example",
            "required_inputs", "optional_inputs",
        )  # fmt: skip

    @extend_schema_field(AmountField)
    def get_rate(self, service: Service) -> str:
        own: Decimal | None = getattr(service, "own_rate", None)
        rate = charges.apply_discount(service.rate, self.context["caller"].discount) if own is None else own
        return AmountField().to_representation(rate)

    @extend_schema_field({"type": "integer", "enum": [1, charges.PER]})
    def get_rate_per(self, service: Service) -> int:
        return 1 if service.is_flat else charges.PER

    def get_required_inputs(self, service: Service) -> list[str]:
        service_type = service.type
        quantity = ["quantity"] if service_type.count is Count.GIVEN else []
        return [
            *(["link"] if service_type.has_link else []),
            *quantity,
            *(one.name for one in service_type.inputs if one.is_required),
        ]

    def get_optional_inputs(self, service: Service) -> list[str]:
        runs = ["runs", "interval"] if service.has_runs else []
        later = ["start_at"] if settings.SCHEDULE_MAX_DAYS else []
        return [*(one.name for one in service.type.inputs if not one.is_required), *runs, *later]


class DeliveryTimesSerializer(serializers.ModelSerializer[DeliveryStats]):
    """Times of the newest delivered orders of a service in seconds, measured from when an order could begin."""

    service = serializers.IntegerField(source="service_id")
    orders_measured = serializers.IntegerField(source="sample")

    class Meta:
        model = DeliveryStats
        fields = (
            "service", "orders_measured", "start_median", "start_p90", "finish_p10", "finish_median", "finish_p90",
            "completed", "partial", "canceled", "measured_at",
        )  # fmt: skip


class PriceChangeSerializer(serializers.ModelSerializer[PriceChange]):
    """A change of a list price, before discounts."""

    service = serializers.IntegerField(source="service_id")
    old_rate = AmountField()
    new_rate = AmountField()
    currency = CurrencyField()
    changed_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = PriceChange
        fields = ("id", "service", "old_rate", "new_rate", "currency", "changed_at")


# ------------------------------------------------------------------------------------------------ orders
class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order. `charge` is what was taken from the balance, `refunded` what was returned."""

    service = serializers.IntegerField(source="service_id")
    status = serializers.SerializerMethodField()
    inputs = serializers.DictField(source="fields", help_text="The inputs of the service type, by name.")
    charge = AmountField()
    refunded = AmountField()
    currency = CurrencyField()
    remains = serializers.IntegerField(allow_null=True, help_text="Not delivered, as far as it is known.")
    interval = serializers.IntegerField(help_text="Drip-feed: minutes between two runs; 0 for one run.")

    class Meta:
        model = Order
        fields = (
            "id", "service", "status", "link", "quantity", "inputs", "runs", "interval", "charge", "refunded",
            "currency", "start_count", "remains", "start_at", "created_at", "started_at", "ended_at",
        )  # fmt: skip
        extra_kwargs = {"link": {"required": True, "allow_blank": True}}

    start_at = serializers.DateTimeField(source="starts_at", allow_null=True)

    @extend_schema_field({"type": "string", "enum": list(STATUS_WORDS)})
    def get_status(self, order: Order) -> str:
        return STATUSES[order.state]


def _whole(most: int, least: int = 0, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=most, required=False, **options)


def _line(**options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=order_inputs.LINK_MAX, required=False, **options)


def _lines(**options: Any) -> serializers.ListField:
    entry = serializers.CharField(max_length=order_inputs.TEXT_MAX)
    return serializers.ListField(
        child=entry, min_length=1, max_length=order_inputs.LINES_MAX, required=False, **options
    )


def _input_field(spec: Input) -> serializers.Field[Any, Any, Any, Any]:
    """Return the field for an input of a service type. Whether it is required depends on the service."""
    help_text = f"{spec.label}. {spec.hint}".strip()
    if spec.shape is Shape.LINES:
        return _lines(help_text=help_text)
    if spec.shape is Shape.CHOICE:
        choices = ", ".join(f"{value}: {label}" for value, label in spec.choices.items() if label)
        return serializers.ChoiceField(list(spec.choices), required=False, help_text=f"{help_text} {choices}.")
    if spec.shape is Shape.NUMBER:
        least, most = order_inputs.number_limits(spec)
        return _whole(most, least, help_text=help_text)
    if spec.read is order_inputs.read_date:
        return serializers.DateField(required=False, help_text=help_text.replace("DD/MM/YYYY. ", ""))
    return _line(help_text=help_text)


class OrderRequest(RequestSerializer):
    """What to buy. Which fields a service needs is in its required_inputs and optional_inputs."""

    service = IdField(help_text="The ID of the service.")
    link = _line(help_text="What to deliver to. It must be public while the order runs.")
    quantity = _whole(order_inputs.QUANTITY_MAX, 1, help_text="The quantity; with drip-feed that of each run.")
    runs = _whole(order_inputs.RUNS_MAX, 1, help_text="Drip-feed: the number of runs.")
    interval = _whole(order_inputs.INTERVAL_MAX, help_text="Drip-feed: minutes from one run to the next.")
    start_at = serializers.DateTimeField(required=False, help_text="When to start; omit it to start now.")
    expected_charge = AmountField(
        required=False, help_text="The charge that you agreed to. If it has changed, nothing is bought."
    )

    def get_fields(self) -> dict[str, Any]:
        """Add the inputs of the service types, as they are declared."""
        fields = super().get_fields()
        inputs = {spec.name: _input_field(spec) for spec in INPUTS.values() if spec.name not in fields}
        return {**fields, **inputs}


class QuoteSerializer(serializers.Serializer[Any]):
    """What an order would cost now. Nothing was bought or reserved."""

    service = serializers.IntegerField(source="service.pk")
    quantity = serializers.IntegerField(source="details.quantity", help_text="The total quantity of all runs.")
    rate = AmountField()
    rate_per = serializers.SerializerMethodField()
    charge = AmountField()
    currency = CurrencyField()
    is_affordable = serializers.SerializerMethodField(help_text="Whether the balance covers the charge.")
    start_at = serializers.DateTimeField(source="starts_at", allow_null=True)

    @extend_schema_field({"type": "integer", "enum": [1, charges.PER]})
    def get_rate_per(self, quote: Any) -> int:
        return 1 if quote.service.is_flat else charges.PER

    def get_is_affordable(self, quote: Any) -> bool:
        return bool(self.context["balance"] >= quote.charge)


# ------------------------------------------------------------------------------------------------ money
class BalanceSerializer(serializers.Serializer[Any]):
    balance = AmountField()
    currency = CurrencyField()


class TransactionSerializer(serializers.ModelSerializer[Transfer]):
    """A change of the balance: positive for money received, negative for money spent."""

    kind = serializers.ChoiceField(choices=TransferKind.values)
    amount = serializers.SerializerMethodField()
    balance_after = AmountField(source="wallet_after")
    currency = CurrencyField()
    order = serializers.IntegerField(source="order_id", allow_null=True)

    class Meta:
        model = Transfer
        fields = ("id", "kind", "amount", "balance_after", "currency", "order", "created_at")

    @extend_schema_field(AmountField)
    def get_amount(self, transfer: Transfer) -> str:
        is_received = transfer.target_id == transfer.wallet_id
        return AmountField().to_representation(transfer.amount if is_received else -transfer.amount)


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment into the balance.

    The customer pays `pay_amount` in `pay_currency` (which includes `fee`) for `amount`. `paid_amount` is what was
    received, where it is known, `credited_amount` what the balance received for it, and `reversed_amount` the part of
    it that was refunded or charged back.
    """

    method = serializers.CharField(source="label")
    status = serializers.ChoiceField(choices=PaymentStatus.values)
    amount = AmountField()
    fee = AmountField()
    pay_amount = AmountField()
    paid_amount = AmountField(allow_null=True)
    credited_amount = AmountField()
    reversed_amount = AmountField()

    class Meta:
        model = Payment
        fields = (
            "id", "reference", "method", "amount", "currency", "fee", "pay_amount", "pay_currency", "status",
            "paid_amount", "credited_amount", "reversed_amount", "note", "created_at", "credited_at", "ended_at",
        )  # fmt: skip


# ------------------------------------------------------------------------------------------------ after the purchase
#: The steps of a refill or a cancellation that customers see.
STEPS = tuple(
    step.value
    for step in (
        EventStep.REQUESTED, EventStep.SENT, EventStep.IN_PROGRESS, EventStep.COMPLETED, EventStep.REJECTED,
    )
)  # fmt: skip


class OrderEventSerializer(serializers.ModelSerializer[OrderEvent]):
    """One event of an order. `status` and `start_count` belong to kind status, `amount` to refunded, `step`
    to refill and cancellation; they are null for the other kinds."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in OrderEvent.PUBLIC])
    status = serializers.SerializerMethodField()
    start_count = serializers.SerializerMethodField()
    remains = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    step = serializers.SerializerMethodField()

    class Meta:
        model = OrderEvent
        fields = ("id", "kind", "status", "start_count", "remains", "amount", "step", "created_at")

    @extend_schema_field({"type": ["string", "null"], "enum": [*STATUS_WORDS, None]})
    def get_status(self, event: OrderEvent) -> str | None:
        return STATUSES[Status(event.data["status"])] if event.kind == EventKind.STATUS else None

    def get_start_count(self, event: OrderEvent) -> int | None:
        count: int | None = event.data.get("start_count")
        return count

    def get_remains(self, event: OrderEvent) -> int | None:
        remains: int | None = event.data.get("remains")
        return remains

    @extend_schema_field({"type": ["string", "null"], "format": "decimal"})
    def get_amount(self, event: OrderEvent) -> str | None:
        return str(event.data["amount"]) if event.kind == EventKind.REFUNDED else None

    @extend_schema_field({"type": ["string", "null"], "enum": [*STEPS, None]})
    def get_step(self, event: OrderEvent) -> str | None:
        if event.kind not in (EventKind.REFILL, EventKind.CANCELLATION):
            return None
        # A request that staff handles is still a requested one to the customer.
        step = str(event.data.get("step"))
        return step if step in STEPS else EventStep.REQUESTED.value


class _RequestFields(serializers.ModelSerializer[Any]):
    order = serializers.IntegerField(source="order_id")
    status = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "enum": list(REQUEST_STATUS_WORDS)})
    def get_status(self, request: Refill | Cancellation) -> str:
        return REQUEST_STATUSES[RequestStatus(request.status)]


class RefillSerializer(_RequestFields):
    """A request to deliver again what dropped."""

    class Meta:
        model = Refill
        fields = ("id", "order", "status", "created_at", "ended_at")


class CancellationSerializer(_RequestFields):
    """A request to stop an order. Refunds follow from the status of the order."""

    class Meta:
        model = Cancellation
        fields = ("id", "order", "status", "created_at", "ended_at")


class OrderReference(RequestSerializer):
    """The order that a refill or a cancellation is for."""

    order = IdField(help_text="The ID of the order.")


# ------------------------------------------------------------------------------------------------ many orders
@extend_schema_field(
    {
        "type": "array",
        "items": {"$ref": "#/components/schemas/OrderRequest"},
        "minItems": 1,
        "maxItems": ORDERS_MAX,
    }
)
class LinesField(serializers.ListField):
    """Lines that are validated one by one when they are placed."""

    child = serializers.JSONField()


@extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "null"}]})
class ProblemField(serializers.JSONField):
    pass


class BulkOrderRequest(RequestSerializer):
    """Several orders, placed one after the other. Each line is checked as a single order is."""

    orders = LinesField(min_length=1, max_length=ORDERS_MAX, help_text="Up to 100 orders.")


class BulkLineSerializer(serializers.Serializer[Any]):
    """The result of one line: the order, or the problem for which it was not placed."""

    index = serializers.IntegerField(help_text="The place of the line in orders, from 0.")
    order = OrderSerializer(allow_null=True)
    problem = ProblemField(allow_null=True, help_text="Why it was not placed.")


class BulkResultSerializer(serializers.Serializer[Any]):
    placed = serializers.IntegerField(help_text="The number of orders that were placed.")
    results = BulkLineSerializer(many=True)


# ------------------------------------------------------------------------------------------------ webhooks
TOPICS = tuple(topic.value for topic in FLAGS)


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """A URL and the events that are sent to it. `pause_reason` says why it is not active."""

    events = serializers.SerializerMethodField()
    pause_reason = serializers.SerializerMethodField()

    class Meta:
        model = Endpoint
        fields: tuple[str, ...] = (
            "id",
            "url",
            "events",
            "is_active",
            "pause_reason",
            "paused_at",
            "failing_since",
            "created_at",
        )

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=TOPICS)))
    def get_events(self, endpoint: Endpoint) -> list[str]:
        return [topic.value for topic, flag in FLAGS.items() if getattr(endpoint, flag)]

    @extend_schema_field({"type": ["string", "null"], "enum": [*Pause.values, None]})
    def get_pause_reason(self, endpoint: Endpoint) -> str | None:
        return endpoint.pause_reason or None


class EndpointWithSecretSerializer(EndpointSerializer):
    """An endpoint with its signing secret, which is shown only in this answer."""

    secret = serializers.CharField()

    class Meta(EndpointSerializer.Meta):
        fields = (*EndpointSerializer.Meta.fields, "secret")


class EndpointRequest(RequestSerializer):
    url = serializers.CharField(max_length=500, help_text="An https URL on the public internet.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=TOPICS), min_length=1, max_length=len(TOPICS), help_text="What to send."
    )


class EndpointChange(RequestSerializer):
    """What to change; omitted fields stay as they are."""

    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=TOPICS), min_length=1, max_length=len(TOPICS), required=False
    )
    is_active = serializers.BooleanField(required=False, help_text="false pauses the endpoint, true resumes it.")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """The delivery of an event to one endpoint. `last_status` is the HTTP status of the last attempt."""

    endpoint = serializers.IntegerField(source="endpoint_id")
    state = serializers.ChoiceField(choices=DeliveryState.values)

    class Meta:
        model = Delivery
        fields = ("endpoint", "state", "attempts", "last_status", "delivered_at")


class EventSerializer(serializers.Serializer[Delivery]):
    """An event in the sent form, and its deliveries. The statuses in `data` are written as API v2 writes them."""

    id = serializers.UUIDField(source="event_id")
    type = serializers.ChoiceField(source="event.topic", choices=[*TOPICS, TEST])
    data = serializers.SerializerMethodField()  # type: ignore[assignment]  # the metaclass takes it off the class
    created_at = serializers.DateTimeField(source="event.created_at")
    deliveries = DeliverySerializer(source="event.own_deliveries", many=True)

    def get_data(self, delivery: Delivery) -> dict[str, Any]:
        data: dict[str, Any] = orjson.loads(delivery.event.body)["data"]
        return data
