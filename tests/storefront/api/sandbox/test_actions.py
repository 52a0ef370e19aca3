"""Every action with a sandbox key: the shapes and words of the real ones, and nothing real is touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Account, CustomerRate, Order, PriceLevel, Service
from orders.rules.service_types import SERVICE_TYPES
from storefront.accounts.models import ApiKey
from storefront.api.panel import actions as live
from storefront.api.sandbox import actions as sandbox
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill
from tests.factories import INPUTS, category, customer, order, service
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.reseller import reseller as live_reseller
from tests.storefront.api.sandbox.playing import LINK, buy, freeze, order_line, real_rows, sandbox_customer

pytestmark = pytest.mark.django_db
NO_ORDER = {"error": "Incorrect order ID"}
NO_REFILL = {"error": "Refill not found"}


def test_the_sandbox_has_every_action() -> None:
    assert set(sandbox.ACTIONS) == set(live.ACTIONS)


def test_the_price_list_is_the_shops_own(reseller: Reseller) -> None:
    service("custom_comments", has_refill=True)
    service("package", is_flat=True, has_cancel=True)
    rows = reseller.call(action="services")
    assert len(rows) == 2
    assert rows == live_reseller().call(action="services")


def test_a_customer_with_better_prices_has_them_here_too(reseller: Reseller) -> None:
    discounted, own = service(rate="1"), service(rate="1")
    level = PriceLevel.objects.create(name="Gold", discount=Decimal(10))
    Account.objects.filter(user=reseller.user).update(level=level)
    CustomerRate.objects.create(user=reseller.user, service=own, rate=Decimal("0.5"))
    assert [row["rate"] for row in reseller.call(action="services")] == ["0.90", "0.50"]
    assert order_line(reseller, buy(reseller, discounted))[2] == "0.09"
    assert order_line(reseller, buy(reseller, own))[2] == "0.05"


# ------------------------------------------------------------------------------------------------ add
@pytest.mark.parametrize("service_type", SERVICE_TYPES)
def test_every_type_is_bought_as_in_the_shop_and_touches_nothing_real(reseller: Reseller, service_type: str) -> None:
    what = service(service_type, is_flat=SERVICE_TYPES[service_type].is_flat)
    real = order(customer(), what)
    before = real_rows()
    answer = reseller.call(action="add", service=what.pk, **INPUTS)
    row = SandboxOrder.objects.get()
    assert answer == {"order": row.pk}
    names = ("service_id", "link", "quantity", "fields", "runs", "interval", "charge")
    assert [getattr(row, name) for name in names] == [getattr(real, name) for name in names]
    assert real_rows() == before


@pytest.mark.parametrize("method", ["form", "json", "get"])
def test_a_new_order_is_answered_as_by_the_shop(reseller: Reseller, method: str) -> None:
    def story(by: Reseller) -> list[Any]:
        def call(**params: Any) -> Any:
            data = {"key": by.key, **params}
            match method:
                case "form":
                    return by.client.post("/api/v2", data).json()
                case "json":
                    return by.client.post("/api/v2", data, content_type="application/json").json()
            return by.client.get("/api/v2", data).json()

        number = call(action="add", service=what.pk, link=LINK, quantity=100)["order"]
        assert type(number) is int
        alone, among = call(action="status", order=number), call(action="status", orders=f"{number},0")
        return [alone, among[str(number)], among["0"], call(action="refill", order=number)]

    what = service(has_refill=True)
    assert story(reseller) == story(live_reseller())


def test_orders_after_the_purchase_touch_nothing_real(reseller: Reseller, start: datetime) -> None:
    what = service(has_refill=True, has_cancel=True)
    before = real_rows()
    with freeze(start):
        done, stopped, partial = (buy(reseller, what, f"{LINK}/{end}") for end in ("done", "slow", "partial"))
    with freeze(start, minutes=1):
        assert reseller.call(action="cancel", order=stopped) == [{"order": stopped, "cancel": 1}]
    with freeze(start, hours=1):
        number = reseller.call(action="refill", order=done)["refill"]
        assert reseller.call(action="refill_status", refill=number) == {"status": "Pending"}
        assert [row["status"] for row in reseller.call(action="status", orders=f"{done},{stopped},{partial}").values()]
    assert real_rows() == before
    assert before["findings"] == []


REFUSED_ADDS = (
    {"quantity": "9"},
    {"quantity": "10001"},
    {"quantity": "1e3"},
    {"quantity": "undefined"},
    {"link": ""},
    {"link": "javascript:alert(1)"},
    {"link": "https://other.example/x"},
    {"runs": "2", "interval": "30"},
    {"start_at": "never"},
    {"service": "0"},
    {"service": "abc"},
    {"service": "9" * 30},
    {"request_id": "x" * 129},
    {"quantity": "10000"},
)


@pytest.mark.parametrize("inputs", REFUSED_ADDS)
def test_what_the_shop_refuses_the_sandbox_refuses_in_the_same_words(
    reseller: Reseller, settings: Any, inputs: dict[str, str]
) -> None:
    settings.SANDBOX_BALANCE = "100.84292"
    what = service(min_quantity=10, rate="100", link_pattern=r"https://example\.com/.*", link_example=LINK)
    params = {"action": "add", "service": str(what.pk), "link": LINK, "quantity": "100", **inputs}
    told = live_reseller("100.84292").call(**params)
    assert list(told) == ["error"]
    assert reseller.call(**params) == told
    assert not SandboxOrder.objects.exists()


@pytest.mark.parametrize("service_type", SERVICE_TYPES)
def test_missing_inputs_are_told_as_the_shop_tells_them(reseller: Reseller, service_type: str) -> None:
    what = service(service_type, is_flat=SERVICE_TYPES[service_type].is_flat)
    for missing in INPUTS:
        params = {"action": "add", "service": what.pk, **INPUTS, missing: ""}
        told, answer = live_reseller().call(**params), reseller.call(**params)
        assert answer.get("error") == told.get("error")


@pytest.mark.parametrize("details", [{"is_active": False}, {"category": "off"}])
def test_a_service_off_sale_is_unknown(reseller: Reseller, details: dict[str, Any]) -> None:
    within = category(is_active="category" not in details)
    what = service(category=within, is_active=details.get("is_active", True))
    answer = reseller.call(action="add", service=what.pk, link=LINK, quantity=100)
    assert answer == {"error": "Incorrect service ID"}


def test_a_price_below_cost_is_no_matter_here(reseller: Reseller, settings: Any) -> None:
    settings.ORDERS_COST_FLOOR = "tests.storefront.api.sandbox.test_actions.dear"
    what = service()
    refused = live_reseller().call(action="add", service=what.pk, link=LINK, quantity=100)
    assert refused == {"error": "Incorrect service ID"}
    assert buy(reseller, what)


def dear(sold: Service, *, quantity: int, catalog_version: int | None) -> Decimal:
    return Decimal(10**6)


def test_a_service_of_one_order_a_link_takes_the_next_when_the_first_has_ended(
    reseller: Reseller, start: datetime
) -> None:
    what = service(is_one_per_link=True)
    params = {"action": "add", "service": what.pk, "link": LINK}
    in_use = {"error": "You have active order with this link. Please wait until order being completed."}
    with freeze(start):
        buy(reseller, what)
        assert reseller.call(**params, quantity=200) == in_use
        assert (
            reseller.call(**{**params, "link": f"http://www.{LINK.removeprefix('https://')}/"}, quantity=100) == in_use
        )
        buy(reseller, what, f"{LINK}/other")
        buy(sandbox_customer(), what)
    with freeze(start, seconds=119):
        assert reseller.call(**params, quantity=200) == in_use
    with freeze(start, seconds=120):
        buy(reseller, what, quantity=200)


def test_what_a_key_may_not_do_it_may_not_do_here(reseller: Reseller) -> None:
    ApiKey.objects.update(has_order_scope=False)
    answer = reseller.call(action="add", service=service().pk, link=LINK, quantity=100)
    assert answer == {"error": "This API key may not place orders"}
    assert not SandboxOrder.objects.exists()


# ------------------------------------------------------------------------------------------------ play money
def test_play_money_is_the_setting_less_what_the_orders_cost(
    reseller: Reseller, settings: Any, start: datetime
) -> None:
    settings.SANDBOX_BALANCE = "10"
    what = service(rate="40")
    with freeze(start):
        assert reseller.call(action="balance") == {"balance": "10.00", "currency": "USD"}
        buy(reseller, what)
        buy(reseller, what, f"{LINK}/partial")
        assert reseller.call(action="balance")["balance"] == "2.00"
        refused = reseller.call(action="add", service=what.pk, link=f"{LINK}/more", quantity=100)
        assert refused == {"error": "Not enough funds on balance"}
        buy(reseller, what, quantity=50)
        assert reseller.call(action="balance")["balance"] == "0.00"
    with freeze(start, seconds=120):
        assert reseller.call(action="balance")["balance"] == "2.00"
    assert reseller.balance == Decimal(5)


def test_a_lower_setting_leaves_nothing_rather_than_a_debt(reseller: Reseller, settings: Any) -> None:
    buy(reseller, service(rate="1000"))
    settings.SANDBOX_BALANCE = "50"
    assert reseller.call(action="balance")["balance"] == "0.00"


def test_each_key_has_play_money_of_its_own(reseller: Reseller) -> None:
    other = sandbox_customer(reseller.user)
    buy(reseller, service())
    assert reseller.call(action="balance")["balance"] == "999.91"
    assert other.call(action="balance")["balance"] == "1000.00"


def test_a_customer_without_a_wallet_can_try_everything(db: Any) -> None:
    newcomer = sandbox_customer(customer("0"))
    assert buy(newcomer, service())


# ------------------------------------------------------------------------------------------------ whose orders
def test_a_key_sees_only_its_own_sandbox_orders(reseller: Reseller, start: datetime) -> None:
    what = service(has_refill=True, has_cancel=True)
    sibling, stranger, owner = sandbox_customer(reseller.user), sandbox_customer(), live_reseller()
    with freeze(start):
        own = buy(reseller, what)
    with freeze(start, hours=1):
        number = reseller.call(action="refill", order=own)["refill"]
        for other in (sibling, stranger, owner):
            assert other.call(action="status", order=own) == NO_ORDER
            assert other.call(action="status", orders=own) == {str(own): NO_ORDER}
            assert other.call(action="refill", order=own) == NO_ORDER
            assert other.call(action="cancel", orders=own) == [{"order": own, "cancel": NO_ORDER}]
            assert other.call(action="refill_status", refill=number) == NO_REFILL
        assert SandboxRefill.objects.count() == 1


def test_a_sandbox_key_does_not_reach_the_live_orders_of_its_owner(reseller: Reseller) -> None:
    real = order(reseller.user, service(has_cancel=True, has_refill=True))
    before = real_rows()
    assert reseller.call(action="status", order=real.pk) == NO_ORDER
    assert reseller.call(action="cancel", order=real.pk) == [{"order": real.pk, "cancel": NO_ORDER}]
    assert reseller.call(action="refill", order=real.pk) == NO_ORDER
    assert real_rows() == before


def test_one_number_is_another_order_for_each_kind_of_key(reseller: Reseller) -> None:
    pk = buy(reseller, service())
    live_key = live_reseller()
    Order.objects.bulk_create(
        [Order(pk=pk, user=live_key.user, service=service(), quantity=7, rate=Decimal(1), charge=Decimal("0.007"))]
    )
    assert order_line(reseller, pk) == ("Pending", "100", "0.09")
    assert order_line(live_key, pk) == ("Pending", "7", "0.007")


@pytest.mark.parametrize("word", ["", "undefined", "abc", "0", "-1", "9" * 18, "9" * 40, "1.5", "٣"])
@pytest.mark.parametrize("action", ["status", "refill", "refill_status", "cancel"])
def test_what_is_no_number_is_answered_as_by_the_shop(reseller: Reseller, action: str, word: str) -> None:
    params = {"action": action, "order": word}
    assert reseller.call(**params) == live_reseller().call(**params)
    params = {"action": action, "orders": f"{word},x", "refills": f"{word},x"}
    assert reseller.call(**params) == live_reseller().call(**params)


# ------------------------------------------------------------------------------------------------ statements
def test_balance_is_two_statements(reseller: Reseller, django_assert_num_queries: Callable[..., Any]) -> None:
    buy(reseller, service())
    with django_assert_num_queries(2):
        reseller.call(action="balance")


def test_add_is_six_statements_at_most(reseller: Reseller, django_assert_num_queries: Callable[..., Any]) -> None:
    """The key, the service, the key's lock, the same request, the play money, the order; SAVEPOINT and RELEASE.

    The service is not asked for again while the catalog stays as it is.
    """
    what = service()
    with django_assert_num_queries(6 + 2):
        buy(reseller, what)
    with django_assert_num_queries(5 + 2):
        buy(reseller, what, request_id="r")


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_status_is_two_statements_for_any_number(
    reseller: Reseller, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    asked = many(reseller, count)
    with django_assert_num_queries(2):
        answer = reseller.call(action="status", orders=",".join(asked))
    assert list(answer) == asked
    assert {row["status"] for row in answer.values()} == {"Pending"}


@pytest.mark.parametrize("count", [5, 100])
@pytest.mark.parametrize(("action", "queries"), [("refill", 4 + 2), ("cancel", 3 + 2), ("refill_status", 2)])
def test_aftercare_takes_the_same_statements_for_any_number(
    reseller: Reseller, count: int, action: str, queries: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    now = timezone.now()
    asked = many(reseller, count)
    if action != "cancel":
        past = now - timedelta(hours=1)
        SandboxOrder.objects.update(started_at=past, delivered_at=past, ends_at=past, final_remains=0)
    if action == "refill_status":
        rows = [SandboxRefill(order_id=int(pk), ends_at=now + timedelta(hours=1)) for pk in asked]
        asked = [str(row.pk) for row in SandboxRefill.objects.bulk_create(rows)]
    with django_assert_num_queries(queries):
        answer = reseller.call(action=action, **{"refills" if action == "refill_status" else "orders": ",".join(asked)})
    assert len(answer) == count
    assert not [row for row in answer if any(isinstance(value, dict) for value in row.values())]


def many(reseller: Reseller, count: int) -> list[str]:
    """So many orders of the key like a first one, by number."""
    first = SandboxOrder.objects.get(pk=buy(reseller, service(has_refill=True, has_cancel=True)))
    values = {field.attname: getattr(first, field.attname) for field in SandboxOrder._meta.fields if field.name != "id"}
    made = SandboxOrder.objects.bulk_create(SandboxOrder(**values) for _ in range(count - 1))
    return [str(first.pk), *(str(row.pk) for row in made)]
