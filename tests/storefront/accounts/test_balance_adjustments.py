"""Balance adjustments by operators: with a reason, once per form, and only with permission."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from orders.models import Account, Transfer
from storefront.accounts.models import User
from tests import factories
from tests.orders.parallel import together

pytestmark = pytest.mark.django_db


def address(user: User) -> str:
    return f"/admin/accounts/user/{user.pk}/adjust/"


def token(client: Client, user: User) -> str:
    (found,) = re.findall(r'name="token" value="([^"]+)"', client.get(address(user)).content.decode())
    return found


def balance(user: User) -> Decimal | None:
    return Account.objects.get(user=user).balance


def adjust(client: Client, user: User, **data: str) -> Any:
    return client.post(address(user), {"reason": "goodwill", "token": token(client, user), **data}, follow=True)


def test_adjustments_add_and_deduct_with_a_reason(boss: Client) -> None:
    user = factories.customer("10")
    assert "Balance adjusted by $2.50: goodwill" in adjust(boss, user, amount="2.5").content.decode()
    adjust(boss, user, amount="-12.5", reason="charged back")
    assert balance(user) == 0
    given, taken = Transfer.objects.filter(kind="adjustment").order_by("id")
    assert (given.amount, given.note, str(given.actor)) == (Decimal("2.5"), "goodwill", "boss@example.com")
    assert (taken.amount, taken.source.user, taken.note) == (Decimal("12.5"), user, "charged back")
    assert LogEntry.objects.filter(object_id=str(user.pk)).count() == 2
    assert f'href="{address(user)}"' in boss.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()


def test_double_click_adjusts_once(boss: Client) -> None:
    user = factories.customer("10")
    form = {"amount": "5", "reason": "goodwill", "token": token(boss, user)}
    boss.post(address(user), form)
    assert "already made" in boss.post(address(user), form, follow=True).content.decode()
    assert balance(user) == 15
    assert LogEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_submissions_adjust_once() -> None:
    boss = User.objects.create_superuser("boss@example.com", "x")
    user = factories.customer("10")
    form = {"amount": "5", "reason": "goodwill", "token": token(factories.signed_in(boss), user)}
    clients = [factories.signed_in(boss) for _ in range(4)]
    done = together([lambda client=client: client.post(address(user), form).status_code for client in clients])
    assert done == [302] * 4
    assert balance(user) == 15
    assert (Transfer.objects.filter(kind="adjustment").count(), LogEntry.objects.count()) == (1, 1)


def test_form_token_is_bound_to_amount_and_customer(boss: Client) -> None:
    user, other = factories.customer("10"), factories.customer("10")
    form = {"amount": "5", "reason": "goodwill", "token": token(boss, user)}
    boss.post(address(user), form)
    for wrong in (boss.post(address(user), {**form, "amount": "6"}), boss.post(address(other), form)):
        assert "already used" in wrong.content.decode()
    assert (balance(user), balance(other)) == (15, 10)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"amount": "-10.01"}, "is lower"),
        ({"amount": "0"}, "other than zero"),
        ({"amount": ""}, "required"),
        ({"amount": "NaN"}, "Enter a number"),
        ({"amount": "0.0000001"}, "decimal places"),
        ({"amount": "9223372036854"}, "The balance would exceed the maximum."),
        ({"amount": "5", "reason": " "}, "required"),
        ({"amount": "5", "token": "x"}, ""),
    ],
)
def test_invalid_adjustment_shows_an_error_and_changes_nothing(boss: Client, data: dict[str, str], words: str) -> None:
    user = factories.customer("10")
    answer = adjust(boss, user, **data)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert balance(user) == 10
    assert not LogEntry.objects.exists()


def test_adjusting_requires_permission_and_excludes_own_balance() -> None:
    user = factories.customer("10")
    keeper = User.objects.create_user("keeper@example.com", is_staff=True)
    rights = Permission.objects.filter(codename__in=("view_user", "change_user"))
    keeper.user_permissions.set(rights)
    form = {"amount": "5", "reason": "x", "token": "0" * 32}
    assert factories.signed_in(keeper).post(address(user), form).status_code == 403
    assert "Adjust" not in factories.signed_in(keeper).get(f"/admin/accounts/user/{user.pk}/change/").content.decode()
    keeper.user_permissions.add(Permission.objects.get(codename="add_transfer"))
    assert factories.signed_in(keeper).get(address(user)).status_code == 200
    assert factories.signed_in(keeper).post(address(keeper), form).status_code == 403
    assert factories.signed_in(user).get(address(user)).url.startswith("/admin/login/")
    assert not Transfer.objects.filter(kind="adjustment").exists()
