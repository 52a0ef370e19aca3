"""The HTTP client against a server of bare sockets, without Django and without mocks."""

from __future__ import annotations

import gzip
import ipaddress
import json
import logging
import os
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from providers import note_texts, notes
from providers.errors import AddressNotAllowed, LeaseEnded, NotSent, OutcomeUnknown, ProviderError
from providers.http import client, wire
from providers.http.client import Limits, redact, send
from providers.http.messages import Answer, Call
from providers.worker.clock import Deadline
from tests.providers.raw_server import (
    RawServer,
    Script,
    answer,
    byte_by_byte,
    finish,
    gzip_bomb,
    head,
    read_request,
    reads,
    says,
)

KEY = "k3y/with+odd=chars&ü"
HERE = Limits(connect=0.5, total=1.0, allow_private=True)
ORDER = b'{"order": 23501}'
CHUNKED = "Transfer-Encoding: chunked"


def order(url: str) -> Call:
    form = (("key", KEY), ("action", "add"), ("service", "1"), ("link", "https://example.com/x"), ("quantity", "100"))
    return Call(verb="add", method="POST", url=url, form=form, is_write=True, secrets=(KEY,))


def balance(url: str) -> Call:
    query = (("key", KEY), ("action", "balance"))
    return Call(verb="balance", method="GET", url=url, query=query, secrets=(KEY,))


def outcome(call: Call, limits: Limits = HERE) -> Answer | ProviderError:
    """Return what became of the call, never later than the deadline and a little."""
    started = time.monotonic()
    try:
        result: Answer | ProviderError = send(call, limits=limits)
    except ProviderError as error:
        result = error
    assert time.monotonic() - started <= limits.total + 0.5
    return result


def outcome_of(script: Script, limits: Limits = HERE) -> Answer | ProviderError:
    """Return what became of an order sent to a server that follows ``script``; it was tried exactly once."""
    with RawServer(script) as server:
        result = outcome(order(server.url), limits)
        time.sleep(0.02)
        assert server.connections == 1
        assert len(server.requests) <= 1
    return result


@pytest.fixture
def no_kept_addresses() -> Iterator[None]:
    wire._kept.clear()
    yield
    wire._kept.clear()


def reason(error: object) -> str:
    """Return why the call failed, as operators read it."""
    assert isinstance(error, ProviderError)
    assert notes.decode(error.message), "the reason is not stored as a note"
    return note_texts.describe(error.message)


# --- nothing was sent --------------------------------------------------------------------------------------------


def test_an_unknown_name_is_not_sent() -> None:
    error = outcome(order("http://panel.invalid/api/v2"))
    assert type(error) is NotSent
    assert reason(error) == "Not sent: the host name panel.invalid has no address."


def test_a_look_up_that_hangs_is_not_sent_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(2) or [])
    error = outcome(order("http://panel.example/"), replace(HERE, total=0.3))
    assert type(error) is NotSent


def test_a_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = outcome(order(f"http://127.0.0.1:{port}/"))
    assert type(error) is NotSent
    assert "connection refused" in reason(error)


def test_an_address_that_never_accepts_a_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        fillers = []
        for _ in range(3):  # fill the queue; the kernel then drops what comes
            fillers.append(filler := socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        time.sleep(0.1)
        error = outcome(order(f"http://127.0.0.1:{full.getsockname()[1]}/"))
        for filler in fillers:
            filler.close()
    assert type(error) is NotSent
    assert reason(error) == "Not sent: no connection within 0.5 s."


def test_a_stalled_tls_handshake_is_not_sent() -> None:
    with RawServer(reads(4096, end="keep")) as server:
        error = outcome(order(f"https://127.0.0.1:{server.port}/"))
        assert server.connections == 1
    assert type(error) is NotSent
    assert reason(error) == "Not sent: the TLS handshake did not finish within 1 s."


@pytest.mark.parametrize("end", ["fin", "rst"])
def test_a_tls_handshake_that_breaks_is_not_sent(end: str) -> None:
    with RawServer(reads(4096, end=end)) as server:
        error = outcome(order(f"https://127.0.0.1:{server.port}/"))
        assert server.connections == 1
    assert type(error) is NotSent


def test_tls_to_a_plain_text_port_is_not_sent() -> None:
    def plain(_: RawServer, connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer(b"You speak TLS to an HTTP port", status="400 Bad Request"))
        connection.close()

    with RawServer(plain) as server:
        error = outcome(order(f"https://127.0.0.1:{server.port}/"))
    assert type(error) is NotSent
    assert "the TLS handshake failed" in reason(error)


@pytest.mark.parametrize(
    "broken",
    [
        {"headers": (("X-Odd", "a\r\nb"),)},
        {"form": (), "json": {"rate": float("nan")}},
        {"form": (), "json": {"rate": object()}},
        {"url": "http://[::1/"},
        {"url": "http://" + "a" * 300 + ".example/"},
    ],
)
def test_a_request_that_cannot_be_made_is_not_sent(broken: dict[str, object]) -> None:
    with RawServer(says(answer(ORDER))) as server:
        error = outcome(replace(order(server.url), **broken))  # type: ignore[arg-type]
        assert isinstance(error, NotSent)
        assert server.requests == []


# --- it was sent, and then something went wrong ------------------------------------------------------------------

UNKNOWN: dict[str, tuple[Script, str]] = {
    "reset on accept": (reads(0, end="rst"), "reset"),
    "partial read, reset": (reads(20, end="rst"), "reset"),
    "partial read, fin": (reads(20, end="fin"), "request was sent"),
    "full read, reset": (says(end="rst"), "The connection was reset after the request was sent."),
    "fin without bytes": (says(), "The connection was closed without an answer. The request was sent."),
    "no answer": (says(end="keep"), "No answer within 1 s. The request was sent."),
    "slow headers": (says(*byte_by_byte(answer(ORDER)), pause=0.25), "No answer within 1 s. The request was sent."),
    "slow later headers": (
        says(b"HTTP/1.1 200 OK\r\n", *byte_by_byte(b"A" * 20), pause=0.25),
        "not complete within 1 s",
    ),
    "slow body": (
        says(head("Content-Length: 16"), *byte_by_byte(ORDER), pause=0.25),
        "The answer was not complete within 1 s.",
    ),
    "slow body without length": (says(head(), ORDER, *byte_by_byte(b" " * 20), pause=0.25), "not complete within 1 s"),
    "slow chunks": (says(head(CHUNKED), *[b"1\r\n \r\n"] * 20, pause=0.25), "The answer was not complete within 1 s."),
    "half headers, reset": (says(b"HTTP/1.1 200 OK\r\nContent-Ty", end="rst"), "reset"),
    "half headers, fin": (says(b"HTTP/1.1 200 OK\r\nContent-Ty"), "The answer was cut off in its headers."),
    "headers without end": (says(b"HTTP/1.1 404 Not Found\r\nA: b\r\n"), "The answer was cut off in its headers."),
    "half status line": (says(b"HTTP/1.1 200"), "request was sent"),
    "short content-length": (says(head("Content-Length: 999") + ORDER), "The answer was cut off after 16 bytes."),
    "short content-length, reset": (says(head("Content-Length: 999") + ORDER, end="rst"), "answer was cut off"),
    "broken chunk": (says(head(CHUNKED) + b"10\r\n" + ORDER + b"\r\nzz\r\n"), "The answer was cut off after 16 bytes."),
    "half a chunk": (says(head(CHUNKED) + b"ff\r\n" + ORDER), "The answer was cut off after 0 bytes."),
    "missing last chunk": (says(head(CHUNKED) + b"10\r\n" + ORDER + b"\r\n"), "The answer was cut off after 16 bytes."),
    "endless chunk": (says(head(CHUNKED) + b"-1\r\n", *[bytes(65536)] * 500), "answer was cut off"),
    "not http": (says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "The answer is not readable HTTP."),
    "interim answer only": (says(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "was cut off in its headers"),
    "another protocol": (
        says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        "Only an interim answer (HTTP 101) arrived.",
    ),
    "interim answers without end": (
        says(*[b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"] * 30, pause=0.05),
        "The answer was not complete within 1 s.",
    ),
    "two lengths": (says(head("Content-Length: 16", "Content-Length: 2") + ORDER), ""),
    "bad gzip": (says(answer(b"\x1f\x8b" + ORDER, "Content-Encoding: gzip")), "its gzip compression is broken"),
    "half a gzip": (
        says(answer(gzip.compress(ORDER)[:-9], "Content-Encoding: gzip")),
        "its gzip compression is broken",
    ),
    "unknown packing": (
        says(answer(b"\x0b\x07\x80" + ORDER + b"\x03", "Content-Encoding: br")),
        "The answer is compressed in a way that was not requested: br.",
    ),
    "declared too large": (says(head("Content-Length: 67108864"), end="keep"), "The answer is larger than 256 kB."),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_fault_after_the_first_byte_leaves_the_outcome_unknown(case: str) -> None:
    script, words = UNKNOWN[case]
    error = outcome_of(script)
    assert type(error) is OutcomeUnknown
    assert words in reason(error)


# --- over TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for 127.0.0.1 and its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "panel")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "panel.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(signed.public_bytes(Encoding.PEM) + pem)
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(client, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    client._session.cache_clear()
    yield
    client._session.cache_clear()


def test_an_untrusted_certificate_is_not_sent(tls: ssl.SSLContext) -> None:
    with RawServer(says(answer(ORDER)), tls=tls) as server:
        error = outcome(order(server.url))
        assert server.requests == []
    assert type(error) is NotSent
    assert reason(error) == "Not sent: the certificate is not trusted (self-signed certificate)."


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_not_sent(tls: ssl.SSLContext) -> None:
    with RawServer(says(answer(ORDER)), tls=tls) as server:
        error = outcome(order(server.url.replace("127.0.0.1", "localhost")))
        assert server.requests == []
    assert type(error) is NotSent
    assert "the certificate is not trusted" in reason(error)


@pytest.mark.usefixtures("trusted")
def test_a_trusted_certificate_is_enough(tls: ssl.SSLContext) -> None:
    with RawServer(says(answer(ORDER)), tls=tls) as server:
        got = outcome(order(server.url))
    assert isinstance(got, Answer)
    assert got.text == ORDER.decode()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    "case", ["full read, reset", "fin without bytes", "no answer", "slow headers", "slow body without length"]
)
def test_over_tls_too_the_outcome_is_unknown_once_sent(case: str, tls: ssl.SSLContext) -> None:
    with RawServer(UNKNOWN[case][0], tls=tls) as server:
        error = outcome(order(server.url))
        assert (server.connections, len(server.requests)) == (1, 1)
    assert type(error) is OutcomeUnknown
    assert "request was sent" in reason(error) or "not complete" in reason(error)


# --- too large ---------------------------------------------------------------------------------------------------


def large(_: RawServer, connection: socket.socket) -> None:
    read_request(_, connection)
    connection.sendall(head())
    for _number in range(1024):  # 64 MB
        connection.sendall(bytes(65536))


def test_large_answers_are_left_and_memory_stays_small() -> None:
    bomb = gzip_bomb(200)
    assert len(bomb) < 256 * 1024
    packed = answer(bomb, "Content-Encoding: gzip")
    redirected = answer(bomb, "Content-Encoding: gzip", "Location: /elsewhere", status="302 Found")
    endless = says(head(CHUNKED) + b"-1\r\n", *[bytes(65536)] * 1024)
    scripts: list[Script] = [large, says(packed), says(redirected), endless]
    for script in scripts:
        tracemalloc.start()
        try:
            error = outcome_of(script, replace(HERE, total=5.0))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert type(error) is OutcomeUnknown
        assert script is endless or reason(error) == "The answer is larger than 256 kB."
        assert peak < 3 * 1024 * 1024


def test_an_answer_of_exactly_the_limit_is_whole() -> None:
    body = b"x" * 1000
    for packed in (answer(body), answer(gzip.compress(body), "Content-Encoding: gzip"), head() + body):
        assert isinstance(outcome_of(says(packed), replace(HERE, body=1000)), Answer)
        assert isinstance(outcome_of(says(packed), replace(HERE, body=999)), OutcomeUnknown)


# --- complete answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 429, 500, 502, 503, 504, 520, 522, 524])
def test_any_status_with_a_whole_body_is_an_answer_and_is_not_repeated(status: int) -> None:
    got = outcome_of(says(answer(b"<h1>oh</h1>", "Retry-After: 1", status=f"{status} X", kind="text/html")))
    assert isinstance(got, Answer)
    assert (got.status, got.text, got.content_type, got.retry_after) == (status, "<h1>oh</h1>", "text/html", 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    with RawServer(says(answer(ORDER))) as second:
        got = outcome_of(says(answer(b"moved", f"Location: {second.url}?key={KEY[:3]}", status=f"{status} Moved")))
        assert second.connections == 0
    assert isinstance(got, Answer)
    assert (got.status, got.text) == (status, "moved")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (answer(b""), ""),
        (head(status="204 No Content"), ""),
        (head() + ORDER, ORDER.decode()),
        (head(CHUNKED) + b"10\r\n" + ORDER + b"\r\n0\r\n\r\n", ORDER.decode()),
        (head(CHUNKED) + b"10\r\n" + ORDER + b"\r\n0\r\n", ORDER.decode()),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(ORDER), ORDER.decode()),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + answer(ORDER), ORDER.decode()),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + answer(ORDER), ORDER.decode()),
        *((answer(ORDER, f"Content-Encoding: {name}"), ORDER.decode()) for name in ("UTF-8", "none", "identity", "br")),
        (answer(gzip.compress(ORDER)), ORDER.decode()),
        (answer(gzip.compress(ORDER), "Content-Encoding: gzip, identity"), ORDER.decode()),
        (answer(gzip.compress(ORDER) + b"\r\n", "Content-Encoding: gzip"), ORDER.decode()),
        (answer(ORDER, "Content-Encoding: gzip"), ORDER.decode()),
        (answer("Заказ".encode("cp1251")), "Заказ"),
        (answer("Beğeni".encode("iso-8859-9")), "Beğeni"),
        (answer(gzip.compress(ORDER), "Content-Encoding: gzip"), ORDER.decode()),
        (answer(b"\xef\xbb\xbf" + ORDER), ORDER.decode()),
        (answer(ORDER.decode().encode("utf-16")), ORDER.decode()),
        (answer("Заказ".encode("cp1251"), kind="text/plain; charset=windows-1251"), "Заказ"),
        (answer("é".encode("latin-1"), kind="text/plain; charset=no-such"), "é"),
        (answer(b"\xff\xfe\x00", kind="text/plain; charset=idna"), None),
        (answer(b"a\x00b"), "a\ufffdb"),
    ],
)
def test_a_body_is_read_leniently_once_it_is_whole(raw: bytes, text: str | None) -> None:
    got = outcome_of(says(raw))
    assert isinstance(got, Answer)
    assert text is None or got.text == text


def test_the_time_of_an_answer_is_measured() -> None:
    got = outcome_of(says(answer(ORDER), delay=0.2))
    assert isinstance(got, Answer)
    assert 200 <= got.elapsed_ms < 400


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("-5", 0), ("99999999999", 86400), ("9" * 5000, None), ("soon", None), ("", None), ("0", 0)],
)
def test_retry_after_is_read_in_seconds_and_clamped(header: str, seconds: int | None) -> None:
    got = outcome_of(says(answer(b"", f"Retry-After: {header}", status="429 Slow")))
    assert isinstance(got, Answer)
    assert got.retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    got = outcome_of(says(answer(b"", f"Retry-After: {at}", status="503 Busy")))
    assert isinstance(got, Answer)
    assert got.retry_after in (88, 89, 90)


# --- what is sent ------------------------------------------------------------------------------------------------


def test_a_request_is_plain_and_carries_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with RawServer(says(answer(ORDER, "Set-Cookie: a=b; Path=/"), end="keep")) as server:
        send(order(server.url), limits=HERE)
        send(balance(server.url), limits=HERE)
        assert server.connections == 2
        assert not client._session().cookies
        first, second = server.requests
    assert first.startswith(b"POST /api/v2 HTTP/1.1\r\n")
    assert first.endswith(b"&action=add&service=1&link=https%3A%2F%2Fexample.com%2Fx&quantity=100")
    assert second.startswith(b"GET /api/v2?key=k3y%2Fwith%2Bodd%3Dchars%26%C3%BC&action=balance HTTP/1.1\r\n")
    for request in (first, second):
        for line in (b"User-Agent: Vitrine/1", b"Accept: application/json", b"Connection: close"):
            assert line in request
        assert b"Accept-Encoding: identity" in request
        assert b"cookie" not in request.lower()


def test_a_json_body_and_headers_are_sent_as_given() -> None:
    with RawServer(says(answer(ORDER))) as server:
        call = replace(order(server.url), form=(), json={"service": 1}, headers=(("X-Api-Key", "abc"),))
        send(call, limits=HERE)
        (request,) = server.requests
    assert b"X-Api-Key: abc\r\n" in request
    assert b"Content-Type: application/json\r\n" in request
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"service": 1}


# --- the key stays inside ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [KEY, "plainkey0123456789"])
@pytest.mark.parametrize(
    "script",
    [says(), says(end="rst"), says(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\nx"), says(b"\x16"), reads(0, end="rst")],
)
def test_the_key_is_in_no_part_of_an_error_nor_in_a_log(
    script: Script, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RawServer(script) as server:
        for url in (server.url, f"http://{secret[:3]}.invalid/", f"https://127.0.0.1:{server.port}/"):
            call = replace(balance(url), query=(("key", secret),), secrets=(secret,))
            error = outcome(call)
            if isinstance(error, ProviderError):
                texts = [str(error), repr(error), repr(error.args), error.message]
                texts += traceback.format_exception(error)
                assert error.__cause__ is None
                assert error.__context__ is None
                assert not any(form in text for text in texts for form in forms(secret))
    assert not any(form in caplog.text for form in forms(secret))


def forms(secret: str) -> set[str]:
    return {secret, "k3y%2Fwith%2Bodd%3Dchars%26%C3%BC"}


def test_a_host_name_that_contains_the_key_is_redacted() -> None:
    error = outcome(replace(order("http://s3cret.invalid/"), secrets=("s3cret",)))
    assert isinstance(error, NotSent)
    assert reason(error) == "Not sent: the host name [key].invalid has no address."


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        "k3y%2Fwith%2Bodd%3Dchars%26%C3%BC",
        "k3y%2fwith%2bodd%3dchars%26%c3%bc",
        "k3y/with%2Bodd%3Dchars%26%C3%BC",
        json.dumps(KEY)[1:-1],
        "k3y/with+odd=chars&amp;ü",
    ],
)
def test_redaction_knows_the_spellings_of_a_key(text: str) -> None:
    assert redact(f"a {text} b", (KEY,)) == "a [key] b"


def test_redaction_takes_the_longest_key_first_and_ignores_empty_ones() -> None:
    assert redact("abcdef abc", ("", "abc", "abcdef")) == "[key] [key]"


# --- addresses, when connecting (test_addresses has the rules themselves) ---------------------------------------


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0177.0.0.1", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"])
def test_connecting_checks_the_address_even_if_the_form_did_not(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "check_address", lambda *a, **k: None)
    monkeypatch.setattr(socket.socket, "connect", lambda *a: pytest.fail("connected"))
    assert type(outcome(order(f"http://{host}/"), Limits(total=1.0))) is AddressNotAllowed


def test_send_refuses_what_the_form_refuses() -> None:
    for url in ("file:///etc/passwd", "gopher://panel.example/", "https://user@panel.example/", "http://localhost/"):
        assert type(outcome(order(url), Limits(total=1.0))) is AddressNotAllowed


@pytest.mark.parametrize("private", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1", "fe80::1%lo"])
def test_a_name_that_resolves_to_a_private_address_is_refused(private: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("1.1.1.1", private)]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket.socket, "connect", lambda *a: pytest.fail("connected"))
    error = outcome(order("http://panel.example/"), Limits(total=1.0))
    assert type(error) is AddressNotAllowed
    assert private in reason(error)


@pytest.mark.usefixtures("no_kept_addresses")
def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    look_ups: list[str] = []
    with RawServer(says(answer(ORDER))) as server:

        def resolved(host: str, port: int, **_: object) -> list[object]:
            look_ups.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        send(order("http://panel.example/"), limits=HERE)
        send(order("http://panel.example/"), limits=HERE)
        assert look_ups == ["panel.example"], "kept for a moment"
        assert b"Host: panel.example\r\n" in server.requests[0]


@pytest.mark.usefixtures("no_kept_addresses")
def test_a_kept_address_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(says(answer(ORDER))) as server:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: rows)
        send(order("http://panel.example/"), limits=HERE)
        assert type(outcome(order("http://panel.example/"), Limits(total=1.0))) is AddressNotAllowed
        assert len(server.requests) == 1


@pytest.mark.usefixtures("no_kept_addresses")
def test_a_host_that_moved_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[int] = []

    def resolved(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", places[-1]))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with RawServer(says(answer(ORDER))) as server:
        places.append(server.port)
        send(order("http://panel.example/"), limits=HERE)
    with RawServer(says(answer(ORDER))) as server:
        places.append(server.port)
        assert type(outcome(order("http://panel.example/"))) is NotSent
        send(order("http://panel.example/"), limits=HERE)
        assert len(server.requests) == 1


# --- threads and forks -------------------------------------------------------------------------------------------


def test_sixty_four_threads_call_at_once() -> None:
    with RawServer(says(answer(ORDER), delay=0.2)) as server, ThreadPoolExecutor(64) as threads:
        started = time.monotonic()
        got = list(threads.map(lambda _: send(order(server.url), limits=replace(HERE, total=5.0)), range(64)))
        assert time.monotonic() - started < 2.0
        assert server.connections == len(server.requests) == 64
    assert {one.text for one in got} == {ORDER.decode()}


def test_one_watchdog_ends_many_calls_each_at_its_own_time() -> None:
    with RawServer(says(end="keep")) as server, ThreadPoolExecutor(16) as threads:
        totals = [0.9 - number * 0.05 for number in range(16)]
        started = time.monotonic()

        def seconds_until_timeout(total: float) -> float:
            with pytest.raises(OutcomeUnknown):
                send(order(server.url), limits=replace(HERE, total=total))
            return time.monotonic() - started

        assert all(
            seconds < total + 0.3
            for seconds, total in zip(threads.map(seconds_until_timeout, totals), totals, strict=True)
        )
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("panel-watchdog") == 1


def test_calls_leave_no_descriptor_open() -> None:
    scripts = [says(answer(ORDER)), says(end="rst"), says(head("Content-Length: 9999999"), end="keep")]
    for script in scripts:
        outcome_of(script)
    before = len(os.listdir("/proc/self/fd"))
    for script in scripts * 5:
        outcome_of(script)
    time.sleep(0.1)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_a_forked_child_has_a_watchdog_of_its_own() -> None:
    with RawServer(says(end="keep")) as server:
        outcome(order(server.url), replace(HERE, total=0.2))  # the parent's watchdog runs
        with wire.watchdog._changed:  # and its lock is held at the moment of the fork
            child = os.fork()
            if child == 0:
                # Long enough for a busy machine to have sent it: what was not sent is not in doubt.
                error = outcome(order(server.url), replace(HERE, total=1.5))
                os._exit(0 if isinstance(error, OutcomeUnknown) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_connection_that_goes_away_is_never_opened_again_for_the_rest_of_a_request() -> None:
    def script(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        finish(connection, "fin")

    with RawServer(script) as server:
        record = wire.Wire(deadline=Deadline.after(1), connect=1, allow_private=True, phase=wire.Phase.SENT)
        token = wire.current.set(record)
        try:
            with pytest.raises(EOFError):
                wire.WatchedHTTPConnection("127.0.0.1", server.port).send(b"the rest")
        finally:
            wire.current.reset(token)
        assert server.connections == 0


# --- the lease ---------------------------------------------------------------------------------------------------


def test_no_byte_goes_out_after_the_last_moment_to_send() -> None:
    with RawServer(says(answer(ORDER))) as server:
        with pytest.raises(LeaseEnded):
            send(order(server.url), limits=HERE, send_by=Deadline.after(0))
        assert send(order(server.url), limits=HERE, send_by=Deadline.after(5)).status == 200
        assert len(server.requests) == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("is_tls", [False, True])
def test_the_lease_is_checked_after_the_connection_is_made(
    is_tls: bool, monkeypatch: pytest.MonkeyPatch, tls: ssl.SSLContext
) -> None:
    """A process stopped while it connects, or in the middle of the TLS handshake."""
    connect = wire.connect

    def connect_slowly(host: str, port: int, record: wire.Wire) -> socket.socket:
        sock = connect(host, port, record)
        time.sleep(0.3)
        return sock

    monkeypatch.setattr(wire, "connect", connect_slowly)
    with RawServer(says(answer(ORDER)), tls=tls if is_tls else None) as server:
        with pytest.raises(LeaseEnded):
            send(order(server.url), limits=HERE, send_by=Deadline.after(0.2))
        assert server.connections == 1
        assert server.requests == []


def test_the_rest_of_a_request_does_not_go_out_after_the_time_limit() -> None:
    """Stopped between headers and body: half an hour later the panel must not get the body after all."""

    def script(server: RawServer, connection: socket.socket) -> None:
        server.requests.append(connection.recv(65536))

    with RawServer(script) as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        record = wire.Wire(deadline=Deadline.after(0), connect=1, allow_private=True, phase=wire.Phase.SENT)
        token = wire.current.set(record)
        connection = wire.WatchedHTTPConnection("127.0.0.1", server.port)
        connection.sock = sock
        try:
            with pytest.raises(TimeoutError):
                connection.send(b"the rest")
        finally:
            wire.current.reset(token)
        sock.close()
        time.sleep(0.1)
        assert server.requests == [b""]


def test_a_call_that_ran_out_of_time_leaves_nothing_to_the_kernel() -> None:
    """The request waits in the kernel for a panel that takes nothing: it must not be delivered after the call."""
    arrived: list[int] = []
    is_over = threading.Event()

    def script(server: RawServer, connection: socket.socket) -> None:
        is_over.wait(5)
        total = 0
        try:
            while piece := connection.recv(65536):
                total += len(piece)
        except ConnectionResetError:
            pass
        arrived.append(total)

    body = b"x" * 20_000_000
    with RawServer(script) as server:
        call = Call(verb="add", method="POST", url=server.url, content=body, is_write=True)
        with pytest.raises(OutcomeUnknown):
            send(call, limits=replace(HERE, total=0.3))
        is_over.set()
        end = time.monotonic() + 5
        while not arrived and time.monotonic() < end:
            time.sleep(0.02)
    # What the other side had received already is its own; the megabytes in our send buffer do not follow.
    assert arrived[0] < 500_000
