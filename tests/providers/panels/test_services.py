"""Services lists as panels send them: finding the rows, cleaning them, and what cannot be sold."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import notes
from providers.errors import ProviderError, UnreadableAnswer
from providers.http.content import decode
from providers.http.messages import Answer
from providers.notes import Note
from providers.panels.dialect import PriceListRow
from providers.panels.dialects import DIALECTS
from providers.panels.services import NO_LIMIT, TypeRules, raw_rows, read_services, type_key

V2 = DIALECTS["v2"]
ROW = {"name": "Followers", "type": "Default", "category": "C", "rate": "1", "min": "10", "max": "1000"}
FIRST, SECOND = {"service": 1, **ROW}, {"service": 2, **ROW}


def read(body: Any, rules: TypeRules | None = None) -> list[PriceListRow]:
    text = body if isinstance(body, str) else json.dumps(body)
    return read_services(Answer(status=200, text=text), V2, *([rules] if rules else []))


def read_one(**changes: Any) -> PriceListRow:
    (row,) = read([{**FIRST, **changes}])
    return row


# ------------------------------------------------------------------------------------------------ where the rows are


@pytest.mark.parametrize(
    "body",
    [
        [FIRST, SECOND],
        {"1": ROW, "2": ROW},
        {"0": FIRST, "7": SECOND},
        {"services": [FIRST, SECOND]},
        {"data": [FIRST, SECOND]},
        {"status": "success", "data": {"services": [FIRST, SECOND], "count": 2}},
        {"services": {"1": ROW, "2": ROW}},
        {"data": {"1": FIRST, "2": SECOND}, "meta": {"page": {"number": 1}}},
        json.dumps([FIRST, SECOND]),
        [{"id": 1, **ROW}, {"id": "2", **ROW}],
        [{"Service": 1, "Name": "Followers", "Rate": "1", "Min": 10, "Max": 1000, "Category": "C"}, SECOND],
        [{"id": 1, **ROW, "name": None, "service": "Followers"}, SECOND],
        [{"service": 1.0, **ROW}, {"service": "2.0", **ROW}],
    ],
)
def test_two_services_are_found_in_every_form_of_list(body: Any) -> None:
    for form in (body, json.dumps(json.dumps(body)) if not isinstance(body, str) else json.dumps(body)):
        assert [(row.upstream_id, row.name, row.category, row.problem) for row in read(form)] == [
            ("1", "Followers", "C", ""),
            ("2", "Followers", "C", ""),
        ]


@pytest.mark.parametrize(
    "body",
    [
        {"Photo": [{**FIRST, "category": None}], "Video": [{**SECOND, "category": ""}]},
        {"data": {"Photo": {"1": {**ROW, "category": ""}}, "Video": {"2": {**ROW, "category": ""}}}},
        [{"category": "Photo", "services": [{**FIRST, "category": ""}]}, {"name": "Video", "services": [SECOND]}],
        {"categories": [{"name": "Photo", "services": [FIRST]}, {"name": "Video", "items": {"2": ROW}}]},
        {"12": {"name": "Photo", "services": [FIRST]}, "13": {"name": "Video", "services": [SECOND]}},
    ],
)
def test_lists_by_category_are_found_with_the_category_where_the_row_says_none(body: Any) -> None:
    rows = read(body)
    assert [(row.upstream_id, row.problem) for row in rows] == [("1", ""), ("2", "")]
    assert [row.category in (name, "C") for row, name in zip(rows, ("Photo", "Video"), strict=True)] == [True, True]


def test_a_category_inside_of_a_category_keeps_both_names() -> None:
    (row,) = read({"Instagram": {"Likes": [{**FIRST, "category": None}]}})
    assert row.category == "Instagram – Likes"


@pytest.mark.parametrize(
    "body", [{"balance": "1", "currency": "USD"}, {"status": "success"}, "", "7", '"text"', "null"]
)
def test_what_is_no_list_is_not_an_empty_one(body: Any) -> None:
    with pytest.raises(UnreadableAnswer):
        read(body)


@pytest.mark.parametrize("body", [[], {}, {"data": []}, {"status": "success", "services": {}}])
def test_an_empty_list_is_empty(body: Any) -> None:
    assert read(body) == []


def test_line_breaks_and_tabs_inside_of_texts_are_read() -> None:
    (row,) = read(
        '[{"service":1,"name":"Line one\nline\ttwo","type":"Default","category":"C","rate":"1","min":1,"max":9}]'
    )
    assert (row.name, row.problem) == ("Line one line two", "")


# ------------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("low", "high", "limits"),
    [
        ("100", "0", (100, NO_LIMIT)),
        (0, 0, (1, NO_LIMIT)),
        ("0", "-1", (1, NO_LIMIT)),
        ("10", "Unlimited", (10, NO_LIMIT)),
        (None, None, (1, NO_LIMIT)),
        ("", "", (1, NO_LIMIT)),
        (None, "500", (1, 500)),
        ("10", "10,000", (10, 10_000)),
        ("1,000", "1,000,000", (1000, 1_000_000)),
        ("10.0", 1e4, (10, 10_000)),
        ("10.00", "10000.00", (10, 10_000)),
        ("10", "9" * 30, (10, 10**15 - 1)),
        (2 * NO_LIMIT, 0, (2 * NO_LIMIT, 2 * NO_LIMIT)),
    ],
)
def test_limits_are_read_and_none_is_no_limit(low: Any, high: Any, limits: tuple[int, int]) -> None:
    row = read_one(min=low, max=high)
    assert (row.min_quantity, row.max_quantity, row.problem) == (*limits, "")


@pytest.mark.parametrize(
    ("low", "high", "problem"),
    [
        ("few", "10", notes.encode(Note.UNREADABLE_LIMITS)),
        ("10", "many", notes.encode(Note.UNREADABLE_LIMITS)),
        ([], "10", notes.encode(Note.UNREADABLE_LIMITS)),
        ("1000", "1", notes.encode(Note.LIMITS_REVERSED)),
    ],
)
def test_limits_that_mean_nothing_say_so(low: Any, high: Any, problem: str) -> None:
    assert read_one(min=low, max=high).problem == problem


@pytest.mark.parametrize(
    ("rate", "read"),
    [
        ("1,234.50", "1234.5"),
        ("$0.50", "0.5"),
        ("15 000", "15000"),
        (12000000, "12000000"),
        ("0.5 USD", "0.5"),
        (1e-7, "0.0000001"),
    ],
)
def test_rates_are_read_as_panels_write_them(rate: Any, read: str) -> None:
    row = read_one(rate=rate)
    assert (row.rate, row.problem) == (Decimal(read), "")


@pytest.mark.parametrize("rate", ["1,234", "cheap", None, True, [1]])
def test_an_ambiguous_rate_is_not_guessed(rate: Any) -> None:
    assert read_one(rate=rate).problem == notes.encode(Note.UNREADABLE_RATE)


# ------------------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Клик &quot;Показать номер&quot; &amp; лайк", 'Клик "Показать номер" & лайк'),
        ("a &amp;quot; b", "a &quot; b"),
        ("Tom &#38; Jerry&#x27;s &hearts;", "Tom & Jerry's ♥"),
        ("R&D, AT&T; &unknown; &section=5", "R&D, AT&T; &unknown; &section=5"),
        ("<b>Likes</b> <font color='red'>fast</font>", "Likes fast"),
        ("&lt;b&gt;Likes&lt;/b&gt;", "Likes"),
        ("Likes <10k> {<1h}", "Likes <10k> {<1h}"),
        ({"en": "Likes", "ru": "Лайки"}, "Likes"),
        ({"ru": "Лайки", "tr": "Beğeni"}, "Лайки"),
        ('{"ru": "Лайки", "en": "Likes"}', "Likes"),
        ("{Fast} likes [R30]", "{Fast} likes [R30]"),
        ("[R30] likes", "[R30] likes"),
        ("Likes 👍\ufffd", "Likes 👍"),
    ],
)
def test_names_are_texts_that_a_customer_can_read(name: Any, read: str) -> None:
    row = read_one(name=name, category=name)
    assert (row.name, row.category, row.problem) == (read, read, "")


@pytest.mark.parametrize(
    ("description", "read"),
    [
        (["30 days refill", "No drop"], "30 days refill\nNo drop"),
        ('["30 days refill", "No drop"]', "30 days refill\nNo drop"),
        ({"en": "Fast", "ru": "Быстро"}, "Fast"),
        ("<p>Fast</p><ul><li>R30</li><li>No drop</li></ul>", "Fast\n\n- R30\n- No drop"),
        ("Fast<br>R30<br/>No&nbsp;drop", "Fast\nR30\nNo\xa0drop"),
        ("&lt;p&gt;Fast &amp;amp; safe&lt;/p&gt;", "Fast &amp; safe"),
        ("Fast<script>alert(1)</script><!-- x --> now", "Fast now"),
        ("< flag for review > a < b && c > d", "< flag for review > a < b && c > d"),
        ("a\r\nb", "a\r\nb"),
        (7, "7"),
        (True, ""),
        (None, ""),
    ],
)
def test_descriptions_keep_their_lines_and_lose_their_markup(description: Any, read: str) -> None:
    assert read_one(desc=description).description == read


def test_markup_takes_no_longer_than_its_length() -> None:
    for text in (
        "<a" * 20_000,
        "<p " * 20_000,
        "&" * 40_000,
        "<script>" * 5_000,
        "<!--" * 10_000,
        "\n" * 40_000 + "<b>",
        "<b>" + " " * 40_000,
        "<b>" + "\n " * 20_000,
    ):
        read_one(desc=text, name=text + "x")


def test_a_list_in_windows_1251_is_read_without_a_declaration() -> None:
    body = json.dumps([{**FIRST, "name": "Подписчики VK"}], ensure_ascii=False).encode("cp1251")
    (row,) = read(decode(body, "application/json"))
    assert (row.name, row.problem) == ("Подписчики VK", "")


def test_a_name_that_was_lost_in_decoding_cannot_be_sold() -> None:
    assert read_one(name="\ufffd" * 10 + " VK").problem == notes.encode(Note.UNREADABLE_NAME)


# ------------------------------------------------------------------------------------------------ what it can do


@pytest.mark.parametrize(
    ("fields", "has_cancel"),
    [
        ({"canceling_is_available": True}, True),
        ({"canceling_is_available": "0"}, False),
        ({"cancel": False, "canceling_is_available": True}, False),
        ({"cancel": "1"}, True),
        ({}, False),
    ],
)
def test_the_flag_for_cancel_goes_by_several_names(fields: dict[str, Any], has_cancel: bool) -> None:
    assert read_one(**fields).has_cancel is has_cancel


@pytest.mark.parametrize("type_name", ["likes", "instagram", "fb_viplike"])
def test_an_unknown_type_is_what_an_operator_says(type_name: str) -> None:
    row = {**FIRST, "type": type_name}
    assert read([row])[0].problem == notes.encode(Note.UNKNOWN_TYPE, type=type_name)
    for rules in (
        TypeRules(by_name={type_key(type_name): "default"}),
        TypeRules(by_name={"*": "default"}),
        TypeRules(by_offer={"1": "default"}),
    ):
        (sold,) = read([row], rules)
        assert (sold.service_type, sold.type_name, sold.problem) == ("default", type_name, "")


def test_the_closest_rule_counts_and_a_star_is_only_for_unknown_types() -> None:
    rules = TypeRules(by_name={"default": "package", "*": "poll"}, by_offer={"2": "custom_comments"})
    rows = [FIRST, SECOND, {**FIRST, "service": 3, "type": "SEO"}, {**FIRST, "service": 4, "type": "votes"}]
    assert [row.service_type for row in read(rows, rules)] == ["package", "custom_comments", "seo", "poll"]


@pytest.mark.parametrize(
    ("dialect", "types"),
    [
        ("smpanelim", {"Custom Comments", "Poll", "Subscriptions", "Mentions", "Package"}),
        ("toplistbot", {"Default", "Package", "Custom Comments"}),
        ("tmsmm", {"Default", "Custom Comments", "Poll"}),
        ("tzsmmpay", {"Package"}),
    ],
)
def test_what_a_panel_lists_can_be_sold_unless_its_document_rules_it_out(dialect: str, types: set[str]) -> None:
    ruled_out = {"tmsmm": {"Package", "SEO"}, "tzsmmpay": {"Default", "Poll"}}.get(dialect, set())
    rows = [{**FIRST, "service": number, "type": name} for number, name in enumerate(sorted(types | ruled_out), 1)]
    listed = read_services(Answer(status=200, text=json.dumps(rows)), DIALECTS[dialect])
    assert {row.type_name for row in listed if not row.problem} == types


# ------------------------------------------------------------------------------------------------ totality

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["1", "12.0", "-1", "1,5"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["service", "id", "name", "rate", "min", "max", "type", "desc", "data", "services", "en", "1"]
            )
            | st.text(max_size=6),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_any_json_is_a_list_or_none_and_every_odd_row_says_why(body: Any) -> None:
    try:
        rows = read(json.dumps(body))
        raw = raw_rows(Answer(status=200, text=json.dumps(body)), V2)
    except ProviderError:
        return
    assert len(rows) == len(raw)
    for row in rows:
        assert row.problem or (row.upstream_id and row.name and row.rate > 0 and row.service_type)
        assert 1 <= row.min_quantity <= row.max_quantity < 2**63
        assert 0 <= row.rate < 10**10 + 1
        assert (len(row.name) <= 255, len(row.upstream_id) <= 64, len(row.category) <= 200) == (True, True, True)


def test_deep_nesting_ends() -> None:
    assert [row.problem for row in read('{"a":' * 300 + "[{}]" + "}" * 300)] == [notes.encode(Note.NO_NUMBER)]


@pytest.mark.parametrize(
    ("fields", "currency"),
    [
        ({"currency": "usd"}, "USD"),
        ({"currency": "Toman"}, ""),
        ({"currency": "₹"}, ""),
        ({"rate": "12.50 EUR"}, "EUR"),
        ({"rate": "₽12.50"}, ""),
        ({"rate": "12.50"}, ""),
    ],
)
def test_only_a_code_names_the_currency_of_a_row(fields: dict[str, Any], currency: str) -> None:
    row = read_one(**fields)
    assert (row.currency, row.problem) == (currency, "")
