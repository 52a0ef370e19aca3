"""The cached price list is complete and current, and is rendered once per catalog version."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest

from orders.ledger import transfers
from orders.models import CustomerRate, PriceLevel, Service
from tests.factories import service
from tests.storefront.api.reseller import Reseller, request, send

pytestmark = pytest.mark.django_db(transaction=True)


def rates(reseller: Reseller) -> dict[int, str]:
    return {row["service"]: row["rate"] for row in reseller.call(action="services")}


def test_the_next_call_sees_every_change_of_the_catalog(reseller: Reseller) -> None:
    sold, other = service(rate="1"), service(rate="2")
    assert rates(reseller) == {sold.pk: "1.00", other.pk: "2.00"}
    Service.objects.filter(pk=sold.pk).update(rate=Decimal("1.5"))
    assert rates(reseller) == {sold.pk: "1.50", other.pk: "2.00"}
    other.category.is_active = False
    other.category.save()
    assert rates(reseller) == {sold.pk: "1.50"}


def test_customers_see_their_own_prices(reseller: Reseller, stranger: Reseller) -> None:
    sold, other = service(rate="1"), service(rate="2")
    transfers.set_price_level(
        reseller.user.wallet, level=PriceLevel.objects.create(name="Gold", discount=Decimal(10)), is_pinned=True
    )
    assert rates(reseller) == {sold.pk: "0.90", other.pk: "1.80"}
    assert rates(stranger) == {sold.pk: "1.00", other.pk: "2.00"}
    CustomerRate.objects.create(user=stranger.user, service=other, rate=Decimal(0))
    CustomerRate.objects.create(user=reseller.user, service=other, rate=Decimal("0.77"))
    assert rates(reseller) == {sold.pk: "0.90", other.pk: "0.77"}
    assert rates(stranger) == {sold.pk: "1.00", other.pk: "0.00"}
    CustomerRate.objects.filter(user=reseller.user).update(rate=Decimal("0.78"))
    assert rates(reseller)[other.pk] == "0.78"
    PriceLevel.objects.update(discount=Decimal(20))
    assert rates(reseller)[sold.pk] == "0.80"
    paid = reseller.call(action="add", service=sold.pk, link="x", quantity=1000)
    assert reseller.call(action="status", order=paid["order"])["charge"] == "0.80"


def test_the_cached_list_takes_only_the_query_for_the_key(
    reseller: Reseller, stranger: Reseller, django_assert_num_queries: Any
) -> None:
    for _ in range(30):
        service()
    with django_assert_num_queries(2):
        assert len(rates(reseller)) == 30
    with django_assert_num_queries(1):
        assert len(rates(stranger)) == 30
    CustomerRate.objects.create(user=reseller.user, service=service(), rate=Decimal(1))
    rates(stranger)
    with django_assert_num_queries(2):
        assert len(rates(reseller)) == 31


def test_a_matching_etag_gets_304(reseller: Reseller) -> None:
    service(name="Followers")
    asked = {"path": f"/api/v2?key={reseller.key}&action=services", "method": "GET"}
    status, headers, rows = send(request(**asked))
    assert (status, len(rows), headers["cache-control"]) == (200, 1, "private, no-cache")
    known = {"If-None-Match": headers["etag"]}
    assert send(request(**asked, **known))[0::2] == (304, None)
    Service.objects.update(name="Other")
    assert send(request(**asked, **known))[0] == 200
    posted = {"key": reseller.key, "action": "services"}
    again = reseller.client.post("/api/v2", posted, headers={"If-None-Match": headers["etag"]})
    assert again.status_code == 200, "to a POST it would mean something else"


def test_any_of_several_etags_can_match(reseller: Reseller) -> None:
    service(name="Followers")
    asked = {"path": f"/api/v2?key={reseller.key}&action=services", "method": "GET"}
    name = send(request(**asked))[1]["etag"]
    for known in (f'"other", {name}', f'{name},W/"other"', name.removeprefix("W/"), "*"):
        status, headers, body = send(request(**asked, **{"If-None-Match": known}))
        assert (status, body, headers["etag"]) == (304, None, name)
    answer = reseller.client.get(asked["path"], headers={"If-None-Match": name})
    assert "Content-Length" not in answer, "it would be that of the list, which is not sent"
    for known in ('"other"', name.replace('"', "")[2:], f"x{name}x", ""):
        assert send(request(**asked, **{"If-None-Match": known}))[0] == 200


def test_clients_that_accept_gzip_get_it(reseller: Reseller) -> None:
    service(name="Followers")
    posted = {"key": reseller.key, "action": "services"}
    plain = reseller.client.post("/api/v2", posted)
    packed = reseller.client.post("/api/v2", posted, headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain
    for unwilling in ("gzip;q=0", "gzip; q=0.000, br", "identity"):
        answer = reseller.client.post("/api/v2", posted, headers={"Accept-Encoding": unwilling})
        assert "Content-Encoding" not in answer
    assert packed["Content-Encoding"] == "gzip"
    assert plain["Vary"] == packed["Vary"] == "Accept-Encoding"
    assert json.loads(gzip.decompress(packed.content)) == plain.json()


def test_an_empty_shop_has_an_empty_list(reseller: Reseller) -> None:
    assert reseller.call(action="services") == []
