"""Where no view answers, each API has its own form of an error: never a page, never a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client

from storefront.api import renderers
from storefront.api.adminapi import openapi as admin_openapi
from storefront.api.renderers import JsonRenderer
from tests import factories
from tests.storefront.api import reseller
from tests.storefront.api.adminapi.program import Program as StaffProgram

pytestmark = pytest.mark.django_db

DOCUMENTS = [
    *(f"/api/{version}openapi.{form}" for version in ("", "v3/") for form in ("json", "yaml")),
    "/adminapi/openapi.json",
]
SECRET = "a bug with a secret"


@pytest.fixture(autouse=True)
def _no_limit_of_calls(settings: Any) -> None:
    settings.ADMIN_API_CALLS_PER_SECOND = 0


def shape(path: str, status: int) -> dict[str, Any]:
    """Return what an error of the API at ``path`` has, whatever its text."""
    if path.startswith("/adminapi/v1"):
        return {"status": "fail"}
    if path.startswith("/adminapi"):
        return {"data": [], "error_code": status}
    if path.startswith("/api/v3"):
        return {"status": status}
    return {}


def check_response(response: Any, path: str, status: int) -> Any:
    assert response.status_code == status, response.content
    kind = "application/problem+json" if path.startswith("/api/v3") else "application/json"
    assert response.headers["Content-Type"] == kind
    assert response.headers["Cache-Control"] == "no-store"
    assert SECRET not in response.content.decode()
    answer = json.loads(response.content)
    assert answer.items() >= shape(path, status).items()
    return answer


def strict_client() -> Client:
    """Return a client that a page would ask for a CSRF token, and that gets the answer to a failure."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/adminapi", "/adminapi/", "/adminapi/v2", "/adminapi/v2/nothing", "/adminapi/v1/nothing",
             "/adminapi/v2/orders/x", "/api/v3/nothing", "/api/v3/orders/", "/api/v3/orders/x/events", "/api/nothing"]
)  # fmt: skip
def test_an_unknown_address(path: str, method: str) -> None:
    check_response(strict_client().generic(method, path), path, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_only_read(path: str, method: str) -> None:
    response = strict_client().generic(method, path)
    answer = check_response(response, path, 405)
    assert response.headers["Allow"] == "GET, HEAD"
    if path.startswith("/api/v3"):
        assert answer["code"] == "method_not_allowed"
    assert Client().get(path).status_code == Client().head(path).status_code == 200


def test_a_post_to_the_address_of_version_3_is_a_problem() -> None:
    for path in ("/api/v3", "/api/v3/"):
        assert check_response(strict_client().post(path), path, 404)["code"] == "not_found"


@pytest.mark.parametrize("path", ["/adminapi/openapi.json", "/api/v3/", "/api/v3/openapi.json", "/api/"])
def test_a_request_that_django_refuses(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise SuspiciousOperation(SECRET)

    # One is called by the middleware of the pages, the other one by a view that the framework does not guard.
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", refuse)
    monkeypatch.setattr(admin_openapi, "_rendered", refuse)
    check_response(strict_client().get(path), path, 400)


@pytest.mark.parametrize("path", ["/adminapi/v2/orders", "/adminapi/v1?action=getUser&username=a", "/api/v3/balance"])
def test_a_failure_outside_of_the_view(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, customer = StaffProgram(), reseller.reseller()
    headers = {"X-Api-Key": staff.text, "Authorization": f"Bearer {customer.key}"}
    client = Client(headers=headers, raise_request_exception=False)
    assert client.get(path).status_code == 200

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(JsonRenderer, "render", fail)
    # A problem is rendered without the framework.
    monkeypatch.setattr(renderers.orjson, "dumps", renderers.orjson.dumps)
    check_response(client.get(path), path, 500)


@pytest.mark.parametrize("path", ["/adminapi/v2/users", "/adminapi/v1?action=getUser&username=a", "/api/v3/services"])
def test_a_failure_in_the_view(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    staff, customer = StaffProgram(), reseller.reseller()
    factories.service()

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("storefront.api.adminapi.users.find_user", fail)
    monkeypatch.setattr("storefront.api.adminapi.users.rows", fail)
    monkeypatch.setattr("storefront.api.rest.catalog_views.ServiceSerializer.to_representation", fail)
    headers = {"X-Api-Key": staff.text, "Authorization": f"Bearer {customer.key}"}
    check_response(Client(headers=headers).get(path), path, 500)


@pytest.mark.parametrize("length", ["abc", "99999999999", "-1"])
@pytest.mark.parametrize("path", ["/adminapi/v2/payments/add", "/adminapi/v2/tickets/add", "/api/v3/quotes"])
def test_a_length_that_is_wrong(path: str, length: str) -> None:
    staff, customer = StaffProgram(), reseller.reseller()
    headers = {"X-Api-Key": staff.text, "Authorization": f"Bearer {customer.key}"}
    client = Client(headers=headers, raise_request_exception=False)
    response = client.generic("POST", path, b"{}", content_type="application/json", CONTENT_LENGTH=length)
    assert response.status_code in (400, 413, 422)
    check_response(response, path, response.status_code)
