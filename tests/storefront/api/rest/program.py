"""A customer's program that calls the REST API."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from storefront.accounts.models import ApiKey, User
from tests import factories

LINK = "https://example.com/p/1"


@dataclass
class Program:
    user: User
    key: str
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str, data: Any = None, *, query: Any = None, **headers: str) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **{name.replace("_", "-"): headers[name] for name in headers}}
        body = {} if data is None else {"data": json.dumps(data), "content_type": "application/json"}
        return self.client.generic(method, f"/api/v3/{path}", **body, query_params=query, headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        """What the API answers to a read that succeeds."""
        response = self.call("GET", path, query=query)
        assert response.status_code == 200, response.content
        return response.json()

    def post(self, path: str, data: Any = None, *, key: str = "", status: int | None = None) -> Any:
        """What the API answers to a request with an idempotency key."""
        response = self.call("POST", path, {} if data is None else data, Idempotency_Key=key or str(uuid.uuid4()))
        assert response.status_code in ({status} if status else {200, 201, 202}), response.content
        return response.json()


def program(amount: str, **restrictions: Any) -> Program:
    user = factories.customer(amount)
    row, key = ApiKey.objects.issue(user, **restrictions)
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    return Program(user, key)


def problem(response: HttpResponse) -> tuple[int, str]:
    """The status and the code of a refusal, which is problem details."""
    assert response["Content-Type"] == "application/problem+json", response.content
    body = json.loads(response.content)
    assert {"type", "title", "status", "detail", "code"} <= body.keys()
    assert body["status"] == response.status_code
    assert body["type"].endswith(f"#{body['code']}")
    return response.status_code, body["code"]
