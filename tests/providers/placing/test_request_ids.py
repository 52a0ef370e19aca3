"""Two simultaneous orders for the same thing at a panel that takes a repeat for the same request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from orders.ledger import audit
from orders.models import Order, Service
from providers import notes
from providers.models import Placement, Provider
from providers.notes import Note
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import Panel
from providers.placing import claiming, submission
from providers.reconciling import decisions, evidence
from tests.providers.conftest import ALL_DIALECTS, buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(start_panel: Callable[..., Panel]) -> Panel:
    started = start_panel("v2")
    started.knows_request_ids = True  # type: ignore[attr-defined]
    return started


def buy_equal_orders(panel: Panel, count: int = 2, **details: Any) -> tuple[Provider, list[Order]]:
    """Return the same bought by so many customers."""
    provider = provider_at(panel, "v2", **details)
    service = Service.objects.filter(service_type="default")[0]
    orders = [buy(customer(f"buyer{number}@example.com"), service) for number in range(count)]
    submission.submit_due(provider)
    for order in orders:
        order.refresh_from_db()
    provider.refresh_from_db()
    return provider, orders


def test_two_orders_never_share_a_number_the_second_waits_for_a_person(panel: Panel) -> None:
    provider, (first, second) = buy_equal_orders(panel, parallel=1)
    held = Placement.objects.get(order=second)

    assert len(panel.orders) == 1
    assert (first.status, second.status, held.upstream_id) == ("pending", "in_doubt", "")
    assert held.panel_error == notes.encode(Note.NUMBER_TAKEN, number=held.evidence["number"], order=str(first.pk))
    assert held.evidence["holder"] == first.pk
    text = " ".join(map(str, evidence.sentences(held)))
    assert f"which order {first.pk} already has" in text
    assert "supports request IDs" in text
    assert not provider.is_paused, "other orders are answered as ever"
    assert list(audit.findings()) == []


def test_what_waited_is_bought_once_it_is_sent_with_a_request_id(panel: Panel) -> None:
    provider, _ = buy_equal_orders(panel)
    in_doubt = Placement.objects.get(state="in_doubt")
    Provider.objects.update(has_request_ids=True)
    decisions.release(in_doubt, send_again=True, why="taken for its twin")

    submission.submit_due(Provider.objects.get(pk=provider.pk), is_now=True)

    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    assert len(panel.orders) == 2


def test_a_number_that_an_order_for_something_else_has_stops_the_provider(panel: Panel) -> None:
    provider, (first,) = buy_equal_orders(panel, count=1)
    other = buy(first.user, first.service, link="https://x.example.com/p/other")
    panel.fault("add", "text", body=json.dumps({"order": Placement.objects.get().upstream_id}))
    submission.submit_due(provider)

    other.refresh_from_db()
    provider.refresh_from_db()
    assert (other.status, provider.is_paused) == ("in_doubt", True)
    assert "supports request IDs" not in " ".join(map(str, evidence.sentences(Placement.objects.get(order=other))))


def test_with_request_ids_all_of_them_are_bought(panel: Panel) -> None:
    _, orders = buy_equal_orders(panel, count=5, has_request_ids=True)

    assert {order.status for order in orders} == {"pending"}
    assert len(panel.orders) == 5
    sent = [request.params["request_id"] for request in panel.received("add")]
    assert len(set(sent)) == 5
    assert panel.violations == []


def test_the_id_of_an_attempt_is_its_own_and_stays_the_same(panel: Panel) -> None:
    provider, (order,) = buy_equal_orders(panel, count=1, has_request_ids=True)
    (request,) = panel.received("add")
    row = Placement.objects.get(order=order)
    sent = request.params["request_id"]

    again = claiming.build_call(provider, row, panel.key)
    assert dict(again.form)["request_id"] == sent
    later = Placement.objects.get(order=order)
    later.pk += 1
    other = claiming.build_call(provider, later, panel.key)
    assert dict(other.form)["request_id"] != sent
    assert json.loads(provider.calls.get(verb="add").request)["request_id"] == sent


@ALL_DIALECTS
def test_no_panel_is_sent_a_request_id_unasked(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    provider = provider_at(panel, dialect)
    buy(customer(), Service.objects.filter(service_type__in=DIALECTS[dialect].service_types)[0])
    submission.submit_due(provider)
    assert [request for request in panel.received("add") if "request_id" in request.params] == []
    assert panel.violations == []


def test_a_dialect_without_request_ids_refuses_the_switch(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("tmsmm")
    with pytest.raises(ValidationError, match="no request IDs"):
        provider_at(panel, "tmsmm", has_request_ids=True)


def test_the_command_line_sets_the_switch_and_keeps_it(panel: Panel) -> None:
    details = ["--url", panel.url, "--key", panel.key, "--dialect", "v2"]
    for more, expected in (([], False), (["--request-ids"], True), ([], True), (["--no-request-ids"], False)):
        call_command("provider", "add", "north", *details, *more)
        assert Provider.objects.get().has_request_ids is expected
