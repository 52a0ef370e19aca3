"""A caller who writes bytes to a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.storefront.api.reseller import Reseller, request, send

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def call(reseller: Reseller) -> Callable[..., Any]:
    """Posts a form over a socket, with the customer's key unless another is among the fields; gives back the JSON.

    ``raw`` goes in front of the fields as it is, for names that repeat. Whatever is asked, it is HTTP 200 and JSON.
    """

    def post(raw: str = "", **fields: Any) -> Any:
        form = "&".join(filter(None, [raw, urlencode({"key": reseller.key, **fields})]))
        status, headers, body = send(request(form.encode(), content_type=FORM))
        assert (status, headers["content-type"]) == (200, "application/json")
        return body

    return post
