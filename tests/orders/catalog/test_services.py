from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from orders.models import Service
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("service_type", ["package", "custom_comments_package"])
def test_a_package_must_have_a_flat_price(service_type: str) -> None:
    """Priced per 1,000, one package would be sold for a thousandth of its price."""
    service = factories.service(service_type)
    with pytest.raises(ValidationError) as refused:
        service.full_clean()
    assert set(refused.value.message_dict) == {"is_flat"}
    service.is_flat = True
    service.full_clean()


def test_every_service_type_can_have_a_flat_price() -> None:
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
def test_a_form_rejects_a_service_that_cannot_be_sold(changes: dict[str, object], field: str) -> None:
    service = factories.service()
    for name, value in changes.items():
        setattr(service, name, value)
    with pytest.raises(ValidationError) as refused:
        service.full_clean()
    assert field in refused.value.message_dict


def test_a_service_on_sale_is_in_a_category_on_sale() -> None:
    sold = factories.service()
    factories.service(is_active=False)
    factories.service(category=factories.category(is_active=False))
    assert list(Service.objects.on_sale()) == [sold]


def test_services_are_found_by_id_or_by_all_words() -> None:
    service = factories.service(name="Lamps for the garden, warm")
    factories.service(name="Garden chairs")
    assert list(Service.objects.matching("garden LAMPS")) == [service]
    assert list(Service.objects.matching(str(service.pk))) == [service]
    for nothing in ("garden sofa", "9" * 18, "9" * 400, "٣", "%", "\\"):
        assert not Service.objects.matching(nothing).exists()
