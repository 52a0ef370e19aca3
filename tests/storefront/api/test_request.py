"""Parsing of requests: empty values, lists of ids, repeated names and request ids."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.test import RequestFactory

from storefront.api.panel.parameters import Params, ids, number, numbers, text
from storefront.api.panel.responses import PanelRefusal
from storefront.api.panel.views import PanelView


def read_params(query: str = "", **options: Any) -> Params:
    request = PanelView().initialize_request(RequestFactory().generic("POST", f"/api/v2?{query}", **options))
    request.read_parameters()
    return request.params


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("orders=1,10,100", ["1", "10", "100"]),
        ("orders=1, 10 ,%20100", ["1", "10", "100"]),
        ("orders=1%0A2", ["1", "2"]),
        ("orders=1%2C10%2c100", ["1", "10", "100"]),
        ("orders[]=1&orders[]=10", ["1", "10"]),
        ("orders%5B0%5D=1&orders%5B1%5D=10", ["1", "10"]),
        ("orders=1&orders=10", ["1", "10"]),
        ("orders=[1,10]", ["1", "10"]),
        ('orders=["1", "10"]', ["1", "10"]),
        ("order=1,10", ["1", "10"]),
        ("order=1&order=10", ["1", "10"]),
        ("order=1", ["1"]),
        ("orders=undefined&order=7", ["7"]),
        ("orders=&order=7", ["7"]),
        ("orders=3,,null,undefined,4,", ["3", "4"]),
        ("orders=2,1,2,02", ["2", "1", "02"]),
        ("orders=abc,5", ["abc", "5"]),
        ("order_id=9", ["9"]),
        ("id=9", ["9"]),
        ("orders=,,", []),
        ("", []),
    ],
)
def test_ids_are_read_however_they_are_sent(query: str, asked: list[str]) -> None:
    assert ids(read_params(query), "orders", "order", "order_id", "id") == asked


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ('{"orders": [1, 10]}', ["1", "10"]),
        ('{"orders": ["1", "10", null, true, [3], {"a": 4}]}', ["1", "10"]),
        ('{"orders": {"1": 5, "3": 6}}', ["5", "6"]),
        ('{"orders": "1, 10"}', ["1", "10"]),
        ('{"orders[]": [1, 10]}', ["1", "10"]),
        ('{"orders": 12345678901234567890123}', ["12345678901234567890123"]),
        ('{"order": 1.0}', ["1.0"]),
        ('{"orders": []}', []),
    ],
)
def test_ids_are_read_from_json(body: str, asked: list[str]) -> None:
    assert ids(read_params(data=body, content_type="application/json"), "orders", "order") == asked


def test_a_thousand_ids_are_answered_and_no_more() -> None:
    assert len(ids(read_params("orders=" + ",".join(map(str, range(1000)))), "orders")) == 1000
    with pytest.raises(PanelRefusal, match="Incorrect request: more than 1000 ids"):
        ids(read_params("orders=" + ",".join(map(str, range(1001)))), "orders")


def test_a_list_as_long_as_a_body_may_be_is_refused_at_once() -> None:
    body = '{"orders": [' + ",".join(map(str, range(330_000))) + "]}"
    started = time.process_time()
    with pytest.raises(PanelRefusal, match="more than 1000 ids"):
        ids(read_params(data=body, content_type="application/json"), "orders")
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("7", 7), ("007", 7), ("7.0", 7), ("7.5", None), ("-7", None), ("+7", None), ("1e3", None), ("٧", None),
        ("", None), ("abc", None), ("65ae5538afdd1", None), ("9" * 18, 10**18 - 1), ("9" * 19, None),
    ],
)  # fmt: skip
def test_only_whole_numbers_in_range_are_ids(word: str, expected: int | None) -> None:
    assert number(word) == expected
    assert numbers([word]) == numbers(["5", word])[1:] == [expected or 0]


@pytest.mark.parametrize("word", ["", " ", "undefined", "null", "NaN", "false", "None", "NULL"])
def test_words_for_empty_values_count_as_absent(word: str) -> None:
    assert text(read_params(f"quantity={word}"), "quantity") == ""


@pytest.mark.parametrize("value", ["null", "false", "true", "NaN", "[]", "{}", '""'])
def test_empty_json_values_count_as_absent(value: str) -> None:
    assert text(read_params(data=f'{{"quantity": {value}}}', content_type="application/json"), "quantity") == ""


def test_json_numbers_keep_their_notation() -> None:
    params = read_params(
        data='{"a": 100.0, "b": 0.10, "c": 1e3, "d": 12345678901234567890}', content_type="application/json"
    )
    assert [params[name] for name in "abcd"] == ["100.0", "0.10", "1e3", "12345678901234567890"]


def test_the_last_of_repeated_names_counts_and_the_body_overrides_the_query() -> None:
    params = read_params("link=a&link=b&quantity=1", data="quantity=2", content_type="text/plain")
    assert (params["link"], params["quantity"]) == ("b", "2")


@pytest.mark.parametrize("text", ["a,b", "%,", "%2C", "%252C", "%2", "2%2C"])
def test_an_escaped_comma_is_a_comma_and_nothing_else_changes(text: str) -> None:
    escaped = text.replace("%", "%25")
    for comma in (",", "%2C", "%2c"):
        assert read_params(f"link={escaped.replace(',', comma)}")["link"] == text


def test_a_list_of_comments_becomes_lines() -> None:
    assert text(read_params("comments[]=one&comments[]=two"), "comments") == "one\ntwo"
    assert (
        text(read_params(data='{"comments": ["one", "two"]}', content_type="application/json"), "comments")
        == "one\ntwo"
    )


def test_the_request_id_comes_as_a_parameter_or_a_header() -> None:
    assert read_params("request_id=a", HTTP_IDEMPOTENCY_KEY="b")["request_id"] == "a"
    assert read_params("request_id=undefined", HTTP_IDEMPOTENCY_KEY="b")["request_id"] == "b"
    assert read_params()["request_id"] == ""


@pytest.mark.parametrize("name", ["\U0001f600" * 128, "\u0442\u0435\u0441\u0442", "plain", '"quoted"'])
def test_a_request_id_is_the_same_in_the_header_and_in_the_body(name: str) -> None:
    on_the_wire = name.encode().decode("latin-1")
    assert read_params(HTTP_IDEMPOTENCY_KEY=on_the_wire)["request_id"] == name
    assert read_params(data=json.dumps({"request_id": name}), content_type="application/json")["request_id"] == name


def test_a_header_that_is_not_utf_8_is_still_one_id_and_no_other() -> None:
    assert (
        read_params(HTTP_IDEMPOTENCY_KEY="caf\xe9")["request_id"]
        != read_params(HTTP_IDEMPOTENCY_KEY="caf\xe8")["request_id"]
    )
