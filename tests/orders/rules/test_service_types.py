from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import OrderInvalid
from orders.rules import same_link, service_types
from orders.rules.service_types import SERVICE_TYPES, Details
from tests.factories import INPUTS


def read(code: str = "default", *, minimum: int = 1, maximum: int = 10_000, **inputs: Any) -> Details:
    return service_types.read(SERVICE_TYPES[code], inputs, minimum=minimum, maximum=maximum)


def problems(code: str = "default", *, minimum: int = 1, maximum: int = 10_000, **inputs: Any) -> list[str]:
    with pytest.raises(OrderInvalid) as refused:
        read(code, minimum=minimum, maximum=maximum, **inputs)
    return [str(problem) for problem in refused.value.problems]


def comments(text: Any) -> Any:
    return read("custom_comments", link="x", comments=text).fields["comments"]


@pytest.mark.parametrize(
    ("code", "quantity", "fields"),
    [
        ("default", 100, {}),
        ("package", 1, {}),
        ("seo", 100, {"keywords": ["lamps", "chairs"]}),
        ("custom_comments", 3, {"comments": ["first", "second", "third"]}),
        ("custom_comments_package", 1, {"comments": ["first", "second", "third"]}),
        ("mentions", 100, {"usernames": ["one", "two", "three"]}),
        ("mentions_with_hashtags", 100, {"usernames": ["one", "two", "three"], "hashtags": ["one", "two"]}),
        ("mentions_custom_list", 3, {"usernames": ["one", "two", "three"]}),
        ("mentions_hashtag", 100, {"hashtag": "one"}),
        ("mentions_user_followers", 100, {"username": "nadia"}),
        ("mentions_media_likers", 100, {"media": "https://example.com/p/2"}),
        ("comment_likes", 100, {"username": "nadia"}),
        ("comment_replies", 3, {"username": "nadia", "comments": ["first", "second", "third"]}),
        ("poll", 100, {"answer_number": 2}),
        ("invites_from_groups", 100, {"groups": ["https://example.com/g1", "https://example.com/g2"]}),
        (
            "subscriptions",
            40,
            {"username": "nadia", "min": 10, "max": 20, "posts": 2, "delay": 30, "expiry": "2030-11-11"},
        ),
        ("web_traffic", 100, {"country": "US", "device": 1, "type_of_traffic": 1, "google_keyword": "lamps"}),
    ],
)
def test_a_service_type_uses_only_its_inputs(code: str, quantity: int, fields: dict[str, Any]) -> None:
    details = read(code, **INPUTS, is_test="1", custom="x")
    assert details == Details("" if code == "subscriptions" else INPUTS["link"], quantity, fields)
    json.dumps(details.fields)


def test_the_examples_cover_all_service_types() -> None:
    (marker,) = [mark for mark in test_a_service_type_uses_only_its_inputs.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert [case[0] for case in marker.args[1]] == list(SERVICE_TYPES)


@pytest.mark.parametrize("code", SERVICE_TYPES)
@pytest.mark.parametrize(
    "nothing", [None, "", "  ", "undefined", "null", "NaN", "False", "none", "\r\n \n", False, [], ()]
)
def test_placeholders_of_clients_count_as_empty(code: str, nothing: Any) -> None:
    service_type = SERVICE_TYPES[code]
    expected = ["link: missing"] if service_type.has_link else []
    expected += [f"{spec.name}: missing" for spec in service_type.inputs if spec.is_required]
    expected += ["quantity: missing"] if service_type.count is service_types.Count.GIVEN else []
    assert problems(code, **dict.fromkeys(INPUTS, nothing)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo, three\nfour",
        "one\r\ntwo, three\r\nfour",
        "one\rtwo, three\rfour",
        "\n one \n\n\n two, three\n \t\nfour\n",
        "one\\ntwo, three\\nfour",
        "one\\r\\ntwo, three\\r\\nfour",
        '["one", "two, three", "four"]',
        '["one\\n", " two, three", "", "four"]',
        ["one", "two, three", "four"],
        ("one", "two, three\n", "four"),
    ],
)
def test_comments_are_split_by_lines_but_not_by_commas(text: Any) -> None:
    assert comments(text) == ["one", "two, three", "four"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[so nice]", ["[so nice]"]),
        ("[1, 2]", ["[1, 2]"]),
        ('["a", 1]', ['["a", 1]']),
        ('{"a": "b"}', ['{"a": "b"}']),
        ("[" * 5000, ["[" * 5000]),
        ("C:\\folder\nline", ["C:\\folder", "line"]),
        ("👩‍👩‍👧 mère", ["👩‍👩‍👧 mère"]),
        ("[" + "9" * 5000 + "]", ["[" + "9" * 5000 + "]"]),
    ],
    ids=range(8),
)
def test_a_comment_that_looks_like_a_list_is_one_comment(text: str, lines: list[str]) -> None:
    assert comments(text) == lines


@pytest.mark.parametrize("text", ["\n\n", " \r\n ", "\\n\\n", "[]", '["", " "]', '["\\n"]'])
def test_every_line_with_text_is_kept(text: str) -> None:
    assert problems("custom_comments", link="x", comments=text) == ["comments: missing"]


@pytest.mark.parametrize(
    "text",
    [
        '["one\\ntwo", "three"]',
        '["one\\r\\ntwo\\rthree"]',
        '["[\\"one\\", \\"two\\", \\"three\\"]"]',
        '["one\\\\ntwo\\\\nthree"]',
        "one\\ntwo\nthree",
        "one\u2028two\x0bthree",
        "one\x85two\x0cthree",
    ],
)
def test_every_line_that_a_panel_counts_is_charged(text: str) -> None:
    """Panels split by any line break or a literal backslash-n, or read a JSON list; no entry may go uncharged."""
    assert comments(text) == ["one", "two", "three"]


def test_commas_separate_names_and_each_is_charged() -> None:
    details = read("mentions_custom_list", link="x", usernames="one,two\nthree, four")
    assert (details.quantity, details.fields["usernames"]) == (4, ["one", "two", "three", "four"])


def test_a_quantity_sent_with_comments_is_ignored() -> None:
    for sent in ("0", "2", "99999", "abc", ""):
        assert read("custom_comments", link="x", comments="a\nb\nc", quantity=sent).quantity == 3


def test_limits_apply_to_the_number_of_lines() -> None:
    assert read("custom_comments", link="x", comments="a\nb", minimum=2, maximum=2).quantity == 2
    assert problems("custom_comments", link="x", comments="a\n\n", minimum=2) == ["comments: too_small (2)"]
    assert problems("mentions_custom_list", link="x", usernames="a,b,c", maximum=2) == ["usernames: too_large (2)"]


@pytest.mark.parametrize(
    "text", ["one, two,three", "one\ntwo\nthree", '["one","two","three"]', ["one", "two", "three"], "one,,two, three,"]
)
def test_names_in_one_line_are_split_by_commas(text: Any) -> None:
    assert read("mentions", link="x", quantity=1, usernames=text).fields["usernames"] == ["one", "two", "three"]


def test_names_on_several_lines_keep_their_commas() -> None:
    assert read("seo", link="x", quantity=1, keywords="lamps, oak\nchairs").fields["keywords"] == [
        "lamps, oak",
        "chairs",
    ]


def test_commas_without_names_are_rejected() -> None:
    assert problems("mentions", link="x", quantity=1, usernames=" , ,,") == ["usernames: missing"]


@pytest.mark.parametrize("text", ["100", "100.0", " 100 ", "100.000", "+100", 100, 100.0])
def test_common_notations_of_a_quantity_are_accepted(text: Any) -> None:
    assert read(link="x", quantity=text).quantity == 100


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "100.5",
        "1,000",
        "1 000",
        "١٠٠",
        "１００",
        "0x64",
        "inf",
        "-inf",
        "1_000",
        "9" * 16,
        "1\0",
        "9" * 1_000_000,
        "½",
        [1, 2],
        {"a": 1},
    ],
)
def test_a_quantity_that_is_not_a_whole_number_is_rejected(text: Any) -> None:
    assert problems(link="x", quantity=text) == ["quantity: not_a_number"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0", "too_small (10)"),
        ("-5", "too_small (10)"),
        ("9", "too_small (10)"),
        ("21", "too_large (20)"),
        ("999999999999999", "too_large (20)"),
    ],
)
def test_a_quantity_outside_the_limits_is_rejected(text: str, problem: str) -> None:
    assert problems(link="x", quantity=text, minimum=10, maximum=20) == [f"quantity: {problem}"]
    assert read(link="x", quantity="10", minimum=10, maximum=20).quantity == 10
    assert read(link="x", quantity="20", minimum=10, maximum=20).quantity == 20


@pytest.mark.parametrize(
    "link", ["@user", "user.name", "me@example.com", "example.com/p?a=1#b", "https://example.com/ünïcödé/日本"]
)
def test_a_link_can_be_a_user_name(link: str) -> None:
    assert read(link=f"  {link}\n", quantity=1).link == link


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "FILE:///etc/passwd",
        "a b",
        "https://example.com/a\tb",
        "https://example.com/\nhttps://example.com/2",
        "java\tscript:alert(1)",
        "a\0b",
        "\x01javascript:x",
        "https://example.com/\u202egpj.exe",
        "x\u200bx",
        "a\u00a0b",
        "\ud800",
        "x\u2028y",
    ],
)
def test_a_harmful_link_is_rejected(link: str) -> None:
    assert problems(link=link, quantity=1) == ["link: bad_link"]


@pytest.mark.parametrize(
    "mark",
    [*"\u200e\u200f\u200b\u200d\u2060\ufeff\u00ad\u202a\u2069\u061c\u2800\u00a0"],
    ids=lambda mark: f"U+{ord(mark):04X}",
)
def test_invisible_characters_around_pasted_text_are_removed(mark: str) -> None:
    link = "https://www.instagram.com/p/abc/"
    for pasted in (f"{link}{mark}", f"{mark}{link}", f" {mark} {link}{mark}{mark}\n"):
        assert read(link=pasted, quantity=1).link == link
        assert same_link.lock(1, pasted) == same_link.lock(1, link)
    assert read(link="x", quantity=f"100{mark}").quantity == 100
    assert problems(link=mark, quantity=1) == ["link: missing"]


def test_a_combined_emoji_at_the_end_is_kept() -> None:
    comment = "Go \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    assert read("custom_comments", link="x", comments=f"{comment}\u200e").fields["comments"] == [comment]


def test_texts_beyond_their_limit_are_rejected() -> None:
    assert read(link="x" * 2048, quantity=1).link == "x" * 2048
    assert problems(link="x" * 2049, quantity=1) == ["link: too_long (2048)"]
    assert problems("poll", link="x", quantity=1, answer_number="1" * 99) == ["answer_number: not_a_number"]
    assert problems("comment_likes", link="x", quantity=1, username="x" * 2049) == ["username: too_long (2048)"]
    assert problems("custom_comments", link="x", comments="x" * 500_001) == ["comments: too_long (500000)"]
    assert problems("mentions", link="x", quantity=1, usernames="a," * 200_000) == ["usernames: too_long (100000)"]
    assert problems("mentions", link="x", quantity=1, usernames="a\n" * 200_000) == ["usernames: too_long (100000)"]


@pytest.mark.parametrize("poison", ["a\0b", "a\ud800b", '["a\\u0000b"]', '["\\udfff"]', ["ok", "\0x"]])
def test_text_that_cannot_be_stored_is_rejected(poison: Any) -> None:
    assert problems("custom_comments", link="x", comments=poison) == ["comments: unsupported"]
    assert problems("mentions", link="x", quantity=1, usernames=poison) == ["usernames: unsupported"]


def test_a_line_that_cannot_be_stored_is_rejected() -> None:
    assert problems("mentions_hashtag", link="x", quantity=1, hashtag="a\0b") == ["hashtag: unsupported"]


def subscription(**inputs: Any) -> dict[str, Any]:
    return {"username": "nadia", "min": "10", "max": "20", "posts": "5", "delay": "0", **inputs}


def test_old_posts_of_a_subscription_count_like_new_ones() -> None:
    assert read("subscriptions", **subscription(min="100", max="100", posts="1", old_posts="1000")).quantity == 100_100
    assert read("subscriptions", **subscription(posts="0", old_posts="3")).quantity == 60


@pytest.mark.parametrize("absent", ["", " ", "null", None])
def test_old_posts_without_a_number_of_new_ones_are_sold_alone(absent: Any) -> None:
    details = read("subscriptions", **subscription(posts=absent, old_posts="3"))
    assert (details.quantity, details.fields["posts"], details.fields["old_posts"]) == (60, 0, 3)


def test_an_answer_number_beyond_its_limit_is_rejected() -> None:
    assert problems("poll", link="x", quantity=1, answer_number="999999999") == ["answer_number: too_large (1000)"]


def test_a_subscription_is_charged_for_posts_times_the_maximum() -> None:
    details = read("subscriptions", **subscription(old_posts="0", expiry=""))
    assert (details.link, details.quantity) == ("", 100)
    assert details.fields == {"username": "nadia", "min": 10, "max": 20, "posts": 5, "old_posts": 0, "delay": 0}


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"min": "21"}, "max: too_small (21)"),
        ({"min": "1"}, "min: too_small (5)"),
        ({"max": "101"}, "max: too_large (100)"),
        ({"posts": "0"}, "posts: unlimited"),
        ({"posts": "0", "old_posts": "0"}, "posts: unlimited"),
        ({"posts": ""}, "posts: missing"),
        ({"posts": "", "old_posts": "0"}, "posts: unlimited"),
        ({"posts": "", "old_posts": "-1"}, "old_posts: too_small (0)"),
        ({"posts": "-1"}, "posts: too_small (0)"),
        ({"delay": "7"}, "delay: invalid_choice"),
        ({"old_posts": "-1"}, "old_posts: too_small (0)"),
        ({"expiry": "31/02/2030"}, "expiry: invalid_choice (31/12/2030)"),
        ({"expiry": "12/31/2030"}, "expiry: invalid_choice (31/12/2030)"),
        ({"username": ""}, "username: missing"),
        ({"posts": "999999999"}, "posts: too_large (10000)"),
        ({"old_posts": "999999999"}, "old_posts: too_large (10000)"),
    ],
)
def test_invalid_inputs_of_a_subscription_are_rejected(inputs: dict[str, str], problem: str) -> None:
    (found,) = problems("subscriptions", minimum=5, maximum=100, **subscription(**inputs))
    assert found.startswith(problem)


def test_a_quantity_always_fits_its_column() -> None:
    huge = subscription(max="999999999999999", posts="1")
    assert read("subscriptions", maximum=2**63 - 1, **huge).quantity == 999_999_999_999_999
    assert problems("subscriptions", maximum=2**63 - 1, **{**huge, "posts": "2"}) == ["posts: too_large (1)"]


@pytest.mark.parametrize("day", ["9/1/2031", "09/01/2031", "2031-01-09"])
def test_a_date_is_stored_in_iso_format(day: str) -> None:
    assert read("subscriptions", **subscription(expiry=day)).fields["expiry"] == "2031-01-09"


def traffic(**inputs: Any) -> dict[str, Any]:
    return {"link": "example.com", "quantity": "5", "country": "United  States ", "device": "5", **inputs}


def test_web_traffic_keeps_only_the_inputs_of_its_type() -> None:
    both = {"google_keyword": "lamps", "referring_url": "https://example.org/"}
    kept = [set(read("web_traffic", **traffic(type_of_traffic=number, **both)).fields) & set(both) for number in "123"]
    assert kept == [{"google_keyword"}, {"referring_url"}, set()]
    assert read("web_traffic", **traffic(type_of_traffic="3")).fields["country"] == "United States"
    assert problems("web_traffic", **traffic(type_of_traffic="1")) == ["google_keyword: missing"]
    assert problems("web_traffic", **traffic(type_of_traffic="2")) == ["referring_url: missing"]
    assert problems("web_traffic", **traffic(type_of_traffic="4")) == ["type_of_traffic: invalid_choice (1, 2, 3)"]
    assert problems("web_traffic", **traffic(type_of_traffic="3", device="6"))[0].startswith("device: invalid_choice")


def test_each_invalid_input_is_reported_once() -> None:
    wrong = problems("web_traffic", **traffic(type_of_traffic="1", google_keyword="x" * 3000))
    assert wrong == ["google_keyword: too_long (2048)"]


def test_all_problems_are_reported_in_form_order() -> None:
    assert problems("mentions_with_hashtags", quantity="abc", hashtags="") == [
        "link: missing", "usernames: missing", "hashtags: missing", "quantity: not_a_number",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Default", "default"),
        (" default ", "default"),
        ("CUSTOM COMMENTS", "custom_comments"),
        ("Custom-Comment", "custom_comments"),
        ("custom_comment_package", "custom_comments_package"),
        ("Mentions  Custom List", "mentions_custom_list"),
        ("seo", "seo"),
        ("Drip feed", None),
        ("", None),
        ("İnvites from Groups", None),
    ],
)
def test_type_names_of_panels_are_recognized_in_any_spelling(name: str, code: str | None) -> None:
    found = service_types.from_wire(name)
    assert (found.code if found else None) == code


def test_the_wire_name_of_every_type_is_recognized() -> None:
    assert {service_types.from_wire(service_type.wire) for service_type in SERVICE_TYPES.values()} == set(
        SERVICE_TYPES.values()
    )


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.lists(st.text(max_size=9), max_size=4)
)


@given(st.sampled_from(sorted(SERVICE_TYPES)), st.fixed_dictionaries({}, optional=dict.fromkeys(INPUTS, JUNK)))
def test_any_input_is_an_order_or_a_list_of_problems(code: str, inputs: dict[str, Any]) -> None:
    with suppress(OrderInvalid):
        details = read(code, **inputs)
        assert 1 <= details.quantity < 2**63
        json.dumps([details.link, details.fields]).encode()


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "\n" * 1_000_000,
        "a\n" * 500_000,
        "a" + " " * 1_000_000 + "a",
        "," * 1_000_000,
        "a," * 249_000,
        "[" * 499_000,
        "\\n" * 249_000,
        "\\" * 499_000,
        '["' + "\\" * 498_000,
        "\r\n" * 500_000,
        "a \t" * 160_000,
        "1" * 1_000_000,
        "1." + "0" * 1_000_000,
    ],
    ids=range(14),
)
def test_a_megabyte_of_input_is_read_quickly(text: str) -> None:
    started = time.perf_counter()
    for code in ("custom_comments", "mentions_with_hashtags", "subscriptions", "web_traffic"):
        with pytest.raises(OrderInvalid):
            read(code, **dict.fromkeys(INPUTS, text))
    assert time.perf_counter() - started < 2
