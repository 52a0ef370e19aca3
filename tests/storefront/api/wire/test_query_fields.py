"""A thousand ids as a thousand fields of the query: no limit of the framework's may answer in our place."""

from __future__ import annotations

import pytest

from tests.factories import order, service
from tests.storefront.api.reseller import Reseller, request, send


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_thousand_ids_come_as_fields_of_the_query(reseller: Reseller, method: str) -> None:
    own = order(reseller.user, service()).pk
    ids = [own, *range(10**6, 10**6 + 999)]
    query = "&".join(f"orders[]={number}" for number in ids)
    raw = request(method=method, path=f"/api/v2?key={reseller.key}&action=status&{query}")
    status, _, body = send(raw)
    assert status == 200
    assert list(body) == [str(number) for number in ids]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_has_no_key_cannot_make_a_server_error(db: None, method: str) -> None:
    status, _, body = send(request(method=method, path="/api/v2?" + "a=&" * 1001))
    assert (status, body) == (200, {"error": "Incorrect request"})
