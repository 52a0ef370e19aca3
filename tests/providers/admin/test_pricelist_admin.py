"""Price lists in the back office: approval of changes, and repricing after a changed rule or rate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from orders.errors import SoldBelowCost
from orders.models import Service
from providers import notes
from providers.models import Markup, Offer, Provider
from providers.notes import Note
from providers.pricelists import importer, onboarding
from tests import factories
from tests.providers.pricelists.test_importer import rows, with_last

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser(email="boss@example.com", password="x"))
    return client


@pytest.fixture
def provider() -> Provider:
    """Nine services; the cost of the last one jumped."""
    address = "http://127.0.0.1:9009/api/v2"
    provider = onboarding.save_provider("north", url=address, key="k", dialect_name="v2", currency="USD")
    importer.store(provider, rows(9))
    importer.publish(provider)
    importer.store(provider, with_last(rows(9), rate=Decimal(2)))
    return provider


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def decide(client: Client, action: str, offer: Offer) -> None:
    data = {"action": action, "_selected_action": [offer.pk]}
    assert client.post(reverse("admin:providers_offer_changelist"), data).status_code == 302


def test_offers_that_wait_for_approval_are_listed(office: Client, provider: Provider) -> None:
    Provider.objects.update(price_list_error=notes.encode(Note.LIST_EMPTY))
    start = page(office, "index")
    assert "1 provider service waiting for approval" in start
    assert "The price list is empty. Nothing was changed." in start
    listed = page(office, "providers_offer_changelist", state="held_used")
    assert "Waits for approval" in listed
    assert "2.00" in page(office, "providers_offer_change", Offer.objects.get(is_pending_approval=True).pk)
    assert "2.00" in page(office, "providers_offerchange_changelist")
    assert "Nothing was changed." in page(office, "providers_provider_change", provider.pk)


def test_an_operator_approves_or_rejects_and_it_is_logged(office: Client, provider: Provider) -> None:
    offer = Offer.objects.get(is_pending_approval=True)
    decide(office, "reject", offer)
    offer.refresh_from_db()
    assert (offer.is_pending_approval, offer.is_available) == (False, False)
    decide(office, "approve", offer)
    offer.refresh_from_db()
    assert (offer.is_available, offer.rate) == (True, Decimal(2))
    assert {entry.change_message for entry in LogEntry.objects.all()} == {"Rejected.", "Approved."}


def test_cost_and_margin_count_a_waiting_cost_as_checkout_does(office: Client, provider: Provider) -> None:
    offer = Offer.objects.get(is_pending_approval=True)
    Offer.objects.filter(pk=offer.pk).update(rate=Decimal(1), pending_rate=Decimal(3))
    service = Service.objects.get(routes__offer=offer)
    Service.objects.filter(pk=service.pk).update(rate=Decimal("1.3"))
    service.refresh_from_db()
    with pytest.raises(SoldBelowCost):
        factories.order(of=service)
    pages = (
        page(office, "orders_service_changelist", attention="loss"),
        page(office, "providers_route_changelist", q=str(service.pk)),
        page(office, "orders_service_change", service.pk),
    )
    for content in pages:
        assert "$3.00" in content
        assert "-130.8%" in content
        assert "23.1%" not in content


def test_staff_with_view_permission_decide_nothing(client: Client, provider: Provider) -> None:
    clerk = get_user_model().objects.create_user(email="clerk@example.com", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_offer"))
    client.force_login(clerk)
    offer = Offer.objects.get(is_pending_approval=True)
    client.post(reverse("admin:providers_offer_changelist"), {"action": "approve", "_selected_action": [offer.pk]})
    offer.refresh_from_db()
    assert offer.is_pending_approval


def test_a_markup_rule_reprices_when_it_is_saved_and_when_it_is_deleted(office: Client, provider: Provider) -> None:
    data = {"provider": provider.pk, "percent": "100", "fixed": "0.5"}
    assert office.post(reverse("admin:providers_markup_add"), data).status_code == 302
    assert set(Service.objects.values_list("rate", flat=True)) == {Decimal("2.3")}
    (rule,) = Markup.objects.all()
    assert office.post(reverse("admin:providers_markup_delete", args=[rule.pk]), {"post": "yes"}).status_code == 302
    assert set(Service.objects.values_list("rate", flat=True)) == {Decimal("1.17")}
