"""Serializer fields of the REST API, and the base class of what clients send."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.errors import InvalidAmount
from orders.rules import amounts

#: The largest id that the API reads: 18 digits.
ID_MAX = 10**18 - 1
_DECIMAL = {"type": "string", "format": "decimal", "pattern": r"^-?\d+\.\d{2,}$", "examples": ["0.90"]}


@extend_schema_field(_DECIMAL)
class AmountField(serializers.Field[Any, Any, str, Any]):
    """An exact decimal number as a string, with at least two decimals and never an exponent."""

    def to_representation(self, value: Decimal) -> str:
        return amounts.plain(value)

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            if not isinstance(data, str) or len(data) > 40:
                raise InvalidAmount
            return amounts.parse(data)
        except InvalidAmount:
            raise serializers.ValidationError('Enter an amount as a string, such as "0.90".', code="invalid") from None


class IdField(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=ID_MAX, **options)


class RequestSerializer(serializers.Serializer[Any]):
    """What a client sends. An unknown field is an error: ignoring a misspelled one would sell something else."""

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """Return the validated fields of ``data``. Raises ValidationError."""
        serializer = cls(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {
                str(name): [serializers.ErrorDetail("This field is not known.", code="unknown")]
                for name in data
                if name not in self.fields
            }
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)
