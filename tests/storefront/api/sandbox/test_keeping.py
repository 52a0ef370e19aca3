"""What is kept and for how long, what the back office shows of it, and mistakes in the settings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import checks
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from storefront.accounts.models import ApiKey, User
from storefront.api.sandbox import tasks
from storefront.api.sandbox.models import SandboxOrder, SandboxRefill
from tests.factories import service
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.sandbox.playing import LINK, buy, freeze, real_rows, sandbox_customer

pytestmark = pytest.mark.django_db
LIST = "/admin/sandbox/sandboxorder/"


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", "x"))
    return client


def test_what_began_more_than_thirty_days_ago_is_forgotten(reseller: Reseller, start: datetime) -> None:
    what = service(has_refill=True)
    with freeze(start):
        old = buy(reseller, what)
        scheduled = buy(reseller, what, start_at=(start + timedelta(days=29)).isoformat())
    with freeze(start, hours=1):
        reseller.call(action="refill", order=old)
    with freeze(start, days=29):
        young = buy(reseller, what)
        tasks.prune()
        assert SandboxOrder.objects.count() == 3
    before = real_rows()
    with freeze(start, days=30, seconds=1):
        (schedule,) = tasks.SCHEDULES
        import_string(schedule.func)()
    assert set(SandboxOrder.objects.values_list("pk", flat=True)) == {scheduled, young}
    assert not SandboxRefill.objects.exists()
    assert real_rows() == before
    with freeze(start, days=30, seconds=1):
        assert reseller.call(action="balance")["balance"] == "999.82"


def test_a_service_that_was_only_tried_out_can_be_deleted(reseller: Reseller) -> None:
    what = service()
    buy(reseller, what)
    what.delete()
    assert not SandboxOrder.objects.exists()


# ------------------------------------------------------------------------------------------------ back office
def test_the_list_shows_how_each_order_stands_now(superuser: Client, reseller: Reseller) -> None:
    buy(reseller, service(name="Lamps"), f"{LINK}/slow")
    SandboxOrder.objects.update(started_at=datetime(2020, 1, 1).astimezone())
    page = superuser.get(LIST).content.decode()
    assert 'data-status="in-progress"' in page
    assert "Lamps" in page
    assert str(reseller.user) in page


def test_nobody_writes_sandbox_orders_by_hand(superuser: Client, reseller: Reseller) -> None:
    own = buy(reseller, service())
    before = list(SandboxOrder.objects.values())
    assert superuser.get(f"{LIST}{own}/change/").status_code == 200
    assert superuser.get(f"{LIST}add/").status_code == 403
    assert superuser.post(f"{LIST}{own}/change/", {"charge": "0"}).status_code == 403
    assert superuser.post(f"{LIST}{own}/delete/", {"post": "yes"}).status_code == 403
    assert list(SandboxOrder.objects.values()) == before


def test_the_list_costs_the_same_for_few_and_for_many(superuser: Client, reseller: Reseller) -> None:
    def queries() -> int:
        superuser.get(LIST)
        with CaptureQueriesContext(connection) as caught:
            assert superuser.get(LIST).status_code == 200
        return len(caught)

    for _ in range(3):
        buy(sandbox_customer(), service())
    few = queries()
    for _ in range(20):
        buy(sandbox_customer(), service())
    assert queries() == few


def test_orders_are_found_by_number_key_and_email(superuser: Client, reseller: Reseller) -> None:
    own, other = buy(reseller, service()), buy(sandbox_customer(), service())
    key = ApiKey.objects.get(user=reseller.user)
    for query in (f"q={own}", f"q={reseller.user.email[:12]}", f"key__id__exact={key.pk}"):
        page = superuser.get(f"{LIST}?{query}").content.decode()
        assert f"{LIST}{own}/change/" in page
        assert f"{LIST}{other}/change/" not in page


# ------------------------------------------------------------------------------------------------ settings
@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("SANDBOX_BALANCE", "much", "sandbox.E001"),
        ("SANDBOX_BALANCE", "-1", "sandbox.E001"),
        ("SANDBOX_BALANCE", "1e5", "sandbox.E001"),
        ("SANDBOX_SECONDS", -1, "sandbox.E002"),
        ("SANDBOX_SECONDS", 86_401, "sandbox.E002"),
    ],
)
def test_a_mistake_in_the_settings_is_found_at_start(settings: Any, name: str, value: Any, number: str) -> None:
    assert number not in {found.id for found in checks.run_checks()}
    setattr(settings, name, value)
    assert number in {found.id for found in checks.run_checks()}
