"""The OpenAPI document is valid and matches the API."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from django.test import Client
from drf_spectacular.validation import validate_schema

from orders.models import Order
from orders.rules.service_types import SERVICE_TYPES
from storefront.api.panel.actions import ACTIONS
from storefront.api.reference import openapi, parameters
from tests.factories import order, service
from tests.storefront.api.reseller import Reseller

BODIES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")


@pytest.fixture
def document(client: Client) -> Any:
    return client.get("/api/openapi.json").json()


def check(document: Any, name: str, value: Any) -> None:
    """Raise ValidationError if ``value`` does not match the schema ``name``."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft4Validator(schema).validate(value)


def fits(document: Any, name: str, value: Any) -> bool:
    try:
        check(document, name, value)
    except jsonschema.ValidationError:
        return False
    return True


# ------------------------------------------------------------------------------------------------ the document
def test_the_document_is_valid_and_the_same_in_both_forms(client: Client, document: Any) -> None:
    validate_schema(document)
    answer = client.get("/api/openapi.yaml")
    assert answer["Content-Type"] == "application/yaml; charset=utf-8"
    assert yaml.safe_load(answer.content) == document


def test_the_document_needs_no_database_and_can_be_cached(client: Client) -> None:
    """Any query would fail, because the test does not use the fixture ``db``."""
    for address in ("/api/openapi.json", "/api/openapi.yaml"):
        answer = client.get(address)
        assert "max-age" in answer["Cache-Control"]
        assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        assert client.post(address).status_code == 405


def test_the_document_is_in_english_for_everybody(client: Client, document: Any) -> None:
    openapi._rendered.cache_clear()
    assert client.get("/api/openapi.json", headers={"Accept-Language": "ar"}).json() == document


def test_the_document_follows_the_settings(client: Client, settings: Any) -> None:
    settings.SHOP_NAME, settings.SCHEDULE_MAX_DAYS = "Corner Shop", 0
    answer = client.get("/api/openapi.json")
    assert answer.json()["info"]["title"] == "Corner Shop API"
    assert "start_at" not in answer.content.decode()


def test_every_way_to_call_and_to_send_a_key_is_described(document: Any) -> None:
    call = document["paths"]["/api/v2"]
    assert set(call) == {"get", "post"}
    assert tuple(call["post"]["requestBody"]["content"]) == BODIES
    assert call["post"]["security"] == [{"bearer": []}, {"header": []}, {"query": []}, {}]
    in_query = {one["name"] for one in call["get"]["parameters"] if one["in"] == "query"}
    assert in_query == {"action", "order", "orders", "refill", "refills", *(one.name for one in parameters.inputs())}
    assert set(call["post"]["responses"]) == {"200", "400", "404", "405", "411", "413", "429", "500"}
    assert "content" not in call["get"]["responses"]["304"]


# ------------------------------------------------------------------------------------------------ requests
def examples(document: Any, content_type: str = BODIES[0]) -> dict[str, Any]:
    found = document["paths"]["/api/v2"]["post"]["requestBody"]["content"][content_type]["examples"]
    return {name: example["value"] for name, example in found.items()}


def test_every_example_request_matches_its_schema(document: Any) -> None:
    for content_type in BODIES:
        found = examples(document, content_type)
        assert {example["action"] for example in found.values()} == set(ACTIONS)
        for example in found.values():
            check(document, "Call", example)


def test_a_request_without_a_required_field_does_not_match(document: Any) -> None:
    assert not fits(document, "Call", {})
    assert not fits(document, "Call", {"action": "orders"})
    assert not fits(document, "Call", {"action": "status"})
    assert not fits(document, "Call", {"action": "status", "order": 1, "orders": "1,2"})
    assert not fits(document, "Call", {"action": "cancel", "orders": "1;2"})
    assert not fits(document, "Call", {"action": "add", "service": 1})
    assert fits(document, "Call", {"action": "cancel", "orders": [1, 2]})


@pytest.mark.parametrize("code", SERVICE_TYPES)
def test_the_example_of_each_service_type_can_be_ordered_by_every_transport(
    code: str, document: Any, reseller: Reseller
) -> None:
    sold = service(code, rate="0.01", is_flat=SERVICE_TYPES[code].is_flat)
    found = [value for value in examples(document).values() if value["action"] == "add"]
    asked = found[list(SERVICE_TYPES).index(code)] | {"service": sold.pk}
    client, key = reseller.client, {"key": reseller.key}
    placed = [
        client.post("/api/v2", {**asked, **key, "request_id": "1"}),
        client.post(
            "/api/v2", json.dumps({**asked, "request_id": "2"}), content_type=BODIES[2], headers=bearer(reseller)
        ),
        client.get("/api/v2", {**asked, **key}, headers={"Idempotency-Key": "3"}),
    ]
    assert [list(answer.json()) for answer in placed] == [["order"]] * 3
    for answer in placed:
        check(document, "Answer", answer.json())
    assert Order.objects.filter(service=sold).count() == 3


def bearer(reseller: Reseller) -> dict[str, str]:
    return {"Authorization": f"Bearer {reseller.key}"}


# ------------------------------------------------------------------------------------------------ answers
def test_real_responses_match_exactly_one_schema(document: Any, reseller: Reseller) -> None:
    assert fits(document, "Answer", reseller.call(action="services"))  # an empty list
    sold = service(has_refill=True, has_cancel=True, description="one\ntwo")
    done = [order(reseller.user, sold, status="completed").pk for _ in range(2)]
    running = order(reseller.user, sold, status="in_progress").pk
    calls: list[dict[str, Any]] = [
        {"action": "services"}, {"action": "balance"}, {"action": "nonsense"},
        {"action": "add", "service": sold.pk, "link": "x", "quantity": 3}, {"action": "add"},
        {"action": "status", "order": done[0]}, {"action": "status", "orders": f"{running},{done[1]},999,x"},
        {"action": "status"}, {"action": "refill", "order": done[0]}, {"action": "refill", "orders": f"{done[1]},7,x"},
        {"action": "refill_status", "refill": "1"}, {"action": "refill_status", "refills": "1,2,999,x"},
        {"action": "refill", "order": "999"}, {"action": "cancel", "orders": f"{running},{done[1]},x"},
    ]  # fmt: skip
    for call in calls:
        check(document, "Answer", reseller.call(**call))


def test_example_responses_match_exactly_one_schema(document: Any) -> None:
    told = document["paths"]["/api/v2"]["post"]["responses"]["200"]["content"]["application/json"]["examples"]
    assert len(told) >= len(ACTIONS)
    for example in told.values():
        check(document, "Answer", example["value"])


def test_invalid_responses_match_no_schema(document: Any) -> None:
    for wrong in ({}, {"error": "no", "order": 1}, {"order": "1"}, {"status": "Cancelled"}, [{"order": 1}]):
        assert not fits(document, "Answer", wrong), wrong
