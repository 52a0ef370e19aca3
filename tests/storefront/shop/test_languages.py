"""Every page shows services and categories in the customer's language, with a constant number of queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.lifecycle import customer_requests
from orders.models import Category, CategoryText, Order, PriceChange, Service, ServiceText
from storefront.accounts.models import User
from storefront.mail import notifications
from storefront.shop import favorites
from storefront.support import tickets
from tests import factories
from tests.storefront.shop.forms import text_of

RUSSIAN = {"accept-language": "ru"}


@pytest.fixture
def lamps() -> Service:
    """Return a service that is translated into Russian."""
    sold = factories.service(
        name="Lamps", description="Warm.", category=factories.category("Light"), has_refill=True, has_cancel=True
    )
    return factories.translate(sold, name="Лампы", description="Тёплые.", category="Свет")


@pytest.fixture
def chairs() -> Service:
    """Return a service without translations."""
    return factories.service(name="Chairs", category=factories.category("Seats"))


def read(client: Client, address: str, language: str = "ru", **query: Any) -> str:
    response = client.get(address, query, headers={"accept-language": language})
    assert response.status_code == 200
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode()


def create_translated_services(count: int) -> None:
    """Create ``count`` translated services, each in its own translated category."""
    for number in range(count):
        factories.translate(factories.service(), name=f"Стулья {number}", category=f"Мебель {number}")


def pages_with_service(lamps: Service, order: Order) -> dict[str, str]:
    """Return every page that names the service, with its Russian text."""
    ticket = tickets.open_ticket(order.user, subject="Where?", text="Please look.", orders=[order.pk])
    return {
        "/services/": "Лампы",
        "/services/?sort=price": "Свет",
        "/services/?favorites=1": "Лампы",
        "/services/found/?q=лампы": "Лампы",
        f"/services/{lamps.pk}/": "Тёплые.",
        "/orders/new/": "Лампы",
        "/orders/new/?q=лампы": "Свет",
        f"/orders/new/?service={lamps.pk}": "Тёплые.",
        "/orders/": "Лампы",
        "/orders/?q=лампы": "Лампы",
        f"/orders/live/?seen={order.pk}-old": "Лампы",
        f"/orders/{order.pk}/": "Лампы",
        f"/orders/{order.pk}/live/?seen=old": "Лампы",
        "/orders/export.csv": "Лампы",
        "/refills/": "Лампы",
        "/wallet/": "Лампы",
        "/wallet/statement.csv": "Лампы",
        "/updates/?show=prices": "Лампы",
        "/updates/?show=services": "Свет",
        f"/support/{ticket.pk}/": "Лампы",
    }


def create_all_pages(lamps: Service, nadia: User) -> dict[str, str]:
    order = factories.order(nadia, lamps)
    customer_requests.request_cancellation(order, actor=nadia)
    favorites.set_favorite(nadia, service=lamps, is_on=True)
    PriceChange.objects.create(service=lamps, old_rate="1", new_rate="0.9")
    return pages_with_service(lamps, order)


def test_every_page_shows_services_in_the_readers_language(page: Client, nadia: User, lamps: Service) -> None:
    for address, word in create_all_pages(lamps, nadia).items():
        text = read(page, address)
        assert word in text, address
        assert "Lamps" not in text, address
        english = read(page, address.replace("лампы", "lamps"), "en")
        assert "Lamps" in english, address
        assert "Лампы" not in english, address


@pytest.mark.parametrize("language", ["en", "ru"])
def test_pages_take_the_same_queries_for_any_number_of_services(
    language: str, page: Client, nadia: User, lamps: Service
) -> None:
    def queries() -> dict[str, int]:
        counted = {}
        for address in addresses:
            with CaptureQueriesContext(connection) as caught:
                read(page, address, language)
            counted[address] = len(caught)
        return counted

    # Some queries run only if there are orders or prices, so the first count is taken with one of each.
    addresses = create_all_pages(lamps, nadia)
    queries()
    few = queries()
    create_translated_services(30)
    for sold in Service.objects.exclude(pk=lamps.pk):
        order = factories.order(nadia, sold)
        if sold.has_cancel:
            customer_requests.request_cancellation(order, actor=nadia)
        favorites.set_favorite(nadia, service=sold, is_on=True)
        PriceChange.objects.create(service=sold, old_rate="1", new_rate="0.9")
    assert queries() == few


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(("address", "queries"), [("/", 3), ("/services/", 2), ("/services/?q=service", 2)])
def test_the_catalog_takes_the_same_queries_in_every_language(
    address: str, queries: int, language: str, client: Client, django_assert_num_queries
) -> None:
    create_translated_services(60)
    with django_assert_num_queries(queries):
        read(client, address, language)


def test_category_names_are_translated_on_the_landing_page_and_in_the_catalog(
    client: Client, lamps: Service, chairs: Service
) -> None:
    for address in ("/", "/services/", "/services/?q=лампы"):
        text = read(client, address)
        assert "Свет" in text
        assert "Light" not in text
    assert "Seats" in read(client, "/services/")
    assert "Chairs" in read(client, "/services/")
    assert read(client, "/services/").count("Свет") == 2


def test_a_search_finds_words_in_english_and_in_the_readers_language(
    client: Client, lamps: Service, chairs: Service
) -> None:
    for text in ("лампы", "ЛАМПЫ", "lamps", "тёплые", "свет lamps", str(lamps.pk)):
        found = read(client, "/services/", q=text)
        assert "Лампы" in found, text
        assert "Chairs" not in found, text
    assert "Lamps" not in read(client, "/services/", "en", q="лампы")
    assert "Chairs" in read(client, "/services/", q="chairs")


def test_the_favorite_button_is_in_the_readers_language(page: Client, lamps: Service) -> None:
    headers = {**RUSSIAN, "hx-request": "true"}
    answer = page.post(f"/services/{lamps.pk}/star/", {"star": "1"}, headers=headers)
    assert "Лампы" in text_of(answer)


def test_mass_order_lines_show_translated_services(page: Client, lamps: Service, chairs: Service) -> None:
    text = f"{lamps.pk} | https://example.com/p/1 | 100\n{chairs.pk} | https://example.com/p/1 | 100"
    checked = text_of(page.post("/orders/mass/", {"text": text, "check": "1"}, headers=RUSSIAN))
    assert "Лампы" in checked
    assert "Chairs" in checked
    assert "Lamps" not in checked


def test_an_email_names_services_in_the_recipients_language(nadia: User, lamps: Service) -> None:
    for language, expected in (("ru", "Лампы"), ("tr", "Lamps"), ("en", "Lamps")):
        User.objects.filter(pk=nadia.pk).update(language=language)
        note = notifications.PendingNotification(
            order_id=factories.order(nadia, lamps, link=f"https://example.com/{language}").pk
        )
        with notifications.outbox.layout.reader_locale(User.objects.get(pk=nadia.pk)):
            titles = [line.title for line in notifications._order_problems([note]).lines]
        assert [expected in title for title in titles] == [True], language


def test_translated_names_are_escaped(client: Client) -> None:
    sold = factories.service()
    factories.translate(sold, name="<img src=x>", description="<script>alert(1)</script>", category="<b>x")
    for address in ("/", "/services/", f"/services/{sold.pk}/"):
        text = read(client, address)
        assert "<img src=x>" not in text
        assert "<script>alert" not in text
        assert "<b>x" not in text


def test_services_with_many_translations_are_counted_once(client: Client) -> None:
    category = Category.objects.create(name="Light")
    CategoryText.objects.create(category=category, language="ru", name="Свет")
    for number in range(3):
        sold = factories.service(category=category)
        for language, _name in ServiceText._meta.get_field("language").choices:
            factories.translate(sold, language, name=f"Лампы {number}")
    text = read(client, "/services/")
    assert text.count('<th scope="row"') == 3
    assert text.count("Свет") == 2
