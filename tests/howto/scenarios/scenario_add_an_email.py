"""After docs/how-to/add-an-email.md: a completed refill is reported, unless the customer switched it off."""

from __future__ import annotations

import pytest
from django.test import Client

from orders.lifecycle import customer_requests
from storefront.accounts.models import User
from storefront.mail.models import Email, Preferences
from tests import factories

pytestmark = pytest.mark.django_db


def complete_refill(customer: User) -> None:
    order = factories.order(customer, factories.service(has_refill=True), status="completed")
    customer_requests.complete(customer_requests.request_refill(order))


def test_a_completed_refill_makes_one_email() -> None:
    customer = factories.customer()
    complete_refill(customer)
    (email,) = Email.objects.filter(kind="refill")
    assert email.user_id == customer.pk
    assert "was completed" in email.text


def test_a_customer_who_switched_it_off_receives_none() -> None:
    customer = factories.customer()
    Preferences.objects.create(user=customer, has_refills=False)
    complete_refill(customer)
    assert not Email.objects.filter(kind="refill").exists()


def test_the_preferences_have_a_switch() -> None:
    client = Client()
    client.force_login(factories.customer())
    assert "Completed refills" in client.get("/account/mail/").content.decode()
