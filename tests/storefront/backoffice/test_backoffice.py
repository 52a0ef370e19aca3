"""The start page, the navigation and the user pages of the back office."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.db.encrypted_field import Secret
from orders.lifecycle import fulfillment
from orders.models import Account, Cancellation, Order, Refill, Service
from orders.models.order import EventKind
from providers import tasks
from providers.models import Heartbeat, Provider
from providers.worker import heartbeat
from storefront.accounts.models import ApiKey, User
from storefront.backoffice import overview
from storefront.web import id_ranges
from tests import factories

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
#: What the browser sends for the read-only list of API keys.
NO_KEYS = {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}


@pytest.fixture(autouse=True)
def no_wake(settings: object) -> None:
    settings.ORDERS_WAKE = "tests.providers.conftest.stay_asleep"  # type: ignore[attr-defined]


def staff(*permissions: str) -> Client:
    return factories.signed_in(factories.staff(*permissions, email="staff@example.com"))


def provider(name: str = "north") -> Provider:
    return Provider.objects.create(
        name=name, url="https://p.example.com/api", dialect_name="v2", key=Secret.hide("k" * 32)
    )


# ------------------------------------------------------------------------------------------------ start page


def test_the_start_page_works_on_an_empty_database(boss: Client) -> None:
    heartbeat.beat()
    page = boss.get("/admin/").content.decode()
    assert "All clear" in page
    assert "Orders today" in page
    assert "Add provider" in page


def test_staff_without_permissions_see_only_an_explanation() -> None:
    factories.order()
    page = staff().get("/admin/").content.decode()
    assert "have no permissions in the back office" in page
    assert "Orders today" not in page


def test_each_part_requires_its_permission() -> None:
    provider()
    page = staff("view_provider").get("/admin/").content.decode()
    assert "north" in page
    assert "Orders today" not in page


def test_tasks_link_to_their_lists(boss: Client) -> None:
    paused = provider()
    Provider.objects.filter(pk=paused.pk).update(
        paused_until=timezone.now() + timedelta(minutes=5), pause_reason="Not enough funds"
    )
    old = factories.order()
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=1))
    page = boss.get("/admin/").content.decode()
    assert "Provider north is paused" in page
    assert "Not enough funds" in page
    assert "1 order has no route" in page
    assert "1 active service has no usable route" in page
    assert f"/{old.pk}/change/" in boss.get("/admin/orders/order/?attention=routeless").content.decode()


def titles() -> list[str]:
    return [todo.title for todo in overview.build(User.objects.get(email="boss@example.com")).todos]


def test_a_missing_worker_is_reported_within_a_minute(boss: Client) -> None:
    assert titles() == ["No worker is running"]
    heartbeat.beat()
    assert titles() == []
    Heartbeat.objects.update(at=Now() - timedelta(seconds=55))
    factories.order()
    page = boss.get("/admin/").content.decode()
    assert "No worker is running" in page
    assert "1 order is waiting. Orders are not placed or tracked." in page
    assert "Orders go out" not in page


def test_the_worker_check_uses_the_database_clock(boss: Client) -> None:
    heartbeat.beat()
    for skew in (-3600, 3600):
        with time_machine.travel(timezone.now() + timedelta(seconds=skew)):
            assert heartbeat.pulse().is_alive
    Heartbeat.objects.update(at=Now() + timedelta(hours=1))
    assert not heartbeat.pulse().is_alive, "written before the database's clock was put back"


def test_a_finished_tick_proves_a_running_worker(boss: Client) -> None:
    tasks.tick()
    assert heartbeat.pulse().is_alive
    assert titles() == []


def test_each_reason_links_to_its_orders(boss: Client) -> None:
    heartbeat.beat()
    order = factories.order(status="pending")
    Order.objects.filter(pk=order.pk).update(created_at=timezone.now() - timedelta(days=30))
    fulfillment.add_event(order, kind=EventKind.ODDITY, oddity="failed_upstream", panel_status="Fail")
    found = overview.build(User.objects.get(email="boss@example.com")).todos
    told = {todo.title: todo for todo in found}
    overdue = told["1 order in progress for too long"]
    assert overdue.detail.startswith("Longest wait: 4\xa0weeks.")
    for todo in (overdue, told["1 order with an unexpected provider report"]):
        assert f"/{order.pk}/change/" in boss.get(todo.url).content.decode()
    page = boss.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert "In progress for too long" in page
    assert "Unexpected report" in page


def test_slow_requests_are_shown(boss: Client) -> None:
    heartbeat.beat()
    order = factories.order(status="in_progress")
    Cancellation.objects.create(order=order, status="sent")
    Refill.objects.create(order=order, status="in_progress")
    Service.objects.update(is_active=False)
    assert titles() == []
    for model in (Cancellation, Refill):
        model.objects.update(created_at=timezone.now() - timedelta(days=15))
    Order.objects.update(status="completed", ended_at=timezone.now())
    assert titles() == ["1 overdue cancellation", "1 overdue refill"]
    for model in ("cancellation", "refill"):
        page = boss.get(f"/admin/orders/{model}/?attention=slow").content.decode()
        assert f"/{order.pk}/change/" in page


def test_todays_figures_exclude_yesterday(boss: Client) -> None:
    before, today = factories.order(), factories.order()
    Order.objects.filter(pk=before.pk).update(created_at=timezone.now() - timedelta(days=1))
    figures = {
        figure.name: figure.value for figure in overview.build(User.objects.get(email="boss@example.com")).figures
    }
    assert figures["Orders today"] == "1"
    assert today.charge == Decimal("0.09")
    assert "$0.09" in figures["Sales today"]


@pytest.mark.parametrize("cut", [0, 1, 7, 19, 20])
def test_first_since_finds_the_first_row_of_a_time(cut: int) -> None:
    now = timezone.now()
    orders = [factories.order() for _ in range(20)]
    for age, order in enumerate(orders):
        Order.objects.filter(pk=order.pk).update(created_at=now - timedelta(days=1) if age < cut else now)
    first = id_ranges.first_since(Order, now)
    assert Order.objects.filter(pk__gte=first).count() == 20 - cut


def test_the_start_page_needs_the_same_queries_for_any_number_of_rows(boss: Client) -> None:
    def queries() -> int:
        boss.get("/admin/")
        with CaptureQueriesContext(connection) as caught:
            boss.get("/admin/")
        return len(caught)

    provider()
    factories.order()
    few = queries()
    for number in range(5):
        provider(f"p{number}")
    for _ in range(30):
        factories.order()
    assert queries() == few <= 33


# ------------------------------------------------------------------------------------------------ sections


def test_queued_tasks_cannot_be_edited_in_admin(boss: Client) -> None:
    labels = {model._meta.app_label for model in admin.site._registry}
    assert not labels & {"django_q", "account"}
    assert boss.get("/admin/django_q/schedule/").status_code == 404


def test_navigation_is_grouped_by_sections(boss: Client) -> None:
    sections = [str(section["name"]) for section in boss.get("/admin/").context["app_list"]]
    assert sections[:7] == ["Orders", "Catalog", "Providers", "Money", "Reports", "Promotions", "People"]


# ------------------------------------------------------------------------------------------------ people


def test_a_customer_added_by_staff_has_a_balance(boss: Client) -> None:
    assert boss.post(f"{PEOPLE}add/", {"email": "New@Example.com", "name": ""}).status_code == 302
    user = User.objects.get(email="new@example.com")
    assert Account.objects.get(user=user).balance == 0


def test_users_cannot_be_deleted(boss: Client) -> None:
    user = factories.order().user
    assert boss.post(f"{PEOPLE}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    boss.post(PEOPLE, {"action": "delete_selected", "_selected_action": user.pk, "post": "yes"})
    assert User.objects.filter(pk=user.pk).exists()


def test_staff_cannot_grant_permissions() -> None:
    client = staff("view_user", "change_user")
    user = factories.user("plain@example.com")
    powers = {"is_staff": "on", "is_superuser": "on", "groups": "1", "user_permissions": "1"}
    form = {"email": user.email, "name": "Renamed", "is_active": "on", **NO_KEYS, **powers}
    assert client.post(f"{PEOPLE}{user.pk}/change/", form).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.is_staff, user.is_superuser) == ("Renamed", False, False)
    assert not user.user_permissions.exists()
    me = User.objects.get(email="staff@example.com")
    boss = User.objects.create_superuser("boss@example.com", "x")
    for other in (me, boss):
        assert client.post(f"{PEOPLE}{other.pk}/change/", {"email": "taken@example.com"}).status_code == 403
        taken = {"password1": "long enough 17", "password2": "long enough 17", "usable_password": "true"}
        assert client.post(f"{PEOPLE}{other.pk}/password/", taken).status_code == 403


def test_a_former_email_address_cannot_sign_in(boss: Client) -> None:
    user = factories.user("old@example.com")
    EmailAddress.objects.create(user=user, email="old@example.com", primary=True)
    boss.post(f"{PEOPLE}{user.pk}/change/", {"email": "new@example.com", "name": "", "is_active": "on", **NO_KEYS})
    user.refresh_from_db()
    assert user.email == "new@example.com"
    assert not EmailAddress.objects.filter(email="old@example.com").exists()


@pytest.mark.parametrize(
    "words",
    [
        "nadia petrova",
        "PETROVA",
        "etro",
        "Nadia",
        "nadia@example",
        "NADIA@EXAMPLE.COM",
        "example petrova",
        "надя",
        "НАДЯ",
    ],
)
def test_customers_are_found_by_parts_of_name_or_email(words: str, boss: Client) -> None:
    """Search ignores case and matches parts of names."""
    found = factories.user("nadia@example.com", name="Nadia Petrova (Надя)")
    factories.user("omar@example.com", name="Omar")
    page = boss.get(PEOPLE, {"q": words}).content.decode()
    assert f"{PEOPLE}{found.pk}/change/" in page
    assert "omar@example.com" not in page


def test_api_keys_are_listed_by_prefix_and_can_be_revoked(boss: Client) -> None:
    row, text = ApiKey.objects.issue(factories.user("api@example.com"), name="site")
    page = boss.get(f"{PEOPLE}{row.user_id}/change/").content.decode()
    assert row.prefix in page
    assert text not in page
    assert row.digest not in page
    boss.post("/admin/accounts/apikey/", {"action": "revoke", "_selected_action": row.pk})
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_the_user_list_needs_the_same_queries_for_any_number_of_rows(boss: Client) -> None:
    def queries() -> int:
        boss.get(PEOPLE)
        with CaptureQueriesContext(connection) as caught:
            boss.get(PEOPLE)
        return len(caught)

    factories.customer()
    few = queries()
    for _ in range(40):
        factories.customer()
    assert queries() == few
