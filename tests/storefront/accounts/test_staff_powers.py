"""Limits of staff: no money or permissions for themselves, and no access to customer accounts."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.test import Client

from orders.errors import OwnMoney
from orders.ledger import transfers
from orders.models import Account, CustomerRate, PriceLevel, Transfer
from storefront.accounts.models import User
from storefront.mail.models import Email
from storefront.payments import crediting
from tests import factories
from tests.storefront.payments import payments
from tests.storefront.shop.forms import text_of

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
NO_KEYS = {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}
PASSWORD = "a-long-enough-one"


def clerk(*permissions: str, **details: Any) -> User:
    user = factories.customer("0", is_staff=True, **details)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def balance(user: User) -> Decimal | None:
    return Account.objects.get(user=user).balance


# ------------------------------------------------------------------------------------------------ own money


@pytest.mark.parametrize("is_superuser", [False, True])
def test_staff_cannot_approve_their_own_payment(is_superuser: bool) -> None:
    me = clerk("view_payment", "change_payment", is_superuser=is_superuser)
    payment = payments.with_proof(me)
    page = text_of(
        factories.signed_in(me).post(f"/admin/payments/payment/{payment.pk}/approve/", {"amount": "10"}, follow=True)
    )
    assert "This is your own payment. Ask a colleague to decide about it." in page
    payment.refresh_from_db()
    assert (payment.status, balance(me)) == ("waiting", 0)
    assert not LogEntry.objects.exists()
    for act in ("approve", "refuse", "settle"):
        assert f"/{act}/" not in text_of(factories.signed_in(me).get(f"/admin/payments/payment/{payment.pk}/change/"))


def test_payment_functions_refuse_own_payments() -> None:
    me = clerk()
    payment = payments.with_proof(me)
    for decide in (
        lambda: crediting.approve(payment, amount=Decimal(10), actor=me),
        lambda: crediting.refuse(payment, reason="no", actor=me),
        lambda: crediting.settle(payment, reason="no", actor=me),
    ):
        with pytest.raises(OwnMoney):
            decide()
    colleague = clerk("view_payment", "change_payment")
    factories.signed_in(colleague).post(f"/admin/payments/payment/{payment.pk}/approve/", {"amount": "10"})
    assert balance(me) == 10


@pytest.mark.parametrize("is_superuser", [False, True])
def test_staff_cannot_adjust_their_own_balance(is_superuser: bool) -> None:
    me = clerk("view_user", "change_user", "add_transfer", is_superuser=is_superuser)
    form = {"amount": "5", "reason": "x", "token": "0" * 32}
    assert factories.signed_in(me).post(f"{PEOPLE}{me.pk}/adjust/", form).status_code == 403
    assert f"{PEOPLE}{me.pk}/adjust/" not in text_of(factories.signed_in(me).get(f"{PEOPLE}{me.pk}/change/"))
    with pytest.raises(OwnMoney):
        transfers.adjust(me.wallet, amount=Decimal(5), reference="own", actor=me)
    assert not Transfer.objects.exists()


def test_staff_cannot_decide_about_their_own_order() -> None:
    me = factories.customer("100", is_staff=True, is_superuser=True)
    order = factories.order(me)
    page = text_of(
        factories.signed_in(me).post(f"/admin/orders/order/{order.pk}/cancel/", {"why": "because"}, follow=True)
    )
    assert "This is your own order. Ask a colleague to decide." in page
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("queued", 0)


def test_staff_cannot_set_their_own_custom_rate() -> None:
    me, service = clerk(is_superuser=True), factories.service()
    data = {"user": me.pk, "service": service.pk, "rate": "0.01"}
    answer = factories.signed_in(me).post("/admin/orders/customerrate/add/", data)
    assert "You can't set a price for yourself" in text_of(answer)
    assert not CustomerRate.objects.exists()
    colleague = clerk(is_superuser=True)
    assert factories.signed_in(colleague).post("/admin/orders/customerrate/add/", data).status_code == 302
    row = CustomerRate.objects.get()
    factories.signed_in(me).post(f"/admin/orders/customerrate/{row.pk}/change/", {"rate": "0.001"})
    row.refresh_from_db()
    assert row.rate == Decimal("0.01")


def test_staff_cannot_set_their_own_price_level() -> None:
    me, level = clerk(is_superuser=True), PriceLevel.objects.create(name="Best", discount=50)
    form = {"email": me.email, "name": "", "is_active": "on", "is_staff": "on", "is_superuser": "on", **NO_KEYS}
    factories.signed_in(me).post(f"{PEOPLE}{me.pk}/change/", {**form, "level": level.pk, "is_level_pinned": "on"})
    assert Account.objects.get(user=me).level is None


# ------------------------------------------------------------------------------------------------ rights


def test_only_superusers_can_grant_permissions() -> None:
    """Staff who may edit their own group could grant themselves all permissions."""
    group = Group.objects.create(name="clerks")
    me = clerk("view_group", "add_group", "change_group", "delete_group")
    me.groups.add(group)
    everything = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    client = factories.signed_in(me)
    form = {"name": "clerks", "permissions": everything}
    assert client.post(f"/admin/auth/group/{group.pk}/change/", form).status_code == 403
    assert client.post("/admin/auth/group/add/", {**form, "name": "more"}).status_code == 403
    assert client.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/auth/group/{group.pk}/change/").status_code == 200
    assert not group.permissions.exists()
    boss = factories.signed_in(User.objects.create_superuser("boss@example.com", "x"))
    assert boss.post(f"/admin/auth/group/{group.pk}/change/", form).status_code == 302
    assert group.permissions.count() == len(everything)


def test_staff_cannot_create_staff() -> None:
    me = clerk("view_user", "add_user", "change_user")
    data = {"email": "new@example.com", "name": "New", "is_staff": "on", "is_superuser": "on"}
    factories.signed_in(me).post(f"{PEOPLE}add/", data)
    new = User.objects.get(email="new@example.com")
    assert (new.is_staff, new.is_superuser) == (False, False)


# ------------------------------------------------------------------------------------------------ passwords


@pytest.mark.parametrize("is_superuser", [False, True])
def test_staff_cannot_set_passwords(is_superuser: bool) -> None:
    customer = factories.customer(password=PASSWORD)
    client = factories.signed_in(clerk("view_user", "change_user", is_superuser=is_superuser))
    taken = {"password1": "long enough 17", "password2": "long enough 17", "usable_password": "true"}
    assert client.post(f"{PEOPLE}{customer.pk}/password/", taken).status_code in (403, 404)
    form = {"email": customer.email, "name": "", "is_active": "on", "password": "x", **NO_KEYS}
    client.post(f"{PEOPLE}{customer.pk}/change/", form)
    customer.refresh_from_db()
    assert customer.check_password(PASSWORD)
    assert f"{PEOPLE}{customer.pk}/password/" not in text_of(client.get(f"{PEOPLE}{customer.pk}/change/"))


def test_sending_a_reset_link_is_logged_in_the_history() -> None:
    customer = factories.customer(password=PASSWORD)
    client = factories.signed_in(clerk("view_user", "change_user"))
    where = f"{PEOPLE}{customer.pk}/reset-password/"
    assert where in text_of(client.get(f"{PEOPLE}{customer.pk}/change/"))
    assert client.get(where).status_code == 405
    assert not Email.objects.exists()
    page = text_of(client.post(where, follow=True))
    assert f"Password reset link sent to {customer.email}" in page
    email = Email.objects.get()
    assert (email.address, email.kind) == (customer.email, "reset")
    assert "/account/password/reset/key/" in email.text
    assert "/account/password/reset/key/" not in page
    assert "reset link" in LogEntry.objects.get().change_message
    assert "key/" not in LogEntry.objects.get().change_message
    customer.refresh_from_db()
    assert customer.check_password(PASSWORD)


def test_only_superusers_can_send_a_reset_link_to_staff() -> None:
    colleague = clerk()
    client = factories.signed_in(clerk("view_user", "change_user"))
    assert client.post(f"{PEOPLE}{colleague.pk}/reset-password/").status_code == 403
    assert not Email.objects.exists()


def test_user_added_by_staff_receives_a_reset_link() -> None:
    factories.signed_in(clerk("view_user", "add_user", "change_user")).post(
        f"{PEOPLE}add/", {"email": "New@example.com", "name": "New"}
    )
    new = User.objects.get(email="new@example.com")
    assert (new.has_usable_password(), balance(new)) == (False, 0)
    assert list(Email.objects.values_list("address", "kind")) == [("new@example.com", "reset")]


def test_email_change_by_staff_notifies_the_former_address() -> None:
    """Staff could take over an account with a new address and a reset link, so the owner is notified."""
    customer = factories.customer(email="old@example.com", password=PASSWORD)
    phone = Client()
    phone.post("/account/login/", {"login": customer.email, "password": PASSWORD})
    client = factories.signed_in(clerk("view_user", "change_user"))
    client.post(
        f"{PEOPLE}{customer.pk}/change/", {"email": "new@example.com", "name": "", "is_active": "on", **NO_KEYS}
    )
    customer.refresh_from_db()
    assert customer.email == "new@example.com"
    assert not customer.emailaddress_set.filter(verified=True).exists()
    email = Email.objects.get(address="old@example.com")
    assert "new@example.com" in email.text
    assert phone.get("/account/profile/").status_code == 302


def test_staff_can_end_all_sessions_of_a_customer() -> None:
    customer = factories.customer(email="old@example.com", password=PASSWORD)
    phone = Client()
    phone.post("/account/login/", {"login": customer.email, "password": PASSWORD})
    client = factories.signed_in(clerk("view_user", "change_user"))
    where = f"{PEOPLE}{customer.pk}/sign-out/"
    assert where in text_of(client.get(f"{PEOPLE}{customer.pk}/change/"))
    assert "1 session ended" in text_of(client.post(where, follow=True))
    assert phone.get("/account/profile/").status_code == 302
    assert "Signed out" in LogEntry.objects.get().change_message
    assert client.post(f"{PEOPLE}{clerk().pk}/sign-out/").status_code == 403
    viewer = factories.signed_in(clerk("view_user"))
    assert where not in text_of(viewer.get(f"{PEOPLE}{customer.pk}/change/"))
    assert viewer.post(where).status_code == 403


def test_enter_in_a_field_saves_the_form() -> None:
    """A browser presses the first button of the field's form."""
    customer = factories.customer()
    page = text_of(factories.signed_in(clerk("view_user", "change_user")).get(f"{PEOPLE}{customer.pk}/change/"))
    own = page.partition('id="user_form"')[2].partition("</form>")[0]
    first = re.search(r"<(?:button|input type=\"submit\")(?![^>]*\bform=)[^>]*>", own)
    assert first
    assert 'name="_save"' in first[0]
    assert page.count('form="user-action"') == 2
    assert '<form id="user-action" method="post">' in page
