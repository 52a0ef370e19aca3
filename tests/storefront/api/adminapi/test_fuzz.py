"""Whatever is sent to the Admin API: JSON with an error code, no server error, and books that add up."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from orders.ledger import audit
from storefront.api.adminapi.urls import ROUTES
from storefront.wsgi import application
from tests.storefront.api.adminapi.program import Program
from tests.storefront.api.adminapi.test_scopes import Scene
from tests.storefront.api.isolation import few_or_many
from tests.storefront.api.reseller import connection_kept

pytestmark = pytest.mark.django_db
V1 = "/adminapi/v1"
NAMES = sorted(
    {"ids", "status", "limit", "offset", "service_ids", "orders", "remains", "link", "username", "amount", "memo",
     "method", "message", "subject", "staff_name", "reason", "id", "start_count", "user", "created_from", "sort",
     "order_status", "action", "details", "email", "provider", "mode", "cancel_reason"}
)  # fmt: skip
odd = st.sampled_from(
    ["", "null", "NaN", "-1", "0", "1", "2,3", "1,x", "9" * 40, "\0", "\ud800", "٣", "[", "1e9", "completed", "partial",
     "maria@example.com", "0.01", "https://example.com/new", "date-asc", "getUser", "addPayment", "getOrders-by-id"]
)  # fmt: skip
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd, st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)
fields = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)
numbers = st.sampled_from(["1", "3", "999", "0", "9" * 18, "9" * 30])
routes = st.sampled_from([route for route, _view in ROUTES])


def check_response(response: Any) -> None:
    assert response.status_code < 500, response.content
    answer = response.json()
    assert response.headers["Content-Type"] == "application/json"
    assert answer.get("status") in ("success", "fail") or isinstance(answer["error_code"], int)


def run_examples(holds: Any, examples: int) -> None:
    settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(holds)()
    assert list(audit.findings()) == []


@few_or_many(200, 6_000)
def test_parameters_break_nothing(program: Program, examples: int) -> None:
    Scene()

    @given(route=routes, number=numbers, given=fields, method=st.sampled_from(["get", "post", "form", "v1"]))
    def holds(route: str, number: str, given: dict[str, Any], method: str) -> None:
        address = f"/adminapi/v2/{route}".replace("<int:pk>", number)
        flat = {name: str(value).encode("utf-8", "replace").decode() for name, value in given.items()}
        if method == "get":
            check_response(program.http.get(address, flat))
        elif method == "post":
            check_response(program.http.post(address, json.dumps(given), content_type="application/json"))
        elif method == "form":
            check_response(program.http.post(address, flat))
        else:
            check_response(program.http.post(V1, json.dumps(given), content_type="application/json"))

    run_examples(holds, examples)


@few_or_many(100, 4_000)
def test_bytes_break_nothing(program: Program, examples: int) -> None:
    types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=X",
        "text/plain",
        "",
    ]

    @given(route=routes, body=st.binary(max_size=100), content_type=st.sampled_from(types))
    def holds(route: str, body: bytes, content_type: str) -> None:
        for address in (f"/adminapi/v2/{route}".replace("<int:pk>", "1"), V1):
            check_response(program.http.generic("POST", address, body, content_type=content_type))

    run_examples(holds, examples)


@few_or_many(5, 200)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_the_answers_have_the_described_shapes(program: Program, examples: int, mode: GenerationMode) -> None:
    Scene()
    with connection_kept():
        schema = schemathesis.openapi.from_wsgi("/adminapi/openapi.json", application)
        checks = CHECKS.get_by_names(
            ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
        )
        operations = [operation.ok() for operation in schema.get_all_operations()]
        assert len(operations) == len(ROUTES)
        for operation in operations:

            @given(case=operation.as_strategy(generation_mode=mode))
            def holds(case: Case) -> None:
                response = case.call(headers={"X-Api-Key": program.text, "Accept-Encoding": "identity"})
                case.validate_response(response, checks=checks)

            run_examples(holds, examples)
