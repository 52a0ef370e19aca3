"""Service types that an operator assigns: sold at once, kept by later price lists, and removed again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from orders.models import Service
from providers import notes
from providers.models import Offer, Provider, Route, TypeRule
from providers.notes import Note
from providers.panels.simulators import Panel
from providers.panels.simulators.orders import PanelService as Sold
from providers.pricelists import assignment, importer
from providers.transport import type_rules
from tests.providers.conftest import provider_at

pytestmark = pytest.mark.django_db


def prices(panel: Panel, *, type_name: str = "likes", rate: str = "2", count: int = 5, **changes: Any) -> None:
    """From now on ``panel`` sells just this."""
    details: dict[str, Any] = {"name": "Likes", "category": "Photo", "min": 10, "max": 1000, **changes}
    sold = [Sold(id=number, type=type_name, rate=Decimal(rate), **details) for number in range(1, count + 1)]
    panel.services = {str(service.id): service for service in sold}


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    panel = start_panel("v2")
    prices(panel)
    return panel


@pytest.fixture
def provider(panel: Panel) -> Provider:
    provider = provider_at(panel, "v2", name="north")
    assert not Service.objects.exists()
    return provider


def sellable_numbers(provider: Provider) -> set[str]:
    """Return the numbers of the offers that can be bought as Default."""
    offers = Offer.objects.filter(
        provider=provider, problem="", is_available=True, is_pending_approval=False, service_type="default"
    )
    return set(offers.values_list("upstream_id", flat=True))


ALL = {"1", "2", "3", "4", "5"}


def test_a_rule_sells_what_the_list_calls_otherwise_and_outlives_later_lists(provider: Provider, panel: Panel) -> None:
    assert type_rules.unknown_types(provider) == [("likes", 5)]
    type_rules.set_rule(provider, type_name="Likes ", service_type="default")
    assert assignment.apply_rules(provider) == 5
    assert sellable_numbers(provider) == ALL
    assert importer.publish(provider) == 5
    for rate in ("2", "2.1"):
        prices(panel, rate=rate)
        done = importer.import_offers(provider)
        assert (done.unsellable, done.held) == ((), 0)
        assert sellable_numbers(provider) == ALL
    assert set(Offer.objects.values_list("rate", flat=True)) == {Decimal("2.1")}
    assert type_rules.unknown_types(provider) == []


def test_an_offer_is_sold_at_the_price_of_the_newest_list_although_it_could_not_be_sold_then(
    provider: Provider, panel: Panel
) -> None:
    prices(panel, rate="90", min=20)
    assert importer.import_offers(provider).held == 0, "what cannot be sold needs no approval"
    type_rules.set_rule(provider, type_name="likes", service_type="default")
    assignment.apply_rules(provider)
    assert set(Offer.objects.values_list("rate", "min_quantity")) == {(Decimal(90), 20)}


def test_one_offer_is_assigned_alone_and_given_back(provider: Provider, panel: Panel) -> None:
    offer = Offer.objects.get(upstream_id="3")
    assert assignment.assign_type(provider, offers=[offer.pk], service_type="default") == 1
    assert sellable_numbers(provider) == {"3"}
    importer.publish(provider)
    importer.import_offers(provider)
    assert sellable_numbers(provider) == {"3"}
    assignment.assign_type(provider, offers=[offer.pk], service_type="")
    assert sellable_numbers(provider) == set()
    assert not Service.objects.filter(is_active=True).exists(), "its service goes off sale with it"
    assignment.assign_type(provider, offers=[offer.pk], service_type="default")
    assert Service.objects.get(is_active=True).routes.get().offer == offer


def test_a_new_type_takes_its_services_off_sale_because_they_ask_for_other_things(
    provider: Provider, panel: Panel
) -> None:
    type_rules.set_rule(provider, type_name="*", service_type="default")
    assignment.apply_rules(provider)
    importer.publish(provider)
    offer = Offer.objects.get(upstream_id="2")
    assignment.assign_type(provider, offers=[offer.pk], service_type="package")
    offer.refresh_from_db()
    assert (offer.service_type, offer.is_flat, offer.problem) == ("package", True, "")
    route = Route.objects.get(offer=offer)
    assert (route.is_active, route.service.is_active) == (False, False)
    assert Service.objects.filter(is_active=True).count() == 4


def test_what_is_wrong_otherwise_stays_wrong(provider: Provider, panel: Panel) -> None:
    prices(panel, rate="0")
    importer.import_offers(provider, is_short_fine=True)
    type_rules.set_rule(provider, type_name="likes", service_type="default")
    assignment.apply_rules(provider)
    assert set(Offer.objects.values_list("problem", flat=True)) == {notes.encode(Note.ZERO_RATE)}


def test_a_type_that_the_panel_cannot_order_says_so(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("tmsmm")
    prices(panel)
    provider = provider_at(panel, "tmsmm")
    type_rules.set_rule(provider, type_name="likes", service_type="package")
    assignment.apply_rules(provider)
    problems = set(Offer.objects.values_list("problem", flat=True))
    assert problems == {notes.encode(Note.UNSUPPORTED_TYPE, type="Package")}
    type_rules.set_rule(provider, type_name="likes", service_type="default")
    assignment.apply_rules(provider)
    assert sellable_numbers(provider) == ALL


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_says_how_to_sell_an_unknown_type(
    provider: Provider, panel: Panel, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("provider", "import", "north")
    assert "manage.py provider import north --type 'likes=default'" in capsys.readouterr().err
    call_command("provider", "import", "north", "--type", "likes=Default", "--publish")
    assert "5 services published" in capsys.readouterr().out
    assert sellable_numbers(provider) == ALL
    call_command("provider", "import", "north", "--type", "likes=")
    assert (sellable_numbers(provider), TypeRule.objects.count()) == (set(), 0)
    call_command("provider", "import", "north", "--type", "views=default", "--type", "*=custom comments")
    assert set(Offer.objects.values_list("service_type", "problem")) == {("custom_comments", "")}


@pytest.mark.parametrize("text", ["likes", "=default", "likes=nonsense", ""])
def test_the_command_takes_no_type_that_does_not_exist(provider: Provider, text: str) -> None:
    with pytest.raises(CommandError, match="Write it like likes=default"):
        call_command("provider", "import", "north", "--type", "views=default", "--type", text)
    assert not TypeRule.objects.exists()


# ------------------------------------------------------------------------------------------------ the back office


@pytest.fixture
def office(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser(email="boss@example.com", password="x"))
    return client


def test_an_operator_finds_unknown_types_on_the_provider_and_makes_a_rule(office: Client, provider: Provider) -> None:
    page = office.get(reverse("admin:providers_provider_change", args=[provider.pk])).content.decode()
    add = f"{reverse('admin:providers_typerule_add')}?provider={provider.pk}&amp;type_name=likes"
    assert add in page
    form = office.get(add.replace("&amp;", "&")).content.decode()
    assert 'value="likes"' in form
    data = {"provider": provider.pk, "type_name": "Likes", "service_type": "default"}
    assert office.post(reverse("admin:providers_typerule_add"), data).status_code == 302
    assert sellable_numbers(provider) == ALL
    rule = TypeRule.objects.get()
    office.post(reverse("admin:providers_typerule_delete", args=[rule.pk]), {"post": "yes"})
    assert sellable_numbers(provider) == set()


def test_an_operator_assigns_a_type_to_chosen_offers(office: Client, provider: Provider) -> None:
    url = reverse("admin:providers_offer_changelist")
    chosen = list(Offer.objects.filter(upstream_id__in=["1", "4"]).values_list("pk", flat=True))
    asked = office.post(url, {"action": "assign_type", "_selected_action": chosen})
    assert "Assign type" in asked.content.decode()
    data = {"action": "assign_type", "_selected_action": chosen, "service_type": "default", "confirm": ""}
    assert office.post(url, data).status_code == 302
    assert sellable_numbers(provider) == {"1", "4"}
    assert office.post(url, {**data, "service_type": ""}).status_code == 302
    assert sellable_numbers(provider) == set()


def test_who_may_only_look_assigns_nothing(client: Client, provider: Provider) -> None:
    clerk = get_user_model().objects.create_user(email="clerk@example.com", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_offer"))
    client.force_login(clerk)
    chosen = list(Offer.objects.values_list("pk", flat=True))
    data = {"action": "assign_type", "_selected_action": chosen, "service_type": "default", "confirm": ""}
    client.post(reverse("admin:providers_offer_changelist"), data)
    assert sellable_numbers(provider) == set()
