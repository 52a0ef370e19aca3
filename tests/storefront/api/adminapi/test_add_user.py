"""Customers that programs add: they can sign in, once per address, and no password is written down."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection
from django.test import Client

from orders.ledger import audit
from orders.models import Account
from storefront.accounts.models import User
from storefront.mail import sending
from tests import factories
from tests.storefront.api.adminapi.program import READ, ROOT, Program

ADD = "users/add"
PASSWORD = "river-9-lamp-north"
TAKEN = {"data": [], "error_message": "There is a user with this email address already", "error_code": 409}


def body(**changes: Any) -> dict[str, Any]:
    return {"username": "omar", "email": "Omar@example.com ", "password": PASSWORD, **changes}


@pytest.mark.django_db
def test_a_customer_is_added_and_can_sign_in(program: Program, settings: Any) -> None:
    row = program.post(ADD, body())
    user = User.objects.get(email="omar@example.com")
    assert row == program.get("users", ids=user.pk)["list"][0]
    assert (row["id"], row["username"], row["name"], row["balance"]) == (user.pk, user.email, "omar", "0.00")
    assert (user.is_staff, user.is_superuser, user.email_confirmed_at) == (False, False, None)
    assert Account.objects.get(user=user).balance == 0
    assert list(audit.findings()) == []
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    assert Client().post("/account/login/", {"login": user.email, "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
def test_the_customer_confirms_the_address_at_the_first_sign_in(program: Program, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    program.post(ADD, body())
    sending.deliver_due()
    assert mail.outbox == []
    client = Client()
    response = client.post("/account/login/", {"login": "omar@example.com", "password": PASSWORD})
    assert response.headers["Location"] == "/account/confirm-email/"
    sending.deliver_due()
    assert [message.to for message in mail.outbox] == [["omar@example.com"]]
    link = re.search(r"http\S+/account/confirm-email/\S+/", str(mail.outbox[0].body))
    assert link is not None
    client.post(urlsplit(link[0]).path)
    user = User.objects.get(email="omar@example.com")
    assert user.email_confirmed_at is not None


@pytest.mark.django_db
def test_the_history_names_the_customer_and_no_password(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        program.post(ADD, body())
    line = LogEntry.objects.get()
    assert (line.user, line.object_id) == (program.user, str(User.objects.get(email="omar@example.com").pk))
    told = f"Admin API, key {program.key.prefix}, users/add: email none → “omar@example.com”, name none → “omar”"
    assert line.change_message == told
    assert PASSWORD not in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("given", [{"username": "omar@example.com"}, {"email": "omar@example.com"}])
def test_one_field_with_the_address_is_enough(program: Program, given: dict[str, str]) -> None:
    row = program.post(ADD, given)
    assert (row["email"], row["name"]) == ("omar@example.com", "")
    assert not User.objects.get(email="omar@example.com").has_usable_password()


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["omar@example.com", " OMAR@example.com"])
@pytest.mark.parametrize("is_active", [True, False])
def test_a_known_address_is_refused_and_nothing_changes(program: Program, email: str, is_active: bool) -> None:
    known = factories.customer("5", email="omar@example.com", is_active=is_active)
    before = User.objects.filter(pk=known.pk).values().get()
    assert program.send(ADD, body(email=email)).json() == TAKEN
    assert User.objects.filter(pk=known.pk).values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": "", "email": ""}, "email: This field is required."),
        ({"username": "omar", "email": ""}, "email: Enter a valid email address."),
        ({"email": "omar"}, "email: Enter a valid email address."),
        ({"email": "omar@example.com\u0000"}, "email: Null characters are not allowed."),
        ({"email": "a" * 300 + "@example.com"}, "email: Ensure this field has no more than 254 characters."),
        ({"username": "o" * 151}, "username: At most 150 characters."),
        ({"password": "omar@example.com"}, "password: The password is too similar to the email address."),
        ({"password": "1234"}, "password: "),
        ({"password": ["river-9-lamp-north"]}, "password: Not a valid string."),
    ],
)
def test_what_is_wrong_is_named(program: Program, changes: dict[str, Any], told: str) -> None:
    response = program.send(ADD, body(**changes))
    assert response.status_code == 400
    answer = response.json()
    assert answer["error_code"] == 400
    assert told in answer["error_message"]
    assert not User.objects.filter(is_staff=False).exists()


@pytest.mark.django_db
def test_only_the_scope_for_users_adds_them() -> None:
    reader = Program(**{**dict.fromkeys(READ, True), "has_users_write": False})
    assert reader.send(ADD, body()).status_code == 403
    assert reader.http.get(ROOT + ADD).status_code == 405
    assert not User.objects.filter(email="omar@example.com").exists()


@pytest.mark.django_db
def test_no_other_column_can_be_set(program: Program) -> None:
    program.post(ADD, body(is_staff=True, is_superuser=True, balance="100", email_confirmed_at="2026-01-01"))
    user = User.objects.get(email="omar@example.com")
    assert (user.is_staff, user.is_superuser, user.email_confirmed_at) == (False, False, None)
    assert Account.objects.get(user=user).balance == 0


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
def test_of_two_requests_at_once_one_adds_the_customer(transactional_db: None) -> None:
    program = Program()

    def send(_number: int) -> int:
        try:
            return int(program.send(ADD, body(password="")).json()["error_code"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(send, range(4)))
    assert codes == [0, 409, 409, 409]
    assert User.objects.filter(email="omar@example.com").count() == 1
    assert LogEntry.objects.count() == 1
