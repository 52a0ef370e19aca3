"""Random requests get JSON and no server error, reveal nothing of other customers, and charge only for orders.

`make test` sends a few hundred requests; `make prove` sends more than 20,000 and prints their number.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.service_types import SERVICE_TYPES
from storefront.api.panel.actions import ACTIONS
from tests.factories import INPUTS
from tests.storefront.api.isolation import OWN_IDS, STRANGERS_ID, IsolationCheck, few_or_many, run_examples

CONTENT_TYPES = [
    "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=XX", "multipart/form-data",
    "text/plain", "", "application/octet-stream", "application/x-www-form-urlencoded; charset=utf-16", "garbage",
]  # fmt: skip
NAMES = sorted(
    {*INPUTS, "service", "runs", "interval", "request_id", "order", "orders", "orders[]", "refill", "refills"}
)
odd = st.sampled_from(
    [
        "",
        "undefined",
        "null",
        "NaN",
        "-1",
        "0",
        "1e9",
        "9" * 40,
        "\0",
        "\ud800",
        "٣",
        "[",
        '["a"]',
        "1,2",
        "\r\n",
        "%00",
    ]
)
own = st.lists(st.sampled_from(OWN_IDS), min_size=1, max_size=4).map(lambda ids: ",".join(map(str, ids)))
some_text = st.one_of(odd, own, st.sampled_from(sorted(INPUTS.values())), st.text(max_size=20))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), some_text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(some_text, inner, max_size=3)),
    max_leaves=6,
)
actions = st.sampled_from([*ACTIONS, "add", "add"])
service_types = st.sampled_from(sorted(SERVICE_TYPES))


@few_or_many(150, 6_000)
def test_random_bytes_get_valid_responses(
    isolation: IsolationCheck, examples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @given(
        body=st.binary(max_size=200),
        content_type=st.sampled_from(CONTENT_TYPES),
        action=st.sampled_from([*ACTIONS, ""]),
        method=st.sampled_from(["GET", "POST"]),
    )
    def holds(body: bytes, content_type: str, action: str, method: str) -> None:
        isolation.send(body, content_type, action=action, method=method)

    run_examples(holds, examples, isolation, capsys)


@few_or_many(150, 8_000)
def test_random_json_gets_valid_responses(
    isolation: IsolationCheck, examples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @given(
        fields=st.dictionaries(st.sampled_from(NAMES), json_values, max_size=8),
        action=actions,
        service_type=service_types,
    )
    def holds(fields: dict[str, Any], action: str, service_type: str) -> None:
        body = json.dumps({"service": isolation.services[service_type], **INPUTS, **fields}).encode()
        isolation.send(body, "application/json", action=action)

    run_examples(holds, examples, isolation, capsys)


@few_or_many(150, 8_000)
def test_random_forms_get_valid_responses(
    isolation: IsolationCheck, examples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @given(
        fields=st.lists(st.tuples(st.sampled_from(NAMES), some_text), max_size=8),
        action=actions,
        service_type=service_types,
        manner=st.sampled_from(["form", "query", "multipart"]),
    )
    def holds(fields: list[tuple[str, str]], action: str, service_type: str, manner: str) -> None:
        pairs = [("service", str(isolation.services[service_type])), *INPUTS.items(), *fields]
        form = urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in pairs])
        if manner == "query":
            isolation.send(b"", "", action=action, method="GET", query=form)
        elif manner == "form":
            isolation.send(form.encode(), CONTENT_TYPES[0], action=action)
        else:
            parts = [f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in pairs]
            body = "".join([*parts, "--XX--\r\n"]).encode("utf-8", "surrogatepass")
            isolation.send(body, CONTENT_TYPES[2], action=action)

    run_examples(holds, examples, isolation, capsys)


@few_or_many(75, 3_000)
def test_ids_of_other_customers_are_answered_like_unknown_ids(
    isolation: IsolationCheck, examples: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request with another customer's id and one with an unknown id get responses that differ only in the id."""
    unknown_id = STRANGERS_ID.translate(str.maketrans("7", "8"))

    @given(
        action=st.sampled_from(["status", "refill", "refill_status", "cancel", "add"]),
        name=st.sampled_from(["order", "orders", "orders[]", "order_id", "id", "refill", "refills", "refills[3]"]),
        spelled=st.sampled_from(["{}", " {}", "{}.0", "0{}", "{},{}", "[{}]", '["{}"]', "{};", "1,{},abc", "{}\n{}"]),
        extra=st.dictionaries(st.sampled_from(["service", "request_id", "custom"]), some_text, max_size=2),
        is_json=st.booleans(),
    )
    def holds(action: str, name: str, spelled: str, extra: dict[str, str], is_json: bool) -> None:
        responses = []
        for word in (STRANGERS_ID, unknown_id):
            fields = {**extra, name: spelled.replace("{}", word)}
            if is_json:
                answer = isolation.send(json.dumps(fields).encode(), "application/json", action=action, asked=word)
            else:
                form = urlencode([(key, value.encode("utf-8", "surrogatepass")) for key, value in fields.items()])
                answer = isolation.send(form.encode(), CONTENT_TYPES[0], action=action, asked=word)
            responses.append(answer.replace(word, "…"))
        assert responses[0] == responses[1]

    run_examples(holds, examples, isolation, capsys)
