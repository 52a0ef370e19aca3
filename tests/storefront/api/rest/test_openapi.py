"""The OpenAPI document describes the views that answer, and requests made from it are answered as it says."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import given
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from storefront.api.rest import openapi
from storefront.api.rest.problems import Code
from storefront.api.rest.resources import resources
from storefront.webhooks.models import Endpoint
from storefront.wsgi import application
from tests.storefront.api.isolation import OWN_IDS, STRANGERS_ID, IsolationCheck, few_or_many, run_examples
from tests.storefront.api.reseller import connection_kept
from tests.storefront.api.rest.program import Program

HOLDS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
]  # fmt: skip


def test_the_document_has_every_resource_and_is_openapi_3_1(db: None) -> None:
    document = Client().get("/api/v3/openapi.json").json()
    assert document == openapi.document()
    assert document["openapi"].startswith("3.1")
    assert {path.removeprefix("/api/v3/").split("/")[0] for path in document["paths"]} == {
        str(url.pattern).lstrip("^").split("/")[0].removesuffix("$").removesuffix("\\Z") for url in resources
    }
    assert Client().get("/api/v3/openapi.yaml").content.startswith(b"openapi: 3.1")


def test_every_post_takes_an_idempotency_key() -> None:
    for path, methods in openapi.document()["paths"].items():
        for method, operation in methods.items():
            names = [one["name"] for one in operation.get("parameters", ())]
            assert ("Idempotency-Key" in names) == (method == "post"), path


def test_every_parameter_but_ids_says_what_it_means() -> None:
    silent = [
        (path, one["name"])
        for path, methods in openapi.document()["paths"].items()
        for operation in methods.values()
        for one in operation.get("parameters", ())
        if one["in"] != "path" and not one.get("description")
    ]
    assert silent == []


def test_every_code_is_described() -> None:
    statuses = {
        int(status)
        for methods in openapi.document()["paths"].values()
        for operation in methods.values()
        for status in operation["responses"]
    }
    # Another method is not described by a document that lists the methods.
    assert {code.status for code in Code} - {405} <= statuses


def test_every_field_of_an_answer_is_required() -> None:
    for name, schema in openapi.document()["components"]["schemas"].items():
        if name not in openapi.REQUESTS and name != "Problem":
            assert set(schema["required"]) == set(schema["properties"]), name


@few_or_many(4, 120)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_what_is_described_holds(
    isolation: IsolationCheck, examples: int, mode: GenerationMode, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    """Each operation gets ``examples`` requests; IDs in them are often those of the customer or of the stranger."""
    settings.ALLOW_PRIVATE_WEBHOOKS = True
    with connection_kept():
        schema = schemathesis.openapi.from_wsgi("/api/v3/openapi.json", application)
    checks = CHECKS.get_by_names(HOLDS)
    services = list(isolation.services.values())
    ids = [*OWN_IDS, int(STRANGERS_ID)]
    Endpoint.objects.create(pk=int(STRANGERS_ID), user=isolation.stranger.user, url="https://a-stranger.example/hook")

    def send(case: Case) -> None:
        if isinstance(case.body, dict):
            if "service" in case.body:
                case.body["service"] = services[isolation.requests_sent % len(services)]
            if "order" in case.body and isolation.requests_sent % 2:
                case.body["order"] = ids[isolation.requests_sent % len(ids)]
        if "id" in case.path_parameters and isolation.requests_sent % 2:
            case.path_parameters["id"] = ids[isolation.requests_sent % len(ids)]
        headers = {"Authorization": f"Bearer {isolation.caller.key}", "Accept-Encoding": "identity"}
        if case.method.upper() == "POST" and mode is GenerationMode.POSITIVE:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        response = case.call(headers=headers)
        isolation.requests_sent += 1
        case.validate_response(response, checks=checks)
        # An answer about an ID may name it, even if there is no such thing for this customer.
        isolation.check_text(response.text, asked=STRANGERS_ID)

    with connection_kept():
        for operation in schema.get_all_operations():
            strategy = operation.ok().as_strategy(generation_mode=mode)
            run_examples(given(case=strategy)(send), examples, isolation, capsys)
    assert Endpoint.objects.filter(user=isolation.stranger.user).exists()


def test_the_watch_sees_an_answer_that_tells_of_another_customer(isolation: IsolationCheck) -> None:
    spy = Program(isolation.stranger.user, isolation.stranger.key)
    with pytest.raises(AssertionError):
        isolation.check_text(spy.call("GET", f"orders/{STRANGERS_ID}").content.decode())
