"""Pages and decisions of the back office for an order whose outcome is unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.models import Order, Service
from providers.models import Placement, Provider, RefusalText
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.reconciling import decisions, evidence
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def placement(start_panel: Callable[..., Panel]) -> Placement:
    """Return the placement of an order whose panel answered with an unknown error."""
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    buy(customer(), Service.objects.filter(service_type="default")[0])
    panel.fault("add", "error", text="The moon is in the wrong house")
    submission.submit_due(provider)
    return Placement.objects.get(state="in_doubt")


def press(boss: Client, name: str, placement: Placement) -> None:
    assert boss.post(reverse(f"admin:providers_placement_{name}", args=[placement.pk])).status_code == 302


def page(boss: Client, placement: Placement) -> str:
    return boss.get(reverse("admin:orders_order_change", args=[placement.order_id])).content.decode()


def test_the_page_shows_the_evidence_for_and_against(boss: Client, placement: Placement) -> None:
    assert 'class="evidence"' in page(boss, placement)
    assert "The moon is in the wrong house" in page(boss, placement)


def test_an_error_text_can_be_saved_as_not_placed(boss: Client, placement: Placement) -> None:
    press(boss, "teach", placement)
    assert Order.objects.get().status == "queued"
    assert RefusalText.objects.get().provider_id == placement.provider_id


def test_a_search_is_offered_only_where_it_is_allowed(boss: Client, placement: Placement) -> None:
    assert "Search now" in page(boss, placement)
    Provider.objects.update(is_search_allowed=False)
    assert "Search now" not in page(boss, placement)
    press(boss, "search", placement)
    placement.refresh_from_db()
    assert placement.next_search_at is not None
    assert placement.next_search_at <= timezone.now()


def overview(boss: Client) -> str:
    return boss.get(reverse("admin:index")).content.decode()


def test_the_start_page_says_why_an_operator_has_to_decide(boss: Client, placement: Placement) -> None:
    """Before a check has passed, the search is off: nobody else will decide."""
    assert list(decisions.awaiting_decision()) == [placement]
    assert "1 order with an unknown outcome" in overview(boss)
    assert "the check required for the search has not passed" in overview(boss)
    Provider.objects.update(is_search_allowed=False)
    assert "the search is off for this provider" in overview(boss)


def test_while_the_search_may_still_decide_the_start_page_asks_for_nothing(boss: Client, placement: Placement) -> None:
    Provider.objects.update(search_checked_at=timezone.now())
    assert not decisions.awaiting_decision().exists()
    assert "1 order is being searched for" in overview(boss)
    assert "with an unknown outcome" not in overview(boss)
    evidence.add(placement, search={"why": "indistinct", "hits": []})
    Placement.objects.filter(pk=placement.pk).update(in_doubt_at=timezone.now() - decisions.PATIENCE)
    assert list(decisions.awaiting_decision()) == [placement]
    assert "it was placed, and so were others with the same cost" in overview(boss)
    shown = boss.get(reverse("admin:orders_order_changelist"), {"attention": "undecided"}).content.decode()
    assert f"/admin/orders/order/{placement.order_id}/" in shown or f"/orders/order/{placement.order_id}/" in shown


def test_a_decided_order_leaves_the_list(placement: Placement) -> None:
    decisions.attach(placement, upstream_id="77")
    assert not decisions.awaiting_decision().exists()


def test_nothing_can_be_decided_without_the_right(placement: Placement) -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_user(email="clerk@example.com", is_staff=True))
    for name in ("teach", "search"):
        assert client.post(reverse(f"admin:providers_placement_{name}", args=[placement.pk])).status_code == 403
    assert Order.objects.get().status == "in_doubt"


def test_limits_and_searches_are_set_on_the_providers_page(boss: Client, placement: Placement) -> None:
    text = boss.get(reverse("admin:providers_provider_change", args=[placement.provider_id])).content.decode()
    for name in ("parallel", "calls_per_minute", "price_jump", "is_search_allowed", "settle_seconds"):
        assert f'name="{name}"' in text
