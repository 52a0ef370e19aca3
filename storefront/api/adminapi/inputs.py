"""The parameters of the Admin API, in queries and bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.errors import InvalidAmount
from orders.models.customer_request import RequestStatus
from orders.rules import amounts
from orders.rules.state_machine import Status
from storefront.support.models.ticket import TicketStatus

#: Maximum number of rows of one answer, and of ids of one call; and the number of rows without ``limit``.
LIMIT_MAX, LIMIT_DEFAULT = 1000, 100
ID_MAX = 2**63 - 1
#: Maximum number of orders that are handed out or updated by one call.
PULL_MAX = 100
_OFFSET_MAX = 10_000_000
#: The length of the column of a user's name.
NAME_MAX = 150
#: The end of the year 9998, in seconds since 1970: the next second, in any time zone, is still a date.
_TIME_MAX = 253_370_764_799

#: The statuses of orders by the words of this API. Operators see a failed order as failed, unlike customers.
ORDER_STATUSES: Mapping[str, tuple[Status, ...]] = {
    "pending": (Status.QUEUED, Status.SUBMITTING, Status.PENDING),
    "in_progress": (Status.IN_PROGRESS,),
    "processing": (Status.PROCESSING, Status.IN_DOUBT),
    "completed": (Status.COMPLETED,),
    "partial": (Status.PARTIAL,),
    "canceled": (Status.CANCELED,),
    "fail": (Status.FAILED,),
}
#: The statuses of tickets by the words of this API: "pending" waits for staff.
TICKET_STATUSES: Mapping[str, TicketStatus] = {
    "pending": TicketStatus.OPEN,
    "answered": TicketStatus.ANSWERED,
    "waiting": TicketStatus.WAITING,
    "closed": TicketStatus.CLOSED,
}


def normalize_word(text: str) -> str:
    """Return a status as this API spells it: clients write "In progress", "in-progress" and "cancelled" too."""
    word = text.strip().lower().replace(" ", "_").replace("-", "_")
    return {"cancelled": "canceled", "failed": "fail", "inprogress": "in_progress"}.get(word, word)


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]})
class IdsField(serializers.Field[Any, Any, Any, Any]):
    """Numbers separated by commas, as a text or as a list; duplicates are removed."""

    default_error_messages = {
        "invalid": "Write numbers separated by commas.",
        "empty": "Write at least one number.",
        "too_many": f"No more than {LIMIT_MAX} numbers.",
    }

    def to_internal_value(self, data: Any) -> list[int]:
        parts = data if isinstance(data, list) else str(data).split(",")
        found: dict[int, None] = {}
        for part in parts:
            word = str(part).strip()
            if not word:
                continue
            if not (word.isascii() and word.isdigit() and len(word) < 20 and int(word) <= ID_MAX):
                self.fail("invalid")
            found[int(word)] = None
        if len(found) > LIMIT_MAX:
            self.fail("too_many")
        if not found and self.required:
            self.fail("empty")
        return list(found)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "string"})
class OrderStatusesField(serializers.Field[Any, Any, Any, Any]):
    """One status or several, separated by commas."""

    default_error_messages = {"invalid": f"Use one of: {', '.join(ORDER_STATUSES)}."}

    def to_internal_value(self, data: Any) -> list[Status]:
        found: list[Status] = []
        for word in filter(None, map(normalize_word, str(data).split(","))):
            if word not in ORDER_STATUSES:
                self.fail("invalid")
            found += ORDER_STATUSES[word]
        return found

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "integer"})
class UnixTimeField(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=_TIME_MAX, **options)

    def to_internal_value(self, data: Any) -> Any:
        return int(super().to_internal_value(data))


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class PageQuery(serializers.Serializer[Any]):
    """Paging of every list: add ``limit`` to ``offset`` until a list is shorter than ``limit``."""

    limit = serializers.IntegerField(
        min_value=0, max_value=LIMIT_MAX, default=LIMIT_DEFAULT, help_text="Rows in the answer; 0 means 100."
    )
    offset = serializers.IntegerField(min_value=0, max_value=_OFFSET_MAX, default=0, help_text="Rows to leave out.")

    def validate_limit(self, value: int) -> int:
        return value or LIMIT_DEFAULT


class OrdersQuery(PageQuery):
    ids = IdsField(required=False, help_text="Order numbers, separated by commas.")
    order_status = OrderStatusesField(required=False, help_text=f"One or several of: {', '.join(ORDER_STATUSES)}.")
    service_ids = IdsField(required=False, help_text="Service numbers, separated by commas.")
    user = serializers.CharField(required=False, max_length=254, help_text="The customer's email address.")
    provider = serializers.CharField(required=False, max_length=255, help_text="The provider's name.")
    link = serializers.CharField(required=False, max_length=2048, help_text="The whole link.")
    mode = serializers.CharField(required=False, max_length=10, help_text="Auto or Manual.")
    creation_type = serializers.CharField(required=False, max_length=10, help_text="API or Web.")
    created_from = UnixTimeField(required=False, help_text="Unix seconds.")
    created_to = UnixTimeField(required=False, help_text="Unix seconds.")
    sort = serializers.CharField(required=False, max_length=20, help_text="date-desc (default) or date-asc.")

    def validate_mode(self, value: str) -> str:
        return _one_of(value, ("auto", "manual"))

    def validate_creation_type(self, value: str) -> str:
        return _one_of(value, ("api", "web"))

    def validate_sort(self, value: str) -> str:
        return _one_of(value, ("date-desc", "date-asc"))


class UsersQuery(PageQuery):
    ids = IdsField(required=False, help_text="User numbers, separated by commas.")
    username = serializers.CharField(required=False, max_length=254, help_text="The email address.")
    email = serializers.CharField(required=False, max_length=254, help_text="The email address.")


class NewUser(serializers.Serializer[Any]):
    username = serializers.CharField(
        max_length=254,
        default="",
        allow_blank=True,
        help_text="The email address. Another user name is stored as the customer's name.",
    )
    email = serializers.CharField(
        max_length=254, default="", allow_blank=True, help_text="Default: username, if that is an email address."
    )
    password = serializers.CharField(
        max_length=4096,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="Without one, the customer sets a password with a reset link.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take the address from the user name if only that is given, and the name if it is another one."""
        username, email = attrs["username"], attrs["email"] or attrs["username"]
        if not email:
            raise serializers.ValidationError({"email": "This field is required."})
        name = "" if username.lower() == email.lower() else username
        if len(name) > NAME_MAX:
            raise serializers.ValidationError({"username": f"At most {NAME_MAX} characters."})
        return {"email": email, "name": name, "password": attrs["password"]}


def _one_of(value: str, known: tuple[str, ...]) -> str:
    word = value.strip().lower()
    if word not in known:
        raise serializers.ValidationError(f"Use one of: {', '.join(known)}.")
    return word


class PaymentsQuery(PageQuery):
    ids = IdsField(required=False, help_text="Payment numbers, separated by commas.")
    user = serializers.CharField(required=False, max_length=254, help_text="The customer's email address.")


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}], "example": "25.00"})
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """An amount above zero with at most six decimal places, as a text or a number."""

    default_error_messages = {"invalid": "Write an amount above zero, such as 12.50."}

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            amount = amounts.parse(data if isinstance(data, str | int | Decimal) else "")
            amounts.to_units(amount, amounts.AMOUNT_PLACES)
        except InvalidAmount:
            self.fail("invalid")
        if amount <= 0:
            self.fail("invalid")
        return amount

    def to_representation(self, value: Any) -> Any:
        return value


class NewPayment(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=254, help_text="The customer's email address.")
    amount = AmountField(help_text="In the store currency.")
    method = serializers.CharField(
        max_length=100, default="Bonus", allow_blank=True, help_text="What the customer sees as the payment method."
    )
    memo = serializers.CharField(
        max_length=500,
        default="",
        allow_blank=True,
        allow_null=True,
        help_text="For staff. Give each payment a memo of its own: a repeated one is credited once in ten minutes.",
    )
    affiliate_commission = serializers.JSONField(
        required=False, help_text="Ignored: these payments earn no commission."
    )

    def validate_method(self, value: str) -> str:
        return value or "Bonus"

    def validate_memo(self, value: str | None) -> str:
        return value or ""


class TicketsQuery(PageQuery):
    user = serializers.CharField(required=False, max_length=254, help_text="The customer's email address.")
    status = serializers.CharField(required=False, max_length=20, help_text="pending, answered, waiting or closed.")

    def validate_status(self, value: str) -> str:
        return _one_of("pending" if value.strip().lower() == "open" else value, tuple(TICKET_STATUSES))


class TicketReply(serializers.Serializer[Any]):
    message = serializers.CharField(max_length=5000, help_text="Plain text.")
    staff_name = serializers.CharField(
        max_length=254,
        default="",
        allow_blank=True,
        allow_null=True,
        help_text="Name or email address of a member of staff. Default: the person who created the key.",
    )


class NewTicket(TicketReply):
    username = serializers.CharField(max_length=254, help_text="The customer's email address.")
    subject = serializers.CharField(max_length=150)


class V1Orders(serializers.Serializer[Any]):
    orders = IdsField()


class V1User(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=254)


class V1Payment(V1User):
    amount = AmountField()
    details = serializers.CharField(max_length=500, default="", allow_blank=True)


#: What programs may set, by the words of this API.
_SETTABLE: Mapping[str, Status] = {
    "in_progress": Status.IN_PROGRESS,
    "processing": Status.PROCESSING,
    "completed": Status.COMPLETED,
    "partial": Status.PARTIAL,
    "canceled": Status.CANCELED,
}
_REFILL_STATUSES: Mapping[str, RequestStatus] = {
    "in_progress": RequestStatus.IN_PROGRESS,
    "completed": RequestStatus.COMPLETED,
    "rejected": RequestStatus.REJECTED,
}
#: The largest number that a column for counts holds.
_COUNT_MAX = 2**63 - 1


@extend_schema_field({"type": "string", "enum": list(_SETTABLE)})
class SettableStatusField(serializers.Field[Any, Any, Any, Any]):
    default_error_messages = {"invalid": f"Use one of: {', '.join(_SETTABLE)}."}

    def to_internal_value(self, data: Any) -> Status:
        status = _SETTABLE.get(normalize_word(str(data)))
        if status is None:
            self.fail("invalid")
        return status

    def to_representation(self, value: Any) -> Any:
        return value


class Ids(serializers.Serializer[Any]):
    ids = IdsField(help_text="Order numbers, separated by commas.")


class CancelOrders(Ids):
    cancel_reason = serializers.CharField(
        max_length=500, default="", allow_blank=True, help_text="For the history of the order; staff see it."
    )


class ChangeStatus(Ids):
    status = SettableStatusField()


class SetPartial(serializers.Serializer[Any]):
    remains = serializers.IntegerField(min_value=0, max_value=_COUNT_MAX, help_text="The quantity not delivered.")


class EditLink(serializers.Serializer[Any]):
    link = serializers.CharField(max_length=2048)


class Pull(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=0, max_value=LIMIT_MAX, default=PULL_MAX, help_text="At most 100.")
    service_ids = IdsField(required=False, default=list, help_text="Only these services, separated by commas.")

    def validate_limit(self, value: int) -> int:
        return min(value or PULL_MAX, PULL_MAX)


class UpdateOrder(serializers.Serializer[Any]):
    id = serializers.IntegerField(min_value=1, max_value=ID_MAX)
    status = SettableStatusField(required=False)
    start_count = serializers.IntegerField(min_value=0, max_value=_COUNT_MAX, required=False)
    remains = serializers.IntegerField(min_value=0, max_value=_COUNT_MAX, required=False)


class UpdateOrders(serializers.Serializer[Any]):
    orders = serializers.ListField(child=UpdateOrder(), allow_empty=False, max_length=PULL_MAX)


class RejectCancellations(Ids):
    reason = serializers.CharField(max_length=500, default="", allow_blank=True, help_text="For staff.")


class RefillStatus(serializers.Serializer[Any]):
    ids = IdsField(help_text="Refill numbers, separated by commas.")
    status = serializers.CharField(max_length=20, help_text=f"One of: {', '.join(_REFILL_STATUSES)}.")
    reason = serializers.CharField(max_length=500, default="", allow_blank=True, help_text="For staff.")

    def validate_status(self, value: str) -> RequestStatus:
        return _REFILL_STATUSES[_one_of(normalize_word(value), tuple(_REFILL_STATUSES))]
