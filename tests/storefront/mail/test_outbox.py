"""The email outbox: emails are stored with their change, and only if the type is wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from orders.events import ShopEvent, Topic
from orders.ledger import transfers
from orders.lifecycle import fulfillment
from orders.models import Order, Transfer
from orders.rules.state_machine import Progress, Status
from storefront.accounts.models import User
from storefront.mail import checks, notifications, retention
from storefront.mail.models import ONLY, Email, EmailKind, PendingNotification, Preferences, Switches
from tests import factories
from tests.storefront.mail import writing

pytestmark = pytest.mark.django_db

#: The function that causes an email of each kind, at once or when pending notifications are gathered.
MAKES: dict[EmailKind, Callable[[User], Any]] = {
    EmailKind.BALANCE: writing.make_balance_low,
    EmailKind.RECEIPT: writing.approve_payment,
    EmailKind.TICKET: writing.answer_ticket,
    EmailKind.ORDERS: writing.cancel_order,
}


class Thrown(Exception):
    """An error after the change."""


@transaction.atomic
def make_and_fail(kind: EmailKind, user: User) -> None:
    MAKES[kind](user)
    assert Email.objects.count() + PendingNotification.objects.count() == 1
    raise Thrown


def emails(user: User) -> list[Email]:
    return list(Email.objects.filter(user=user).order_by("pk"))


def gather_later(minutes: int = 16) -> int:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        return notifications.gather()


@pytest.mark.parametrize("kind", MAKES)
def test_email_is_stored_in_the_transaction_of_its_change(kind: EmailKind, nadia: User) -> None:
    with pytest.raises(Thrown):
        make_and_fail(kind, nadia)
    assert (Email.objects.count(), PendingNotification.objects.count()) == (0, 0)
    MAKES[kind](nadia)
    gather_later()
    assert [email.kind for email in emails(nadia)] == [kind]
    assert not PendingNotification.objects.exists()


@pytest.mark.parametrize("kind", MAKES)
def test_type_turned_off_by_the_customer_is_not_sent(kind: EmailKind, nadia: User) -> None:
    Preferences.objects.create(user=nadia, **{f"has_{FLAG[kind]}": False})
    for make in MAKES.values():
        make(nadia)
        gather_later()
    assert {email.kind for email in emails(nadia)} == set(MAKES) - {kind}


@pytest.mark.parametrize("kind", MAKES)
def test_type_turned_off_by_the_shop_is_not_sent(kind: EmailKind, nadia: User) -> None:
    Switches.objects.create(pk=ONLY, **{f"has_{FLAG[kind]}": False})
    for make in MAKES.values():
        make(nadia)
        gather_later()
    assert {email.kind for email in emails(nadia)} == set(MAKES) - {kind}


FLAG = {
    EmailKind.RECEIPT: "receipts",
    EmailKind.TICKET: "tickets",
    EmailKind.ORDERS: "orders",
    EmailKind.BALANCE: "balance",
}


def test_payment_approved_twice_has_one_receipt(nadia: User) -> None:
    writing.approve_payment(nadia, "25")
    (email,) = emails(nadia)
    assert "$25.00" in email.subject
    assert Transfer.objects.filter(reference__contains="payment:transfer").count() == 1


# ------------------------------------------------------------------------------------------------ orders
def test_thousand_canceled_orders_are_one_email(nadia: User) -> None:
    service = factories.service(name="Followers")
    rows = [
        Order(user=nadia, service=service, status="canceled", quantity=9, rate=1, charge=Decimal("0.01"))
        for _ in range(1000)
    ]
    made = Order.objects.bulk_create(rows)
    for order in made:
        notifications.record([end_event(nadia, order.pk)])
    assert notifications.gather() == 0
    assert gather_later() == 1
    (email,) = emails(nadia)
    assert "1,000 orders" in email.subject
    assert email.text.count("Followers") == notifications.MAX_LISTED
    assert "950 more orders" in email.text
    assert gather_later(60) == 0


def test_order_problems_are_combined_for_15_minutes(nadia: User) -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for minute, made in [(0, 0), (14, 0), (16, 1), (20, 0), (30, 0), (36, 1)]:
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            if minute in (0, 14, 20, 30):
                writing.cancel_order(nadia)
            assert notifications.gather() == made
    first, second = emails(nadia)
    assert [email.text.count("\n- Order") + email.text.startswith("- Order") for email in (first, second)] == [2, 2]


def test_failed_order_is_shown_as_canceled_with_its_refund(nadia: User) -> None:
    order = fulfillment.fail(factories.order(nadia).pk)
    gather_later()
    (email,) = emails(nadia)
    assert f"Order {order.pk}" in email.text
    assert "Canceled · $0.09 refunded" in email.text
    assert "Failed" not in email.text


def test_completed_order_sends_no_email(nadia: User) -> None:
    order = factories.order(nadia, status="in_progress")
    fulfillment.apply_progress(
        order.pk, progress=Progress(status=Status.COMPLETED, remains=0, panel_status="Completed")
    )
    order.refresh_from_db()
    assert (order.status, PendingNotification.objects.count()) == ("completed", 0)


def end_event(user: User, order_id: int, status: str = "canceled") -> ShopEvent:
    return ShopEvent(topic=Topic.ORDER, user_id=user.pk, order_id=order_id, data={"status": status})


def test_events_without_email_take_no_query(nadia: User, django_assert_num_queries: Any) -> None:
    events = [end_event(nadia, number, "in_progress") for number in range(100)]
    events.append(ShopEvent(topic=Topic.REFILL, user_id=nadia.pk, order_id=1, refill_id=1))
    events.append(ShopEvent(topic=Topic.PRICES, data={"services": []}))
    with django_assert_num_queries(0):
        notifications.record(events)


@pytest.mark.parametrize("count", [1, 100])
def test_number_of_queries_does_not_depend_on_orders(
    count: int, nadia: User, django_assert_max_num_queries: Any
) -> None:
    service = factories.service(name="Followers")
    rows = [
        Order(user=nadia, service=service, status="canceled", quantity=9, rate=1, charge=Decimal("0.01"))
        for _ in range(count)
    ]
    events = [end_event(nadia, order.pk) for order in Order.objects.bulk_create(rows)]
    with django_assert_max_num_queries(1):
        notifications.record(events)
    assert PendingNotification.objects.count() == count
    with time_machine.travel(timezone.now() + timedelta(minutes=16)), django_assert_max_num_queries(14):
        assert notifications.gather() == 1


def test_low_balance_sends_one_email(nadia: User) -> None:
    writing.make_balance_low(nadia)
    factories.order(nadia)
    assert notifications.gather() == 1
    (email,) = emails(nadia)
    assert "$99.91" in email.subject
    assert "$99.95" in email.text


def test_no_low_balance_email_without_a_threshold(nadia: User) -> None:
    transfers.set_low_balance_alert(nadia.wallet, below=None)
    factories.order(nadia)
    assert PendingNotification.objects.count() == 0


# ------------------------------------------------------------------------------------------------ keeping
def test_emails_are_deleted_after_thirty_days(nadia: User) -> None:
    writing.approve_payment(nadia)
    writing.answer_ticket(nadia)
    old = emails(nadia)[0]
    Email.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert retention.prune() == 1
    assert [email.kind for email in emails(nadia)] == [EmailKind.TICKET]


@pytest.mark.django_db(transaction=True)
def test_wake_ups_are_merged(nadia: User) -> None:
    from_django_q = pytest.importorskip("django_q.models").OrmQ
    before = from_django_q.objects.count()
    writing.approve_payment(nadia)
    writing.approve_payment(nadia)
    assert from_django_q.objects.count() == before + 1


@pytest.mark.parametrize("url", ["", "shop.example", "https://*", "ftp://shop.example", "https://shop.example/de"])
def test_invalid_shop_url_fails_the_system_check(url: str, settings: Any) -> None:
    assert checks.check_shop_url(None) == []
    settings.SHOP_URL = url
    assert [found.id for found in checks.check_shop_url(None)] == ["mail.E001"]


@pytest.mark.parametrize("name", checks.HOOKS)
def test_invalid_hook_fails_the_system_check(name: str, settings: Any) -> None:
    assert checks.check_hooks(None) == []
    setattr(settings, name, "storefront.mail.nowhere.keep")
    assert [found.id for found in checks.check_hooks(None)] == ["mail.E002"]
