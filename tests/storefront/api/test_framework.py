"""The panel API is a Django REST framework view, and all APIs share one middleware stack."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from rest_framework.views import APIView

from storefront.api.middleware import PAGES, is_for_programs

ADDRESSES = ["/api/v2", "/api/v2/", "/api/v1", "/api/v1/"]


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_address_of_the_panel_api_is_the_same_api_view(path: str) -> None:
    view = resolve(path).func.cls
    assert issubclass(view, APIView)
    assert view is resolve("/api/v2").func.cls
    for classes in ("authentication", "permission", "throttle", "parser", "renderer"):
        assert getattr(view, f"{classes}_classes")
        assert not [one for one in getattr(view, f"{classes}_classes") if one.__module__.startswith("rest_framework")]


@pytest.mark.parametrize("path", [*ADDRESSES, "/api/v3/orders", "/api/nothing", "/adminapi/v2/orders"])
def test_api_paths_skip_the_middleware_of_pages(client: Client, path: str, settings: Any) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = "a1" * 16  # reading the session would need the database
    answer = client.get(path)
    assert is_for_programs(path)
    assert not hasattr(answer.wsgi_request, "session")
    assert not answer.cookies
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert int(answer["Content-Length"]) == len(answer.content)


@pytest.mark.parametrize("path", [*sorted(PAGES), "/", "/apiary/"])
def test_pages_keep_their_middleware(path: str) -> None:
    assert not is_for_programs(path)


def test_responses_over_https_send_hsts(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 3600, True
    answer = client.get("/api/v2", secure=True)
    assert answer["Strict-Transport-Security"] == "max-age=3600; includeSubDomains"
    assert not client.get("/api/v2").has_header("Strict-Transport-Security")
