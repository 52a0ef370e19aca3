"""Model fields for money: integers that count a fixed fraction in the database, exact ``Decimal`` in Python."""

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
        """Types that the type checker uses, and makes optional for a nullable column."""

        _pyi_private_set_type: Decimal | Combinable
        _pyi_private_get_type: Decimal
        _pyi_lookup_exact_type: Decimal

else:

    class _Base(models.Field):
        def __class_getitem__(cls, types: Any) -> Any:
            return cls


class UnitsField(_Base[_Set, _Get]):
    """A BIGINT column that counts units of 10^-``places``; a value with more decimal places is rejected, never rounded.

    It is not a subclass of an integer field: Django would return the difference of two columns as a plain integer, a
    million times too large. This way it requires an output_field:
    ``ExpressionWrapper(F("charge") - F("refunded"), MoneyField())``.
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
    """An amount, stored in millionths of its currency."""

    description = _("Amount")
    places = amounts.AMOUNT_PLACES


class RateField(UnitsField[_Set, _Get]):
    """A price per 1,000, or per piece if flat, stored in units of 10^-8 of its currency."""

    description = _("Rate")
    places = amounts.RATE_PLACES


class PercentField(UnitsField[_Set, _Get]):
    """A percentage, stored in hundredths of a percent."""

    description = _("Percent")
    places = 2


NOT_NEGATIVE = MinValueValidator(Decimal(0))
