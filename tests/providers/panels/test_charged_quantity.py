"""A panel is never asked to deliver more than the customer was charged for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.errors import OrderInvalid
from orders.rules import service_types
from orders.rules.service_types import SERVICE_TYPES, Details
from providers.errors import Unsupported
from providers.panels.dialect import Dialect, OrderToSend
from providers.panels.dialects import DIALECTS
from tests.factories import INPUTS

#: Texts in which entries hide: every way that a client or a panel is known to separate them.
SEPARATORS = ["\n", "\r\n", "\r", "\\n", "\\r\\n", ",", ", ", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1e", " "]
WORDS = st.text("ab[]\"\\n,'{}: ", max_size=8)
LINES = st.lists(WORDS | st.sampled_from(SEPARATORS), max_size=12).map("".join)
NESTED = st.recursive(LINES, lambda inner: st.lists(inner, max_size=4).map(json.dumps), max_leaves=8)
NUMBERS = st.integers(-2, 40).map(str) | st.sampled_from(["999999999", "1.0", "0", "", "null"])
TEXTS = {"comments", "usernames", "hashtags", "keywords", "groups"}
COUNTS = {"quantity", "min", "max", "posts", "old_posts", "runs", "interval", "answer_number"}


def values_of(name: str) -> st.SearchStrategy[Any]:
    if name in TEXTS:
        return NESTED | st.lists(LINES, max_size=4)
    return NUMBERS if name in COUNTS else st.just(INPUTS.get(name, ""))


REQUESTS = st.fixed_dictionaries({}, optional={name: values_of(name) for name in sorted({*INPUTS, *COUNTS})})


def entries(text: str, *, has_commas: bool) -> int:
    """Return how many entries the most generous panel finds: any line break, written out or not, and JSON lists."""
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if isinstance(listed, list) and all(isinstance(entry, str) for entry in listed):
        return sum(entries(entry, has_commas=has_commas) for entry in listed)
    lines = re.sub(r"(\\r)?\\n", "\n", text).splitlines()
    parts = [part for line in lines for part in (line.split(",") if has_commas else [line])]
    return sum(1 for part in parts if part.strip())


def most_delivered(code: str, params: dict[str, str]) -> int:
    """Return the most that a panel could deliver for the parameters of an ``add``."""
    service_type = SERVICE_TYPES[code]
    if service_type.count is service_types.Count.ONE:
        return 1
    if service_type.count is service_types.Count.POSTS:
        return int(params["max"]) * (int(params["posts"]) + int(params.get("old_posts", "0")))
    if service_type.count is service_types.Count.LINES:
        return entries(params[service_type.counted], has_commas=service_type.counted == "usernames")
    return int(params["quantity"]) * int(params.get("runs", "1"))


def add_params(dialect: Dialect, code: str, details: Details, *, is_passed_on: bool) -> list[dict[str, str]]:
    """Return the parameters of every ``add`` that an order leads to: of one, or of each run where we split it."""
    runs = details.runs if is_passed_on else 1
    each = OrderToSend(
        upstream_id="1", service_type=code, link=details.link, quantity=details.quantity // details.runs,
        fields=details.fields, runs=runs, interval=details.interval,
    )  # fmt: skip
    return [dialect.add_params(each)] * (details.runs // runs)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(SERVICE_TYPES)), REQUESTS, st.booleans())
def test_a_request_never_asks_for_more_than_was_charged(code: str, inputs: dict[str, Any], has_dripfeed: bool) -> None:
    wanted = {**INPUTS, "interval": "5", **inputs}
    try:
        details = service_types.read(SERVICE_TYPES[code], wanted, minimum=1, maximum=1000, has_dripfeed=has_dripfeed)
    except OrderInvalid:
        return
    for dialect in DIALECTS.values():
        if code not in dialect.service_types:
            continue
        calls = add_params(dialect, code, details, is_passed_on=code in dialect.runs)
        assert sum(most_delivered(code, params) for params in calls) <= details.quantity


@pytest.mark.parametrize("code", sorted(SERVICE_TYPES))
def test_a_subscription_is_never_sent_without_a_number_of_posts(code: str) -> None:
    details = service_types.read(SERVICE_TYPES[code], INPUTS, minimum=1, maximum=1000)
    (params,) = add_params(DIALECTS["v2"], code, details, is_passed_on=True)
    assert ("posts" in params) == (code == "subscriptions")


@pytest.mark.parametrize(
    ("service", "offer"),
    [
        ("custom_comments_package", "custom_comments"),
        ("mentions", "mentions_custom_list"),
        ("default", "subscriptions"),
        ("subscriptions", "comment_replies"),
    ],
)
def test_an_order_is_not_sent_to_an_offer_of_another_type_that_delivers_more(service: str, offer: str) -> None:
    names = "\n".join(f"name{number}" for number in range(200))
    details = service_types.read(SERVICE_TYPES[service], {**INPUTS, "usernames": names}, minimum=1, maximum=1000)
    with pytest.raises(Unsupported):
        add_params(DIALECTS["v2"], offer, details, is_passed_on=True)
