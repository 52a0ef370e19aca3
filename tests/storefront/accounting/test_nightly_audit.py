"""The nightly audit stores its result and tells staff about discrepancies, once they are certain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from orders.ledger import audit
from orders.models import Order
from providers.worker import schedules
from storefront.accounting import nightly_audit, tasks
from storefront.accounting.models import AuditRun
from storefront.accounts.models import User
from storefront.mail.models import Email
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss@example.com", "x")


def break_an_order() -> Order:
    order = factories.order()
    Order.objects.filter(pk=order.pk).update(charge=order.charge + 1)
    return order


def test_a_correct_ledger_is_recorded_and_nobody_is_told(boss: User) -> None:
    factories.order()
    tasks.audit_ledger()
    assert [(run.count, run.findings) for run in AuditRun.objects.all()] == [(0, [])]
    assert not Email.objects.exists()


def test_staff_who_may_see_transactions_get_an_email(boss: User) -> None:
    clerk = User.objects.create_user("clerk@example.com", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_transfer"))
    User.objects.create_user("other@example.com", is_staff=True)
    order = break_an_order()
    tasks.audit_ledger()
    emails = Email.objects.order_by("address")
    assert [email.address for email in emails] == ["boss@example.com", "clerk@example.com"]
    assert "2 discrepancies in the ledger" in emails[0].subject
    assert f"order {order.pk}: the charge is 1.09, but its transfers total 0.09" in emails[0].text
    run = AuditRun.objects.get()
    assert f"/admin/accounting/auditrun/{run.pk}/change/" in emails[0].text


def test_the_start_page_names_the_discrepancies_until_an_audit_finds_none(boss: User) -> None:
    order = break_an_order()
    tasks.audit_ledger()
    client = Client()
    client.force_login(boss)
    assert "2 discrepancies in the ledger" in client.get("/admin/").content.decode()
    page = client.get(f"/admin/accounting/auditrun/{AuditRun.objects.get().pk}/change/").content.decode()
    assert f"order {order.pk}: the charge is 1.09" in page
    Order.objects.filter(pk=order.pk).update(charge=order.charge)
    tasks.audit_ledger()
    assert "in the ledger" not in client.get("/admin/").content.decode()


def test_what_only_the_first_pass_finds_does_not_count(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = iter([["a half-written change", "a real mistake"], ["a real mistake"]])
    monkeypatch.setattr(audit, "findings", lambda: iter(next(passes)))
    assert nightly_audit.run().findings == ["a real mistake"]


def test_a_ledger_full_of_mistakes_stores_and_sends_the_first(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def many() -> Iterator[str]:
        yield from (f"account {number}: wrong" for number in range(2000))

    monkeypatch.setattr(audit, "findings", many)
    run = nightly_audit.run()
    assert (run.count, len(run.findings)) == (2000, nightly_audit.STORED)
    assert "1980 more discrepancies" in Email.objects.get().text


def test_it_runs_once_a_day() -> None:
    assert ("storefront.accounting.tasks.audit_ledger", 1440) in [
        (row.func, row.minutes) for row in schedules.declared()
    ]
