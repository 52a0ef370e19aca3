"""Translations in the back office: a form for each language, and a filter that shows what is missing."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Category, Service, ServiceText
from storefront.accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db
SERVICES, CATEGORIES = "/admin/orders/service/", "/admin/orders/category/"


def form(category: Category, *texts: dict[str, Any], kept: int = 0) -> dict[str, Any]:
    data = {"name": category.name, "position": 0, "is_active": "on"}
    data |= {"texts-TOTAL_FORMS": len(texts), "texts-INITIAL_FORMS": kept}
    return data | {f"texts-{place}-{name}": told for place, text in enumerate(texts) for name, told in text.items()}


def names(category: Category) -> list[tuple[str, str]]:
    return list(category.texts.values_list("language", "name"))


def save(boss: Client, category: Category, *texts: dict[str, Any], kept: int = 0) -> int:
    return boss.post(f"{CATEGORIES}{category.pk}/change/", form(category, *texts, kept=kept)).status_code


def test_a_page_has_a_form_for_each_language_in_order(boss: Client) -> None:
    sold = factories.translate(factories.service(name="Lamps"), "tr", name="Lambalar")
    text = unescape(boss.get(f"{SERVICES}{sold.pk}/change/").content.decode())
    places = [text.index(f"<h3>{language}</h3>") for language in ("Russian", "Turkish", "Arabic")]
    assert places == sorted(places)
    assert text.count('dir="auto"') >= 6
    assert text.count('placeholder="Lamps"') == 3
    assert 'lang="ar"' in text
    assert 'value="Lambalar"' in text


def test_translations_are_added_changed_and_removed(boss: Client) -> None:
    light = factories.category("Light")
    russian, turkish, arabic = ({"language": code, "name": ""} for code in ("ru", "tr", "ar"))
    assert save(boss, light, {**russian, "name": "Свет"}, turkish, arabic) == 302
    assert names(light) == [("ru", "Свет")]
    own = {"id": light.texts.get().pk, "category": light.pk}
    assert save(boss, light, {**russian, **own, "name": "Лампы"}, {**turkish, "name": "Işık"}, arabic, kept=1) == 302
    assert names(light) == [("ru", "Лампы"), ("tr", "Işık")]
    own_too = {"id": light.texts.get(language="tr").pk, "category": light.pk, "name": "Işık"}
    assert save(boss, light, {**russian, **own}, {**turkish, **own_too}, arabic, kept=2) == 302
    assert names(light) == [("tr", "Işık")]


def test_concurrent_translations_never_change_their_language(boss: Client) -> None:
    """Another operator adds the Russian translation between loading and submitting the form."""
    light = factories.category("Light")
    light.texts.create(language="ru", name="Свет")
    drawn = ({"language": "ru", "name": ""}, {"language": "tr", "name": "Işık"}, {"language": "ar", "name": ""})
    save(boss, light, *drawn)
    assert names(light) == [("ru", "Свет"), ("tr", "Işık")]
    assert save(boss, light, {"language": "ru", "name": "Лампы"}) == 200
    assert names(light) == [("ru", "Свет"), ("tr", "Işık")]


def test_permission_to_change_a_category_includes_its_translations() -> None:
    light = factories.category("Light")
    for permission, status, expected in (("view_category", 403, []), ("change_category", 302, [("ru", "Свет")])):
        user = User.objects.create_user(f"{permission}@example.com", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename=permission))
        assert save(factories.signed_in(user), light, {"language": "ru", "name": "Свет"}) == status
        assert names(light) == expected


def test_the_filter_lists_complete_and_incomplete_translations(boss: Client) -> None:
    whole = factories.translate(factories.service(name="Whole"), name="Лампы", category="Свет")
    half = factories.translate(factories.service(name="Half", description="Warm."), name="Лампы")
    none = factories.service(name="Nothing")

    def filtered(base: str, value: str) -> set[int]:
        changes = boss.get(base, {"translation": value}).context["cl"]
        return {row.pk for row in changes.result_list}

    assert filtered(SERVICES, "ru") == {whole.pk}
    assert filtered(SERVICES, "-ru") == {half.pk, none.pk}
    assert filtered(SERVICES, "-tr") == filtered(SERVICES, "de") == {whole.pk, half.pk, none.pk}
    assert filtered(CATEGORIES, "ru") == {whole.category_id}
    assert filtered(CATEGORIES, "-ru") == {half.category_id, none.category_id}


def test_the_pages_make_the_same_queries_for_few_and_for_many_rows(boss: Client) -> None:
    def queries(url: str) -> int:
        boss.get(url)
        with CaptureQueriesContext(connection) as caught:
            assert boss.get(url).status_code == 200
        return len(caught)

    sold = factories.translate(factories.service(), name="x")
    urls = [f"{SERVICES}?translation=ru", f"{SERVICES}{sold.pk}/change/", f"{CATEGORIES}?translation=-ru"]
    few = [queries(url) for url in urls]
    for number in range(20):
        factories.translate(factories.service(), name=str(number))
    for code in ("tr", "ar"):
        factories.translate(sold, code, name="x")
    assert [queries(url) for url in urls] == few


def test_deleting_a_service_deletes_its_translations(boss: Client) -> None:
    sold = factories.translate(factories.service(), name="Лампы")
    boss.post(f"{SERVICES}{sold.pk}/delete/", {"post": "yes"})
    assert not Service.objects.exists()
    assert not ServiceText.objects.exists()
