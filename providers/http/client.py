"""The HTTP client: sends one request per call, within limits of time and size, and reports one of three outcomes.

No Django and no retries. It does not interpret answers; panel dialects, gateways and webhooks do.
"""

from __future__ import annotations

import html
import http.client
import json
import os
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util import Retry
from urllib3.util.ssl_ import create_urllib3_context

from providers import notes
from providers.errors import AddressNotAllowed, LeaseEnded, NotSent, OutcomeUnknown, ProviderError
from providers.http.addresses import check_address
from providers.http.content import decode, unpack
from providers.http.messages import Answer, Call
from providers.http.wire import POOLS, Phase, Wire, current, watchdog
from providers.notes import Note
from providers.worker.clock import Deadline

__all__ = ["Limits", "check_address", "redact", "send"]

HEADERS = {"User-Agent": "Vitrine/1", "Accept": "application/json"}
FIXED_HEADERS = {"Accept-Encoding": "identity", "Connection": "close"}
RETRY_AFTER_MAX = 86_400  # seconds
PIECE = 64 * 1024  # bytes

E = TypeVar("E", bound=BaseException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one call.

    Args:
        connect: Seconds to connect to one address.
        total: Seconds from the name lookup to the last byte.
        body: Maximum bytes of the body, before and after decompression.
        allow_private: Whether addresses on this machine and in private ranges are allowed.
    """

    connect: float = 5.0
    total: float = 30.0
    body: int = 256 * 1024
    allow_private: bool = False


DEFAULT_LIMITS = Limits()


def send(call: Call, *, limits: Limits = DEFAULT_LIMITS, send_by: Deadline | None = None) -> Answer:
    """Send ``call`` once and return the complete HTTP answer, whatever its status code; ``text`` is not redacted.

    How far the call got decides which error is raised, never the class of the original exception.

    Args:
        send_by: The last moment for the first byte, see ``providers.worker.leases``. Required if a row was claimed
            for this call, because after the lease another process may decide that the call was never made.

    Raises:
        NotSent: no byte was handed to the socket. Its subclasses are AddressNotAllowed and LeaseEnded (``send_by``
            has passed).
        OutcomeUnknown: everything else.
    """
    outcome = _attempt(call, limits, send_by)
    if isinstance(outcome, ProviderError):
        raise outcome  # outside the except block, so that its causes, which print URLs with keys, are not attached
    return outcome


def _attempt(call: Call, limits: Limits, send_by: Deadline | None) -> Answer | ProviderError:
    started = time.monotonic()
    wire = Wire(
        deadline=Deadline.after(limits.total),
        connect=limits.connect,
        allow_private=limits.allow_private,
        send_by=send_by,
    )
    token = current.set(wire)
    try:
        check_address(call.url, allow_private=limits.allow_private)
        # One second more than the watchdog allows, so that it is always the watchdog that ends a call.
        response = _session().send(_prepare(call), stream=True, allow_redirects=False, timeout=limits.total + 1)
        try:
            body = _read(response, limits.body, wire)
        finally:
            response.close()
        watchdog.disarm(wire)
        if wire.is_expired:  # a closed connection looks like the regular end of a body without a length
            raise EOFError
        return _answer(response, body, elapsed=time.monotonic() - started)
    except Exception as error:  # the phase decides what an error means, not its class
        return _failure(error, call, limits, wire)
    finally:
        watchdog.disarm(wire)
        current.reset(token)


def _prepare(call: Call) -> requests.PreparedRequest:
    request = requests.Request(
        call.method,
        call.url,
        params=call.query,
        data=call.form if call.content is None else call.content,
        json=None if call.json is None else dict(call.json),
        headers=HEADERS | dict(call.headers) | FIXED_HEADERS,
    )
    return request.prepare()


# --- the session -------------------------------------------------------------------------------------------------


class _Adapter(HTTPAdapter):
    """Makes requests use our connections. Trusted certificates are loaded once, not per connection (10 ms)."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the SSL context already requires a trusted certificate for the right name."""


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never follow redirects: requests would read the body of a redirect whole, past every limit."""


@cache
def _session() -> _Session:
    """Return the session that all threads share; it stores nothing between calls."""
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=100, max_retries=Retry(0, read=False))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


if hasattr(os, "register_at_fork"):  # a thread of the parent process may have held one of its locks
    os.register_at_fork(after_in_child=_session.cache_clear)


# --- the answer --------------------------------------------------------------------------------------------------


def _read(response: requests.Response, limit: int, wire: Wire) -> bytes:
    """Return the decompressed body; raise OutcomeUnknown if either form of it is larger than ``limit`` bytes."""
    if response.status_code < 200:
        raise OutcomeUnknown(notes.encode(Note.INTERIM_ONLY, status=response.status_code))
    too_large = OutcomeUnknown(notes.encode(Note.ANSWER_TOO_LARGE, size=limit // 1024))
    if (response.raw.length_remaining or 0) > limit:
        raise too_large
    body = bytearray()
    for piece in response.raw.stream(PIECE, decode_content=False):
        body += piece
        wire.received = len(body)
        if wire.received > limit:
            raise too_large
    return unpack(bytes(body), response.headers.get("Content-Encoding", ""), limit)


def _answer(response: requests.Response, body: bytes, *, elapsed: float) -> Answer:
    return Answer(
        status=response.status_code,
        text=decode(body, response.headers.get("Content-Type", "")),
        content_type=response.headers.get("Content-Type", "")[:200],
        elapsed_ms=round(elapsed * 1000),
        retry_after=_retry_after(response.headers.get("Retry-After", "")),
    )


def _retry_after(value: str) -> int | None:
    """Return the seconds to wait (0 to one day) from a number or an HTTP date, or None if neither can be read."""
    try:
        seconds = int(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = int((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return max(0, min(seconds, RETRY_AFTER_MAX))


# --- the failure -------------------------------------------------------------------------------------------------


def _failure(error: Exception, call: Call, limits: Limits, wire: Wire) -> ProviderError:
    message = redact(_failure_message(error, limits, wire), call.secrets)
    if wire.phase >= Phase.SENT:
        return OutcomeUnknown(message)
    # A new error, because the original one would carry its causes, which print URLs with keys.
    for error_class in (AddressNotAllowed, LeaseEnded):
        if isinstance(error, error_class):
            return error_class(message)
    return NotSent(message)


def _failure_message(error: Exception, limits: Limits, wire: Wire) -> str:
    """Return the reason as a note, because texts of libraries contain URLs."""
    if isinstance(error, ProviderError):
        return error.message
    if wire.is_expired or wire.remaining() <= 0:
        return _late(wire.phase, f"{limits.total:g}")
    if wire.phase == Phase.TLS:
        return _tls_failure(error)
    if wire.phase < Phase.SENT:
        return notes.encode(Note.REQUEST_FAILED, message=type(error).__name__)
    if wire.phase == Phase.BODY:
        return notes.encode(Note.ANSWER_CUT_OFF, size=wire.received)
    if _find(error, ConnectionResetError):
        return notes.encode(Note.CONNECTION_RESET)
    if _find(error, EOFError):
        return notes.encode(Note.HEADERS_CUT_OFF if wire.phase == Phase.HEADERS else Note.CONNECTION_CLOSED)
    if _find(error, http.client.HTTPException):
        return notes.encode(Note.NOT_HTTP)
    return notes.encode(Note.CONNECTION_FAILED, message=type(error).__name__)


def _late(phase: Phase, seconds: str) -> str:
    if phase == Phase.TLS:
        return notes.encode(Note.TLS_TIMED_OUT, seconds=seconds)
    if phase < Phase.SENT:
        return notes.encode(Note.CONNECT_TIMED_OUT, seconds=seconds)
    return notes.encode(Note.NO_ANSWER if phase == Phase.SENT else Note.ANSWER_TIMED_OUT, seconds=seconds)


def _tls_failure(error: Exception) -> str:
    certificate = _find(error, ssl.SSLCertVerificationError)
    if certificate:
        return notes.encode(Note.CERTIFICATE_REJECTED, message=certificate.verify_message)
    failure = _find(error, ssl.SSLError)
    reason = failure.reason if failure else None
    return notes.encode(Note.TLS_FAILED, message=(reason or "connection lost").replace("_", " ").lower())


def _find(error: BaseException | None, kind: type[E]) -> E | None:
    """Return the first ``kind`` among ``error`` and its causes; only messages may depend on it."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__context__
    return None


# --- redaction ---------------------------------------------------------------------------------------------------


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with ``secrets``, also URL-quoted, JSON-escaped or HTML-escaped, replaced by ``[key]``."""
    forms: set[str] = set()
    for secret in secrets:
        quoted = (quote(secret), quote(secret, safe=""), quote_plus(secret))
        escaped = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
        forms.update((secret, html.escape(secret), *quoted, *escaped))
        forms.update(_small_hex(form) for form in quoted)
    for form in sorted(forms - {""}, key=len, reverse=True):  # the longest first: one may hold another
        text = text.replace(form, "[key]")
    return text


def _small_hex(quoted: str) -> str:
    """Return ``a%2Fb`` as ``a%2fb``, which is how some panels echo it."""
    head, *parts = quoted.split("%")
    return head + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts)
