"""The transactions page shows the customer's price level and the progress to the next."""

from __future__ import annotations

from decimal import Decimal

from django.test import Client

from orders.ledger import transfers
from orders.models import Account, PriceLevel
from providers import tasks
from storefront.accounts.models import User
from tests import factories
from tests.storefront.shop.forms import text_of


def level(name: str, discount: str, start: str | None) -> PriceLevel:
    return PriceLevel.objects.create(
        name=name, discount=Decimal(discount), from_spend=None if start is None else Decimal(start)
    )


def wallet_page(page: Client) -> str:
    return text_of(page.get("/wallet/")).replace("<bdi>", "").replace("</bdi>", "")


def test_without_levels_to_reach_nothing_is_shown(page: Client) -> None:
    assert "Price level" not in wallet_page(page)
    level("Gift", "3", None)
    assert "Price level" not in wallet_page(page), "a level that staff assign cannot be reached by spending"


def test_the_level_and_the_progress_to_the_next_are_shown(page: Client, nadia: User) -> None:
    level("Silver", "2", "1")
    level("Gold", "5", "15")
    factories.order(nadia, factories.service(rate="1"), quantity="2600")
    tasks.raise_levels()
    text = wallet_page(page)
    assert "Silver" in text
    assert "2% off every price" in text
    assert "Spend $12.40 more to reach Gold (5% off)" in text
    assert '<progress value="17" max="100"' in text


def test_before_the_first_level_the_progress_to_it_is_shown(page: Client) -> None:
    level("Silver", "2", "10")
    text = wallet_page(page)
    assert "None yet" in text
    assert "Spend $10.00 more to reach Silver (2% off)" in text


def test_a_level_with_a_smaller_discount_is_not_shown_as_the_next(page: Client, nadia: User) -> None:
    assigned = level("Friend", "10", None)
    level("Silver", "2", "10")
    transfers.set_price_level(Account.objects.get(user=nadia), level=assigned, is_pinned=False)
    text = wallet_page(page)
    assert "Friend" in text
    assert "Silver" not in text


def test_a_pinned_level_shows_no_next_level(page: Client, nadia: User) -> None:
    silver = level("Silver", "2", "10")
    level("Gold", "5", "20")
    transfers.set_price_level(Account.objects.get(user=nadia), level=silver, is_pinned=True)
    assert "Gold" not in wallet_page(page)


def test_the_highest_level_shows_no_progress(page: Client, nadia: User) -> None:
    gold = level("Gold <b>", "5", "20")
    transfers.set_price_level(Account.objects.get(user=nadia), level=gold, is_pinned=False)
    text = page.get("/wallet/").content.decode()
    assert "Gold &lt;b&gt;" in text
    assert "Progress to" not in text


def test_the_level_takes_at_most_one_more_query(page: Client, nadia: User, django_assert_max_num_queries) -> None:
    level("Silver", "2", "10")
    with django_assert_max_num_queries(7):  # one of them asks whether there are vouchers to redeem
        page.get("/wallet/")


def test_levels_are_raised_by_a_schedule() -> None:
    assert ("providers.tasks.raise_levels", 10) in [(one.func, one.minutes) for one in tasks.SCHEDULES]
