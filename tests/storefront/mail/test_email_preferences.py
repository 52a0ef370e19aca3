"""Email preferences, unsubscribe links, the shop's email types, and the outbox in the back office."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.test import Client
from django.utils import timezone

from storefront.accounts.models import User
from storefront.mail import email_preferences, sending
from storefront.mail.models import FLAGS, SECURITY, Email, EmailKind, Preferences, Switches
from tests import factories
from tests.storefront.mail import writing
from tests.storefront.mail.mail_server import MailServer, html_of, text_of

pytestmark = pytest.mark.django_db

PAGE = "/account/mail/"


def path_of(url: str) -> str:
    return url.removeprefix("https://shop.example")


# ------------------------------------------------------------------------------------------------ page
def test_customer_chooses_email_types(page: Client, nadia: User) -> None:
    text = page.get(PAGE).content.decode()
    assert text.count("checked") == len(FLAGS)
    assert 'aria-current="page">Emails' in text
    assert page.post(PAGE, {"has_receipts": "on", "user": "1", "id": "7"}).headers["Location"] == PAGE
    row = Preferences.objects.get()
    assert (row.user, row.has_receipts, row.has_orders, row.has_tickets, row.has_balance) == (
        nadia, True, False, False, False,
    )  # fmt: skip
    assert page.get(PAGE).content.decode().count("checked") == 1
    page.post(PAGE, {})
    assert not any(getattr(Preferences.objects.get(), name) for name in FLAGS.values())


def test_low_balance_threshold_is_set_on_the_emails_page(page: Client, nadia: User) -> None:
    assert page.post(PAGE, {"has_balance": "on", "warn_below": "12.5"}).headers["Location"] == PAGE
    nadia.wallet.refresh_from_db()
    assert nadia.wallet.warn_below == Decimal("12.5")
    assert 'value="12.50"' in page.get(PAGE).content.decode()
    page.post(PAGE, {"has_balance": "on"})
    nadia.wallet.refresh_from_db()
    assert nadia.wallet.warn_below == Decimal("12.5"), "a form without the field has no opinion"
    text = page.post(PAGE, {"warn_below": "-1"}).content.decode()
    assert "Enter an amount greater than zero" in text
    assert Preferences.objects.get().has_balance, "nothing of a form with a mistake is kept"
    page.post(PAGE, {"has_balance": "on", "warn_below": ""})
    nadia.wallet.refresh_from_db()
    assert nadia.wallet.warn_below is None


def test_user_without_wallet_sees_no_threshold(client: Client) -> None:
    client.force_login(factories.user(is_staff=True))
    assert "warn_below" not in client.get(PAGE).content.decode()


def test_page_requires_sign_in(client: Client) -> None:
    assert client.get(PAGE).headers["Location"].startswith("/account/login/")


def test_the_page_costs_a_fixed_number_of_queries(page: Client, django_assert_max_num_queries: Any) -> None:
    page.get(PAGE)
    with django_assert_max_num_queries(5):  # session, customer, wishes, the line of a low balance, balance
        page.get(PAGE)


@pytest.mark.parametrize("kind", sorted(SECURITY))
def test_security_emails_cannot_be_turned_off(kind: EmailKind, nadia: User, client: Client) -> None:
    Preferences.objects.create(user=nadia, **dict.fromkeys(FLAGS.values(), False))
    Switches.objects.create(pk=1, **dict.fromkeys(FLAGS.values(), False))
    assert list(email_preferences.recipients(kind, [nadia.pk])) == [nadia]
    link = path_of(email_preferences.unsubscribe_url(nadia.pk, kind))
    assert client.post(link).status_code == 404


# ------------------------------------------------------------------------------------------------ the link in an email
def test_one_click_unsubscribes_from_the_type(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    sending.deliver_due()
    (arrived,) = post.emails
    assert arrived["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = str(arrived["List-Unsubscribe"]).strip().strip("<>")
    assert link in text_of(arrived)
    assert link in html_of(arrived).replace("&amp;", "&")
    # As a mail program does it: no cookie, no page before, and the check of forms is on.
    stranger = Client(enforce_csrf_checks=True)
    assert "Unsubscribe from these emails?" in stranger.get(path_of(link)).content.decode()
    assert not Preferences.objects.exists()
    for _again in range(2):
        answer = stranger.post(path_of(link), {"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "Location" in answer.headers) == (200, False)
    row = Preferences.objects.get()
    assert (row.user, row.has_receipts, row.has_tickets) == (nadia, False, True)
    assert not email_preferences.recipients(EmailKind.RECEIPT, [nadia.pk]).exists()
    assert email_preferences.recipients(EmailKind.TICKET, [nadia.pk]).exists()


def test_unsubscribe_link_does_not_redirect_or_sign_in(nadia: User, client: Client) -> None:
    link = path_of(email_preferences.unsubscribe_url(nadia.pk, EmailKind.ORDERS))
    answer = client.post(f"{link}?next=https://evil.example/", {"next": "https://evil.example/"})
    # The choice of a language in the foot leads back to this very address, whatever stands in it.
    above, foot, _rest = answer.content.decode().partition("<footer")
    assert foot
    assert "evil.example" not in above + str(answer.headers)
    assert "sessionid" not in answer.cookies


def test_invalid_unsubscribe_link_is_not_found(nadia: User, client: Client) -> None:
    token = email_preferences.unsubscribe_url(nadia.pk, EmailKind.ORDERS).rstrip("/").rpartition("/")[2]
    others = signing.Signer(salt="something else").sign_object([nadia.pk, "orders"])
    gone = email_preferences.unsubscribe_url(nadia.pk + 99, EmailKind.ORDERS).rstrip("/").rpartition("/")[2]
    for wrong in ("x", f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", others, gone, token.replace(":", "")):
        assert client.post(f"/mail/unsubscribe/{wrong}/").status_code == 404
    assert not Preferences.objects.exists()


# ------------------------------------------------------------------------------------------------ the back office
LIST = "/admin/mail/email/"


def test_staff_cannot_read_secret_emails(boss: Client, nadia: User, client: Client) -> None:
    client.post("/account/password/reset/", {"email": nadia.email})
    writing.approve_payment(nadia)
    secret, receipt = Email.objects.order_by("pk")
    key = re.search(r"/reset/key/(\S+)", secret.text)
    assert key
    assert "Bank transfer" in boss.get(f"{LIST}{receipt.pk}/change/").content.decode()
    page = boss.get(f"{LIST}{secret.pk}/change/").content.decode()
    assert "it may contain a link that opens the customer" in page
    assert key[1] not in page + boss.get(LIST).content.decode()
    assert boss.post(f"{LIST}{receipt.pk}/change/", {"subject": "x"}).status_code == 403
    assert boss.post(f"{LIST}{receipt.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_can_resend_emails_that_were_given_up(boss: Client, nadia: User, post: MailServer) -> None:
    post.answers = {"RCPT": "550 no"}
    writing.approve_payment(nadia)
    assert sending.deliver_due() == {"given_up": 1}
    post.answers = {}
    row = Email.objects.get()
    data = {"action": "resend", "_selected_action": [row.pk]}
    assert "1 email will be resent" in boss.post(LIST, data, follow=True).content.decode()
    assert sending.deliver_due() == {"sent": 1}
    assert len(post.emails) == 1


def test_view_permission_does_not_allow_resending(nadia: User) -> None:
    clerk = factories.user(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_email"))
    writing.approve_payment(nadia)
    Email.objects.update(due_at=None, given_up_at=timezone.now())
    client = Client()
    client.force_login(clerk)
    assert client.get(LIST).status_code == 200
    client.post(LIST, {"action": "resend", "_selected_action": [Email.objects.get().pk]})
    assert Email.objects.get().due_at is None


@pytest.mark.parametrize("count", [1, 12])
def test_number_of_queries_does_not_depend_on_rows(
    count: int, boss: Client, nadia: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(count):
        writing.approve_payment(nadia)
    boss.get(LIST)
    with django_assert_max_num_queries(7):
        boss.get(LIST)


def test_operator_turns_off_an_email_type_for_the_shop(boss: Client, nadia: User) -> None:
    change = boss.get("/admin/mail/switches/").headers["Location"]
    boss.post(change, {"has_orders": "on", "has_tickets": "on", "has_balance": "on"})
    assert not Switches.objects.get().has_receipts
    writing.approve_payment(nadia)
    assert not Email.objects.exists()
    writing.answer_ticket(nadia)
    assert Email.objects.get().kind == EmailKind.TICKET
