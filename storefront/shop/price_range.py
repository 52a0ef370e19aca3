"""The price filter of the catalog: bounds per 1,000, compared with the price that the customer pays."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.http import QueryDict

from orders.errors import InvalidAmount
from orders.rules import amounts

#: The largest price that the database column can hold.
HIGHEST = amounts.from_units(amounts.LARGEST, amounts.RATE_PLACES)
_FULL_SHARE = 10_000  # 100% in hundredths of a percent
_TEXT_MAX = 40


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Optional bounds of a price per 1,000. ``invalid_text`` is the first entry that is not a price."""

    minimum: Decimal | None = None
    maximum: Decimal | None = None
    invalid_text: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> PriceRange:
        minimum, maximum = (_price(query.get(name, "")) for name in ("from", "to"))
        invalid_text = next((text for text in (minimum, maximum) if isinstance(text, str) and text), "")
        return cls(
            minimum if isinstance(minimum, Decimal) else None,
            maximum if isinstance(maximum, Decimal) else None,
            invalid_text,
        )

    @property
    def minimum_text(self) -> str:
        return "" if self.minimum is None else amounts.plain(self.minimum)

    @property
    def maximum_text(self) -> str:
        return "" if self.maximum is None else amounts.plain(self.maximum)

    @property
    def is_set(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    def matching(self, discount: Decimal) -> Q:
        """Return the condition for services, read ``with_own_rates``, whose price is within the bounds.

        A custom rate is compared as it is. A list price is compared with bounds converted to before the discount, exact
        to the last quantum, so that the filter agrees with the prices on the page. Flat prices never match.

        Args:
            discount: Percentage that the customer's price level takes off every list price.
        """
        own, listed = Q(own_rate__isnull=False), Q(own_rate__isnull=True)
        share = _FULL_SHARE - int(discount * 100)
        if self.minimum is not None:
            own &= Q(own_rate__gte=self.minimum)
            listed &= _from(self.minimum, share)
        if self.maximum is not None:
            own &= Q(own_rate__lte=self.maximum)
            listed &= _to(self.maximum, share)
        return Q(is_flat=False) & (own | listed)


def _from(minimum: Decimal, share: int) -> Q:
    """Match list prices that cost at least ``minimum``. Prices are rounded up, so start above one quantum less."""
    units = amounts.to_units(minimum, amounts.RATE_PLACES)
    if not units:
        return Q()
    if not share:
        return Q(pk__in=[])
    return Q(rate__gte=_rate((units - 1) * _FULL_SHARE // share + 1))


def _to(maximum: Decimal, share: int) -> Q:
    if not share:
        return Q()
    return Q(rate__lte=_rate(amounts.to_units(maximum, amounts.RATE_PLACES) * _FULL_SHARE // share))


def _rate(units: int) -> Decimal:
    return amounts.from_units(min(units, amounts.LARGEST), amounts.RATE_PLACES)


def _price(text: str) -> Decimal | str:
    """Parse a price with the digits of any script, a comma or a point; return the shortened text if it is none."""
    plain = "".join(str(unicodedata.decimal(letter, letter)) for letter in text.strip()[: 2 * _TEXT_MAX])
    plain = plain.replace("\N{ARABIC DECIMAL SEPARATOR}", ".").replace(",", ".")
    if not plain:
        return ""
    try:
        price = amounts.parse(plain)
    except InvalidAmount:
        return text.strip()[:_TEXT_MAX]
    if price < 0:
        return text.strip()[:_TEXT_MAX]
    return min(amounts.round_down(price, amounts.RATE_QUANTUM), HIGHEST)
