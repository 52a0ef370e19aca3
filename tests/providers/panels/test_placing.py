"""The answer to ``add``: an order's number, a clear rejection, or an unknown outcome."""

from __future__ import annotations

from typing import Any

import pytest

from providers.errors import OutcomeUnknown, Refused
from providers.panels.dialects import DIALECTS
from providers.panels.placing import read_add
from tests.providers.panels.answers import answer

V2 = DIALECTS["v2"]


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"status": "success", "data": {"order": 501}}, "501"),
        ({"success": True, "data": {"order": 1750, "charge": 0.5022, "currency": "USD"}}, "1750"),
        ('{"order":71,"message":"Thank you\nfor your order"}', "71"),
        ({"status": "success", "data": {"order_id": "ab12"}}, "ab12"),
        ({"status": True, "data": {"id": "12345", "price": 10}}, "12345"),
        ({"result": {"order": {"id": 9}}}, "9"),
        ({"status": "success", "data": [{"order": 9}]}, "9"),
        ([{"order": 9}], "9"),
        ({"order": {"id": 9}}, "9"),
        ({"id": 3, "order": 9}, "9"),
        ({"orderId": 9}, "9"),
        ({"Order": 9}, "9"),
        ('{"order":501.0}', "501"),
        ({"order": 9, "order_id": "9"}, "9"),
        ({"error": None, "order": 9}, "9"),
        ({"error": "", "errors": [], "order": 9}, "9"),
        ({"error": False, "order": 9, "message": "Order placed"}, "9"),
        ({"status": "Pending", "order": 9}, "9"),
        ({"code": 0, "order": 9}, "9"),
        ('"{\\"order\\": 9}"', "9"),
    ],
)
def test_the_number_is_read_from_every_envelope(body: Any, number: str) -> None:
    assert read_add(answer(body), V2) == number


REJECTIONS = [
    ({"error": "Low balance"}, 200, "funds"),
    ({"error": "You don't have enough balance"}, 200, "funds"),
    ({"error": "Please follow the limit"}, 200, "quantity"),
    ({"error": "Invalid service"}, 200, "service"),
    ({"error": "Service not available"}, 200, "service"),
    ({"status": "error", "msg": "Not enough funds on balance"}, 200, "funds"),
    ({"message": "Unauthenticated."}, 401, "key"),
    ({"message": "Something unheard of"}, 402, "funds"),
    ({"status": "error", "message": "Something unheard of"}, 403, "key"),
    ({}, 401, "key"),
    ({"error": "Incorrect service"}, 200, "service"),
    ({"error": True, "message": "Balance is not enough"}, 200, "funds"),
    ({"error": 1, "msg": "Balance is not enough"}, 200, "funds"),
    ({"error": {"code": 5, "message": "Balance is not enough"}}, 200, "funds"),
    ({"error": {"details": ["Service is disabled"]}}, 200, "service"),
    ({"error": {"code": "INSUFFICIENT_FUNDS", "message": "Guthaben reicht nicht"}}, 200, "funds"),
    ({"status": "error", "code": "insufficient_balance", "message": "Guthaben reicht nicht"}, 200, "funds"),
    ({"error": "Bad link", "order": "null"}, 200, "link"),
    ({"errors": ["Service is disabled"]}, 422, "service"),
    ({"success": False, "detail": "Service is disabled"}, 400, "service"),
    ({"status": False, "data": {"msg": "Saldo tidak cukup"}}, 200, "funds"),
    ({"status": False, "data": "Layanan tidak ditemukan"}, 200, "service"),
    ({"status": "fail", "data": {"error": "Invalid link"}}, 200, "link"),
    ({"message": "Invalid API key"}, 200, "key"),
    ({"Message": "Insufficient funds"}, 200, "funds"),
    ({"error": "Yetersiz bakiye"}, 200, "funds"),
    ({"error": "YETERSİZ BAKİYE!"}, 200, "funds"),
    ({"error": "Недостаточно средств на балансе"}, 200, "funds"),
    (
        {"error": "&#1053;&#1077;&#1076;&#1086;&#1089;&#1090;&#1072;&#1090;&#1086;&#1095;&#1085;&#1086; средств"},
        200,
        "funds",
    ),
    ({"error": "رصيدك غير كافٍ"}, 200, "funds"),
    ({"error": "insufficient_balance"}, 200, "funds"),
    ({"error": "InsufficientBalance"}, 200, "funds"),
    ({"error": "<b>Insufficient</b>&nbsp;balance"}, 200, "funds"),
    ({"statusCode": 400, "message": ["quantity must not be less than 100"], "error": "Bad Request"}, 400, "quantity"),
    ({"message": "The given data was invalid.", "errors": {"link": ["Das Feld ist ungültig."]}}, 422, "link"),
    ({"errors": {"quantity": ["Zu klein."]}}, 422, "quantity"),
    ({"detail": [{"loc": ["body", "link"], "msg": "ungültig", "type": "value_error"}]}, 422, "link"),
    ({"errors": {"key": ["falsch"], "service": ["falsch"]}}, 400, "key"),
    ("Invalid API key", 200, "key"),
    ('"Not enough funds"', 200, "funds"),
    (["Not enough funds"], 200, "funds"),
    ({"order": "Not enough funds"}, 200, "funds"),
    ({"order": None, "error": "Bad link"}, 200, "link"),
    ({"status": "error", "order": 0, "message": "Bad link"}, 200, "link"),
    ("Too many requests", 429, "busy"),
    ({"error": "Order was not placed: insufficient balance"}, 200, "funds"),
]


@pytest.mark.parametrize(("body", "status", "reason"), REJECTIONS)
def test_a_plain_rejection_is_read_wherever_it_stands(body: Any, status: int, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        read_add(answer(body, status), V2)
    assert refused.value.reason == reason


@pytest.mark.parametrize("status", [500, 502, 503, 520, 301])
@pytest.mark.parametrize("body", [body for body, status, _ in REJECTIONS if status != 429])
def test_the_same_body_with_an_error_of_the_server_is_unknown(body: Any, status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        read_add(answer(body, status), V2)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "Not enough funds", "order": 501},
        {"error": "Not enough funds", "data": {"order": 501}},
        {"error": {"message": "Not enough funds", "order_id": "501"}},
        {"status": "error", "message": "Not enough funds", "order": 501},
        {"status": "error", "message": "Not enough funds", "data": [{"id": 501}]},
        {"success": False, "message": "Invalid API key", "result": {"order": {"id": 501}}},
        {"errors": {"link": ["wrong"]}, "orders": [501]},
        {"status": "fail", "error": "Service is disabled", "data": 501},
        {"order": 501, "status": "error"},
        {"order": 501, "success": False},
        {"order": 501, "error": True},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 422, 429, 500])
def test_what_names_an_order_is_never_rejected_and_never_accepted_with_an_error(body: Any, status: int) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        read_add(answer(body, status), V2)
    assert unknown.value.said == "", "nobody may teach that these words mean 'not placed'"
    assert unknown.value.upstream_id in ("501", ""), "the number is kept for the operator"


@pytest.mark.parametrize(
    "text",
    [
        "Something went wrong",
        "Error, try again later",
        "Something went wrong. Please try again later.",
        "Internal server error",
        "Service Unavailable",
        "Service temporarily unavailable",
        "Service is not available at the moment, try again later",
        "Unknown error",
        "Timeout",
        "Gateway timeout: not enough funds at upstream",
        "Provider error: insufficient balance",
        "Database error near quantity",
        "Could not create order",
        "Order placed, but balance is low",
        "Order accepted; insufficient funds for the next one",
        "Your order is being processed",
        "Your order was received, please wait 30 seconds",
        "Duplicate request",
        "This order already exists",
        "Order failed",
        "Thank you",
        "error",
        "true",
        "Произошла ошибка, попробуйте позже",
        "Заказ успешно создан",
        "Сервис временно недоступен",
        "Bir hata oluştu, daha sonra tekrar deneyin",
        "Sipariş oluşturuldu, bakiye yetersiz",
        "حدث خطأ ما",
        "Ocorreu um erro",
        "Algo salió mal",
        "Terjadi kesalahan",
        "कुछ गलत हो गया",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 404, 422])
def test_words_that_do_not_plainly_say_that_nothing_was_done_are_unknown(text: str, status: int) -> None:
    for body in ({"error": text}, {"status": "error", "message": text}, {"error": True, "msg": text}):
        with pytest.raises(OutcomeUnknown):
            read_add(answer(body, status), V2)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "success", "message": "Not enough funds"},
        {"status": "success", "message": "Order placed"},
        {"status": "success"},
        {"status": "success", "data": []},
        {"status": "error"},
        {"order": [501]},
        {"order": 1, "order_id": 2},
        {"data": [{"order": 1}, {"order": 2}]},
        {"errors": {"server": ["down"]}},
        '{"error":"Not enough funds","order":5',
        "Fatal error: {",
        "order 501 placed",
    ],
)
def test_a_contradiction_or_nothing_is_unknown(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read_add(answer(body), V2)


@pytest.mark.parametrize("body", ['{"status":[Infinity],"order":1}', '{"order":1,"order":1}', '{"order":5', "[1"])
def test_too_many_requests_beside_what_may_be_a_number_is_unknown(body: str) -> None:
    with pytest.raises(OutcomeUnknown):
        read_add(answer(body, 429), V2)


def test_a_number_in_the_text_is_kept_as_evidence() -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        read_add(answer({"status": "success", "message": "Order #501 placed"}), V2)
    assert unknown.value.upstream_id == "501"


@pytest.mark.parametrize(("status", "is_lasting"), [(200, False), (401, True), (404, True), (422, False)])
def test_what_answers_so_to_everybody_pauses_the_provider(status: int, is_lasting: bool) -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        read_add(answer("<html>", status), V2)
    assert unknown.value.is_lasting is is_lasting
