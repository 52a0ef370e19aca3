"""The answer to ``services``, rendered once for each discount and kept until the catalogue's stamp changes.

Rows are rendered without their rate; a level's list, and the list of a customer with prices of their own, put their
rates between the same pieces.
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
from storefront.api.panel import responses
from storefront.api.panel.authentication import Caller
from storefront.api.panel.responses import ServicesDocument
from storefront.web import panel_vocabulary

T = TypeVar("T")

#: How many lists are kept: of the levels, and of customers with prices of their own. A list may have megabytes.
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
class _Shelf(Generic[T]):
    """Keeps the newest few by name. Who finds nothing makes it, one at a time: the others wait for what is made."""

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


_rows: _Shelf[list[_Row]] = _Shelf(1)
_books: _Shelf[ServicesDocument] = _Shelf(KEPT)


def book(caller: Caller) -> ServicesDocument:
    """The whole price list as ``caller`` pays it. One query for prices of their own, one when the catalogue changed."""
    own: dict[int, Decimal] = {}
    if caller.has_own_rates:
        own = dict(CustomerRate.objects.filter(user=caller.user_id).order_by("service").values_list("service", "rate"))
    # A stamp of 0: nothing has been kept in this database yet, or not by its triggers.
    name = (caller.stamp, caller.discount, tuple(own.items()))
    make = partial(_made, caller.stamp, caller.discount, own)
    return _books.get(name, make) if caller.stamp else make()


def _made(stamp: int, discount: Decimal, own: Mapping[int, Decimal]) -> ServicesDocument:
    rows = _rows.get(stamp, _read) if stamp else _read()
    texts = [row.written(own[row.pk] if row.pk in own else charges.apply_discount(row.rate, discount)) for row in rows]
    body = f"[{','.join(texts)}]".encode("ascii")
    digest = blake2b(body, digest_size=16).hexdigest()
    return ServicesDocument(body, gzip.compress(body, compresslevel=6, mtime=0), f'W/"{digest}"')


def _read() -> list[_Row]:
    found = Service.objects.on_sale().values_list(*responses.SERVICE_COLUMNS)
    return [_row(*responses.service_row(row)) for row in found]


def _row(row: dict[str, Any], rate: Decimal, is_flat: bool, is_read_flat: bool) -> _Row:
    text = json.dumps(row, separators=(",", ":"))
    # The first text in a row that can be a whole value: names have their quotation marks escaped.
    before, after = text.split('"rate":""', 1)
    return _Row(row["service"], f'{before}"rate":', after, rate, is_flat, is_read_flat)
