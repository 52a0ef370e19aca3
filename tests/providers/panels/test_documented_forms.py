"""The answers in the panels' documents, and common faults, and how each is read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.rules.state_machine import Status
from providers import notes
from providers.errors import OutcomeUnknown, Refused, UnreadableAnswer
from providers.notes import Note
from providers.panels.balance import read_balance
from providers.panels.dialects import DIALECTS
from providers.panels.placing import read_add
from providers.panels.services import read_services
from providers.panels.status import read_status
from tests.providers.panels.answers import answer

V2 = DIALECTS["v2"]


@pytest.mark.parametrize(
    ("body", "status", "upstream_id"),
    [
        ({"order": 23501}, 200, "23501"),
        ({"order": "65ae5538afdd1"}, 200, "65ae5538afdd1"),
        ({"order_id": 123}, 200, "123"),
        ({"order": "ord_01HG"}, 201, "ord_01HG"),
        ({"status": "success", "order": 151}, 200, "151"),
        ({"status": 100, "order": 151}, 200, "151"),
        ({"order": 9007199254740993, "charge": "1", "currency": "USD"}, 200, "9007199254740993"),
        ({"id": "77"}, 200, "77"),
        ('{"order":9223372036854775807}', 200, "9223372036854775807"),
    ],
)
def test_an_order_number_is_read_from_every_form_it_comes_in(body: Any, status: int, upstream_id: str) -> None:
    assert read_add(answer(body, status), V2) == upstream_id


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"error": "Not enough funds on balance"}, 200, "funds"),
        ({"error": "You don't have sufficient balance"}, 402, "funds"),
        ({"error": "Invalid API key"}, 401, "key"),
        ({"error": "API is Disable for this user or User Not Found! Contact the Support"}, 200, "key"),
        ({"error": "Incorrect service ID"}, 200, "service"),
        ({"error": "Quantity less than minimal 10"}, 422, "quantity"),
        ({"error": "Bad link"}, 200, "link"),
        ({"error": "neworder.error.link_duplicate"}, 200, "duplicate"),
        (
            {"error": "You have active order with this link. Please wait until order being completed."},
            422,
            "duplicate",
        ),
        ({"errors": {"action": ["The action field is required."]}}, 422, "request"),
        ({"error": "Something nobody has heard of"}, 401, "key"),
        ({"error": "Something nobody has heard of"}, 403, "key"),
        ({"error": "Something nobody has heard of"}, 402, "funds"),
        ({"error": "Bad link", "order": 0}, 403, "link"),
        ({"status": "error", "error": "Incorrect request"}, 200, "request"),
        ("{}", 429, "busy"),
        ("<html>", 429, "busy"),
    ],
)
def test_a_plain_refusal_says_why(body: Any, status: int, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_add(answer(body, status), V2)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 200),
        ("<html>just a moment</html>", 200),
        ("<html>just a moment</html>", 403),
        ({"error": "Not enough funds on balance"}, 500),
        ({"error": "Something went wrong"}, 200),
        ({"order": 5}, 500),
        ({"order": 5}, 302),
        ({"order": 0}, 200),
        ({"order": "0"}, 200),
        ({"order": -4}, 200),
        ({"order": True}, 200),
        ({"order": "x" * 65}, 200),
        ({"order": "abc"}, 200),
        ({"order": "23501 "}, 200),
        ({"order": "23 501"}, 200),
        ({"order": [1]}, 200),
        ({"order": [1], "error": "Bad link"}, 200),
        ({"order": 5}, 429),
        ({"error": "Something nobody has heard of"}, 422),
        ({"error": "timeout"}, 400),
        ({"error": "Bad link"}, 302),
        ('{"order":1,"order":2}', 200),
        ('{"error":"Bad link","error":""}', 200),
        ('{"order":99999999999999999999}', 200),
        ('{"order":1e3}', 200),
        ("\ufffe{\x00", 200),
        ({"order": 5, "error": "late"}, 200),
        ('{"order":NaN}', 200),
        ('{"order":5', 200),
        ("[]", 200),
        ("null", 200),
        ("[" * 100_000, 200),
        ('{"order":' + "9" * 5000 + "}", 200),
    ],
)
def test_everything_else_is_unknown(body: Any, status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        read_add(answer(body, status), V2)


@pytest.mark.parametrize(
    ("body", "status", "said", "number", "is_lasting"),
    [
        ({"error": "Something went wrong"}, 200, "Something went wrong", "", False),
        ({"error": "Something went wrong"}, 422, "Something went wrong", "", False),
        ({"error": "Something went wrong"}, 500, "", "", False),
        ({"error": "Something went wrong", "order": 7}, 200, "", "7", True),
        ({"order": "23501 "}, 200, "", "23501", False),
        ("<html>just a moment</html>", 403, "", "", True),
        ("<html>just a moment</html>", 503, "", "", True),
        ("<html>not found</html>", 404, "", "", True),
        ("", 302, "", "", True),
        ({"order": 7}, 307, "", "7", True),
        ("<html>just a moment</html>", 200, "", "", False),
        ("<html>bad gateway</html>", 502, "", "", False),
    ],
)
def test_an_unknown_outcome_keeps_what_the_answer_said(
    body: Any, status: int, said: str, number: str, is_lasting: bool
) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        read_add(answer(body, status), V2)
    problem = unknown.value
    assert (problem.said, problem.upstream_id, problem.is_lasting) == (said, number, is_lasting)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", Status.PENDING),
        ("Awaiting", Status.PENDING),
        ("Processing", Status.PROCESSING),
        ("In progress", Status.IN_PROGRESS),
        ("in_progress", Status.IN_PROGRESS),
        ("Inprogress", Status.IN_PROGRESS),
        ("completed", Status.COMPLETED),
        ("Partial", Status.PARTIAL),
        ("Cancelled", Status.CANCELED),
        ("Canelled", Status.CANCELED),
        ("Refunded", Status.CANCELED),
        ("Fail", Status.FAILED),
        ("Sleeping", None),
    ],
)
def test_status_words_are_understood_in_every_spelling(word: str, status: Status | None) -> None:
    report = read_status(answer({"status": word, "remains": "5"}), V2, ["1"])["1"]
    assert not isinstance(report, str)
    assert (report.status, report.remains) == (status, 5)


@pytest.mark.parametrize(
    ("raw", "number"),
    [("157", 157), (157, 157), ("157.0", 157), (None, None), ("", None), ("Unknown", None), ("1.5", None), (-3, -3)],
)
def test_remains_is_a_whole_number_or_nothing(raw: Any, number: int | None) -> None:
    report = read_status(answer({"status": "Partial", "remains": raw}), V2, ["1"])["1"]
    assert not isinstance(report, str)
    assert report.remains == number


def test_many_statuses_are_read_from_an_object_and_from_a_list() -> None:
    row = {"charge": "0.27", "start_count": "3", "status": "Completed", "remains": "0", "currency": "USD"}
    as_object = {"1": row, "10": {"error": "Incorrect order ID"}, "100": "Incorrect order ID", "999": row}
    as_list = [{**row, "order": 1}, {"order": "10", "error": "Incorrect order ID"}]
    reports = read_status(answer(as_object), V2, ["1", "10", "100", "1000"])
    assert set(reports) == {"1", "10", "100"}
    assert reports["10"] == reports["100"] == "Incorrect order ID"
    assert set(read_status(answer(as_list), V2, ["1", "10"])) == {"1", "10"}


def test_only_the_batch_answers_of_tmsmm_are_repaired() -> None:
    body = '[\n"65ae5538afdd1": {"status": "Partial", "remains": "157"},\n"65ae580a540f5": "Incorrect order ID"\n]'
    reports = read_status(answer(body), DIALECTS["tmsmm"], ["65ae5538afdd1", "65ae580a540f5"])
    assert reports["65ae580a540f5"] == "Incorrect order ID"
    assert not isinstance(reports["65ae5538afdd1"], str)
    with pytest.raises(UnreadableAnswer):
        read_status(answer(body), V2, ["65ae5538afdd1", "65ae580a540f5"])


@pytest.mark.parametrize("body", ['{"error":"Invalid API key"}', "<html>", "", "5", '{"status":"success"}'])
def test_a_broken_answer_to_many_reports_on_no_order(body: str) -> None:
    with pytest.raises((Refused, UnreadableAnswer)):
        read_status(answer(body), V2, ["1", "2"])


@pytest.mark.parametrize(
    ("body", "amount", "currency"),
    [
        ({"balance": "100.84292", "currency": "USD"}, "100.84292", "USD"),
        ({"currency": "USD", "balance": "0.32"}, "0.32", "USD"),
        ({"balance": 100.0, "currency": "usd"}, "100.0", "USD"),
        ({"balance": "1,234.50"}, "1234.50", ""),
        ({"balance": "10 USD"}, "10", "USD"),
        ({"status": "success", "balance": "-3.5", "currency": None}, "-3.5", ""),
    ],
)
def test_a_balance_is_read_from_every_form(body: Any, amount: str, currency: str) -> None:
    balance = read_balance(answer(body), V2)
    assert (balance.amount, balance.currency) == (Decimal(amount), currency)


def test_a_price_list_row_is_cleaned_or_says_why_it_cannot_be_sold() -> None:
    good = {"service": "7", "name": " A\n name ", "type": "custom_comment", "category": " X ", "rate": "0.9"}
    good |= {"min": "10", "max": "100", "refill": 1, "cancel": "false", "dripfeed": "1", "unheard": "of"}
    cases: dict[str, dict[str, Any]] = {
        "": {},
        notes.encode(Note.UNKNOWN_TYPE, type="fb_viplike"): {"type": "fb_viplike"},
        notes.encode(Note.UNREADABLE_RATE): {"rate": "cheap"},
        notes.encode(Note.ZERO_RATE): {"rate": 0},
        notes.encode(Note.NOT_FOR_SALE): {"rate": 999999999},
        notes.encode(Note.UNREADABLE_LIMITS): {"min": "few"},
        notes.encode(Note.LIMITS_REVERSED): {"max": "5"},
    }
    for problem, change in cases.items():
        (row,) = read_services(answer([{**good, **change}]), V2)
        assert row.problem == problem
    (row,) = read_services(answer([good]), V2)
    assert (row.upstream_id, row.name, row.category, row.service_type) == ("7", "A name", "X", "custom_comments")
    assert (row.has_refill, row.has_cancel, row.has_dripfeed) == (True, False, True)
    (row,) = read_services(answer([{**good, "rate": "17.840000000000003"}]), V2)
    assert row.rate == Decimal("17.84000001"), "rounded up to what we keep, so that nothing is sold below cost"


def test_a_price_list_survives_rows_that_are_no_services() -> None:
    rows = [5, None, {}, {"service": None}, {"service": "x" * 70}, {"service": 3, "name": "*-*-*", "rate": "1"}]
    read = read_services(answer(rows), V2)
    assert [row.upstream_id for row in read] == ["", "", "", "", "", "3"]
    assert all(row.problem for row in read), "every odd row says why"
    assert read_services(answer({"services": [{"service": 1}]}), V2)[0].upstream_id == "1"
    for broken in ({"error": "API is Disable"}, {"status": "success", "data": "Empty Data"}, "", "7"):
        with pytest.raises((Refused, UnreadableAnswer)):
            read_services(answer(broken), V2)
