"""Content of the right layout with a wrong value in one field, and what a gateway may make of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from orders.errors import InvalidAmount
from storefront.payments.gateway import GatewayReport, GatewayUnreachable, WebhookRejected

#: JSON values that clients of a weakly typed language send, or that break a careless reader.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    12,
    0.1,
    1e308,
    "",
    "x",
    "-5",
    "1e5",
    "1e9999",
    "NaN",
    "Infinity",
    "1,000.50",
    "٣",
    "9" * 400,
    "\ud800",
    "a\x00b",
    [],
    ["x"],
    {},
    {"amount": "1"},
)


def variants(content: Any) -> Iterator[tuple[str, Any]]:
    """Return copies of ``content`` in each of which one field is missing or has a wrong value, with its path."""
    for path in _paths(content):
        for wrong in (*VALUES, _MISSING):
            changed = copy.deepcopy(content)
            parent = changed
            for step in path[:-1]:
                parent = parent[step]
            if wrong is _MISSING:
                del parent[path[-1]]
            else:
                parent[path[-1]] = wrong
            yield f"{'.'.join(map(str, path))} = {'missing' if wrong is _MISSING else repr(wrong)[:40]}", changed


def assert_handled(content: Any, read: Callable[[Any], GatewayReport | None]) -> None:
    """Check that ``read`` raises nothing but the errors of the interface for every variant of ``content``.

    Args:
        read: Delivers the content, properly signed, to the gateway.
    """
    for name, changed in variants(content):
        try:
            report = read(changed)
        except (WebhookRejected, GatewayUnreachable, InvalidAmount):
            continue
        except Exception as problem:
            raise AssertionError(f"{name}: {problem!r}") from problem
        assert report is None or isinstance(report, GatewayReport), name
        if report is None:
            continue
        assert report.reference or report.number or report.upstream_id, name
        if report.amount is not None:
            assert report.amount.is_finite(), name
            assert report.amount >= 0, name
        for text in (report.reference, report.upstream_id, report.entry_id, report.currency, report.note):
            assert isinstance(text, str), name
            assert "\x00" not in text, name


_MISSING = object()


def _paths(content: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*prefix, key)
        yield from _paths(value, (*prefix, key))
