"""Requests generated from the OpenAPI document, valid and invalid, get the responses that it describes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import given
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from storefront.wsgi import application
from tests.storefront.api.isolation import IsolationCheck, few_or_many, run_examples
from tests.storefront.api.reseller import connection_kept

DESCRIBED = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
]  # fmt: skip


def load_schema() -> Any:
    with connection_kept():
        return schemathesis.openapi.from_wsgi("/api/openapi.json", application)


@few_or_many(25, 1_000)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_responses_match_the_openapi_document(
    isolation: IsolationCheck, examples: int, method: str, mode: GenerationMode, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = load_schema()
    checks = CHECKS.get_by_names(DESCRIBED)
    services = list(isolation.services.values())

    @given(case=schema["/api/v2"][method].as_strategy(generation_mode=mode))
    def holds(case: Case) -> None:
        for place in (case.query, case.body):
            if isinstance(place, dict):
                place.pop("key", None)  # the header has the good one
                if "service" in place:
                    place["service"] = services[isolation.requests_sent % len(services)]
        # Nobody on the way unpacks here.
        response = case.call(headers={"Authorization": f"Bearer {isolation.caller.key}", "Accept-Encoding": "identity"})
        isolation.requests_sent += 1
        case.validate_response(response, checks=checks)
        isolation.check_text(response.text)

    with connection_kept():
        run_examples(holds, examples, isolation, capsys)


def test_the_description_is_that_of_the_api(db: None) -> None:
    schema = load_schema()
    assert [operation.ok().label for operation in schema.get_all_operations()] == ["GET /api/v2", "POST /api/v2"]
