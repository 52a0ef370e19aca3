"""The cached answers to ``services``, rendered once for each discount and valid for one catalog version.

Rows are rendered without their rate. The list of a price level, and that of a customer with custom rates, combine the
same rows with their own rates.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from orders.models import CustomerRate, Service
from orders.rules import charges
from storefront.api.keys import Caller
from storefront.api.panel import responses
from storefront.api.panel.responses import ServicesDocument
from storefront.web import panel_vocabulary

T = TypeVar("T")

#: Maximum number of cached lists, of price levels and of customers with custom rates. A list may have megabytes.
KEPT = 16


@dataclass(frozen=True, slots=True)
class _Row:
    """One service: its JSON before and after the rate, and its list price."""

    pk: int
    before: str
    after: str
    rate: Decimal
    is_flat: bool
    is_read_flat: bool

    def written(self, rate: Decimal) -> str:
        return f'{self.before}"{panel_vocabulary.wire_rate(rate, self.is_flat, self.is_read_flat)}"{self.after}'


@dataclass
class _NewestFew(Generic[T]):
    """A cache of the newest few values. It is single flight: one thread builds a value, the others wait for it."""

    size: int
    _kept: OrderedDict[Any, T] = field(default_factory=OrderedDict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, name: Any, make: Callable[[], T]) -> T:
        found = self._kept.get(name)
        if found is not None:
            return found
        with self._lock:
            if name not in self._kept:
                self._kept[name] = make()
                while len(self._kept) > self.size:
                    self._kept.popitem(last=False)
            return self._kept[name]


_rows: _NewestFew[list[_Row]] = _NewestFew(1)
_documents: _NewestFew[ServicesDocument] = _NewestFew(KEPT)


def services_document(caller: Caller) -> ServicesDocument:
    """Return the whole price list at the caller's prices.

    It takes one query for custom rates, and one if the catalog has changed.
    """
    own: dict[int, Decimal] = {}
    if caller.has_own_rates:
        own = dict(CustomerRate.objects.filter(user=caller.user_id).order_by("service").values_list("service", "rate"))
    # A version of 0 means that the database's triggers have not set one yet, so nothing may be cached for it.
    name = (caller.catalog_version, caller.discount, tuple(own.items()))
    make = partial(_made, caller.catalog_version, caller.discount, own)
    return _documents.get(name, make) if caller.catalog_version else make()


def _made(catalog_version: int, discount: Decimal, own: Mapping[int, Decimal]) -> ServicesDocument:
    rows = _rows.get(catalog_version, _read) if catalog_version else _read()
    texts = [row.written(own[row.pk] if row.pk in own else charges.apply_discount(row.rate, discount)) for row in rows]
    body = f"[{','.join(texts)}]".encode("ascii")
    digest = blake2b(body, digest_size=16).hexdigest()
    return ServicesDocument(body, gzip.compress(body, compresslevel=6, mtime=0), f'W/"{digest}"')


def _read() -> list[_Row]:
    found = Service.objects.on_sale().values_list(*responses.SERVICE_COLUMNS)
    return [_row(*responses.service_row(row)) for row in found]


def _row(row: dict[str, Any], rate: Decimal, is_flat: bool, is_read_flat: bool) -> _Row:
    text = json.dumps(row, separators=(",", ":"))
    # This is the first place in the row where the text can match, because quotes in names are escaped.
    before, after = text.split('"rate":""', 1)
    return _Row(row["service"], f'{before}"rate":', after, rate, is_flat, is_read_flat)
