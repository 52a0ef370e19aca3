"""Whatever is sent: an answer in JSON, no server error, and no money moves without an order."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders import audit
from orders.kinds import KINDS
from orders.models import Order, Service
from storefront.api.v2.actions import ACTIONS
from tests.factories import INPUTS, order, service
from tests.storefront.api.reseller import Reseller, reseller

CONTENT_TYPES = [
    "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=XX", "multipart/form-data",
    "text/plain", "", "application/octet-stream", "application/x-www-form-urlencoded; charset=utf-16", "garbage",
]  # fmt: skip
NAMES = sorted(
    {*INPUTS, "service", "runs", "interval", "request_id", "order", "orders", "orders[]", "refill", "refills"}
)
odd = st.sampled_from(
    ["", "undefined", "null", "NaN", "-1", "0", "1e9", "9" * 40, "\0", "\ud800", "٣", "[", '["a"]', "1,2"]
)
some_text = st.one_of(odd, st.sampled_from(sorted(INPUTS.values())), st.text(max_size=20))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), some_text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(some_text, inner, max_size=3)),
    max_leaves=6,
)
quick = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def caller(db: Any) -> Reseller:
    """With a service of every type and an order of a stranger's."""
    them, caller = reseller(), reseller()
    for kind in KINDS.values():
        service(kind.code, is_flat=kind.is_flat)
    order(them.user, Service.objects.all()[0], link="a-stranger-was-here")
    return caller


def check(
    caller: Reseller, body: bytes, content_type: str, *, action: str, method: str = "POST", query: str = ""
) -> None:
    """Sends it with a good key and action in the query, so that it gets past the door."""
    before, known = caller.balance, set(Order.objects.values_list("pk", flat=True))
    path = f"/api/v2?{urlencode({'key': caller.key, 'action': action})}&{query}"
    response = caller.client.generic(method, path, body, content_type=content_type)
    assert response.status_code == 200, (response.status_code, response.content)
    answer = response.json()
    assert isinstance(answer, (dict, list))
    if isinstance(answer, dict) and "error" in answer:
        assert list(answer) == ["error"]
    assert "stranger" not in response.content.decode()
    placed = Order.objects.exclude(pk__in=known)
    assert all(new.user_id == caller.user.pk for new in placed)
    assert before - caller.balance == sum(new.charge for new in placed)


@quick
@given(
    body=st.binary(max_size=200),
    content_type=st.sampled_from(CONTENT_TYPES),
    action=st.sampled_from([*ACTIONS, ""]),
    method=st.sampled_from(["GET", "POST"]),
)
def test_bytes_break_nothing(caller: Reseller, body: bytes, content_type: str, action: str, method: str) -> None:
    check(caller, body, content_type, action=action, method=method)


@quick
@given(
    fields=st.dictionaries(st.sampled_from(NAMES), json_values, max_size=8),
    action=st.sampled_from([*ACTIONS, "add", "add"]),
    index=st.integers(0, len(KINDS) - 1),
)
def test_json_breaks_nothing(caller: Reseller, fields: dict[str, Any], action: str, index: int) -> None:
    sold = Service.objects.order_by("pk")[index].pk
    body = json.dumps({"service": sold, **INPUTS, **fields}).encode()
    check(caller, body, "application/json", action=action)


@quick
@given(
    fields=st.lists(st.tuples(st.sampled_from(NAMES), some_text), max_size=8),
    action=st.sampled_from([*ACTIONS, "add", "add"]),
    index=st.integers(0, len(KINDS) - 1),
    in_query=st.booleans(),
)
def test_forms_break_nothing(
    caller: Reseller, fields: list[tuple[str, str]], action: str, index: int, in_query: bool
) -> None:
    sold = Service.objects.order_by("pk")[index].pk
    pairs = [("service", str(sold)), *INPUTS.items(), *fields]
    form = urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in pairs])
    if in_query:
        check(caller, b"", "", action=action, method="GET", query=form)
    else:
        check(caller, form.encode(), CONTENT_TYPES[0], action=action)
    assert list(audit.findings()) == []
