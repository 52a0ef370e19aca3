"""Reset of two-factor authentication by staff: with permission and a reason, once, and with a notice."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from storefront.accounts import second_factor_reset
from storefront.accounts.models import User
from storefront.mail.models import Email, EmailKind
from tests import factories
from tests.orders.parallel import together

PASSWORD = "a-long-enough-one"
LOGIN = "/account/login/"


def staff(*permissions: str) -> Client:
    return factories.signed_in(factories.staff(*permissions, email="helper@example.com"))


def set_up(user: User) -> None:
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    for name in ("Phone", "Key"):
        Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": {}})


@pytest.fixture
def nadia(db: None) -> User:
    user = factories.customer(email="nadia@example.com", password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    set_up(user)
    return user


def address(user: User) -> str:
    return f"/admin/accounts/user/{user.pk}/reset-second-factor/"


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_reset_removes_all_factors_and_the_password_signs_in(boss: Client, nadia: User) -> None:
    other = factories.customer()
    set_up(other)
    client = Client()
    assert "authenticate" in client.post(LOGIN, {"login": nadia.email, "password": PASSWORD}).headers["Location"]
    assert f'href="{address(nadia)}"' in text_of(boss.get(f"/admin/accounts/user/{nadia.pk}/change/"))
    answer = boss.post(address(nadia), {"reason": "Called back on the number of the order"}, follow=True)
    assert "Two-factor authentication was reset" in text_of(answer)
    assert not Authenticator.objects.filter(user=nadia).exists()
    assert Authenticator.objects.filter(user=other).count() == 4
    client = Client()
    client.post(LOGIN, {"login": nadia.email, "password": PASSWORD})
    assert client.get("/account/profile/").status_code == 200


def test_reset_page_lists_the_factors_first(boss: Client, nadia: User) -> None:
    shown = text_of(boss.get(address(nadia)))
    assert "<strong>Authenticator app, 2 passkeys, Recovery codes</strong>" in shown
    assert "verify their identity first" in shown
    assert Authenticator.objects.filter(user=nadia).count() == 4


@pytest.mark.parametrize("reason", ["", "   "])
def test_reset_requires_a_reason(reason: str, boss: Client, nadia: User) -> None:
    assert "This field is required" in text_of(boss.post(address(nadia), {"reason": reason}))
    assert Authenticator.objects.filter(user=nadia).count() == 4
    assert not Email.objects.exists()


def test_reset_is_logged_in_the_history(boss: Client, nadia: User) -> None:
    boss.post(address(nadia), {"reason": "showed the passport"})
    entry = LogEntry.objects.get()
    assert (str(entry.user), entry.object_id) == ("boss@example.com", str(nadia.pk))
    assert "Authenticator app, 2 passkeys, Recovery codes" in entry.get_change_message()
    assert "showed the passport" in entry.get_change_message()


@pytest.mark.parametrize(("language", "is_theirs"), [("ar", True), ("", False), ("xx", False)])
def test_customer_is_notified_in_their_language_without_the_operators_name(
    language: str, is_theirs: bool, boss: Client, nadia: User
) -> None:
    User.objects.filter(pk=nadia.pk).update(language=language)
    User.objects.filter(email="boss@example.com").update(language="tr")
    boss.post(address(nadia), {"reason": "secret reason"}, headers={"User-Agent": "Bosswser"}, REMOTE_ADDR="10.9.8.7")
    email = Email.objects.get()
    assert (email.user, email.address, email.kind) == (nadia, "nadia@example.com", EmailKind.SECURITY)
    assert email.language == ("ar" if is_theirs else "en")
    assert "/account/second-factor/" in email.text
    for secret in ("secret reason", "boss@example.com", "Bosswser", "10.9.8.7"):
        assert secret not in email.text + email.html


def test_second_click_changes_nothing_and_sends_nothing(boss: Client, nadia: User) -> None:
    boss.post(address(nadia), {"reason": "lost phone"})
    answer = boss.post(address(nadia), {"reason": "lost phone"}, follow=True)
    assert "Nothing was changed" in text_of(answer)
    assert Email.objects.count() == LogEntry.objects.count() == 1
    assert "This account doesn't use two-factor authentication" in text_of(boss.get(address(nadia)))
    assert address(nadia) not in text_of(boss.get(f"/admin/accounts/user/{nadia.pk}/change/"))


def test_reset_requires_permission(nadia: User) -> None:
    plain = staff("view_user", "change_user")
    assert address(nadia) not in text_of(plain.get(f"/admin/accounts/user/{nadia.pk}/change/"))
    assert plain.get(address(nadia)).status_code == plain.post(address(nadia), {"reason": "x"}).status_code == 403
    User.objects.get(email="helper@example.com").user_permissions.set(
        Permission.objects.filter(codename="delete_authenticator")
    )
    assert plain.post(address(nadia), {"reason": "x"}).status_code == 403  # may not change users
    assert (
        factories.signed_in(factories.customer()).post(address(nadia), {"reason": "x"}).status_code == 302
    )  # to sign-in
    assert Authenticator.objects.filter(user=nadia).count() == 4
    assert not Email.objects.exists()


def test_staff_can_reset_customers_but_not_staff_or_superusers(nadia: User) -> None:
    helper = staff("view_user", "change_user", "delete_authenticator")
    for change in ({"is_staff": True}, {"is_superuser": True}, {"is_staff": True, "is_superuser": True}):
        User.objects.filter(pk=nadia.pk).update(**{"is_staff": False, "is_superuser": False, **change})
        assert helper.get(address(nadia)).status_code == 403
        assert helper.post(address(nadia), {"reason": "x"}).status_code == 403
    assert Authenticator.objects.filter(user=nadia).count() == 4
    User.objects.filter(pk=nadia.pk).update(is_staff=False, is_superuser=False)
    assert helper.post(address(nadia), {"reason": "x"}).status_code == 302
    assert not Authenticator.objects.filter(user=nadia).exists()


def test_superusers_can_reset_staff(boss: Client, nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(is_staff=True, is_superuser=True)
    assert boss.post(address(nadia), {"reason": "x"}).status_code == 302
    assert not Authenticator.objects.filter(user=nadia).exists()


def test_reset_requires_a_csrf_token(nadia: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("boss@example.com", "x"))
    assert strict.post(address(nadia), {"reason": "x"}).status_code == 403
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', text_of(strict.get(address(nadia))))[:1]
    assert strict.post(address(nadia), {"reason": "x", "csrfmiddlewaretoken": token}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_concurrent_resets_send_one_email(settings: Any) -> None:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    person = factories.customer(email="person@example.com")
    actor = User.objects.create_superuser("boss@example.com", "x")
    set_up(person)
    done = together([lambda: second_factor_reset.remove_factors(person, actor=actor, reason="x")] * 2)
    assert sorted(done) == [0, 4]
    assert Email.objects.count() == LogEntry.objects.count() == 1
