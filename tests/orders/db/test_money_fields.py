from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.db import connection
from django.db.models import ExpressionWrapper, F, Sum
from django.forms import modelform_factory

from orders.db.money_fields import MoneyField, RateField
from orders.errors import InvalidAmount
from orders.models import Account, Order, Service, Transfer
from orders.rules import amounts
from tests import factories

pytestmark = pytest.mark.django_db


def test_columns_store_whole_units() -> None:
    service = factories.service(rate="0.90000001")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rate FROM orders_service WHERE id = %s", [service.pk])
        assert cursor.fetchone() == (90_000_001,)
    service.refresh_from_db()
    assert service.rate == Decimal("0.90000001")


@pytest.mark.parametrize("rate", ["0.000000001", "92233720368.54775808", "NaN", "Infinity"])
def test_a_value_that_does_not_fit_exactly_is_rejected(rate: str) -> None:
    with pytest.raises(InvalidAmount):
        factories.service(rate=rate)


def test_the_largest_value_is_stored_and_read() -> None:
    largest = amounts.from_units(amounts.LARGEST, amounts.RATE_PLACES)
    service = factories.service(rate=str(largest))
    assert Service.objects.get(rate=largest) == service


def test_amounts_are_compared_and_summed_in_the_database_without_drift() -> None:
    buyer = factories.customer("0")
    wallet = factories.wallet(buyer)
    for _ in range(10):
        factories.wallet(buyer, "0.1")
    assert Transfer.objects.filter(wallet=wallet).aggregate(Sum("amount"))["amount__sum"] == 1
    assert Account.objects.filter(balance=Decimal(1)).get() == wallet
    assert not Account.objects.filter(balance__gt=1).exists()
    assert Account.objects.filter(balance__in=["1.000000", Decimal("7")]).get() == wallet


def test_arithmetic_in_queries_keeps_the_units_or_is_rejected() -> None:
    """Without the fields' own arithmetic, Django would return the stored integer: 90,000 instead of 0.09."""
    order = factories.order()
    left = F("charge") - F("refunded")
    with pytest.raises(FieldError):
        Order.objects.annotate(left=left).get()
    assert Order.objects.annotate(left=ExpressionWrapper(left, MoneyField())).get().left == Decimal("0.09")
    Order.objects.filter(pk=order.pk).update(refunded=F("refunded") + F("charge"))
    assert Order.objects.get(refunded=F("charge")) == order


def test_amounts_and_rates_cannot_be_mixed() -> None:
    with pytest.raises(FieldError):
        Order.objects.annotate(nonsense=F("charge") + F("rate")).first()
    with pytest.raises(FieldError):
        Order.objects.annotate(nonsense=F("charge") * F("quantity")).first()


@pytest.mark.parametrize("value", ["abc", "1e5", "NaN", "1,5"])
def test_queries_and_forms_reject_text_that_is_not_a_number(value: str) -> None:
    with pytest.raises(InvalidAmount):
        Service.objects.filter(rate=value).exists()
    with pytest.raises(ValidationError):
        MoneyField().to_python(value)


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [("0.90", True), ("0.00000001", True), ("0.000000001", False), ("-1", False), ("NaN", False), ("1e400", False),
     ("92233720368.54775807", True), ("92233720368.54775808", False), ("1,5", False), ("", False)],
)  # fmt: skip
def test_a_form_accepts_what_the_column_can_store(value: str, is_valid: bool) -> None:
    form = modelform_factory(Service, fields=["rate"])({"rate": value})
    assert form.is_valid() is is_valid
    if is_valid:
        assert form.cleaned_data["rate"] == Decimal(value)


def test_rows_survive_serialization() -> None:
    service = factories.service(rate="0.00012")
    (copy,) = serializers.deserialize("json", serializers.serialize("json", [service]))
    assert copy.object.rate == Decimal("0.00012")


def test_null_stays_null() -> None:
    house = Account.objects.get(code="sales")
    assert house.balance is None
    assert Account._meta.get_field("balance").value_to_string(house) == ""


@pytest.mark.parametrize(("field", "places"), [(MoneyField, 6), (RateField, 8)])
def test_migrations_contain_the_field_without_internal_arguments(field: Any, places: int) -> None:
    _, path, arguments, options = field("x").deconstruct()
    assert (path, arguments, options) == (f"orders.db.money_fields.{field.__name__}", [], {"verbose_name": "x"})
    assert field.places == places
