"""Unpaid payments expire; those in review or paid late do not stay unpaid."""

from __future__ import annotations

from typing import Any

import pytest

from providers.worker.schedules import sync_schedules
from storefront.accounts.models import User
from storefront.payments import expiry, tasks
from storefront.payments.models import Payment
from tests.storefront.payments import payments
from tests.storefront.payments.payments import balance, deliver, status_after, webhook_of


def statuses() -> dict[str, str]:
    return dict(Payment.objects.values_list("gateway", "status"))


def test_an_unpaid_demo_payment_expires_after_a_day(nadia: User, time_machine: Any) -> None:
    time_machine.move_to("2030-01-01T00:00Z")
    payments.demo(nadia)
    payments.manual(nadia)
    time_machine.move_to("2030-01-01T23:59Z")
    assert expiry.expire_due() == 0
    time_machine.move_to("2030-01-02T00:01Z")
    assert expiry.expire_due() == 1
    assert statuses() == {"demo": "expired", "transfer": "started"}
    time_machine.move_to("2030-01-16T00:00Z")
    assert expiry.expire_due() == 1
    assert statuses() == {"demo": "expired", "transfer": "expired"}


def test_payments_in_review_do_not_expire(nadia: User, time_machine: Any) -> None:
    time_machine.move_to("2030-01-01T00:00Z")
    payments.with_proof(nadia)
    half = payments.demo(nadia)
    deliver(webhook_of(half, amount="5"))
    time_machine.move_to("2031-01-01T00:00Z")
    assert expiry.expire_due() == 0
    assert set(statuses().values()) == {"waiting"}


def test_a_late_payment_is_credited_after_expiry(nadia: User, time_machine: Any) -> None:
    time_machine.move_to("2030-01-01T00:00Z")
    payment = payments.demo(nadia)
    time_machine.move_to("2030-01-03T00:00Z")
    tasks.expire_due()
    assert status_after(webhook_of(payment)) == "credited"
    assert balance(nadia) == 10
    assert expiry.expire_due() == 0


@pytest.mark.django_db
def test_schedules_name_existing_tasks() -> None:
    sync_schedules(tasks.SCHEDULES)
    for schedule in tasks.SCHEDULES:
        module, _, name = schedule.func.rpartition(".")
        assert module == tasks.__name__
        assert callable(getattr(tasks, name))
