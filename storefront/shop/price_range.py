"""The price filter of the catalogue: from and to per 1,000, as the customer pays it. Nothing typed is an error."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.http import QueryDict

from orders.errors import InvalidAmount
from orders.rules import amounts

#: A price list goes no higher than its column.
HIGHEST = amounts.from_units(amounts.LARGEST, amounts.RATE_PLACES)
_WHOLE = 10_000  # hundredths of a percent in the whole
_SHOWN_MAX = 40


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Bounds of a price per 1,000; both may be missing. ``unread`` is what was typed and is no price."""

    least: Decimal | None = None
    most: Decimal | None = None
    unread: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> PriceRange:
        least, most = (_price(query.get(name, "")) for name in ("from", "to"))
        unread = next((text for text in (least, most) if isinstance(text, str) and text), "")
        return cls(least if isinstance(least, Decimal) else None, most if isinstance(most, Decimal) else None, unread)

    @property
    def typed_least(self) -> str:
        return "" if self.least is None else amounts.plain(self.least)

    @property
    def typed_most(self) -> str:
        return "" if self.most is None else amounts.plain(self.most)

    @property
    def is_asked(self) -> bool:
        return self.least is not None or self.most is not None

    def matching(self, discount: Decimal) -> Q:
        """Services read ``with_own_rates`` whose price per 1,000 is within, for who gets ``discount`` percent off.

        Their own price counts as it is; list prices are compared with bounds moved to where the discount came from,
        to the last quantum: found is what the page shows within the bounds. A flat price is none per 1,000.
        """
        own, listed = Q(own_rate__isnull=False), Q(own_rate__isnull=True)
        share = _WHOLE - int(discount * 100)
        if self.least is not None:
            own &= Q(own_rate__gte=self.least)
            listed &= _from(self.least, share)
        if self.most is not None:
            own &= Q(own_rate__lte=self.most)
            listed &= _to(self.most, share)
        return Q(is_flat=False) & (own | listed)


def _from(least: Decimal, share: int) -> Q:
    """Prices round up: the smallest list price that costs ``least`` is just above what costs one quantum less."""
    units = amounts.to_units(least, amounts.RATE_PLACES)
    if not units:
        return Q()
    if not share:
        return Q(pk__in=[])
    return Q(rate__gte=_rate((units - 1) * _WHOLE // share + 1))


def _to(most: Decimal, share: int) -> Q:
    if not share:
        return Q()
    return Q(rate__lte=_rate(amounts.to_units(most, amounts.RATE_PLACES) * _WHOLE // share))


def _rate(units: int) -> Decimal:
    return amounts.from_units(min(units, amounts.LARGEST), amounts.RATE_PLACES)


def _price(text: str) -> Decimal | str:
    """The price in ``text``, in the digits of any script, a comma for a point; otherwise the text, cut short."""
    plain = "".join(str(unicodedata.decimal(letter, letter)) for letter in text.strip()[: 2 * _SHOWN_MAX])
    plain = plain.replace("\N{ARABIC DECIMAL SEPARATOR}", ".").replace(",", ".")
    if not plain:
        return ""
    try:
        price = amounts.parse(plain)
    except InvalidAmount:
        return text.strip()[:_SHOWN_MAX]
    if price < 0:
        return text.strip()[:_SHOWN_MAX]
    return min(amounts.round_down(price, amounts.RATE_QUANTUM), HIGHEST)
