"""Sending webhooks: signatures, limits, retries and fairness between endpoints."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.events import ShopEvent, Topic
from providers.worker import leases, turns
from providers.worker.clock import Deadline
from providers.worker.models import Turn
from storefront.accounts.models import User
from storefront.webhooks import endpoints, outbox, retention, sending
from storefront.webhooks.models import Attempt, Delivery, DeliveryState, Endpoint, Pause, WebhookEvent
from tests import factories
from tests.orders.parallel import together
from tests.providers.raw_server import RawServer, gzip_bomb, head, read_request
from tests.storefront.webhooks.receiver import Received, Receiver

pytestmark = pytest.mark.django_db
Listen = Callable[..., Endpoint]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit an attempt to one second instead of ten, and let the database's clock follow the tests' clock."""
    monkeypatch.setattr(sending, "TIMEOUT", 1.0)
    monkeypatch.setattr(leases, "database_now", timezone.now)


def claim(limit: int = 5) -> list[Any]:
    """Claim due deliveries as a worker that has the turn and gives it back."""
    turn = turns.take(sending.TURN, seconds=60)
    if turn is None:
        return []
    try:
        return sending._claim(limit, turn) or []
    finally:
        turn.end()


def lease_seconds() -> float:
    return sending.TIMEOUT + settings.LEASE_GRACE


def events(user: User, count: int = 1) -> list[Delivery]:
    """Create low balance events of ``user``, which need no other rows."""
    before = set(Delivery.objects.values_list("pk", flat=True))
    for number in range(count):
        outbox.record([ShopEvent(topic=Topic.LOW_BALANCE, user_id=user.pk, data={"balance": str(number)})])
    return list(Delivery.objects.exclude(pk__in=before).order_by("pk"))


def only_delivery() -> Delivery:
    return Delivery.objects.get()


# ------------------------------------------------------------------------------------------------ what arrives


def test_delivered_body_is_signed(nadia: User, receiver: Receiver) -> None:
    _endpoint, secret = endpoints.add(nadia, url=receiver.url)
    events(nadia)
    assert sending.deliver_due() == {"delivered": 1}
    (received,) = receiver.received
    event = WebhookEvent.objects.get()
    assert received.body == event.body.encode()
    assert received.is_signed_by(secret)
    assert not received.is_signed_by(secret[::-1])
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["X-Vitrine-Event"] == received.event["event"] == "balance.low"
    assert received.headers["X-Vitrine-Delivery"] == str(only_delivery().pk)
    assert received.event["id"] == str(event.pk)
    assert only_delivery().state is DeliveryState.DELIVERED
    assert Attempt.objects.values_list("status", "error", "answer").get() == (200, "", "ok")


def test_both_secrets_sign_during_a_rotation(nadia: User, receiver: Receiver) -> None:
    with time_machine.travel(NOON) as clock:
        endpoint, old = endpoints.add(nadia, url=receiver.url)
        new = endpoints.rotate(endpoint)
        events(nadia)
        sending.deliver_due()
        assert [receiver.received[0].is_signed_by(secret) for secret in (old, new)] == [True, True]
        clock.shift(endpoints.ROTATION_PERIOD + timedelta(seconds=1))
        events(nadia)
        sending.deliver_due()
        assert [receiver.received[1].is_signed_by(secret) for secret in (old, new)] == [False, True]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_response_is_a_success(status: int, nadia: User, listen: Listen) -> None:
    with Receiver(status, text="") as receiver:
        listen(nadia, receiver.url)
        events(nadia)
        assert sending.deliver_due() == {"delivered": 1}


# ------------------------------------------------------------------------------------------------ again


def test_retries_follow_the_schedule_and_then_stop(nadia: User, listen: Listen) -> None:
    with Receiver(503, text="not now") as receiver, time_machine.travel(NOON, tick=False) as clock:
        endpoint = listen(nadia, receiver.url)
        events(nadia)
        for number, seconds in enumerate(sending.RETRY_DELAYS.seconds, start=1):
            assert sending.deliver_due() == {"failed": 1}
            wait = (only_delivery().due_at - clock_now()).total_seconds()
            assert seconds <= wait <= seconds * (1 + sending.RETRY_DELAYS.jitter)
            assert (only_delivery().attempts, only_delivery().state) == (number, DeliveryState.RETRYING)
            clock.shift(wait - 1)
            assert not sending.deliver_due()
            clock.shift(1)
        assert sending.deliver_due() == {"given_up": 1}
        assert (only_delivery().due_at, only_delivery().state, only_delivery().last_error) == (
            None,
            DeliveryState.GIVEN_UP,
            "HTTP 503",
        )
        assert len(receiver.received) == len(sending.RETRY_DELAYS.seconds) + 1
        assert Attempt.objects.filter(status=503, answer="not now", error="HTTP 503").count() == len(receiver.received)
        # Each attempt is signed at its own time.
        assert len({received.headers["X-Vitrine-Signature"] for received in receiver.received}) == 8
        endpoint.refresh_from_db()
        assert endpoint.failing_since == NOON


def clock_now() -> datetime:
    return datetime.now(UTC)


def test_success_clears_the_failing_mark(nadia: User, listen: Listen) -> None:
    answers = iter([500, 200])
    with Receiver(lambda _: next(answers)) as receiver, time_machine.travel(NOON, tick=False) as clock:
        endpoint = listen(nadia, receiver.url)
        events(nadia)
        sending.deliver_due()
        clock.shift(60)
        assert sending.deliver_due() == {"delivered": 1}
        endpoint.refresh_from_db()
        assert (endpoint.failing_since, endpoint.held_until, only_delivery().last_error) == (None, None, "")


def test_retry_after_is_respected(nadia: User, listen: Listen) -> None:
    with Receiver(429) as receiver, time_machine.travel(NOON, tick=False):
        receiver.headers["Retry-After"] = "3000"
        listen(nadia, receiver.url)
        events(nadia)
        sending.deliver_due()
        assert only_delivery().due_at == NOON + timedelta(seconds=3000)


def test_410_response_pauses_the_endpoint(nadia: User, listen: Listen) -> None:
    with Receiver(410) as receiver:
        endpoint = listen(nadia, receiver.url)
        events(nadia)
        assert sending.deliver_due() == {"given_up": 1}
        endpoint.refresh_from_db()
        assert (endpoint.is_active, endpoint.pause_reason) == (False, Pause.GONE)
        assert events(nadia) == []


def test_three_days_of_failures_pause_the_endpoint(nadia: User, listen: Listen) -> None:
    status = 500
    with Receiver(lambda _: status) as receiver, time_machine.travel(NOON, tick=False) as clock:
        endpoint = listen(nadia, receiver.url)
        events(nadia)
        sending.deliver_due()
        clock.shift(sending.PAUSE_AFTER - timedelta(minutes=1))
        sending.deliver_due()
        endpoint.refresh_from_db()
        assert endpoint.is_active
        clock.shift(timedelta(days=1))
        sending.deliver_due()
        endpoint.refresh_from_db()
        assert (endpoint.is_active, endpoint.pause_reason) == (False, Pause.FAILURES)
        count = len(receiver.received)
        clock.shift(timedelta(days=1))
        assert not sending.deliver_due()
        status = 200
        endpoints.resume(endpoint)
        assert sending.deliver_due() == {"delivered": 1}
        assert len(receiver.received) == count + 1


def test_resending_restarts_the_attempts(nadia: User, listen: Listen, receiver: Receiver) -> None:
    listen(nadia, receiver.url)
    events(nadia)
    sending.deliver_due()
    assert outbox.resend([only_delivery()]) == 1
    assert (only_delivery().state, only_delivery().attempts) == (DeliveryState.WAITING, 0)
    assert sending.deliver_due() == {"delivered": 1}
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["X-Vitrine-Delivery"] == second.headers["X-Vitrine-Delivery"]
    assert Attempt.objects.count() == 2


def test_delivery_in_flight_is_not_resent(nadia: User, listen: Listen, receiver: Receiver) -> None:
    endpoint = listen(nadia, receiver.url)
    events(nadia)
    claim()
    assert outbox.resend([only_delivery()]) == 0
    Delivery.objects.update(due_at=None, lease_until=None, delivered_at=NOON)
    endpoints.pause(endpoint)
    assert outbox.resend([only_delivery()]) == 0


# ------------------------------------------------------------------------------------------------ bad programs


def failure(url: str, nadia: User, listen: Listen) -> str:
    listen(nadia, url)
    events(nadia)
    began = time.monotonic()
    assert sending.deliver_due() == {"failed": 1}
    assert time.monotonic() - began < 4
    return only_delivery().error_text


def test_a_redirect_is_not_followed(nadia: User, listen: Listen, receiver: Receiver) -> None:
    with Receiver(302) as elsewhere:
        elsewhere.headers["Location"] = receiver.url
        assert failure(elsewhere.url, nadia, listen) == "HTTP 302: redirects are not followed."
    assert receiver.received == []


def test_slow_response_body_is_cut_off(nadia: User, listen: Listen) -> None:
    def drips(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(head("Content-Length: 1000"))
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)

    with RawServer(drips) as server:
        assert failure(server.url, nadia, listen) == "The answer was not complete within 1 s."


@pytest.mark.parametrize("is_packed", [False, True])
def test_large_response_body_is_not_read(is_packed: bool, nadia: User, listen: Listen) -> None:
    body = gzip_bomb(8) if is_packed else b"x" * (64 * 1024 + 1)
    packing = ["Content-Encoding: gzip"] if is_packed else []

    def floods(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(head(*packing, "Connection: close") + body)
        connection.close()

    with RawServer(floods) as server:
        assert failure(server.url, nadia, listen) == "The answer is larger than 64 kB."


def test_refused_connection_is_reported(nadia: User, listen: Listen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "connection refused" in failure(f"http://127.0.0.1:{port}/", nadia, listen)


@pytest.mark.parametrize("url", ["https://127.0.0.1:8443/", "https://10.1.2.3/", "https://[::1]/", "http://1.1.1.1/"])
def test_private_and_http_urls_are_refused(url: str, nadia: User, listen: Listen, settings: Any) -> None:
    settings.ALLOW_PRIVATE_WEBHOOKS = False
    assert "must start with https:// and lead to the public internet" in failure(url, nadia, listen)
    assert Attempt.objects.get().status is None


def test_host_name_resolving_to_a_private_address_is_refused(
    nadia: User, listen: Listen, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address counts to which the host name resolves when the webhook is sent."""
    settings.ALLOW_PRIVATE_WEBHOOKS = False
    real = socket.getaddrinfo

    def resolved(host: str, port: int, **options: Any) -> Any:
        return real("127.0.0.1" if host == "shop.example" else host, receiver.port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    assert "lead to the public internet" in failure("https://shop.example/vitrine", nadia, listen)
    assert "127.0.0.1" not in only_delivery().last_error
    assert receiver.received == []


def test_only_the_start_of_a_response_is_stored(nadia: User, listen: Listen) -> None:
    with Receiver(text="é" * 700) as receiver:
        listen(nadia, receiver.url)
        events(nadia)
        sending.deliver_due()
    assert Attempt.objects.get().answer == "é" * 500


@pytest.mark.parametrize(("charset", "text"), [("utf-7", b"\xff+2AA-"), ("unicode_escape", b"\xff\\ud800\\0")])
def test_unstorable_response_text_does_not_stop_other_deliveries(
    charset: str, text: bytes, nadia: User, listen: Listen, receiver: Receiver
) -> None:
    """The response contains half a surrogate pair, in a charset that the receiver chose."""

    def answers(server: RawServer, connection: socket.socket) -> None:
        read_request(server, connection)
        connection.sendall(head(f"Content-Type: text/plain; charset={charset}", "Connection: close") + text)
        connection.close()

    with RawServer(answers) as server:
        listen(nadia, server.url)
        listen(nadia, receiver.url)
        events(nadia)
        assert sending.deliver_due() == {"delivered": 2}
    assert Attempt.objects.filter(status=200).count() == 2


# ------------------------------------------------------------------------------------------------ fairness


def test_a_slow_endpoint_holds_up_nobody_else(nadia: User, listen: Listen) -> None:
    with Receiver(delay=0.9) as slow, Receiver() as quick:
        listen(nadia, slow.url, has_orders=False)
        events(nadia, 6)
        other = listen(nadia, quick.url)
        events(nadia, 4)
        began = time.monotonic()
        done: list[float] = []
        quick.status = lambda _: done.append(time.monotonic() - began) or 200  # type: ignore[func-returns-value]
        sending.deliver_due()
        assert len(done) == 4
        assert max(done) < 0.8
        assert slow.most_at_once == sending.MAX_PER_ENDPOINT
        assert Delivery.objects.filter(endpoint=other, delivered_at=None).count() == 0
        assert len(slow.received) == 10


def test_a_dead_endpoint_with_a_backlog_is_tried_now_and_then(nadia: User, listen: Listen) -> None:
    with Receiver(500) as dead, time_machine.travel(NOON, tick=False) as clock:
        listen(nadia, dead.url)
        events(nadia, 50)
        sending.deliver_due()
        assert len(dead.received) <= sending.MAX_PER_ENDPOINT
        clock.shift(sending.FAILURE_HOLD)
        before = len(dead.received)
        sending.deliver_due()
        assert len(dead.received) == before + 1


def test_failing_endpoints_leave_slots_for_healthy_ones(nadia: User, listen: Listen, receiver: Receiver) -> None:
    for _ in range(sending.MAX_IN_FLIGHT):
        endpoint = listen(factories.user(), receiver.url)
        outbox.send_test(endpoint)
    Endpoint.objects.update(failing_since=clock_now())
    healthy = listen(nadia, receiver.url)
    outbox.send_test(healthy)
    claimed = [sent.delivery.endpoint_id for sent in claim(sending.MAX_IN_FLIGHT)]
    assert healthy.pk in claimed
    assert len(claimed) == sending.MAX_IN_FLIGHT // 2 + 1


def test_unreadable_secret_does_not_stop_other_deliveries(
    nadia: User, listen: Listen, receiver: Receiver, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS, keys = ["x" * 43 + "="], settings.ENCRYPTION_KEYS
    broken = listen(nadia, receiver.url)
    settings.ENCRYPTION_KEYS = keys
    fine = listen(nadia, receiver.url)
    events(nadia)
    assert sending.deliver_due() == {"failed": 1, "delivered": 1}
    assert Delivery.objects.get(endpoint=fine).state is DeliveryState.DELIVERED
    assert "Create a new one" in Delivery.objects.get(endpoint=broken).error_text


# ------------------------------------------------------------------------------------------------ claims


@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_each_event_once(nadia: User, listen: Listen, receiver: Receiver) -> None:
    for _ in range(5):
        listen(nadia, receiver.url)
    events(nadia, 6)
    counts = together([sending.deliver_due] * 4)
    assert sum(count["delivered"] for count in counts) == len(receiver.received) == 30
    assert Delivery.objects.filter(delivered_at=None).count() == 0
    assert len({received.headers["X-Vitrine-Delivery"] for received in receiver.received}) == 30


@pytest.mark.django_db(transaction=True)
def test_claims_do_not_overlap(nadia: User, listen: Listen, receiver: Receiver) -> None:
    for _ in range(5):
        listen(nadia, receiver.url)
    events(nadia, 2)
    claimed = [sent.delivery.pk for found in together([claim] * 4) for sent in found]
    assert len(claimed) == len(set(claimed))
    assert claimed


@pytest.mark.django_db(transaction=True)
def test_next_pass_claims_while_one_waits_for_slow_endpoints(nadia: User, listen: Listen, receiver: Receiver) -> None:
    with Receiver(delay=0.9) as slow:
        endpoint = listen(nadia, slow.url)
        events(nadia)
        waiting = threading.Thread(target=lambda: (sending.deliver_due(budget=0.05), connection.close()))
        waiting.start()
        wait_until(lambda: slow.received)
        time.sleep(0.3)
        endpoints.pause(endpoint)
        listen(nadia, receiver.url)
        events(nadia)
        assert sending.deliver_due() == {"delivered": 1}
        assert waiting.is_alive()
        waiting.join()


def wait_until(is_so: Callable[[], Any]) -> None:
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_claims_of_a_killed_worker_are_sent_after_the_lease(nadia: User, listen: Listen, receiver: Receiver) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        listen(nadia, receiver.url)
        events(nadia)
        assert len(claim()) == 1
        assert not sending.deliver_due()
        clock.shift(lease_seconds() + 1)
        assert sending.deliver_due() == {"delivered": 1}
        assert only_delivery().attempts == 2


def test_outcome_after_the_lease_is_ignored(nadia: User, listen: Listen, receiver: Receiver) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        listen(nadia, receiver.url)
        events(nadia)
        (late,) = claim()
        clock.shift(lease_seconds() + 1)
        sending.deliver_due()
        assert sending._record(late, sending._send(late)) == "late"
        assert only_delivery().state is DeliveryState.DELIVERED


def test_outcome_of_a_deleted_delivery_is_ignored(nadia: User, listen: Listen, receiver: Receiver) -> None:
    endpoint = listen(nadia, receiver.url)
    events(nadia)
    (sent,) = claim()
    endpoint.delete()
    assert sending._record(sent, sending._send(sent)) == "late"


def test_turn_of_a_dead_worker_expires(nadia: User, listen: Listen, receiver: Receiver) -> None:
    listen(nadia, receiver.url)
    events(nadia)
    assert turns.take(sending.TURN, seconds=60)
    assert not sending.deliver_due()
    Turn.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert sending.deliver_due() == {"delivered": 1}


def test_worker_without_turn_claims_nothing(nadia: User, listen: Listen, receiver: Receiver) -> None:
    listen(nadia, receiver.url)
    events(nadia)
    turn = turns.take(sending.TURN, seconds=60)
    Turn.objects.update(until=timezone.now() - timedelta(seconds=1))
    other = turns.take(sending.TURN, seconds=60)
    assert turn
    assert other
    assert sending._claim(5, turn) is None
    assert len(sending._claim(5, other) or ()) == 1


def test_suspended_worker_does_not_send_after_its_lease(nadia: User, listen: Listen, receiver: Receiver) -> None:
    endpoint = listen(nadia, receiver.url)
    events(nadia)
    (stopped,) = claim()
    stopped.send_by = Deadline.after(0)
    Delivery.objects.update(due_at=NOON, lease_until=NOON)
    assert sending.deliver_due() == {"delivered": 1}
    assert sending._record(stopped, sending._send(stopped)) == "late"
    assert len(receiver.received) == 1
    endpoint.refresh_from_db()
    assert (only_delivery().state, endpoint.failing_since) == (DeliveryState.DELIVERED, None)


def test_unsent_claims_of_a_suspended_worker_are_due_immediately(
    nadia: User, listen: Listen, receiver: Receiver
) -> None:
    endpoint = listen(nadia, receiver.url)
    events(nadia)
    (stopped,) = claim()
    stopped.send_by = Deadline.after(0)
    assert sending._record(stopped, sending._send(stopped)) == "late"
    endpoint.refresh_from_db()
    assert (only_delivery().attempts, only_delivery().state, endpoint.failing_since) == (0, DeliveryState.WAITING, None)
    assert sending.deliver_due() == {"delivered": 1}
    assert len(receiver.received) == 1


def test_nothing_is_sent_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        sending.deliver_due()


def test_empty_pass_takes_one_query(nadia: User, listen: Listen) -> None:
    listen(nadia)
    with CaptureQueriesContext(connection) as caught:
        sending.deliver_due()
    assert len(caught) == 1  # and one for the clock of the database, which stands still here


def test_claim_takes_the_same_queries_for_any_number(nadia: User, listen: Listen) -> None:
    listen(nadia)
    costs = []
    for count in (1, 10):
        events(nadia, count)
        turn = turns.take(sending.TURN, seconds=60)
        assert turn
        with CaptureQueriesContext(connection) as caught:
            assert sending._claim(5, turn)
        turn.end()
        costs.append(len(caught))
        Delivery.objects.all().delete()
    assert costs[0] == costs[1] <= 7


# ------------------------------------------------------------------------------------------------ secrets, history


def test_secrets_are_in_no_log_row_or_repr(nadia: User, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Receiver(500) as echo:
        endpoint, secret = endpoints.add(nadia, url=echo.url)
        newer = endpoints.rotate(endpoint)
        echo.text = f"your secret is {secret}, then {newer}"
        events(nadia)
        (claimed,) = claim()
        sending._record(claimed, sending._send(claimed))
    kept = [caplog.text, repr(claimed), repr(endpoint), str(vars(endpoint)), repr(claimed.call)]
    with connection.cursor() as cursor:
        for table in ("endpoint", "webhookevent", "delivery", "attempt"):
            cursor.execute(f"SELECT * FROM webhooks_{table}")
            kept.append(str(cursor.fetchall()))
    assert [text for text in kept if secret in text or newer in text] == []
    assert "[key]" in Attempt.objects.get().answer


def test_old_events_are_deleted_with_their_deliveries(nadia: User, listen: Listen, receiver: Receiver) -> None:
    with time_machine.travel(NOON) as clock:
        listen(nadia, receiver.url)
        events(nadia, 3)
        sending.deliver_due()
        clock.shift(timedelta(days=retention.KEPT_DAYS, minutes=1))
        events(nadia)
        assert retention.prune() == 3
        assert (WebhookEvent.objects.count(), Delivery.objects.count(), Attempt.objects.count()) == (1, 1, 0)


def test_a_test_event_goes_to_one_endpoint(nadia: User, listen: Listen, receiver: Receiver) -> None:
    endpoint = listen(nadia, receiver.url)
    listen(nadia, receiver.url)
    outbox.send_test(endpoint)
    sending.deliver_due()
    (received,) = receiver.received
    assert isinstance(received, Received)
    assert (received.event["event"], received.event["data"]) == ("test", {"endpoint": endpoint.pk})
