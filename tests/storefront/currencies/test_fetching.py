"""Fetching rates from a source: what is taken, what waits for approval, and what staff is told."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core import checks
from django.db import connection, transaction
from django.utils import timezone

from orders.db.encrypted_field import Secret
from providers.worker import schedules
from storefront.currencies import display, fetching, rates, tasks, updates
from storefront.currencies.models import Currency, RateRecord, RateSource, SourceFormat
from storefront.currencies.problems import FetchProblem, QuoteProblem
from storefront.currencies.rates import NoRate
from storefront.currencies.updates import PendingRateChanged, Taken
from storefront.mail.models import Email
from tests import factories
from tests.storefront.currencies.rate_server import ECB, RateServer

pytestmark = pytest.mark.django_db

Add = Callable[..., Currency]


@pytest.fixture
def clock() -> Iterator[Any]:
    """Return a function that lets hours pass."""
    with time_machine.travel(datetime(2026, 5, 4, 12, 0, tzinfo=UTC), tick=False) as traveller:
        yield lambda hours: traveller.shift(timedelta(hours=hours))


@pytest.fixture
def staff() -> Any:
    person = factories.customer()
    person.is_staff = True
    person.save()
    person.user_permissions.add(Permission.objects.get(codename="change_currency"))
    factories.customer()  # a customer, who is told nothing
    return person


def outcomes(result: updates.FetchResult) -> dict[str, Taken]:
    return {row.code: row.outcome for row in result.currencies}


def emails() -> list[tuple[str, str]]:
    return list(Email.objects.order_by("pk").values_list("subject", "address"))


# ------------------------------------------------------------------------------------------------ rates that are taken


def test_rates_are_taken_and_recorded(server: RateServer, source: RateSource, add: Add) -> None:
    euro, yen, lira = add("EUR", "0.90"), add("JPY", "151.23"), add("TRY", "40", margin=Decimal(3))
    by_hand = add("GBP", "0.80", source=None)
    result = fetching.fetch(source)
    assert outcomes(result) == {"EUR": Taken.CHANGED, "JPY": Taken.UNCHANGED, "TRY": Taken.CHANGED}
    for row in (euro, yen, lira, by_hand, source):
        row.refresh_from_db()
    assert (euro.rate, yen.rate, lira.rate, by_hand.rate) == tuple(map(Decimal, ("0.92", "151.23", "41.67", "0.8")))
    assert euro.rate_at == euro.confirmed_at == yen.confirmed_at == source.fetched_at
    assert yen.rate_at is None
    assert by_hand.confirmed_at is None
    assert rates.payment_rate("TRY") == Decimal("42.9201")
    assert list(RateRecord.objects.order_by("currency").values_list("currency", "rate", "margin", "origin", "by")) == [
        ("EUR", Decimal("0.92"), 0, "fetched", "Rates"),
        ("TRY", Decimal("41.67"), 3, "fetched", "Rates"),
    ]
    assert source.next_fetch_at - source.fetched_at == timedelta(hours=6)
    (path, headers) = server.requests[0]
    assert path == "/latest"
    assert headers["Accept"] == "application/json"


def test_pages_show_a_fetched_rate_at_once(
    source: RateSource, add: Add, django_capture_on_commit_callbacks: Any
) -> None:
    add("EUR", "0.90")
    display.clear_cache()
    assert display.active()["EUR"].rate == Decimal("0.90")
    with django_capture_on_commit_callbacks(execute=True):
        fetching.fetch(source)
    assert display.active()["EUR"].rate == Decimal("0.92")


def test_the_ecb_file_is_fetched(server: RateServer, source: RateSource, add: Add) -> None:
    source.format = SourceFormat.ECB
    source.save()
    server.body, server.headers = ECB.format(day=timezone.now().date().isoformat()), {"Content-Type": "text/xml"}
    add("EUR", "0.90")
    add("TRY", "40")
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED, "TRY": Taken.CHANGED}
    assert rates.payment_rate("EUR") == Decimal("0.91996320")
    assert rates.payment_rate("TRY") == Decimal("41.66927323")
    assert "xml" in server.requests[0][1]["Accept"]


def test_the_key_is_put_into_the_url_and_nowhere_else(server: RateServer, source: RateSource, add: Add) -> None:
    add()
    source.url, source.key = f"{server.url}?app_id={{key}}", Secret.hide("s3cret/& key")
    source.save()
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED}
    assert server.requests[0][0] == "/latest?app_id=s3cret%2F%26%20key"
    server.body, server.status = "x" * 140 + " wrong key s3cret/& key", 401
    result = fetching.fetch(source)
    source.refresh_from_db()
    assert result.detail == source.detail
    assert source.detail.startswith("HTTP 401 xxx")
    assert "s3" not in source.detail
    server.status, server.body = 200, "no JSON: s3cret%2F%26%20key"
    assert fetching.fetch(source).detail == "no JSON: [key]"


def test_a_compressed_answer_is_read(server: RateServer, source: RateSource, add: Add) -> None:
    add()
    server.body = gzip.compress(b'{"rates": {"EUR": 9.2e-1}}')
    server.headers = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED}


# ------------------------------------------------------------------------------------------------ answers without rates


@pytest.mark.parametrize(
    ("answer", "problem", "detail"),
    [
        ({"body": "<html>Just a moment...</html>"}, FetchProblem.NOT_JSON, "<html>Just a moment...</html>"),
        ({"body": b"\x89PNG\r\n\x1a\n\x00\x00", "headers": {"Content-Type": "image/png"}}, FetchProblem.NOT_JSON, None),
        ({"body": ""}, FetchProblem.NOT_JSON, ""),
        ({"body": " " * 600_000}, FetchProblem.UNREACHABLE, "The answer is larger than 512 kB."),
        ({"body": gzip.compress(b" " * 50_000_000)}, FetchProblem.UNREACHABLE, "The answer is larger than 512 kB."),
        ({"status": 301, "headers": {"Location": "/other"}}, FetchProblem.REDIRECT, "HTTP 301"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, FetchProblem.REDIRECT, "HTTP 302"),
        ({"status": 503, "body": "busy"}, FetchProblem.STATUS, "HTTP 503 busy"),
        ({"status": 404, "body": {"rates": {"EUR": 1}}}, FetchProblem.STATUS, None),
        ({"status": 204, "body": ""}, FetchProblem.STATUS, "HTTP 204"),
        ({"body": {"error": "limit"}}, FetchProblem.NOTHING_FOUND, '{"error": "limit"}'),
        ({"body": {"rates": {"JPY": 151}}}, FetchProblem.NOTHING_FOUND, None),
    ],
)
def test_an_answer_without_rates_keeps_the_last_ones(
    answer: dict[str, Any], problem: FetchProblem, detail: str | None, server: RateServer, source: RateSource, add: Add
) -> None:
    euro = add(confirmed_at=timezone.now())
    for name, value in answer.items():
        setattr(server, name, value)
    result = fetching.fetch(source)
    source.refresh_from_db()
    euro.refresh_from_db()
    assert result.problem is problem
    assert (source.problem, source.failing_since is not None) == (problem.value, True)
    assert detail is None or source.detail == detail
    assert len(server.requests) == 1
    assert euro.rate == rates.payment_rate("EUR") == Decimal("0.90")
    assert not RateRecord.objects.exists()
    # The next success clears the problem.
    server.status, server.body, server.headers = 200, {"rates": {"EUR": 0.92}}, {}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED}
    source.refresh_from_db()
    assert (source.problem, source.detail, source.failing_since) == ("", "", None)


@pytest.mark.parametrize("pause", ["pause", "chunk_pause"])
def test_a_slow_source_is_given_up(
    pause: str, server: RateServer, source: RateSource, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add()
    monkeypatch.setattr(fetching, "TIMEOUT", 0.5)
    setattr(server, pause, 1.5 if pause == "pause" else 0.05)
    began = time.monotonic()
    assert fetching.fetch(source).problem is FetchProblem.UNREACHABLE
    assert time.monotonic() - began < 1.4


def test_a_source_that_cannot_be_reached_is_tried_again_soon(
    server: RateServer, source: RateSource, add: Add, clock: Any
) -> None:
    add()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        source.url = f"http://127.0.0.1:{unused.getsockname()[1]}/latest"
    RateSource.objects.update(url=source.url)
    fetching.fetch(source)
    source.refresh_from_db()
    assert source.problem == FetchProblem.UNREACHABLE
    assert source.next_fetch_at == timezone.now() + fetching.RETRY
    first = source.failing_since
    clock(1)
    fetching.fetch(source)
    source.refresh_from_db()
    assert source.failing_since == first


def test_a_source_may_ask_for_more_time(server: RateServer, source: RateSource, add: Add, clock: Any) -> None:
    add()
    server.status, server.headers = 429, {"Retry-After": "7200"}
    fetching.fetch(source)
    source.refresh_from_db()
    assert source.next_fetch_at == timezone.now() + timedelta(hours=2)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://rates.example/latest", "https://10.0.0.1/", "ftp://x/"]
)
def test_private_and_plain_addresses_are_not_called(url: str, source: RateSource, add: Add, settings: Any) -> None:
    settings.ALLOW_PRIVATE_PANELS = False
    add()
    source.url = url
    source.save()
    assert fetching.fetch(source).problem is FetchProblem.NOT_ALLOWED


def test_one_missing_currency_does_not_hold_up_the_others(
    server: RateServer, source: RateSource, add: Add, clock: Any
) -> None:
    add("EUR", confirmed_at=timezone.now())
    yen = add("JPY", "151", confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 0.92}}
    clock(47)
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED, "JPY": Taken.PROBLEM}
    yen.refresh_from_db()
    assert (yen.rate, yen.problem) == (151, QuoteProblem.MISSING)
    clock(1)
    assert rates.currencies_with_rates() == {"USD", "EUR"}
    server.body = {"rates": {"EUR": 0.92, "JPY": 152}}
    fetching.fetch(source)
    yen.refresh_from_db()
    assert yen.problem == ""
    assert rates.currencies_with_rates() == {"USD", "EUR", "JPY"}


# ------------------------------------------------------------------------------------------------ implausible rates


@pytest.mark.parametrize(
    ("quoted", "is_taken"),
    [("1.08", True), ("1.0801", False), ("0.75", True), ("0.7499", False), ("90", False), ("0.0090", False)],
)
def test_a_rate_that_changed_too_much_waits(
    quoted: str, is_taken: bool, server: RateServer, source: RateSource, add: Add
) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = f'{{"rates": {{"EUR": {quoted}}}}}'
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED if is_taken else Taken.WAITING}
    euro.refresh_from_db()
    if is_taken:
        assert (euro.rate, euro.pending_rate) == (Decimal(quoted), None)
        assert rates.payment_rate("EUR") == Decimal(quoted)
    else:
        assert (euro.rate, euro.pending_rate) == (Decimal("0.90"), Decimal(quoted))
        assert not RateRecord.objects.exists()
        with pytest.raises(NoRate):
            rates.payment_rate("EUR")


@pytest.mark.parametrize("quoted", ["0", "-0.92", "NaN", "1e99"])
def test_a_number_that_is_no_rate_is_never_taken(quoted: str, server: RateServer, source: RateSource, add: Add) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = f'{{"rates": {{"EUR": {quoted}}}}}'
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.PROBLEM}
    euro.refresh_from_db()
    assert (euro.rate, euro.pending_rate) == (Decimal("0.90"), None)
    assert euro.problem in QuoteProblem.values


def test_the_first_rate_waits_because_there_is_nothing_to_compare_it_with(
    source: RateSource, add: Add, staff: Any
) -> None:
    euro = add(rate=None)
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.WAITING}
    updates.approve(euro, rate=Decimal("0.92"), by="op@example.com")
    assert rates.payment_rate("EUR") == Decimal("0.92")
    assert RateRecord.objects.values_list("rate", "origin", "by").get() == (
        Decimal("0.92"), "approved", "op@example.com",
    )  # fmt: skip


def test_a_waiting_rate_ends_when_the_source_returns_to_the_current_one(
    server: RateServer, source: RateSource, add: Add, clock: Any
) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 9}}
    fetching.fetch(source)
    euro.refresh_from_db()
    assert euro.pending_at == timezone.now()
    began = euro.pending_at
    clock(6)
    server.body = {"rates": {"EUR": 9.1}}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.WAITING}
    euro.refresh_from_db()
    assert (euro.pending_rate, euro.pending_at) == (Decimal("9.1"), began)
    clock(6)
    server.body = {"rates": {"EUR": 0.91}}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED}
    euro.refresh_from_db()
    assert (euro.pending_rate, euro.pending_at) == (None, None)
    assert rates.payment_rate("EUR") == Decimal("0.91")


def test_a_rejected_rate_is_ignored_until_the_current_one_is_outdated(
    server: RateServer, source: RateSource, add: Add, clock: Any, staff: Any
) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 9}}
    fetching.fetch(source)
    updates.reject(euro, rate=Decimal(9))
    assert rates.payment_rate("EUR") == Decimal("0.90")
    clock(47)
    server.body = {"rates": {"EUR": 9.5}}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.IGNORED}
    assert rates.payment_rate("EUR") == Decimal("0.90")
    # Another implausible rate is other news.
    server.body = {"rates": {"EUR": 90}}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.WAITING}
    euro.refresh_from_db()
    updates.reject(euro, rate=Decimal(90))
    clock(48)
    with pytest.raises(NoRate):
        rates.payment_rate("EUR")
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.WAITING}
    assert len(emails()) == 3
    server.body = {"rates": {"EUR": 0.91}}
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED}
    euro.refresh_from_db()
    assert (euro.rejected_rate, euro.rejected_at) == (None, None)


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_a_decision_about_another_rate_changes_nothing(
    decide: str, server: RateServer, source: RateSource, add: Add
) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 9}}
    fetching.fetch(source)
    server.body = {"rates": {"EUR": 9.1}}
    fetching.fetch(source)
    options = {"by": "x"} if decide == "approve" else {}
    with pytest.raises(PendingRateChanged):
        getattr(updates, decide)(euro, rate=Decimal(9), **options)
    getattr(updates, decide)(euro, rate=Decimal("9.1"), **options)
    with pytest.raises(PendingRateChanged):  # a second click
        getattr(updates, decide)(euro, rate=Decimal("9.1"), **options)
    assert rates.payment_rate("EUR") == (Decimal("9.1") if decide == "approve" else Decimal("0.90"))


def test_a_rate_entered_by_hand_ends_the_waiting(server: RateServer, source: RateSource, add: Add) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 9}}
    fetching.fetch(source)
    euro.refresh_from_db()
    euro.rate = Decimal(8)
    euro.save(update_fields=["rate"])
    updates.record_entry(euro, changed=["rate"], by="op@example.com")
    assert rates.payment_rate("EUR") == 8
    assert outcomes(fetching.fetch(source)) == {"EUR": Taken.CHANGED}
    assert rates.payment_rate("EUR") == 9


# ------------------------------------------------------------------------------------------------ what staff is told


def test_staff_is_told_once_of_a_waiting_rate(
    server: RateServer, source: RateSource, add: Add, clock: Any, staff: Any
) -> None:
    add(confirmed_at=timezone.now())
    add("JPY", "100", confirmed_at=timezone.now())
    fetching.fetch(source)
    assert emails() == [("1 exchange rate waits for approval", staff.email)]
    text = Email.objects.get().text
    assert "Current rate: 100. New rate: 151.23." in text
    # A source that alternates does not send an email each time.
    for hours, rate in ((6, 100), (6, 151), (6, 100), (5, 151)):
        clock(hours)
        server.body = {"rates": {"EUR": 0.90, "JPY": rate}}
        fetching.fetch(source)
    assert len(emails()) == 1
    # It is told of again a day later, if it still waits then.
    clock(1)
    fetching.fetch(source)
    assert len(emails()) == 2
    clock(25)
    fetching.fetch(source)
    assert len(emails()) == 2


def test_after_a_decision_the_next_waiting_rate_is_told_at_once(
    server: RateServer, source: RateSource, add: Add, clock: Any, staff: Any
) -> None:
    euro = add(confirmed_at=timezone.now())
    server.body = {"rates": {"EUR": 9}}
    fetching.fetch(source)
    updates.approve(euro, rate=Decimal(9), by="op@example.com")
    server.body = {"rates": {"EUR": 90}}
    fetching.fetch(source)
    assert len(emails()) == 2


def test_staff_is_told_once_that_rates_are_not_updated(
    server: RateServer, source: RateSource, add: Add, clock: Any, staff: Any
) -> None:
    add(confirmed_at=timezone.now())
    add("JPY", "151", confirmed_at=timezone.now())
    add("GBP", "0.8", source=None)
    server.status = 503
    for _hour in range(23):
        clock(1)
        tasks.fetch_due()
    assert len(server.requests) == 23
    assert emails() == []
    for _hour in range(40):
        clock(1)
        tasks.fetch_due()
    assert emails() == [("Exchange rates are not updated: EUR, JPY", staff.email)]
    assert "Payments in this currency stop on May 6, 2026, noon." in Email.objects.get().text
    assert rates.currencies_with_rates() == {"USD", "GBP"}
    # After it worked again, the next outage is told again.
    server.status = 200
    clock(1)
    tasks.fetch_due()
    assert rates.currencies_with_rates() == {"USD", "GBP", "EUR", "JPY"}
    server.status = 503
    for _hour in range(31):
        clock(1)
        tasks.fetch_due()
    assert len(emails()) == 2


def test_a_source_that_was_deactivated_lets_its_rates_become_outdated(
    source: RateSource, add: Add, clock: Any, staff: Any, server: RateServer
) -> None:
    add(confirmed_at=timezone.now())
    RateSource.objects.update(is_active=False)
    clock(24)
    tasks.fetch_due()
    assert server.requests == []
    assert len(emails()) == 1
    clock(24)
    with pytest.raises(NoRate):
        rates.payment_rate("EUR")


def test_a_listener_that_does_not_exist_is_reported_at_start(settings: Any) -> None:
    settings.CURRENCY_NOTICE_LISTENERS = ["storefront.mail.rate_notices.nothing"]
    assert [found.id for found in checks.run_checks() if found.id == "currencies.E001"] == ["currencies.E001"]


# ------------------------------------------------------------------------------------------------ the schedule


def test_sources_are_fetched_when_they_are_due(server: RateServer, source: RateSource, add: Add, clock: Any) -> None:
    add(confirmed_at=timezone.now())
    tasks.fetch_due()
    tasks.fetch_due()
    assert len(server.requests) == 1
    clock(5.9)
    tasks.fetch_due()
    assert len(server.requests) == 1
    clock(0.1)
    tasks.fetch_due()
    assert len(server.requests) == 2
    names = {schedule.func for schedule in schedules.declared()}
    assert {"storefront.currencies.tasks.fetch_due", "storefront.currencies.tasks.prune"} <= names


def test_a_pass_ends_before_its_task_is_stopped(
    server: RateServer, source: RateSource, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    add()
    RateSource.objects.create(name="Second", url=server.url)
    monkeypatch.setattr(fetching, "BUDGET", 0.1)
    server.pause = 0.2
    tasks.fetch_due()
    assert len(server.requests) == 1
    tasks.fetch_due()
    assert len(server.requests) == 2


def test_an_answer_for_former_settings_is_dropped(server: RateServer, source: RateSource, add: Add) -> None:
    euro = add()
    RateSource.objects.update(path="data.{currency}")  # while the answer was under way
    assert fetching.fetch(source).is_dropped
    server.status = 500
    assert fetching.fetch(source).is_dropped
    euro.refresh_from_db()
    assert euro.rate == Decimal("0.90")
    assert RateSource.objects.get().problem == ""


@pytest.mark.django_db(transaction=True)
def test_nothing_is_fetched_inside_a_transaction(source: RateSource, server: RateServer) -> None:
    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        fetching.fetch(source)
    assert server.requests == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_fetch_a_source_once_and_warn_once(server: RateServer, source: RateSource, add: Add) -> None:
    add(confirmed_at=timezone.now() - timedelta(hours=30))
    person = factories.customer()
    type(person).objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    server.status, server.pause = 503, 0.3
    errors: list[BaseException] = []

    def work() -> None:
        try:
            tasks.fetch_due()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(server.requests) == 1
    assert len(emails()) == 1
