"""Slow clients do not delay others. The tests use real gunicorn, real sockets and the shipped configuration."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from storefront.web import gunicorn_worker
from storefront.web.gunicorn_worker import Channel
from tests import processes

CLIENTS = 64
HEAD = b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
#: What a slow client sends first, and what it then sends repeatedly.
SLOW = {
    "headers": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x"),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\nlogin=", b"x"),
    "chunked body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "no byte": (b"", b""),
}


@contextmanager
def slow_clients(port: int, kind: str) -> Iterator[list[socket.socket]]:
    """Keep 64 connections open inside the block, each sending a byte every half second."""
    first, more = SLOW[kind]
    done = threading.Event()
    with ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(first)

        def drip() -> None:
            while not done.wait(0.5):
                for client in clients:
                    try:
                        client.sendall(more)
                    except OSError:
                        continue

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield clients
        finally:
            done.set()
            thread.join()


@contextmanager
def raw_server(*options: str) -> Iterator[tuple[int, subprocess.Popen[bytes], Path]]:
    """Run gunicorn with the shop's configuration and ``raw_application``; yield port, process and log."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    log = Path(settings.VAR_DIR) / f"raw-{port}.log"
    command = [sys.executable, "-m", "gunicorn", "tests.storefront.web.raw_application:application", "-b"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"127.0.0.1:{port}", *options],
            cwd=settings.BASE_DIR, env=dict(os.environ), stdout=output, stderr=output,
        )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while True:
            try:
                ask(port)
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.05)
        yield port, process, log
    finally:
        process.terminate()
        process.wait(20)


def ask(port: int, path: str = "/", **options: Any) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST" if options else "GET", path, **options)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_pages_answer_within_a_second_beside_slow_clients(transactional_db: None) -> None:
    """The setup of the README: gunicorn with its configuration file and no proxy in front."""
    with processes.web(DEBUG="false") as (port, _log):
        for path in ("/", "/account/login/") * 6:  # each process reads its templates once
            assert ask(port, path)[0] == 200
        for kind in SLOW:
            with slow_clients(port, kind):
                time.sleep(1)
                for path in ("/", "/account/login/", "/static/vitrine.css") * 3:
                    started = time.monotonic()
                    assert ask(port, path)[0] == 200
                    assert time.monotonic() - started < 1, (kind, path)


def test_endless_headers_are_cut_off_at_their_deadline() -> None:
    with raw_server() as (port, _process, _log), slow_clients(port, "headers") as clients:
        started = time.monotonic()
        for client in clients:
            client.settimeout(gunicorn_worker.HEADER_SECONDS + 10)
            try:
                assert client.recv(1) == b""
            except ConnectionResetError:
                pass
        assert time.monotonic() - started < gunicorn_worker.HEADER_SECONDS + 5
        assert ask(port)[0] == 200


def overdue(now: float = 1000.0, **state: Any) -> bool:
    """Return whether a connection in this ``state`` is closed; by default it has just become idle."""
    channel = SimpleNamespace(
        **{"requests": [], "total_outbufs_len": 0, "request": None, "request_began": now, "last_activity": time.time()}
        | state
    )
    return Channel.is_overdue(channel, now, keepalive=15)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("is_closed", "state"),
    [
        (False, {}),
        (True, {"last_activity": time.time() - 1000}),
        (False, {"last_activity": time.time() - 1000, "requests": ["one that a thread works on"]}),
        (False, {"request": SimpleNamespace(headers_finished=False), "request_began": 1000 - 14}),
        (True, {"request": SimpleNamespace(headers_finished=False), "request_began": 1000 - 16}),
        (False, {"request": SimpleNamespace(headers_finished=True), "request_began": 1000 - 119}),
        (True, {"request": SimpleNamespace(headers_finished=True), "request_began": 1000 - 121}),
        (True, {"request": SimpleNamespace(headers_finished=True), "last_activity": time.time() - 1000}),
        (False, {"total_outbufs_len": 10}),
        (True, {"total_outbufs_len": 10, "last_activity": time.time() - 1000}),
    ],
)
def test_every_wait_for_a_client_has_a_deadline(is_closed: bool, state: dict[str, Any]) -> None:
    assert overdue(**state) is is_closed


def test_a_chunked_body_arrives_whole() -> None:
    with raw_server() as (port, _process, _log):
        chunks = (b"x" * 1000 for _ in range(700))
        assert ask(port, body=chunks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}) == (
            200, b"received 700000",
        )  # fmt: skip


def test_a_body_above_the_limit_is_rejected_before_it_is_sent() -> None:
    with raw_server() as (port, _process, _log), socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(HEAD + b"Content-Length: 99999999\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("target", "headers", "body", "status", "text"),
    [
        ("/api/v2?orders=" + "1," * 40_000, "", b"", 431, "Incorrect request: the address is too long"),
        ("/api/v2", "Content-Length: 99999999\r\n", b"", 413, "Incorrect request: it is too large"),
        ("/api/v2", "Transfer-Encoding: chunked\r\n", b"f00000\r\n" + b"x" * 13_000_000, 413,
         "Incorrect request: it is too large"),
        ("/api/v2", "Transfer-Encoding: chunked\r\n", b"no number\r\n", 400, "Incorrect request"),
        ("/api/v2", "Transfer-Encoding: gzip\r\n", b"", 501, "Incorrect request"),
    ],
    ids=["long address", "length", "chunks", "broken chunks", "unknown encoding"],
)  # fmt: skip
def test_a_program_whose_request_cannot_be_read_gets_json(
    target: str, headers: str, body: bytes, status: int, text: str
) -> None:
    with raw_server() as (port, _process, _log), socket.create_connection(("127.0.0.1", port), 10) as client:
        with suppress(ConnectionError):  # the server may hang up before everything is sent
            client.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode() + body)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
        assert json.loads(answer.read()) == {"error": text}


@pytest.mark.parametrize(
    ("target", "status", "content_type", "expected"),
    [
        ("/adminapi/v2/orders", 413, "application/json",
         {"data": [], "error_message": "The body is too large", "error_code": 413}),
        ("/adminapi/v1", 413, "application/json", {"status": "fail", "error": "The body is too large"}),
        ("/adminapi/v2/orders?ids=" + "1," * 40_000, 431, "application/json",
         {"data": [], "error_message": "The address or a header is too long", "error_code": 431}),
        ("/api/v3/orders", 413, "application/problem+json", {"status": 413, "code": "payload_too_large"}),
        ("/api/v3/orders?cursor=" + "1," * 40_000, 413, "application/problem+json",
         {"status": 413, "code": "payload_too_large"}),
    ],
    ids=["admin", "admin v1", "admin long", "v3", "v3 long"],
)  # fmt: skip
def test_each_api_has_its_own_form_of_an_error(
    target: str, status: int, content_type: str, expected: dict[str, Any]
) -> None:
    with raw_server() as (port, _process, _log), socket.create_connection(("127.0.0.1", port), 10) as client:
        with suppress(ConnectionError):  # the server may hang up before everything is sent
            client.sendall(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n".encode())
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert (answer.status, answer.headers["Content-Type"]) == (status, content_type)
        assert json.loads(answer.read()).items() >= expected.items()


def test_a_thousand_order_numbers_fit_into_a_url() -> None:
    with raw_server() as (port, _process, _log):
        numbers = ",".join(str(10**17 + number) for number in range(1000))
        assert ask(port, f"/api/v2?action=status&orders={numbers}")[0] == 200


def test_clients_that_read_slowly_occupy_no_thread() -> None:
    with raw_server("--workers", "1", "--threads", "2") as (port, _process, _log), ExitStack() as opened:
        for _ in range(8):
            client = opened.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            client.sendall(b"GET /?bytes=8000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)
        started = time.monotonic()
        assert ask(port) == (200, b"received 0")
        assert time.monotonic() - started < 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_under_way_is_answered_when_the_server_stops_or_reloads(number: signal.Signals) -> None:
    answers: list[tuple[int, bytes]] = []
    with raw_server() as (port, process, log):
        asking = threading.Thread(target=lambda: answers.append(ask(port, "/?sleep=2")))
        asking.start()
        time.sleep(0.7)
        process.send_signal(number)
        asking.join()
        assert answers == [(200, b"received 0")], log.read_text()
        if number == signal.SIGHUP:
            assert ask(port) == (200, b"received 0")
        else:
            assert process.wait(20) == 0


def test_connections_are_kept_between_requests() -> None:
    with raw_server() as (port, _process, _log):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(3):
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert (answer.read(), answer.will_close) == (b"received 0", False)
        connection.close()


@pytest.mark.parametrize(
    "path", ["/account/password/reset/key/3-abc-123/", "/account/confirm-email/Mw:abc/", "/mail/unsubscribe/abc/"]
)
def test_the_access_log_names_no_secret_link_and_no_query(path: str) -> None:
    with raw_server("--access-logfile", "-") as (port, _process, log):
        ask(port, f"{path}?key=abc")
        wait_for(lambda: "[redacted]" in log.read_text())
        assert "abc" not in log.read_text()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
