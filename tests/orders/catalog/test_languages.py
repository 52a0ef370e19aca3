"""Translated names of services and categories, which are read together with them and do not affect the price list."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from orders.models import CatalogVersion, CategoryText, Order, Service, ServiceText, languages
from orders.models.translation import name_matches
from tests import factories

pytestmark = pytest.mark.django_db


def only_service(code: str) -> Service:
    return Service.objects.in_language(code).get()


def shown_texts(service: Service) -> tuple[str, str, str]:
    return service.shown_name, service.shown_description, service.shown_category


def test_translation_languages_are_all_but_the_original() -> None:
    assert [code for code, _name in languages.translation_languages()] == ["ru", "tr", "ar"]
    assert [languages.lookup_language(code) for code in ("ru", "en", "de", "")] == ["ru", "", "", ""]
    with translation.override("tr"):
        assert languages.lookup_language() == "tr"


def test_a_service_is_shown_in_the_requested_language() -> None:
    sold = factories.service(name="Lamps", description="Warm.", category=factories.category("Light"))
    factories.translate(sold, "ru", name="Лампы", description="Тёплые.", category="Свет")
    assert shown_texts(only_service("ru")) == ("Лампы", "Тёплые.", "Свет")
    for other in ("en", "tr", "de"):
        assert shown_texts(only_service(other)) == ("Lamps", "Warm.", "Light")
    assert shown_texts(Service.objects.get()) == ("Lamps", "Warm.", "Light")


def test_an_empty_translation_falls_back_to_the_original() -> None:
    sold = factories.service(name="Lamps", description="Warm.", category=factories.category("Light"))
    factories.translate(sold, "ru", description="Тёплые.")
    factories.translate(sold, "tr", name="Lambalar")
    assert shown_texts(only_service("ru")) == ("Lamps", "Тёплые.", "Light")
    assert shown_texts(only_service("tr")) == ("Lambalar", "Warm.", "Light")


def test_the_original_language_needs_no_join() -> None:
    plain = str(Service.objects.on_sale().query)
    assert str(Service.objects.on_sale().in_language("en").query) == plain
    assert "text" in str(Service.objects.on_sale().in_language("ru").query)
    assert str(Order.objects.with_service("en").query) == str(Order.objects.select_related("service").query)


def test_each_service_has_one_translation_per_language() -> None:
    sold = factories.translate(factories.service(), name="Лампы", category="Свет")
    for again in (
        ServiceText(service=sold, language="ru", name="x"),
        CategoryText(category=sold.category, language="ru", name="x"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save()


def test_translations_do_not_change_the_catalog_version() -> None:
    sold = factories.service()
    before = CatalogVersion.objects.get().version
    factories.translate(sold, name="Лампы", category="Свет")
    ServiceText.objects.update(name="Ламы")
    ServiceText.objects.all().delete()
    assert CatalogVersion.objects.get().version == before


def test_each_category_is_counted_once_in_every_language() -> None:
    sold = factories.service(category=factories.category("Light"))
    factories.service(category=sold.category)
    for code, name in (("ru", "Свет"), ("tr", "Işık")):
        factories.translate(sold, code, name="x", category=name)
    rows = Service.objects.on_sale().in_language("ru").by_category()
    assert list(rows.values_list("shown", flat=True)) == ["Свет", "Свет"]
    assert list(Service.objects.on_sale().by_category().values_list("shown", flat=True)) == ["Light", "Light"]


# ------------------------------------------------------------------------------------------------ search
@pytest.mark.parametrize("text", ["lamps", "лампы", "Лампы", "ЛАМПЫ", "lamps лампы", "warm", "тёплые", "свет", "light"])
def test_search_covers_original_and_translated_words(text: str) -> None:
    sold = factories.service(name="Lamps", description="Warm.", category=factories.category("Light"))
    factories.translate(sold, "ru", name="Лампы", description="Тёплые.", category="Свет")
    factories.service(name="Chairs")
    assert list(Service.objects.in_language("ru").matching(text)) == [sold]


@pytest.mark.parametrize("text", ["лампы", "свет", "lamps стулья"])
def test_search_ignores_translations_into_other_languages(text: str) -> None:
    factories.translate(factories.service(name="Lamps"), "ru", name="Лампы", category="Свет")
    for code in ("en", "tr"):
        assert not Service.objects.in_language(code).matching(text).exists()


def test_orders_are_found_by_the_name_of_their_service() -> None:
    order = factories.order(of=factories.translate(factories.service(name="Lamps"), name="Лампы"))
    factories.order()
    for code, text, is_found in (("ru", "лампы", True), ("ru", "lamp", True), ("en", "лампы", False)):
        assert list(Order.objects.filter(name_matches("service", text, code))) == [order] * is_found


# ------------------------------------------------------------------------------------------------ along with orders
@pytest.mark.parametrize(("code", "expected"), [("en", 1), ("ru", 2)])
def test_orders_load_their_services_with_at_most_one_more_query(code: str, expected: int) -> None:
    buyer = factories.customer()
    for number in range(12):
        factories.order(buyer, factories.translate(factories.service(name=f"Lamps {number}"), name=f"Лампы {number}"))
    with CaptureQueriesContext(connection) as caught:
        names = [order.service.shown_name for order in Order.objects.of(buyer).with_service(code)]
    assert len(caught) == expected
    assert names[-1] == {"en": "Lamps 0", "ru": "Лампы 0"}[code]
