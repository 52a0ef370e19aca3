"""Every form in which panels answer refill, refill_status and cancel, and answers that are not accepted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.errors import OutcomeUnknown, ProviderError, Refused, UnreadableAnswer, Unsupported
from providers.panels.dialect import AUTHS
from providers.panels.dialects import DIALECTS
from providers.panels.refills_and_cancellations import (
    CancelAccepted,
    Stage,
    read_cancel,
    read_refill,
    read_refill_status,
)
from tests.providers.panels.answers import answer

V2, TMSMM, TOPLISTBOT = DIALECTS["v2"], DIALECTS["tmsmm"], DIALECTS["toplistbot"]


def plain(results: dict[str, Any]) -> dict[str, Any]:
    return {
        asked: (found.message, found.reason) if isinstance(found, Refused) else found
        for asked, found in results.items()
    }


NO_ORDER = ("Incorrect order ID", "order")


@pytest.mark.parametrize(
    ("body", "ids", "found"),
    [
        ({"refill": "1"}, ["7"], {"7": "1"}),
        ({"refill": 1}, ["7"], {"7": "1"}),
        ({"refill": "65ae5538afdd1"}, ["65ae5538afdd1"], {"65ae5538afdd1": "65ae5538afdd1"}),
        ({"success": True, "refill": 12345}, ["7"], {"7": "12345"}),
        ({"status": "success", "refill": "9"}, ["7"], {"7": "9"}),
        ({"refill": {"error": "Incorrect order ID"}}, ["7"], {"7": NO_ORDER}),
        ([{"order": 7, "refill": 3}], ["7"], {"7": "3"}),
        ([{"refill": 3}], ["7"], {"7": "3"}),
        (
            [{"order": 1, "refill": 1}, {"order": 2, "refill": 2}, {"order": 3, "refill": {"error": NO_ORDER[0]}}],
            ["1", "2", "3", "4"],
            {"1": "1", "2": "2", "3": NO_ORDER},
        ),
        ([{"order": "a1", "refill": "a1"}, {"order": "b2", "error": "Incorrect order ID"}], ["a1", "b2"],
         {"a1": "a1", "b2": NO_ORDER}),
        ({"1": {"refill": 5}, "2": {"error": "Refill days are over"}}, ["1", "2"],
         {"1": "5", "2": ("Refill days are over", "final")}),
    ],
)  # fmt: skip
def test_refills_are_read_in_every_form(body: Any, ids: list[str], found: dict[str, Any]) -> None:
    assert plain(read_refill(answer(body), V2, ids)) == found


@pytest.mark.parametrize(
    ("body", "ids", "found"),
    [
        ([{"order": 9, "cancel": {"error": "Incorrect order ID"}}, {"order": 2, "cancel": 1}], ["9", "2"],
         {"9": NO_ORDER, "2": CancelAccepted()}),
        ([{"order": "123", "cancel": 1, "refund": 10.0}], ["123"], {"123": CancelAccepted(Decimal(10))}),
        ([{"order": "123", "cancel": 1, "refund": "all of it"}], ["123"], {"123": CancelAccepted()}),
        ([{"order": "124", "cancel": {"error": "Order already completed and cannot be canceled"}}], ["124"],
         {"124": ("Order already completed and cannot be canceled", "final")}),
        ({"4218": {"cancel": "requested"}, "4219": {"error": "Cannot cancel"}}, ["4218", "4219"],
         {"4218": CancelAccepted(), "4219": ("Cannot cancel", "final")}),
        ([{"order": 1, "error": "Cannot cancel"}], ["1"], {"1": ("Cannot cancel", "final")}),
        ({"ok": "true"}, ["1"], {"1": CancelAccepted()}),
        ({"cancel": True}, ["1"], {"1": CancelAccepted()}),
        ({"order": 1, "cancel": "1"}, ["1"], {"1": CancelAccepted()}),
        ([{"order": 1, "cancel": 1}, {"order": 2, "cancel": 0}], ["1", "2"], {"1": CancelAccepted()}),
    ],
)  # fmt: skip
def test_cancellations_are_read_in_every_form(body: Any, ids: list[str], found: dict[str, Any]) -> None:
    assert plain(read_cancel(answer(body), TOPLISTBOT, ids)) == found


@pytest.mark.parametrize("read", [read_refill, read_cancel])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 200), ("null", 200), ("[]", 200), ("{}", 200), ("1", 200), ('"ok"', 200), ("<html>", 200),
        ('{"refill":"1","cancel":1}', 500), ('{"refill":0,"cancel":0}', 200), ('{"refill":false,"cancel":false}', 200),
        ('{"error":"Something odd"}', 200), ('{"error":"Invalid API key"}', 502), ('{"status":"error"}', 200),
        ('{"refill":[],"cancel":[]}', 200), ('{"refill":"1","cancel":1}', 302),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_not_known(read: Any, body: str, status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        read(answer(body, status), V2, ["7"])


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"error": "Refill is disabled for this service"}, 422, "service"),
        ({"error": "The order is not completed"}, 200, "final"),
        ({"error": "Refill days are over"}, 200, "final"),
        ({"error": "Order not eligible for refill."}, 200, "final"),
        ({"error": "Refill not allowed"}, 200, "final"),
        ({"error": "The order was completed or refill was requested less than 24 hours ago"}, 200, "early"),
        ({"error": "Too many requests. Limit 50/minute."}, 200, "busy"),
        ({"error": "Invalid API key"}, 200, "key"),
        ({"errors": {"orders": ["The orders field is required."]}}, 422, "request"),
        ({"error": "Something odd"}, 401, "key"),
        ({"error": "Incorrect order ID"}, 200, "order"),
        ("anything", 429, "busy"),
    ],
)
def test_refusals_say_why(body: Any, status: int, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_refill(answer(body, status), V2, ["7"])
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("word", "stage"),
    [
        ("Completed", Stage.COMPLETED), ("Rejected", Stage.REJECTED), ("Pending", Stage.SENT),
        ("In progress", Stage.IN_PROGRESS), ("Canceled", Stage.REJECTED), ("canceled", Stage.REJECTED),
        ("Error", Stage.UNCLEAR), ("Awaiting", Stage.SENT), ("Fail", Stage.UNCLEAR),
        ("Refilling", Stage.IN_PROGRESS), ("Partial", Stage.UNCLEAR), ("in_progress", Stage.IN_PROGRESS),
        ("Sleeping", None),
    ],
)  # fmt: skip
def test_refill_words(word: str, stage: Stage | None) -> None:
    for body in ({"status": word}, [{"refill": 1, "status": word}], {"1": {"status": word}}, [{"status": word}]):
        (report,) = read_refill_status(answer(body), V2, ["1"]).values()
        assert not isinstance(report, str)
        assert (report.stage, report.panel_status) == (stage, word)


def test_statuses_of_many_refills() -> None:
    body = [
        {"refill": 1, "status": "Completed"},
        {"refill": 2, "status": "Rejected"},
        {"refill": 3, "status": {"error": "Refill not found"}},
    ]
    found = read_refill_status(answer(body), V2, ["1", "2", "3", "4"])
    assert {asked: row if isinstance(row, str) else row.stage for asked, row in found.items()} == {
        "1": Stage.COMPLETED, "2": Stage.REJECTED, "3": "Refill not found",
    }  # fmt: skip
    assert read_refill_status(answer({"error": "Refill not found"}), V2, ["1"]) == {"1": "Refill not found"}


@pytest.mark.parametrize("body", ['{"error":"Invalid API key"}', "<html>", '{"status":null}', "[1]", "null", "7"])
def test_a_status_that_says_nothing_is_an_error(body: str) -> None:
    with pytest.raises(ProviderError):
        read_refill_status(answer(body), V2, ["1"])


@pytest.mark.parametrize(
    "body",
    [
        {"refill": "error"}, {"refill": "true"}, {"refill": True}, {"refill": "success"}, {"refill": "Pending"},
        {"refill": "Your refill has been requested"}, {"refill": "0"}, {"refill": -1}, {"refill": 1.5}, {"refill": {}},
        {"refill": {"status": "ok"}}, {"status": "success"}, {"status": "success", "data": []},
        {"status": "success", "data": {"order": 7}}, {"refill": "5", "error": "Something odd"},
        {"refill": "5", "error": "Refill is disabled for this service"}, {"status": "error", "refill": 5},
        {"order": 8, "refill": 5}, {"refill": "5", "message": "Refill will be available in 20 hours"},
    ],
)  # fmt: skip
def test_a_refill_without_a_plain_number_is_not_taken(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read_refill(answer(body), V2, ["7"])


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"status": "success", "data": {"refill": 5}}, "5"),
        ({"status": "success", "data": [{"order": 7, "refill": "5"}]}, "5"),
        ({"success": True, "data": {"refill_id": 5, "order": "7"}}, "5"),
        ({"result": {"7": {"refill": 5}}}, "5"),
        ({"error": None, "refill": 5.0}, "5"),
        ({"refill": "Refill is disabled for this service"}, ("Refill is disabled for this service", "service")),
        ({"status": "success", "data": [{"order": 7, "refill": {"error": "Refill days are over"}}]},
         ("Refill days are over", "final")),
    ],
)  # fmt: skip
def test_a_refill_is_read_in_every_envelope(body: Any, found: Any) -> None:
    assert plain(read_refill(answer(body), V2, ["7"])) == {"7": found}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "Refill will be available in 20 hours"}, "early"),
        ({"error": "Refill already in progress"}, "early"),
        ({"status": "error", "message": "Refill already in progress"}, "early"),
        ({"success": False, "msg": "Refill days are over"}, "final"),
        ({"message": "Invalid API key"}, "key"),
        ("Invalid API key", "key"),
    ],
)
@pytest.mark.parametrize("read", [read_refill, read_cancel])
def test_a_refusal_is_read_wherever_it_stands(read: Any, body: Any, reason: str) -> None:
    for ids in (["7"], ["7", "8"]):
        with pytest.raises(Refused) as refused:
            read(answer(body), V2, ids)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    "body",
    [
        {"order": 9, "cancel": 0, "status": "success"},
        {"status": "success", "data": {"order": 9, "cancel": 0}},
        {"success": True, "data": [{"order": 9, "cancel": 0}]},
        {"status": "success", "data": []},
        {"status": "success", "message": "It is too old"} | {"cancel": False},
        {"status": "success", "success": False},
        {"status": "success", "message": "This order is not one we stop"},
        {"order": 8, "cancel": 1},
        {"cancel": "perhaps"},
        {"cancel": 1, "error": "Cannot cancel"},
    ],
)
def test_a_cancellation_that_is_not_plainly_taken_is_not_taken(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read_cancel(answer(body), V2, ["9"])


@pytest.mark.parametrize("text", ["Order cannot be cancelled", "cannot be cancelled", "Отмена невозможна"])
def test_success_with_the_text_of_a_refusal_is_a_refusal(text: str) -> None:
    (refused,) = read_cancel(answer({"status": "success", "message": text}), V2, ["9"]).values()
    assert isinstance(refused, Refused)
    assert (refused.message, refused.reason) == (text, "final")


@pytest.mark.parametrize(
    ("body", "refund"),
    [
        ({"status": "success", "data": [{"order": 9, "cancel": 1, "refund": "0.25"}]}, Decimal("0.25")),
        ([{"order": "9", "cancel": 1, "refund": "$1,234.50"}], Decimal("1234.50")),
        ([{"order": "9", "cancel": 1, "refund": 0}], Decimal(0)),
        ([{"order": "9", "cancel": 1, "refund": True}], None),
        ([{"order": "9", "cancel": 1, "refund": -5}], None),
        ([{"order": "9", "cancel": 1, "refund": "1,234"}], None),
        ({"status": "success", "message": "Cancel request sent"}, None),
        ({"success": True}, None),
        ({"order": 9, "status": "Canceled"}, None),
    ],
)
def test_a_taken_cancellation_names_its_refund_where_it_has_one(body: Any, refund: Decimal | None) -> None:
    assert read_cancel(answer(body), TOPLISTBOT, ["9"]) == {"9": CancelAccepted(refund)}


@pytest.mark.parametrize(
    ("body", "stage"),
    [
        ({"status": "success", "data": {"status": "Rejected"}}, Stage.REJECTED),
        ({"status": "success", "data": [{"refill": 1, "status": "Completed"}]}, Stage.COMPLETED),
        ({"status": True, "data": {"1": {"status": "In progress"}}}, Stage.IN_PROGRESS),
        ([{"refill": 1, "status": "success"}], Stage.COMPLETED),
        ({"status": "Отклонено"}, Stage.REJECTED),
        ({"status": "Tamamlandı"}, Stage.COMPLETED),
    ],
)
def test_the_status_of_a_refill_is_not_that_of_the_envelope(body: Any, stage: Stage) -> None:
    report = read_refill_status(answer(body), V2, ["1"])["1"]
    assert not isinstance(report, str)
    assert report.stage is stage


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "success"}, 200),
        ({"status": "success", "message": "ok"}, 200),
        ({"status": "error", "message": "Invalid API key"}, 200),
        ({"status": "error", "message": "Server error"}, 503),
        ({"status": "Completed"}, 500),
        ({"status": "Completed"}, 404),
        ({"status": "Rejected"}, 302),
        ({"status": "Rejected"}, 429),
        ({"message": "Unauthenticated."}, 401),
        ({"status": "success", "data": "Completed"}, 200),
    ],
)
def test_what_is_no_report_ends_no_refill(body: Any, status: int) -> None:
    with pytest.raises((Refused, UnreadableAnswer)):
        read_refill_status(answer(body, status), V2, ["1"])


# ------------------------------------------------------------------------------------------------ requests
def test_one_and_many_are_asked_for_as_the_documents_have_it() -> None:
    assert V2.request_params("refill", ["1"]) == {"order": "1"}
    assert TMSMM.request_params("refill", ["a", "b"]) == {"orders": "a,b"}
    assert V2.request_params("refill_status", ["1"]) == {"refill": "1"}
    assert TMSMM.request_params("refill_status", ["a", "b"]) == {"refills": "a,b"}
    assert V2.request_params("cancel", ["1"]) == {"orders": "1"}
    sizes = {name: dialect.ids_a_call("refill") for name, dialect in DIALECTS.items() if "refill" in dialect.verbs}
    assert sizes == {"v2": 100, "smpanelim": 1, "tmsmm": 100}


@pytest.mark.parametrize(
    ("dialect", "verb"),
    [
        ("tmsmm", "cancel"),
        ("smpanelim", "cancel"),
        ("toplistbot", "refill"),
        ("tzsmmpay", "refill"),
        ("tzsmmpay", "cancel"),
    ],
)
def test_a_verb_that_the_document_lacks_cannot_be_called(dialect: str, verb: str) -> None:
    with pytest.raises(Unsupported):
        DIALECTS[dialect].call(verb, "http://x", "k", order="1")


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("auth", ["", *AUTHS])
def test_the_key_goes_where_the_operator_says(dialect: str, auth: str) -> None:
    call = DIALECTS[dialect].call("balance", "http://x", "s3cret", auth=auth)
    fields = dict(call.json if call.json is not None else (call.query or call.form))
    is_bearer = dict(call.headers).get("Authorization") == "Bearer s3cret"
    places = AUTHS.get(auth, DIALECTS[dialect].auth)
    assert (fields.get("key") == "s3cret", is_bearer) == ("key" in places, "bearer" in places)
    assert "s3cret" not in repr(call)
    assert (DIALECTS["v2"].call("cancel", "http://x", "k", orders="1").is_write, call.is_write) == (True, False)
