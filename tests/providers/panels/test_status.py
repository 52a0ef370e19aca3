"""Status reports: errors are looked for first, envelopes are opened, and only reports count as reports."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.rules.state_machine import Progress, Status
from providers.errors import Refused, UnreadableAnswer
from providers.panels.dialects import DIALECTS
from providers.panels.status import read_status
from tests.providers.panels.answers import answer

V2 = DIALECTS["v2"]
ROW = {"status": "In progress", "start_count": "5", "remains": "50", "charge": "0.1", "currency": "USD"}
READ = Progress(
    status=Status.IN_PROGRESS,
    panel_status="In progress",
    start_count=5,
    remains=50,
    charge=Decimal("0.1"),
    currency="USD",
)


@pytest.mark.parametrize(
    "body",
    [
        ROW,
        {"order": 7, **ROW},
        {"7": ROW},
        [ROW],
        [{"order": "7", **ROW}],
        {"status": "success", "data": ROW},
        {"status": "success", "data": [ROW]},
        {"status": "success", "data": {"7": ROW}},
        {"status": True, "data": ROW},
        {"status": 200, "message": "OK", "data": ROW},
        {"status": "1", "order": {"id": 7, **ROW}},
        {"success": True, "orders": [{"id": 7, **ROW}]},
        {"result": {"status": "ok", "data": {"order": ROW}}},
        {"response": True, "data": ROW},
        {"error": None, **ROW},
        {"error": "", "errors": [], **ROW},
        {"error": False, "data": ROW},
        {"error": 0, "data": ROW},
        {"status": "success", "order_status": "In progress", **{name: ROW[name] for name in ROW if name != "status"}},
        {"7": {"status": "success", "data": ROW}},
    ],
)
def test_a_report_is_read_from_every_envelope(body: Any) -> None:
    assert read_status(answer(body), V2, ["7"]) == {"7": READ}


@pytest.mark.parametrize(
    "body",
    [
        {"7": ROW, "8": ROW},
        [{"order": 7, **ROW}, {"order": "8", **ROW}],
        {"status": "success", "data": {"7": ROW, "8": ROW}},
        {"status": "success", "message": "ok", "data": [{"order": 7, **ROW}, {"order": 8, **ROW}]},
        {"success": True, "result": {"orders": [{"id": 7, **ROW}, {"order_id": 8, **ROW}]}},
        {" 7": ROW, "8 ": ROW},
        '"{\\"7\\": ' + str(ROW).replace("'", '\\"') + ', \\"8\\": ' + str(ROW).replace("'", '\\"') + '}"',
    ],
)
def test_reports_about_many_are_read_from_every_envelope(body: Any) -> None:
    assert read_status(answer(body), V2, ["7", "8"]) == {"7": READ, "8": READ}


REFUSALS_OF_THE_KEY = [
    ({"status": "error", "message": "Invalid API key"}, 200),
    ({"status": "fail", "error": "Invalid API key"}, 401),
    ({"error": "API key is incorrect", "status": 102}, 200),
    ({"message": "Unauthenticated."}, 401),
    ({"success": False, "msg": "Wrong key"}, 200),
    ({"error": True, "message": "Invalid API key"}, 200),
    ({"message": "Invalid API key"}, 200),
    ({"status": False, "data": {"msg": "API key salah"}}, 200),
    ({"status": "success", "data": {"error": "Invalid API key"}}, 200),
    ({"status": "Invalid API key"}, 200),
    ({"status": "error", "message": "Invalid API key", "remains": "0", "charge": "0"}, 200),
    ({"Message": "Authorization has been denied for this request."}, 401),
    ({"code": 401, "detail": "Something unheard of"}, 401),
    ({}, 401),
    ("Invalid API key", 200),
    ('"Invalid API key"', 200),
    (["Invalid API key"], 200),
    ([{"error": "Invalid API key"}], 200),
    ({"error": {"code": 104, "message": "Неверный API ключ"}}, 200),
    ({"error": "Ge&ccedil;ersiz API anahtar&#305;"}, 200),
]


@pytest.mark.parametrize("ids", [["7"], ["7", "8"]], ids=["one", "many"])
@pytest.mark.parametrize(("body", "status"), REFUSALS_OF_THE_KEY)
def test_a_refusal_of_the_key_is_no_report(body: Any, status: int, ids: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        read_status(answer(body, status), V2, ids)
    assert refused.value.reason == "key"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"status": "error", "message": "Too many requests"}, 200, "busy"),
        ("anything", 429, "busy"),
        ({"status": "Completed"}, 429, "busy"),
        ({"message": "We are under maintenance"}, 200, "busy"),
        ({"status": "error", "message": "Server error"}, 200, "other"),
        ({"status": "Fail", "remains": "100", "message": "Server error"}, 200, "other"),
        ({"error": "Something went wrong, try again later"}, 200, "other"),
        ({"error": "Something nobody has heard of"}, 400, "other"),
    ],
)
def test_trouble_of_the_panel_concerns_no_order(body: Any, status: int, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_status(answer(body, status), V2, ["7"])
    assert refused.value.reason == reason


@pytest.mark.parametrize("status", [301, 302, 400, 403, 404, 500, 502, 503, 520])
@pytest.mark.parametrize("body", [ROW, {"7": ROW}, {"status": "success", "data": ROW}, {"status": "Canceled"}])
def test_an_http_error_is_never_a_report(body: Any, status: int) -> None:
    with pytest.raises((Refused, UnreadableAnswer)):
        read_status(answer(body, status), V2, ["7"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "error", "message": "Server error"}, 503),
        ({"error": "Invalid API key"}, 500),
        ({"error": "Order not found"}, 502),
    ],
)
def test_an_error_of_the_server_says_nothing(body: Any, status: int) -> None:
    with pytest.raises(UnreadableAnswer):
        read_status(answer(body, status), V2, ["7"])


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"error": "Order not found.", "status": "104"}, 200, "Order not found."),
        ({"status": False, "data": "Order ID salah/Tidak ditemukan!"}, 200, "Order ID salah/Tidak ditemukan!"),
        ({"error": "Unauthorized access to order status"}, 403, "Unauthorized access to order status"),
        ({"status": "error", "message": "Invalid order ID"}, 404, "Invalid order ID"),
        ({"message": "Order not found"}, 200, "Order not found"),
        ({"status": "success", "data": {"error": "Incorrect order ID"}}, 200, "Incorrect order ID"),
        ({"7": {"error": "Incorrect order ID"}}, 200, "Incorrect order ID"),
        ({"7": {"status": "error", "message": "Incorrect order ID"}}, 200, "Incorrect order ID"),
        ({"7": {"status": False, "msg": "Incorrect order ID"}}, 200, "Incorrect order ID"),
        ({"7": "Incorrect order ID"}, 200, "Incorrect order ID"),
        ({"status": "Order not found"}, 200, "Order not found"),
        ({"success": False, "message": "Заказ не найден"}, 200, "Заказ не найден"),
        ({"error": "Something nobody has heard of"}, 200, "Something nobody has heard of"),
        ("Order not found", 200, "Order not found"),
    ],
)
def test_an_error_about_the_order_is_its_text(body: Any, status: int, words: str) -> None:
    assert read_status(answer(body, status), V2, ["7"]) == {"7": words}


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success"},
        {"status": "ok", "message": "Thank you"},
        {"status": "success", "data": "Empty Data"},
        {"status": "success", "data": None},
        {"status": True},
        {"status": 1},
        {"status": "", "remains": "5"},
        {"status": True, "start_count": 5, "remains": 50},
        {"status": 2, "remains": 50},
        {"status": "2", "remains": 50},
        {"status": "success", "remains": "50", "start_count": "5"},
        {"status": ["Completed"]},
        {"order": 8, "status": "Completed", "remains": "0"},
        {"status": "success", "data": {"order": 8, "status": "Canceled"}},
        {"data": {"status": "Completed", "remains": "0"}, "result": {"status": "Canceled", "remains": "5"}},
        {"success": True, "message": "Canceled"},
        [1, 2],
        5,
        "",
        "<html>Completed</html>",
    ],
)
def test_what_has_not_the_shape_of_a_report_is_none(body: Any) -> None:
    with pytest.raises(UnreadableAnswer):
        read_status(answer(body), V2, ["7"])


@pytest.mark.parametrize("ids", [["7"], ["7", "8"]], ids=["one", "many"])
@pytest.mark.parametrize("body", [{}, [], {"status": "success", "message": "ok", "data": []}, {"data": {}}])
def test_an_empty_answer_reports_on_no_order(body: Any, ids: list[str]) -> None:
    assert read_status(answer(body), V2, ids) == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "success", "data": {"status": "Canceled"}}, Status.CANCELED),
        ({"status": "success", "data": {"status": "Success", "remains": 0, "start_count": 3}}, Status.COMPLETED),
        ({"status": "Order Cancelled", "remains": "100", "start_count": "0"}, Status.CANCELED),
        ({"status": "In Queue", "remains": "100"}, Status.PENDING),
        ({"status": "Fail", "remains": "100"}, Status.FAILED),
        ({"status": "Fail", "remains": "100", "message": "The account is private"}, Status.FAILED),
        ({"status": "Error", "charge": "0"}, Status.FAILED),
        ({"status": "success", "remains": "0", "charge": "1"}, Status.COMPLETED),
        ({"status": "Completed"}, Status.COMPLETED),
        ({"status": "Active", "posts": 3, "orders": [11, 12]}, Status.IN_PROGRESS),
        ({"status": "In progress", "runs": 3, "orders": [{"order": 11, "status": "Completed"}]}, Status.IN_PROGRESS),
        ({"status": "Completed", "data": {"status": "Pending", "remains": "9"}}, Status.PENDING),
        ({"status": "Your order has been canceled", "remains": "9"}, Status.CANCELED),
        ({"status": "Canceled (refunded)", "remains": "9"}, Status.CANCELED),
        ({"status": "✅ Completed", "remains": "0"}, Status.COMPLETED),
        ({"status": "In progress 50%", "remains": "5"}, Status.IN_PROGRESS),
        ({"status": "ВЫПОЛНЕН", "remains": 0}, Status.COMPLETED),
        ({"status": "Отменён", "remains": 9}, Status.CANCELED),
        ({"status": "İptal Edildi", "remains": 9}, Status.CANCELED),
        ({"status": "Tamamlandı", "remains": 0}, Status.COMPLETED),
        ({"status": "مكتمل", "remains": 0}, Status.COMPLETED),
        ({"status": "Concluído", "remains": 0}, Status.COMPLETED),
        ({"status": "Sleeping", "remains": 4}, None),
        ({"status": "Sleeping"}, None),
    ],
)
def test_the_status_of_the_order_is_not_that_of_the_envelope(body: Any, status: Status | None) -> None:
    report = read_status(answer(body), V2, ["7"])["7"]
    assert isinstance(report, Progress)
    assert report.status is status


@pytest.mark.parametrize(
    "row", [{"status": "success"}, {"status": True}, {"status": "error"}, {"remains": 5}, {"a": 1}]
)
def test_a_row_without_a_status_is_a_text_for_the_operator(row: Any) -> None:
    report = read_status(answer({"7": row, "8": ROW}), V2, ["7", "8"])["7"]
    assert isinstance(report, str)


def test_figures_are_read_under_their_other_names() -> None:
    body = {"status": "processing", "start_counter": 77, "remain": 50, "currency": "USD"}
    report = read_status(answer(body), V2, ["7"])["7"]
    assert report == Progress(
        status=Status.PROCESSING, panel_status="processing", start_count=77, remains=50, currency="USD"
    )


@pytest.mark.parametrize(
    ("word", "currency"), [("USD", "USD"), ("usd", "USD"), ("Toman", ""), ("₹", ""), ("Rupee", "")]
)
def test_a_word_that_is_no_code_names_no_currency(word: str, currency: str) -> None:
    report = read_status(answer({**ROW, "currency": word}), V2, ["7"])["7"]
    assert isinstance(report, Progress)
    assert report.currency == currency


def test_one_bad_row_spoils_no_other() -> None:
    rows: dict[str, Any] = {str(number): ROW for number in range(1, 60)}
    rows |= {"60": None, "61": [], "62": {}, "63": 5, "64": {"status": {"error": "Incorrect order ID"}}, "65": "gone"}
    reports = read_status(answer(rows), V2, list(rows))
    assert [reports[str(number)] for number in range(1, 60)] == [READ] * 59
    assert {asked: reports[asked] for asked in rows if int(asked) > 59 and asked in reports} == {
        "64": "Incorrect order ID",
        "65": "gone",
    }


def test_raw_line_breaks_in_a_text_are_read() -> None:
    assert read_status(answer('{"error":"Order\nnot\tfound"}'), V2, ["7"]) == {"7": "Order not found"}
