"""Database columns for money: whole numbers of quanta in the database, exact ``Decimal`` in Python."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from orders.errors import InvalidAmount
from orders.rules import amounts

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:

    class _Base(models.Field[_Set, _Get]):
        """The type checker makes the types of a nullable column optional by these."""

        _pyi_private_set_type: Decimal | Combinable
        _pyi_private_get_type: Decimal
        _pyi_lookup_exact_type: Decimal

else:

    class _Base(models.Field):
        def __class_getitem__(cls, types: Any) -> Any:
            return cls


class UnitsField(_Base[_Set, _Get]):
    """BIGINT counting 10^-``places``. A value with more places is refused, never rounded.

    No integer field: Django would take the difference of two for a plain number, a million times too large. Now it asks
    for the output_field: ``ExpressionWrapper(F("charge") - F("refunded"), MoneyField())``.
    """

    places = 0

    def get_internal_type(self) -> str:
        return "BigIntegerField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else amounts.from_units(int(value), self.places)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return amounts.parse(value)
        except InvalidAmount as problem:
            raise ValidationError(str(problem), code="invalid") from None

    def get_prep_value(self, value: Any) -> int | None:
        if value is None or hasattr(value, "resolve_expression"):
            return value  # type: ignore[no-any-return]
        return amounts.to_units(amounts.parse(value) if isinstance(value, str) else Decimal(value), self.places)

    def formfield(self, **options: Any) -> Any:
        column = {
            "form_class": forms.DecimalField,
            "decimal_places": self.places,
            "max_digits": 19,
            "max_value": amounts.from_units(amounts.LARGEST, self.places),
        }
        return super().formfield(**{**column, **options})

    def value_to_string(self, obj: models.Model) -> str:
        value: Any = self.value_from_object(obj)
        return "" if value is None else amounts.plain(value, 0)


class MoneyField(UnitsField[_Set, _Get]):
    """An amount: millionths of the currency it is in."""

    description = _("Amount")
    places = amounts.AMOUNT_PLACES


class RateField(UnitsField[_Set, _Get]):
    """A price per 1,000, or of one piece where flat: 10^-8 of the currency it is in."""

    description = _("Rate")
    places = amounts.RATE_PLACES


class PercentField(UnitsField[_Set, _Get]):
    """A percentage with two places."""

    description = _("Percent")
    places = 2


NOT_NEGATIVE = MinValueValidator(Decimal(0))
