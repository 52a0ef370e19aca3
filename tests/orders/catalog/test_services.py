from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from orders.models import Service
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["package", "custom_comments_package"])
def test_a_package_is_never_priced_by_the_thousand(kind: str) -> None:
    """It would go for a thousandth of its price."""
    service = factories.service(kind)
    with pytest.raises(ValidationError) as refused:
        service.full_clean()
    assert set(refused.value.message_dict) == {"is_flat"}
    service.is_flat = True
    service.full_clean()


def test_anything_may_have_a_flat_price() -> None:
    factories.service(is_flat=True).full_clean()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"min_quantity": 11, "max_quantity": 10}, "max_quantity"),
        ({"rate": -1}, "rate"),
        ({"link_pattern": "("}, "link_pattern"),
        ({"link_pattern": r"(?=https)https.*"}, "link_pattern"),
        ({"link_pattern": r"(a)\1"}, "link_pattern"),
        ({"link_pattern": r"((a{1000}){1000}){1000}"}, "link_pattern"),
    ],
)
def test_a_service_that_cannot_be_sold_is_not_saved_in_a_form(changes: dict[str, object], field: str) -> None:
    service = factories.service()
    for name, value in changes.items():
        setattr(service, name, value)
    with pytest.raises(ValidationError) as refused:
        service.full_clean()
    assert field in refused.value.message_dict


def test_what_is_on_sale_is_on_sale_in_its_category_too() -> None:
    sold = factories.service()
    factories.service(is_active=False)
    factories.service(category=factories.category(is_active=False))
    assert list(Service.objects.on_sale()) == [sold]


def test_a_service_is_found_by_number_or_by_every_word() -> None:
    service = factories.service(name="Lamps for the garden, warm")
    factories.service(name="Garden chairs")
    assert list(Service.objects.matching("garden LAMPS")) == [service]
    assert list(Service.objects.matching(str(service.pk))) == [service]
    for nothing in ("garden sofa", "9" * 18, "9" * 400, "٣", "%", "\\"):
        assert not Service.objects.matching(nothing).exists()
