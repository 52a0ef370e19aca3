"""Pay and order in one step: the order is placed once when the money arrives, or not at all."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from orders.models import Account, Order, Service, Transfer
from storefront.accounts.models import User
from storefront.mail.models import Email
from storefront.payments.models import Payment
from storefront.shop import planned_orders, tasks
from storefront.shop.models import PlannedOrder
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.payments.conftest import _demo_shop as demo_shop
from tests.storefront.shop import forms

__all__ = ["demo_shop"]
pytestmark = pytest.mark.django_db
NEW = "/wallet/add-funds/"


@pytest.fixture
def nadia() -> User:
    payments.demo_method()
    return factories.customer("0")


@pytest.fixture
def page(nadia: User) -> Client:
    return factories.signed_in(nadia)


@pytest.fixture
def service() -> Service:
    return factories.service(rate="100", name="Harp lessons")


def plan(page: Client, service: Service, **changes: str) -> str:
    """Press "Add … and order" and return the address of the "Add funds" page."""
    form = forms.form_data(page, service, quantity="105", **changes)
    return str(forms.send(page, {**form, "pay": "1"}).url)


def pay(page: Client, address: str, **changes: str) -> Payment:
    """Continue on the "Add funds" page and return the payment that was started."""
    text = forms.text_of(page.get(address))
    sent = dict(re.findall(r'<input type="hidden" name="(next|purpose|details_of)" value="([^"]*)"', text))
    amount = re.search(r'name="amount" value="([^"]*)"', text)
    assert amount is not None
    page.post(NEW, {**sent, "amount": amount[1], "method": payments.demo_key(), "has_purpose": "1", **changes})
    return Payment.objects.latest("pk")


def arrive(payment: Payment, **changes: Any) -> None:
    assert payments.deliver(payments.webhook_of(payment, **changes)).status_code == 200


def payment_page(page: Client, payment: Payment) -> str:
    return forms.text_of(page.get(f"/wallet/payments/{payment.reference}/"))


# ------------------------------------------------------------------------------------------------ the way there


def test_an_order_too_expensive_for_the_balance_offers_to_pay_and_order(page: Client, service: Service) -> None:
    text = forms.text_of(page.post("/orders/price/", forms.form_data(page, service, quantity="105")))
    assert "Add <bdi>$10.50</bdi> and order" in text
    rich = factories.signed_in(factories.customer("50"))
    assert "and order" not in forms.text_of(rich.post("/orders/price/", forms.form_data(rich, service, quantity="105")))


def test_the_order_is_saved_and_shown_on_the_way(page: Client, nadia: User, service: Service) -> None:
    address = plan(page, service, link="https://example.com/a?b=1")
    query = parse_qs(urlsplit(address).query)
    row = PlannedOrder.objects.get()
    assert query["purpose"] == [str(row.key)]
    assert query["amount"] == ["10.50"]
    assert (row.user, row.service, row.charge, row.status) == (nadia, service, Decimal("10.5"), "waiting")
    assert row.inputs["link"] == "https://example.com/a?b=1"
    assert not {"csrfmiddlewaretoken", "request_id", "pay"} & set(row.inputs)
    text = forms.text_of(page.get(address))
    assert "Your order is saved" in text
    assert "Harp lessons" in text
    assert not Order.objects.exists()
    assert "Your order is saved" in payment_page(page, pay(page, address))


def test_invalid_orders_and_changed_prices_are_not_saved(page: Client, service: Service) -> None:
    form = forms.form_data(page, service, quantity="0")
    assert "needs your attention" in forms.text_of(forms.send(page, {**form, "pay": "1"}))
    form = forms.form_data(page, service, quantity="105")
    Service.objects.filter(pk=service.pk).update(rate=200)
    assert "The price has changed" in forms.text_of(forms.send(page, {**form, "pay": "1"}))
    assert not PlannedOrder.objects.exists()


def test_nobody_sees_or_uses_the_plan_of_another_customer(page: Client, service: Service) -> None:
    address = plan(page, service)
    row = PlannedOrder.objects.get()
    other = factories.customer("0")
    stranger = factories.signed_in(other)
    assert "Your order is saved" not in forms.text_of(stranger.get(address))
    assert stranger.get(f"/orders/planned/{row.key}/").status_code == 404
    assert Client().get(f"/orders/planned/{row.key}/").status_code == 404
    payments.start(other, payments.demo_method(), "20", purpose=str(row.key))
    row.refresh_from_db()
    assert row.payment_reference == ""


@pytest.mark.parametrize("purpose", ["", "x", "0" * 32, "🎈"])
def test_unknown_purposes_are_ignored(purpose: str, nadia: User) -> None:
    payment = payments.start(nadia, payments.demo_method(), "20", purpose=purpose)
    arrive(payment)
    assert payments.balance(nadia) == 20


def test_the_customer_can_decide_against_it(
    page: Client, service: Service, django_capture_on_commit_callbacks: Any
) -> None:
    address = plan(page, service)
    text = forms.text_of(page.get(address))
    key = str(PlannedOrder.objects.get().key)
    sent = {"amount": "20", "method": payments.demo_key(), "purpose": key, "details_of": payments.demo_key()}
    assert 'name="has_purpose" value="1" checked' in text
    page.post(NEW, sent)
    with django_capture_on_commit_callbacks(execute=True):
        arrive(Payment.objects.get())
    tasks.place_planned_orders()
    assert not Order.objects.exists()


# ------------------------------------------------------------------------------------------------ the money arrives


def test_the_order_is_placed_when_the_money_arrives(page: Client, nadia: User, service: Service) -> None:
    payment = pay(page, plan(page, service, link="https://example.com/a"))
    arrive(payment)
    assert "Placing your order…" in payment_page(page, payment)
    tasks.place_planned_orders()
    order = Order.objects.get()
    assert (order.user, order.service, order.quantity, order.charge) == (nadia, service, 105, Decimal("10.5"))
    assert order.request_id == f"payment:{payment.reference}"
    assert payments.balance(nadia) == 0
    row = PlannedOrder.objects.get()
    assert (row.status, row.order) == ("placed", order)
    assert f'href="/orders/{order.pk}/"' in payment_page(page, payment)
    assert f"Order {order.pk} placed" in forms.text_of(page.get(f"/orders/planned/{row.key}/"))


def test_replayed_webhooks_order_once(page: Client, nadia: User, service: Service) -> None:
    payment = pay(page, plan(page, service))
    factories.wallet(nadia, "100")
    for _ in range(3):
        arrive(payment)
        tasks.place_planned_orders()
    assert Order.objects.count() == 1
    assert payments.balance(nadia) == 100
    assert Transfer.objects.filter(reference__startswith="charge:").count() == 1


def test_a_crash_between_credit_and_order_loses_nothing(
    page: Client,
    nadia: User,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    payment = pay(page, plan(page, service))
    crashed: list[str] = []

    def crash(task: str) -> None:
        crashed.append(task)
        raise ConnectionError

    monkeypatch.setattr(planned_orders, "enqueue_once", crash)
    with django_capture_on_commit_callbacks(execute=True):
        arrive(payment)
    assert crashed == ["storefront.shop.tasks.place_planned_orders"]
    assert payments.balance(nadia) == Decimal("10.5")
    assert not Order.objects.exists()
    tasks.place_planned_orders()
    assert (Order.objects.count(), payments.balance(nadia)) == (1, 0)


def test_a_crash_between_order_and_outcome_does_not_order_twice(page: Client, nadia: User, service: Service) -> None:
    payment = pay(page, plan(page, service))
    factories.wallet(nadia, "100")
    arrive(payment)
    tasks.place_planned_orders()
    PlannedOrder.objects.update(status="ready", order=None, ended_at=None)
    tasks.place_planned_orders()
    assert (Order.objects.count(), payments.balance(nadia)) == (1, 100)
    assert PlannedOrder.objects.get().order == Order.objects.get()


def test_an_order_waits_for_one_payment_only(page: Client, nadia: User, service: Service) -> None:
    address = plan(page, service)
    first, second = pay(page, address), pay(page, address)
    arrive(first)
    tasks.place_planned_orders()
    assert not Order.objects.exists()
    arrive(second)
    tasks.place_planned_orders()
    assert (Order.objects.count(), payments.balance(nadia)) == (1, Decimal("10.5"))


def test_the_database_links_a_payment_to_one_order(nadia: User, service: Service) -> None:
    PlannedOrder.objects.create(user=nadia, service=service, charge=1, payment_reference="X")
    with pytest.raises(IntegrityError), transaction.atomic():
        PlannedOrder.objects.create(user=nadia, service=service, charge=1, payment_reference="X")


def raise_price(service: Service, nadia: User) -> None:
    Service.objects.filter(pk=service.pk).update(rate=101)


def close_service(service: Service, nadia: User) -> None:
    Service.objects.filter(pk=service.pk).update(is_active=False)


def hold_balance(service: Service, nadia: User) -> None:
    Account.objects.filter(user=nadia).update(is_held=True)


def spend(service: Service, nadia: User) -> None:
    factories.order(nadia, factories.service(rate="5"), quantity=100)


def narrow(service: Service, nadia: User) -> None:
    Service.objects.filter(pk=service.pk).update(min_quantity=500)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (raise_price, "price"),
        (close_service, "not_sold"),
        (hold_balance, "held"),
        (spend, "funds"),
        (narrow, "invalid"),
    ],
)
def test_what_changed_meanwhile_leaves_the_money_in_the_balance(
    change: Any, problem: str, page: Client, nadia: User, service: Service
) -> None:
    payment = pay(page, plan(page, service))
    arrive(payment)
    change(service, nadia)
    before, orders = payments.balance(nadia), Order.objects.count()
    tasks.place_planned_orders()
    tasks.place_planned_orders()
    row = PlannedOrder.objects.get()
    assert (row.status, row.problem) == ("failed", problem)
    assert (payments.balance(nadia), Order.objects.count()) == (before, orders)
    text = payment_page(page, payment)
    assert "Your order was not placed" in text
    assert str(row.get_problem_display()) in text
    (email,) = Email.objects.filter(kind="orders")
    assert email.user == nadia
    assert "The money is in your balance" in email.text


def test_a_lower_price_is_charged(page: Client, nadia: User, service: Service) -> None:
    payment = pay(page, plan(page, service))
    arrive(payment)
    Service.objects.filter(pk=service.pk).update(rate=50)
    tasks.place_planned_orders()
    assert Order.objects.get().charge == Decimal("5.25")
    assert payments.balance(nadia) == Decimal("5.25")


def test_a_late_payment_does_not_order(page: Client, nadia: User, service: Service) -> None:
    payment = pay(page, plan(page, service))
    with time_machine.travel(timezone.now() + planned_orders.VALID_FOR + timedelta(minutes=1)):
        arrive(payment)
        tasks.place_planned_orders()
    assert PlannedOrder.objects.get().problem == "expired"
    assert payments.balance(nadia) == Decimal("10.5")


def test_old_plans_are_deleted(nadia: User, service: Service) -> None:
    old = PlannedOrder.objects.create(user=nadia, service=service, charge=1)
    fresh = PlannedOrder.objects.create(user=nadia, service=service, charge=1)
    PlannedOrder.objects.filter(pk=old.pk).update(created_at=timezone.now() - planned_orders.KEPT_FOR)
    tasks.delete_old_plans()
    assert list(PlannedOrder.objects.all()) == [fresh]
