"""Send the requests of gateways through the shared HTTP client, with its limits of time and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from providers import note_texts
from providers.errors import ProviderError
from providers.http import client
from providers.http.client import Limits, redact
from providers.http.messages import Call
from storefront.payments.wire import exact_json

__all__ = ["GatewayAnswer", "redact", "send"]

#: Seconds and bytes. A customer waits for the answer.
CONNECT, TOTAL, BODY_MAX = 5.0, 15.0, 512 * 1024


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """The answer of a gateway. ``text`` may contain secrets, so it is not in the repr."""

    status: int
    text: str = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body, or {} if there is none; its numbers are ``exact_json.Number``."""
        try:
            data = exact_json.loads(self.text)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


def send(
    name: str,
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None,
    form: Mapping[str, str] | None,
    json: Any,
    content: bytes | None,
    headers: Mapping[str, str] | None,
    secrets: tuple[str, ...],
    is_local: bool,
) -> GatewayAnswer:
    """Send one request and return the answer, whatever its status. Redirects are not followed.

    Args:
        name: The gateway, for messages.
        is_local: Whether addresses on this machine are allowed.

    Raises:
        ConnectionError: No complete answer came. The message contains none of ``secrets``.
    """
    sent = dict(headers or {})
    if json is not None:
        content = exact_json.dumps(json).encode()
    if content is not None:
        sent = {"Content-Type": "application/json"} | sent
    call = Call(
        verb=f"payment gateway {name}",
        method=cast(Literal["GET", "POST"], method),
        url=url,
        query=tuple((query or {}).items()),
        form=tuple((form or {}).items()),
        content=content,
        headers=tuple(sent.items()),
        is_write=method != "GET",
        secrets=secrets,
    )
    try:
        answer = client.send(call, limits=Limits(connect=CONNECT, total=TOTAL, body=BODY_MAX, allow_private=is_local))
    except ProviderError as problem:
        raise ConnectionError(redact(note_texts.describe(problem.message), secrets)) from None
    return GatewayAnswer(answer.status, answer.text)
