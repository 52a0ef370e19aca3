"""The simulators apply scripted faults, progress with the clock, and keep exact books under parallel requests."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests

from providers.panels.simulators import SIMULATORS, Panel, start

LINK = "https://photos.example/someone"


@pytest.fixture
def v2() -> Iterator[Panel]:
    with start("v2") as panel:
        yield panel


def add(panel: Panel, *, timeout: float = 5, service: int = 1, quantity: int = 50) -> requests.Response:
    form = {"key": panel.key, "action": "add", "service": service, "link": LINK, "quantity": quantity}
    return requests.post(panel.url, data=form, timeout=timeout, allow_redirects=False)


def ask(panel: Panel, action: str, **fields: Any) -> Any:
    return requests.post(panel.url, data={"key": panel.key, "action": action, **fields}, timeout=5).json()


# ------------------------------------------------------------------------------------------ broken connections


@pytest.mark.parametrize(
    ("kind", "options", "is_executed"),
    [
        ("reset_before", {}, False),
        ("reset_after", {}, True),
        ("hang", {"seconds": 0.1}, False),
        ("execute_then_hang", {"seconds": 0.1}, True),
        ("truncated", {"announce_all": True}, True),
    ],
)
def test_a_broken_connection_gives_no_answer(v2: Panel, kind: str, options: dict[str, Any], is_executed: bool) -> None:
    v2.fault("add", kind, **options)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        add(v2)
    assert len(v2.orders) == is_executed
    assert len(v2.received("add")) == (kind != "reset_before")
    assert add(v2).ok  # once only


def test_a_reset_is_a_reset_and_not_an_orderly_close(v2: Panel) -> None:
    v2.fault("*", "reset_before")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        add(v2)


@pytest.mark.parametrize(("kind", "is_executed"), [("hang", False), ("execute_then_hang", True), ("slow", True)])
def test_a_silent_panel_outlasts_the_read_timeout(v2: Panel, kind: str, is_executed: bool) -> None:
    v2.fault("add", kind, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        add(v2, timeout=0.2)
    assert len(v2.orders) == is_executed


def test_a_slow_answer_arrives_late_but_whole(v2: Panel) -> None:
    v2.fault("add", "slow", seconds=0.2)
    before = time.monotonic()
    assert add(v2).json() == {"order": 23501}
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize("headers", [False, True])
def test_a_dripping_answer_stays_within_every_read_timeout(v2: Panel, headers: bool) -> None:
    v2.fault("add", "drip", interval=0.01, headers=headers)
    assert add(v2, timeout=1.0).json() == {"order": 23501}


# ------------------------------------------------------------------------------------------ strange answers


@pytest.mark.parametrize(
    ("kind", "options", "status", "is_executed"),
    [
        ("html", {}, 200, False),
        ("challenge", {}, 403, False),
        ("http_500", {}, 500, False),
        ("http_500", {"executed": True}, 500, True),
        ("http_error", {"status": 503, "body": "busy", "content_type": "text/plain"}, 503, False),
        ("empty", {}, 200, False),
        ("truncated", {}, 200, True),
        ("text", {"body": '{"order": NaN'}, 200, False),
    ],
)
def test_an_answer_that_is_not_json(
    v2: Panel, kind: str, options: dict[str, Any], status: int, is_executed: bool
) -> None:
    v2.fault("add", kind, **options)
    answer = add(v2)
    assert answer.status_code == status
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert len(v2.orders) == is_executed


@pytest.mark.parametrize(
    ("kind", "options", "body", "is_executed"),
    [
        ("error", {"text": "Try later"}, {"error": "Try later"}, False),
        ("list", {}, [], False),
        ("wrong_types", {}, {"order": [23501]}, True),
        ("text", {"body": "null"}, None, False),
        ("text", {"body": '{"status": "success"}', "executed": True}, {"status": "success"}, True),
        ("huge", {"mb": 2}, [], False),
        ("bomb", {"mb": 2}, [], False),
    ],
)
def test_an_answer_that_is_json_but_no_order(
    v2: Panel, kind: str, options: dict[str, Any], body: Any, is_executed: bool
) -> None:
    v2.fault("add", kind, **options)
    answer = add(v2)
    assert (answer.status_code, answer.json()) == (200, body)
    assert len(v2.orders) == is_executed
    assert len(answer.content) > 2_000_000 or kind not in ("huge", "bomb")


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_names_its_location(v2: Panel, status: int) -> None:
    v2.fault("add", "redirect", status=status, location="https://elsewhere.example/")
    answer = add(v2)
    assert (answer.status_code, answer.headers["Location"]) == (status, "https://elsewhere.example/")
    assert v2.orders == {}


def test_headers_of_a_scripted_error_reach_the_client(v2: Panel) -> None:
    v2.fault("add", "http_error", status=429, body="{}", headers={"Retry-After": "30"})
    assert add(v2).headers["Retry-After"] == "30"


def test_a_malformed_healthy_answer_survives_wrong_types() -> None:
    with start("tmsmm") as panel:
        panel.fault("status", "wrong_types")
        form = {"key": panel.key, "action": "status", "orders": "1,2"}
        assert requests.post(panel.url, data=form, timeout=5).text.startswith('["1": ')


def test_a_fault_happens_as_often_as_scripted_and_only_at_its_verb(v2: Panel) -> None:
    v2.fault("add", "empty", times=2)
    assert "balance" in ask(v2, "balance")
    assert [add(v2).text, add(v2).text, add(v2).text] == ["", "", '{"order": 23501}']


def test_forgotten_faults_do_not_happen(v2: Panel) -> None:
    v2.fault("*", "empty", times=5)
    v2.clear_faults()
    assert add(v2).ok
    assert len(v2.orders) == 1


@pytest.mark.parametrize(("kind", "options"), [("unheard_of", {}), ("slow", {"minutes": 1}), ("http_error", {})])
def test_an_unknown_kind_or_option_is_refused_where_it_is_scripted(
    v2: Panel, kind: str, options: dict[str, Any]
) -> None:
    with pytest.raises((KeyError, TypeError)):
        v2.fault("add", kind, **options)


# ------------------------------------------------------------------------------------------ time


def statuses_seen(panel: Panel) -> dict[str, list[tuple[str, int]]]:
    """What each order goes through in two minutes, without repetitions; the time passes by dating the orders back."""
    lives: dict[str, list[tuple[str, int]]] = {}
    now = time.time()
    orders = list(panel.book.orders.values())
    for second in range(120):
        for order in orders:
            order.created_at = now - second
        for order in panel.orders.values():
            life = lives.setdefault(order.id, [])
            if not life or life[-1] != (order.status, order.remains):
                life.append((order.status, order.remains))
    return lives


def test_a_live_panel_moves_its_orders_to_an_end_and_returns_the_money() -> None:
    with start("v2", live=True, speed=0.001) as panel:
        for _ in range(18):
            add(panel, quantity=1000)
        panel.book.speed = 1
        lives = statuses_seen(panel)
        ends = [life[-1] for life in lives.values()]
        assert all(life[0] == ("Pending", 1000) for life in lives.values())
        words = [status for status, _ in ends]
        assert (words.count("Completed"), words.count("Partial"), words.count("Canceled")) == (13, 3, 2)
        for life in lives.values():
            left = [remains for _, remains in life]
            assert left == sorted(left, reverse=True)
            assert "In progress" in {status for status, _ in life}
        undelivered = sum(remains for _, remains in ends)
        assert panel.balance == 1000 - (18_000 - undelivered) * Decimal("0.0009")


@pytest.mark.parametrize("dialect", sorted(SIMULATORS))
def test_every_live_panel_speaks_its_own_words(dialect: str) -> None:
    manner = {"form": "data", "query": "params", "json": "json"}
    with start(dialect, live=True, speed=300, balance=10_000) as panel:
        service = next(iter(panel.services.values()))
        fields = {"key": panel.key, "action": "add", "service": service.id, "link": "someone@shop.example"}
        if service.type != "Package":
            fields["quantity"] = 100
        method, encoding = next(iter(panel.encodings.items()))
        for _ in range(9):
            requests.request(method, panel.url, timeout=5, **{manner[encoding]: fields})
        time.sleep(0.25)
        words = {order.status for order in panel.orders.values()}
        expected = {panel.statuses.completed, panel.statuses.canceled}
        assert words == expected | (set() if dialect == "tzsmmpay" else {panel.statuses.partial})
        assert panel.violations == []


def test_a_live_panel_carries_out_a_cancellation_and_a_refill() -> None:
    with start("v2", live=True, speed=200) as panel:
        add(panel)
        add(panel)
        panel.report("23501", "Completed")
        assert ask(panel, "refill", order="23501") == {"refill": "1"}
        assert ask(panel, "cancel", orders="23502") == [{"order": 23502, "cancel": 1}]
        assert ask(panel, "status", order="23502")["status"] in ("Canceled", "Partial")
        time.sleep(0.1)
        assert ask(panel, "refill_status", refill="1") == {"status": "Completed"}


def test_a_panel_that_is_not_live_stands_still() -> None:
    with start("v2", speed=1000) as panel:
        add(panel)
        time.sleep(0.1)
        assert panel.orders["23501"].status == "Pending"


# ------------------------------------------------------------------------------------------ load and life


@pytest.mark.parametrize("dialect", ["v2", "tmsmm"])
def test_parallel_adds_get_distinct_ids_and_an_exact_balance(dialect: str) -> None:
    with start(dialect, balance="1", currency="USD", latency=0.02) as panel:
        service = next(iter(panel.services))
        price = panel.services[service].unit_price * 50
        panel.balance = price * 60
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: add(panel, service=int(service)).json(), range(80)))
        ids = [answer["order"] for answer in answers if "order" in answer]
        assert len(ids) == len(set(ids)) == len(panel.orders) == 60
        assert panel.balance == 0
        assert [answer for answer in answers if "error" in answer] == [{"error": "Not enough funds on balance"}] * 20
        assert panel.peak_parallel >= 2
        assert panel.violations == []


def test_one_connection_serves_many_requests(v2: Panel) -> None:
    with requests.Session() as session:
        for _ in range(3):
            form = {"key": v2.key, "action": "balance"}
            assert session.post(v2.url, data=form, timeout=5).json()["currency"] == "USD"
        assert len(v2.requests) == 3


def test_a_stopped_panel_answers_nobody_not_even_on_an_open_connection_and_remembers_when_it_starts_again() -> None:
    panel = start("v2")
    port = int(panel.url.split(":")[2].split("/")[0])
    with requests.Session() as session:
        form = {"key": panel.key, "action": "balance"}
        assert session.post(panel.url, data=form, timeout=5).ok
        add(panel)
        panel.stop()
        with pytest.raises(requests.ConnectionError):
            session.post(panel.url, data=form, timeout=5)
    with panel.start(port=port):
        assert ask(panel, "status", order="23501")["status"] == "Pending"


def test_stopping_ends_what_hangs() -> None:
    panel = start("v2")
    panel.fault("add", "hang", seconds=60)

    def hanging() -> None:
        with contextlib.suppress(requests.ConnectionError):
            add(panel, timeout=10)

    client = threading.Thread(target=hanging)
    client.start()
    while not panel.received("add"):
        time.sleep(0.005)
    panel.stop()
    client.join(1)
    assert not client.is_alive()
