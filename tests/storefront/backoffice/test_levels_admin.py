"""Price levels and custom rates in the back office: permissions, and the warning about a price below cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from orders.ledger import transfers
from orders.models import Account, CustomerRate, PriceLevel, Service
from storefront.accounts.models import User
from tests import factories
from tests.storefront.shop.forms import text_of

pytestmark = pytest.mark.django_db
NO_KEYS = {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}
RATES = "/admin/orders/customerrate/"


def dear(service: Service, *, quantity: int, catalog_version: int | None = None) -> Decimal:
    return Decimal(quantity) / 1000


def staff(*permissions: str) -> Client:
    return factories.signed_in(factories.staff(*permissions))


def person(user: User, **changes: Any) -> dict[str, Any]:
    return {"email": user.email, "name": user.name, "is_active": "on", **NO_KEYS, **changes}


def save(client: Client, user: User, **changes: Any) -> Any:
    return client.post(f"/admin/accounts/user/{user.pk}/change/", person(user, **changes), follow=True)


def test_the_level_is_set_on_the_customers_page(boss: Client) -> None:
    customer, gold = factories.customer(), PriceLevel.objects.create(name="Gold", discount=Decimal(5))
    save(boss, customer, level=gold.pk, is_level_pinned="on")
    wallet = Account.objects.get(user=customer)
    assert (wallet.level, wallet.is_level_pinned) == (gold, True)
    assert "price level" in LogEntry.objects.get().get_change_message().lower()
    page = text_of(boss.get(f"/admin/accounts/user/{customer.pk}/change/"))
    assert f'<option value="{gold.pk}" selected>Gold</option>' in page
    save(boss, customer, level="")
    wallet.refresh_from_db()
    assert (wallet.level, wallet.is_level_pinned) == (None, False)


def test_the_level_is_read_only_without_permission() -> None:
    customer, gold = factories.customer(), PriceLevel.objects.create(name="Gold", discount=Decimal(5))
    transfers.set_price_level(Account.objects.get(user=customer), level=gold, is_pinned=False)
    client = staff("change_user", "view_user")
    page = text_of(client.get(f"/admin/accounts/user/{customer.pk}/change/"))
    assert "Gold" in page
    assert 'name="level"' not in page
    save(client, customer, level="", is_level_pinned="on", name="Renamed")
    wallet = Account.objects.get(user=customer)
    assert (wallet.level, wallet.is_level_pinned) == (gold, False)
    assert User.objects.get(pk=customer.pk).name == "Renamed"


def test_viewers_of_customers_see_the_level() -> None:
    customer, gold = factories.customer(), PriceLevel.objects.create(name="Gold", discount=Decimal(5))
    transfers.set_price_level(Account.objects.get(user=customer), level=gold, is_pinned=False)
    page = staff("view_user").get(f"/admin/accounts/user/{customer.pk}/change/")
    assert "Gold" in text_of(page)


def test_a_user_without_a_balance_has_no_level(boss: Client) -> None:
    colleague = factories.user()
    assert 'name="level"' not in text_of(boss.get(f"/admin/accounts/user/{colleague.pk}/change/"))
    assert save(boss, colleague, level="1").status_code == 200


def test_a_level_can_be_added_and_links_to_its_customers(boss: Client) -> None:
    boss.post("/admin/orders/pricelevel/add/", {"name": "Gold", "discount": "12.5", "from_spend": "100"})
    gold = PriceLevel.objects.get()
    assert (gold.discount, gold.from_spend) == (Decimal("12.5"), Decimal(100))
    there, other = factories.customer(), factories.customer()
    transfers.set_price_level(Account.objects.get(user=there), level=gold, is_pinned=False)
    assert f"?level__id__exact={gold.pk}" in text_of(boss.get("/admin/orders/pricelevel/"))
    text = text_of(boss.get(f"/admin/orders/account/?level__id__exact={gold.pk}"))
    assert there.email in text
    assert other.email not in text
    assert boss.get(f"/admin/orders/pricelevel/{gold.pk}/change/").status_code == 200
    text = text_of(boss.post("/admin/orders/pricelevel/add/", {"name": "Odd", "discount": "101"}))
    assert "less than or equal to 100" in text


def test_a_custom_rate_can_be_added_from_the_customers_page(boss: Client) -> None:
    customer, service = factories.customer(), factories.service(rate="2")
    text = text_of(boss.get(f"/admin/accounts/user/{customer.pk}/change/"))
    assert f"{RATES}add/?user={customer.pk}" in text
    assert f"{RATES}?user__id__exact={customer.pk}" in text
    assert customer.email in text_of(boss.get(f"{RATES}add/?user={customer.pk}"))
    boss.post(f"{RATES}add/", {"user": customer.pk, "service": service.pk, "rate": "1.5"})
    own = CustomerRate.objects.get()
    assert own.rate == Decimal("1.5")
    text = text_of(boss.get(f"{RATES}?user__id__exact={customer.pk}"))
    assert "-25.0%" in text
    again = boss.post(f"{RATES}add/", {"user": customer.pk, "service": service.pk, "rate": "1"})
    assert "already exists" in text_of(again)
    boss.post(f"{RATES}{own.pk}/change/", {"rate": "1.25", "user": "0", "service": "0"})
    own.refresh_from_db()
    assert (own.rate, own.user_id, own.service_id) == (Decimal("1.25"), customer.pk, service.pk)


def test_a_custom_rate_below_cost_is_saved_with_a_warning(boss: Client, settings: Any) -> None:
    settings.ORDERS_COST_FLOOR = f"{__name__}.dear"
    customer, service = factories.customer(), factories.service(rate="2")
    data = {"user": customer.pk, "service": service.pk, "rate": "0.99999999"}
    text = text_of(boss.post(f"{RATES}add/", data, follow=True))
    assert "currently costs us $1.00" in text
    own = CustomerRate.objects.get()
    page = text_of(boss.get(f"{RATES}{own.pk}/change/"))
    assert "the price is below the cost" in page
    assert f"<h1>{customer.email}, {service}</h1>" in page
    text = text_of(boss.post(f"{RATES}{own.pk}/change/", {"rate": "1"}, follow=True))
    assert "costs us" not in text
    assert "the price is below the cost" not in text_of(boss.get(f"{RATES}{own.pk}/change/"))


def test_the_custom_rate_list_needs_the_same_queries_for_any_length(
    boss: Client, django_assert_max_num_queries
) -> None:
    services = [factories.service() for _number in range(30)]
    CustomerRate.objects.bulk_create(
        CustomerRate(user=factories.customer(), service=service, rate=Decimal(1)) for service in services
    )
    boss.get(RATES)
    with django_assert_max_num_queries(6):
        boss.get(RATES)
    with django_assert_max_num_queries(6):
        boss.get(f"{RATES}?q=customer")


def test_pricing_requires_its_own_permission() -> None:
    client = staff("change_user", "view_user")
    assert client.get(RATES).status_code == 403
    assert client.get("/admin/orders/pricelevel/").status_code == 403
