"""The faults of a panel simulator, one function each. To add one, write it and add it to ``KINDS``.

Each docstring says whether the request is executed: ``execute()`` executes it and returns the answer of a healthy
panel.
"""

from __future__ import annotations

import gzip
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers.panels.simulators.server import Incoming, Reply

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that a fault applies to; ``wait`` sleeps, but only while the panel runs."""

    incoming: Incoming
    execute: Callable[[], Reply]
    wait: Callable[[float], object]
    url: str


@dataclass(slots=True)
class Fault:
    """A fault for the next ``times`` requests of a verb, or "*" for any verb."""

    verb: str
    kind: str
    times: int
    options: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Refuse an unknown kind or option here, in the test that wrote it, not later in a server thread."""
        inspect.signature(KINDS[self.kind]).bind(None, **self.options)

    def run(self, exchange: Exchange) -> None:
        KINDS[self.kind](exchange, **self.options)


def reset_before(exchange: Exchange) -> None:
    """RST, not executed and not recorded: the request is read only as far as it takes to learn its verb."""
    exchange.incoming.reset()


def reset_after(exchange: Exchange) -> None:
    """Executed, then RST without an answer."""
    exchange.execute()
    exchange.incoming.reset()


def hang(exchange: Exchange, *, seconds: float = 30.0) -> None:
    """Not executed; silence, then the connection is closed."""
    exchange.wait(seconds)
    exchange.incoming.hang_up()


def execute_then_hang(exchange: Exchange, *, seconds: float = 30.0) -> None:
    """Executed; silence, then the connection is closed."""
    exchange.execute()
    hang(exchange, seconds=seconds)


def late(exchange: Exchange, *, seconds: float = 5.0) -> None:
    """Executed late, after the client has given up; then the connection is closed."""
    exchange.wait(seconds)
    exchange.execute()
    exchange.incoming.hang_up()


def slow(exchange: Exchange, *, seconds: float = 5.0) -> None:
    """Executed at once, answered late."""
    reply = exchange.execute()
    exchange.wait(seconds)
    exchange.incoming.send(reply)


def drip(exchange: Exchange, *, interval: float = 0.25, headers: bool = False) -> None:
    """Executed; the body, with ``headers`` the whole answer, comes one byte every ``interval`` seconds."""
    reply = exchange.execute()
    if not headers:
        exchange.incoming.write(reply.head())
    for byte in (reply.head() if headers else b"") + reply.body:
        exchange.incoming.write(bytes([byte]))
        exchange.wait(interval)


def html(exchange: Exchange) -> None:
    """Not executed; HTTP 200 with a page."""
    exchange.incoming.send(Reply.page("Scheduled maintenance", "<p>We will be back soon.</p>"))


def challenge(exchange: Exchange) -> None:
    """Not executed; the page of a proxy that blocks robots."""
    page = Reply.page("Just a moment...", "<noscript>Enable JavaScript and cookies to continue</noscript>", 403)
    headers = {"Server": "cloudflare", "Cf-Mitigated": "challenge"}
    exchange.incoming.send(Reply(page.body, page.status, page.content_type, headers))


def http_500(exchange: Exchange, *, executed: bool = False) -> None:
    """HTTP 500 with a page; ``executed`` says whether it was done before it broke."""
    if executed:
        exchange.execute()
    exchange.incoming.send(Reply.page("Internal Server Error", status=500))


def http_error(
    exchange: Exchange,
    *,
    status: int,
    body: str | bytes = "",
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    executed: bool = False,
) -> None:
    """Any status with any body."""
    if executed:
        exchange.execute()
    data = body.encode() if isinstance(body, str) else body
    exchange.incoming.send(Reply(data, status, content_type, headers or {}))


def text(
    exchange: Exchange, *, body: str | bytes, content_type: str = "application/json", executed: bool = False
) -> None:
    """HTTP 200 with any body."""
    http_error(exchange, status=200, body=body, content_type=content_type, executed=executed)


def error(exchange: Exchange, *, text: str) -> None:
    """Not executed; HTTP 200 with an error in the family's shape."""
    exchange.incoming.send(Reply.of({"error": text}))


def empty(exchange: Exchange) -> None:
    """Not executed; HTTP 200 without a body."""
    exchange.incoming.send(Reply())


def empty_list(exchange: Exchange) -> None:
    """Not executed; ``[]`` where an object belongs."""
    exchange.incoming.send(Reply.of([]))


def truncated(exchange: Exchange, *, announce_all: bool = False) -> None:
    """Executed; the JSON is cut in the middle. With ``announce_all`` the headers promise the whole of it."""
    reply = exchange.execute()
    half = reply.body[: len(reply.body) // 2]
    exchange.incoming.write(reply.head(len(reply.body) if announce_all else len(half)) + half)
    exchange.incoming.hang_up()


def huge(exchange: Exchange, *, mb: int = 10) -> None:
    """Not executed; valid JSON that is mostly blanks, ``mb`` megabytes of it, streamed."""
    exchange.incoming.write(Reply().head(mb * MEGABYTE + 2) + b"[")
    for _ in range(mb):
        exchange.incoming.write(b" " * MEGABYTE)
    exchange.incoming.write(b"]")


def bomb(exchange: Exchange, *, mb: int = 10) -> None:
    """Not executed; a small compressed body that grows to ``mb`` megabytes, whether or not it was asked for."""
    packed = gzip.compress(b"[" + b" " * (mb * MEGABYTE) + b"]")
    exchange.incoming.send(Reply(packed, headers={"Content-Encoding": "gzip"}))


def redirect(exchange: Exchange, *, status: int = 302, location: str = "") -> None:
    """Not executed; sends the client to ``location``, or back here."""
    exchange.incoming.send(Reply(status=status, headers={"Location": location or exchange.url}))


def wrong_types(exchange: Exchange) -> None:
    """Executed; every value of the answer arrives wrapped in a list: ``{"order": [23501]}``."""
    reply = exchange.execute()
    try:
        reply = Reply.of(_wrapped(json.loads(reply.body)), reply.status)
    except ValueError:
        pass  # this panel's healthy answer is not JSON either
    exchange.incoming.send(reply)


def rows(exchange: Exchange, **changes: Any) -> None:
    """Executed; every order in the answer to ``status`` has these values; None removes a field."""
    _send_changed(exchange, lambda row: {k: v for k, v in {**row, **changes}.items() if v is not None})


def left_out(exchange: Exchange, *, ids: list[str]) -> None:
    """Executed; the answer about many orders says nothing about ``ids``."""
    reply = exchange.execute()
    body = _read(reply)
    exchange.incoming.send(Reply.of({name: row for name, row in body.items() if name not in ids}, reply.status))


def twins(exchange: Exchange, **changes: Any) -> None:
    """Executed; every named object appears twice in the answer, the second time with ``changes``."""
    reply = exchange.execute()
    body = _read(reply)
    second = {
        name: {**row, **changes} if isinstance(row, dict) else changes.get(name, row) for name, row in body.items()
    }
    pairs = [f"{json.dumps(name)}: {json.dumps(row)}" for each in (body, second) for name, row in each.items()]
    exchange.incoming.send(Reply(f"{{{', '.join(pairs)}}}".encode(), reply.status))


def _send_changed(exchange: Exchange, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    reply = exchange.execute()
    body = _read(reply)
    if "status" in body:
        changed = change(body)
    else:
        changed = {name: change(row) if isinstance(row, dict) else row for name, row in body.items()}
    exchange.incoming.send(Reply.of(changed, reply.status))


def _read(reply: Reply) -> dict[str, Any]:
    """Return the object in a healthy answer, also of the panel that puts it in the brackets of a list."""
    text = reply.body.decode().strip()
    body = json.loads("{" + text[1:-1] + "}" if text.startswith("[") else text)
    assert isinstance(body, dict)
    return body


def _wrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _wrapped(inner) for name, inner in value.items()}
    return [_wrapped(inner) for inner in value] if isinstance(value, list) else [value]


KINDS: Mapping[str, Callable[..., None]] = {
    "reset_before": reset_before,
    "reset_after": reset_after,
    "hang": hang,
    "execute_then_hang": execute_then_hang,
    "late": late,
    "slow": slow,
    "drip": drip,
    "html": html,
    "challenge": challenge,
    "http_500": http_500,
    "http_error": http_error,
    "error": error,
    "empty": empty,
    "list": empty_list,
    "truncated": truncated,
    "huge": huge,
    "bomb": bomb,
    "redirect": redirect,
    "wrong_types": wrong_types,
    "text": text,
    "rows": rows,
    "left_out": left_out,
    "twins": twins,
}
