"""Providers and orders in the back office: keys stay hidden, and each action works once and only with permission."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.ledger import audit
from orders.lifecycle import fulfillment
from orders.models import Category, Order, OrderEvent, Service
from orders.models.order import EventKind
from providers.models import Offer, PanelCall, Placement, Provider, Route
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.transport import circuit_breaker
from storefront.accounts.models import User
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db
KEY = "k3y-that-nobody-may-see-0123456789"
LIST = "/admin/providers/provider/"


@pytest.fixture
def order(provider: Provider) -> Order:
    """An order that the panel has."""
    placed = buy(customer(), Service.objects.filter(service_type="default")[0])
    submission.submit_due(provider)
    placed.refresh_from_db()
    return placed


@pytest.fixture
def placement(panel: Panel, provider: Provider) -> Placement:
    """A placement in doubt: the panel has the order, its answer was lost."""
    buy(customer(), Service.objects.filter(service_type="default")[0])
    panel.fault("add", "reset_after")
    submission.submit_due(provider)
    return Placement.objects.get(state="in_doubt")


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "north",
        "url": "https://panel.example.com/api/v2",
        "dialect_name": "v2",
        "currency": "usd",
        "exchange_rate": "1",
        "price_jump": "25",
        "parallel": "32",
        "settle_seconds": "120",
        "is_active": "on",
        "api_key": KEY,
        **changes,
    }


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def act(client: Client, action: str, provider: Provider, **more: str) -> str:
    data = {"action": action, "_selected_action": provider.pk, **more}
    return client.post(LIST, data, follow=True).content.decode()


# ------------------------------------------------------------------------------------------------ the key


def test_a_key_is_stored_and_never_seen_again(boss: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert boss.post(f"{LIST}add/", form()).status_code == 302
    provider = Provider.objects.get()
    assert (provider.key.reveal(), provider.currency) == (KEY, "USD")
    change = f"{LIST}{provider.pk}/change/"
    assert boss.post(change, form(api_key=KEY + "2")).status_code == 302
    provider.refresh_from_db()
    assert provider.key.reveal() == KEY + "2"
    seen = [page(boss, LIST), page(boss, change), page(boss, f"{LIST}{provider.pk}/history/"), caplog.text]
    seen += [f"{entry.change_message} {entry.object_repr}" for entry in LogEntry.objects.all()]
    assert not any(KEY in text for text in seen)


def test_an_empty_key_keeps_the_one_that_is_stored(boss: Client) -> None:
    boss.post(f"{LIST}add/", form())
    provider = Provider.objects.get()
    boss.post(f"{LIST}{provider.pk}/change/", form(api_key="", exchange_rate="0.5"))
    provider.refresh_from_db()
    assert (provider.key.reveal(), str(provider.exchange_rate)) == (KEY, "0.50000000")


def test_a_key_is_not_sent_back_with_an_error(boss: Client) -> None:
    answer = boss.post(f"{LIST}add/", form(url="ftp://panel.example.com"))
    assert answer.status_code == 200
    assert KEY not in answer.content.decode()
    assert not Provider.objects.exists()


def test_a_new_provider_needs_a_key(boss: Client) -> None:
    boss.post(f"{LIST}add/", form(api_key=""))
    assert not Provider.objects.exists()


def test_a_private_address_is_refused_where_the_settings_refuse_it(boss: Client, settings: Any) -> None:
    settings.ALLOW_PRIVATE_PANELS = False
    boss.post(f"{LIST}add/", form(url="http://127.0.0.1:9000/api/v2"))
    assert not Provider.objects.exists()


# ------------------------------------------------------------------------------------------------ actions on providers


@pytest.mark.django_db(transaction=True)
def test_actions_call_the_panel_outside_a_transaction(boss: Client, panel: Panel) -> None:
    provider = provider_at(panel, "v2")
    Offer.objects.all().delete()
    assert "Connected: " in act(boss, "test_connection", provider)
    provider.refresh_from_db()
    assert provider.balance is not None
    assert provider.balance_seen_at is not None
    assert "Price list imported." in act(boss, "import_prices", provider)
    assert Offer.objects.exists()


def test_a_panel_that_does_not_answer_is_a_message(boss: Client, panel: Panel, provider: Provider) -> None:
    panel.stop()
    text = act(boss, "test_connection", provider)
    assert 'class="error"' in text
    assert panel.key not in text


def test_publishing_asks_for_the_markup_first(boss: Client, provider: Provider) -> None:
    Route.objects.all().delete()
    Service.objects.all().delete()
    assert 'value="30"' in act(boss, "import_and_publish", provider)
    assert not Service.objects.exists()
    assert "published" in act(boss, "import_and_publish", provider, markup="100", confirm="")
    route = Route.objects.select_related("service", "offer").first()
    assert route is not None
    assert route.service.rate == route.offer.rate * 2


def test_the_page_to_add_a_provider_shows_the_active_switch_under_status(boss: Client) -> None:
    text = page(boss, f"{LIST}add/")
    assert re.search(r">\s*Status\s*</h2>", text)
    assert "Rate limits" not in text


def test_resume_lets_orders_go_again(boss: Client, provider: Provider) -> None:
    circuit_breaker.pause(provider, seconds=600, reason="not enough funds")
    assert "not enough funds" in page(boss, LIST)
    act(boss, "resume", provider)
    provider.refresh_from_db()
    assert not provider.is_paused


def test_staff_with_view_permission_get_no_action_and_no_key_field(provider: Provider) -> None:
    client = staff("view_provider")
    act(client, "resume", provider)
    assert "api_key" not in page(client, f"{LIST}{provider.pk}/change/")
    assert "test_connection" not in page(client, LIST)


def test_a_used_provider_is_not_deleted(boss: Client, provider: Provider) -> None:
    assert boss.post(f"{LIST}{provider.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("table", ["placement", "panelcall", "offer"])
def test_data_from_panels_cannot_be_edited(boss: Client, placement: Placement, table: str) -> None:
    row = {"placement": Placement, "panelcall": PanelCall, "offer": Offer}[table].objects.latest("id")  # type: ignore[attr-defined]
    base = f"/admin/providers/{table}/"
    assert boss.get(f"{base}{row.pk}/change/").status_code == 200
    assert boss.get(f"{base}add/").status_code == 403
    assert boss.post(f"{base}{row.pk}/change/", {}).status_code == 403
    assert boss.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403


# ------------------------------------------------------------------------------------------------ decisions


def doubt_url(placement: Placement, verb: str) -> str:
    return f"/admin/orders/order/doubt/{placement.pk}/{verb}/"


def test_deciding_that_it_was_placed_tracks_it_under_its_number(
    boss: Client, panel: Panel, placement: Placement
) -> None:
    (number,) = panel.orders
    assert "have this order" in page(boss, f"/admin/orders/order/{placement.order_id}/change/")
    boss.post(doubt_url(placement, "placed"), {"upstream_id": number})
    placement.refresh_from_db()
    assert (placement.state, placement.upstream_id, placement.order.status) == ("accepted", number, "pending")
    text = page(boss, f"/admin/orders/order/{placement.order_id}/change/")
    assert "The order was placed" in text
    assert "boss@example.com" in text


def test_without_a_number_nothing_is_decided(boss: Client, placement: Placement) -> None:
    boss.post(doubt_url(placement, "placed"), {"upstream_id": "  "})
    placement.refresh_from_db()
    assert placement.state == "in_doubt"


def test_a_number_that_another_order_has_is_a_message(boss: Client, provider: Provider, placement: Placement) -> None:
    other = buy(customer("two@example.com"), Service.objects.filter(service_type="default")[1])
    submission.submit_due(provider)
    taken = Placement.objects.get(order=other).upstream_id
    text = boss.post(doubt_url(placement, "placed"), {"upstream_id": taken}, follow=True).content.decode()
    assert "already has this number" in text
    placement.refresh_from_db()
    assert placement.state == "in_doubt"


def test_deciding_that_it_was_not_placed_sends_it_again(boss: Client, placement: Placement) -> None:
    boss.post(doubt_url(placement, "again"), {"why": "not in their list"})
    placement.refresh_from_db()
    assert (placement.state, placement.order.status) == ("not_sent", "queued")


def test_deciding_that_it_was_not_placed_refunds_it(boss: Client, placement: Placement) -> None:
    boss.post(doubt_url(placement, "back"), {"why": "not in their list"})
    order = placement.order
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("failed", order.charge)
    assert list(audit.findings()) == []


def test_an_unknown_outcome_is_decided_once(boss: Client, placement: Placement) -> None:
    boss.post(doubt_url(placement, "back"), {"why": "not in their list"})
    text = boss.post(doubt_url(placement, "again"), {"why": "it is not"}, follow=True).content.decode()
    assert 'class="error"' in text
    placement.order.refresh_from_db()
    assert placement.order.status == "failed"


@pytest.mark.parametrize("verb", ["again", "back"])
def test_a_decision_needs_a_reason(boss: Client, placement: Placement, verb: str) -> None:
    boss.post(doubt_url(placement, verb), {"why": ""})
    placement.refresh_from_db()
    assert placement.state == "in_doubt"


def test_decisions_are_posts_with_a_csrf_token_and_permission(boss: Client, placement: Placement) -> None:
    order = f"/admin/orders/order/{placement.order_id}/"
    urls = [doubt_url(placement, verb) for verb in ("placed", "again", "back")]
    urls += [order + "cancel/", order + "partial/"]
    data = {"why": "because", "upstream_id": "1", "remains": "1"}
    onlooker, strict = staff("view_order", "view_placement"), Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(email="boss@example.com"))
    for url in urls:
        assert boss.get(url).status_code == 405
        assert onlooker.post(url, data).status_code == 403
        assert strict.post(url, data).status_code == 403
        assert Client().post(url, data).status_code == 302  # to the log-in
    assert "Decide" not in page(onlooker, order + "change/")
    placement.refresh_from_db()
    assert placement.state == "in_doubt"


def test_cancel_refunds_everything_and_the_ledger_adds_up(boss: Client, order: Order) -> None:
    url = f"/admin/orders/order/{order.pk}/cancel/"
    boss.post(url, {"why": "the customer asked"})
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)
    assert 'class="error"' in boss.post(url, {"why": "twice"}, follow=True).content.decode()
    assert list(audit.findings()) == []
    text = page(boss, f"/admin/orders/order/{order.pk}/change/")
    assert "Reason: the customer asked" in text
    assert LogEntry.objects.filter(object_id=str(order.pk)).count() == 1


def test_an_order_in_doubt_cannot_be_canceled_before_it_is_decided(boss: Client, placement: Placement) -> None:
    boss.post(f"/admin/orders/order/{placement.order_id}/cancel/", {"why": "impatient"})
    placement.order.refresh_from_db()
    assert placement.order.status == "in_doubt"


def test_set_partial_refunds_the_share_and_later_only_more(boss: Client, order: Order) -> None:
    url = f"/admin/orders/order/{order.pk}/partial/"
    quarter = order.quantity // 4
    for remains, refunded in ((quarter, quarter), (quarter - 1, quarter), (2 * quarter, 2 * quarter)):
        boss.post(url, {"remains": remains, "why": "counted by hand"})
        order.refresh_from_db()
        assert order.status == "partial"
        assert order.refunded == order.charge * refunded / order.quantity
    boss.post(url, {"remains": order.quantity + 1, "why": "too many"})
    order.refresh_from_db()
    assert order.remains == 2 * quarter
    assert list(audit.findings()) == []


# ------------------------------------------------------------------------------------------------ lists


def test_orders_are_found_by_our_id_and_the_providers_id(boss: Client, order: Order) -> None:
    other = buy(
        customer("two@example.com"), Service.objects.filter(service_type="default")[1], link="https://x.example.com/p/9"
    )
    theirs = Placement.objects.get(order=order).upstream_id
    for text in (str(order.pk), theirs, order.user.email, order.link):
        found = page(boss, f"/admin/orders/order/?q={text}")
        assert f"/{order.pk}/change/" in found
    assert f"/{other.pk}/change/" not in page(boss, f"/admin/orders/order/?q={order.user.email}")


def test_unexpected_reports_are_listed_until_marked_as_seen(boss: Client, order: Order) -> None:
    url, link = "/admin/orders/order/?attention=odd", f"/{order.pk}/change/"
    fulfillment.add_event(order, kind=EventKind.ODDITY, oddity="failed_upstream", panel_status="Fail")
    assert link in page(boss, url)
    fulfillment.add_event(order, kind=EventKind.STATUS, status="in_progress")
    assert link in page(boss, url), "whatever happened since"
    boss.post(f"/admin/orders/order/{order.pk}/seen/")
    assert link not in page(boss, url)
    fulfillment.add_event(order, kind=EventKind.ODDITY, oddity="failed_upstream", panel_status="Fail")
    assert link not in page(boss, url), "the panel repeats what someone has seen"
    assert OrderEvent.objects.filter(order=order, kind="oddity").count() == 1
    fulfillment.add_event(order, kind=EventKind.ODDITY, oddity="unknown_status", panel_status="Sleeping")
    assert link in page(boss, url), "another report is news"
    data = {"action": "mark_reports_seen", "_selected_action": [order.pk]}
    assert boss.post("/admin/orders/order/", data, follow=True).status_code == 200
    assert link not in page(boss, url)


def queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


LISTS = [
    "orders/order/",
    "orders/service/",
    "providers/offer/",
    "providers/route/",
    "providers/placement/",
    "providers/panelcall/",
]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_for_few_and_for_many_rows(boss: Client, provider: Provider, path: str) -> None:
    def more(count: int) -> None:
        known = Offer.objects.count()
        listed = {"provider": provider, "name": "n", "service_type": "default", "rate": 1}
        for number in range(known, known + count):
            offer = Offer.objects.create(upstream_id=f"n{number}", **listed)
            sold = Service.objects.create(category=Category.objects.all()[0], name="n", rate=2)
            Route.objects.create(service=sold, offer=offer)
            placed = Order.objects.create(user=buyer, service=sold, quantity=1, rate=2, charge=0)
            call = {"provider": provider, "verb": "add", "outcome": "accepted"}
            sent = {"quantity": 1, "cost": 1, "currency": "USD", "exchange_rate": 1, "lease_until": placed.created_at}
            row = Placement.objects.create(order=placed, provider=provider, offer=offer, **sent)
            PanelCall.objects.create(placement=row, **call)

    buyer = customer()
    more(20)
    few = queries(boss, f"/admin/{path}")
    more(180)
    assert queries(boss, f"/admin/{path}") == few


def test_the_page_of_an_order_takes_the_same_queries_for_a_long_activity(boss: Client, order: Order) -> None:
    url = f"/admin/orders/order/{order.pk}/change/"
    few = queries(boss, url)
    for number in range(40):
        fulfillment.add_event(order, kind=EventKind.NOTE, actor=order.user, provider=1, panel_error=f"{number}")
    assert queries(boss, url) == few


def test_the_page_of_an_order_shows_a_customers_text_as_text(boss: Client, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(link="https://x.example.com/<script>alert(1)</script>")
    text = page(boss, f"/admin/orders/order/{order.pk}/change/")
    assert "<script>alert" not in text
