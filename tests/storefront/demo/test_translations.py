"""The demo's services have names in every language of the shop."""

from __future__ import annotations

import pytest

from orders.models import Category, CategoryText, Service, ServiceText, languages
from providers.panels.simulators import SIMULATORS
from storefront.demo import translations
from tests import factories


@pytest.mark.parametrize("dialect", SIMULATORS)
def test_every_simulated_service_has_a_name_in_every_language(dialect: str) -> None:
    sold = list(SIMULATORS[dialect]().services.values())
    assert sold
    assert {service.name for service in sold} <= translations.SERVICES.keys()
    assert {service.category for service in sold} - {""} <= translations.CATEGORIES.keys()


def test_the_names_are_in_the_languages_of_the_shop() -> None:
    assert list(translations.LANGUAGES) == [code for code, _name in languages.translation_languages()]
    for told in (*translations.SERVICES.values(), *translations.CATEGORIES.values()):
        assert all(told)
        assert len({*told}) == 3


@pytest.mark.django_db
def test_translations_are_created_once_and_edits_are_kept() -> None:
    factories.service(name="Contest votes", category=factories.category("Polls"))
    factories.service(name="Of their own")
    translations.create()
    assert Service.objects.in_language("tr").get(name="Contest votes").shown_name == "Yarışma oyları"
    assert Category.objects.get(name="Polls").texts.get(language="ru").name == "Опросы"
    assert (ServiceText.objects.count(), CategoryText.objects.count()) == (3, 3)
    ServiceText.objects.update(name="Mine")
    translations.create()
    assert {*ServiceText.objects.values_list("name", flat=True)} == {"Mine"}
