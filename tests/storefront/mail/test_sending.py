"""Sending emails: once, or once more if the outcome is unknown, but never a third time."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from providers.worker import leases, turns
from providers.worker.clock import Deadline
from providers.worker.leases import Lease
from providers.worker.models import Turn
from storefront.accounts.models import User
from storefront.mail import outbox, sending
from storefront.mail.models import Email, EmailKind
from tests import factories
from tests.storefront.mail import writing
from tests.storefront.mail.mail_server import CUT, MailServer, html_of, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database's clock follow the tests' clock."""
    monkeypatch.setattr(leases, "database_now", timezone.now)


def claim() -> tuple[Email, Lease]:
    """Claim the due email as a worker that then dies."""
    Turn.objects.update(until=timezone.now() - timedelta(days=99))
    turn = turns.take(sending.TURN, seconds=60)
    assert turn
    claimed = sending._claim(turn)
    assert claimed
    return claimed


def let_the_turn_end() -> None:
    Turn.objects.update(until=timezone.now() - timedelta(days=99))


def lease_seconds() -> float:
    return sending._longest_call() + sending._grace()


def travel(**span: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**span))


def only_email() -> Email:
    return Email.objects.get()


def test_email_arrives_once_as_text_and_html(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    assert sending.deliver_due() == {"sent": 1}
    assert sending.deliver_due() == {}
    (arrived,) = post.emails
    assert arrived["To"] == "nadia@example.com"
    assert arrived["Subject"] == "Payment received: $25.00 added to your balance"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert "$25.00" in text_of(arrived)
    assert "<html" in html_of(arrived)
    assert (only_email().sent_at is not None, only_email().due_at, only_email().text != "") == (True, None, True)


def test_email_has_no_external_content_or_script(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    writing.answer_ticket(nadia, text="Look: <img src=http://evil.example/x.png> <script>x()</script>")
    sending.deliver_due()
    for arrived in post.emails:
        html = html_of(arrived)
        assert not re.search(r"<(img|script|link|iframe|object|form)\b|<[^>]*(\bsrc=|url\()|@import", html)
        hrefs = set(re.findall(r'href="([^"]*)"', html))
        assert hrefs
        assert all(address.startswith("https://shop.example/") for address in hrefs)


@pytest.mark.parametrize(
    ("answers", "is_final"),
    [
        ({"RCPT": "550 5.1.1 <nadia@example.com> unknown"}, True),
        ({"RCPT": "450 4.2.1 busy"}, False),
        ({"MAIL": "550 you may not"}, False),
        ({".": "554 we do not like it"}, True),
        ({".": "451 later"}, False),
    ],
)
def test_permanent_errors_end_and_others_are_retried(
    answers: dict[str, str], is_final: bool, post: MailServer, nadia: User, caplog: pytest.LogCaptureFixture
) -> None:
    writing.approve_payment(nadia)
    post.answers = answers
    with caplog.at_level(logging.DEBUG):
        assert sending.deliver_due() == {"given_up" if is_final else "failed": 1}
    email = only_email()
    assert email.error.startswith(next(iter(answers.values()))[:3])
    assert email.subject not in caplog.text
    assert "nadia" not in caplog.text + email.error
    assert (email.given_up_at is not None) == is_final
    post.answers = {}
    with travel(minutes=2):
        assert sending.deliver_due() == ({} if is_final else {"sent": 1})


def test_unavailable_server_loses_no_email(post: MailServer, nadia: User, settings: Any) -> None:
    writing.approve_payment(nadia)
    writing.answer_ticket(nadia)
    settings.EMAIL_PORT = 1
    assert sending.deliver_due() == {"failed": 1}
    settings.EMAIL_PORT = post.port
    with travel(minutes=2):
        assert sending.deliver_due() == {"sent": 2}
    assert len(post.emails) == 2


def test_email_is_given_up_after_two_days(nadia: User, settings: Any, post: MailServer) -> None:
    writing.approve_payment(nadia)
    settings.EMAIL_PORT = 1
    for _attempt in range(len(sending.RETRY_DELAYS.seconds)):
        with travel(days=2):
            assert sending.deliver_due() == {"failed": 1}
        Email.objects.update(due_at=timezone.now())
    assert sending.deliver_due() == {"given_up": 1}
    assert (only_email().given_up_at is not None, only_email().due_at) == (True, None)


def test_lost_answer_repeats_an_email_at_most_once(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    post.answers = {".": CUT}
    assert sending.deliver_due() == {"failed": 1}
    with travel(days=1):
        assert sending.deliver_due() == {"given_up": 1}
    with travel(days=9):
        assert sending.deliver_due() == {}
    first, second = post.emails
    assert first["Message-ID"] == second["Message-ID"]


def test_lost_answer_then_success_sends_two_copies(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    post.answers = {".": CUT}
    sending.deliver_due()
    post.answers = {}
    with travel(days=1):
        assert sending.deliver_due() == {"sent": 1}
    assert (len(post.emails), only_email().has_lost_answer) == (2, True)


def test_dead_worker_repeats_an_email_at_most_once(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    claim()  # and nothing more is heard of it
    assert sending.deliver_due() == {}
    with travel(seconds=lease_seconds() + 1):
        claim()
    let_the_turn_end()
    with travel(seconds=2 * lease_seconds() + 2):
        assert sending.deliver_due() == {}
    assert (only_email().given_up_at is not None, len(post.emails)) == (True, 0)


def test_two_passes_do_not_send_at_once(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    writing.answer_ticket(nadia)
    claim()
    assert sending.deliver_due() == {}
    assert post.emails == []


def test_worker_without_turn_claims_nothing(nadia: User) -> None:
    writing.approve_payment(nadia)
    turn = turns.take(sending.TURN, seconds=60)
    let_the_turn_end()
    assert turns.take(sending.TURN, seconds=60)
    assert turn
    assert sending._claim(turn) is None


def test_outcome_after_the_lease_is_ignored(nadia: User) -> None:
    writing.approve_payment(nadia)
    first, _lease = claim()
    with travel(seconds=lease_seconds() + 1):
        claim()
        assert sending._record(first, sending.SendOutcome()) == "late"
    assert only_email().sent_at is None


def test_suspended_worker_does_not_send_after_its_lease(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    first, _lease = claim()
    let_the_turn_end()
    with travel(seconds=lease_seconds() + 1):
        assert sending.deliver_due() == {"sent": 1}
        assert sending._record(first, sending._send(first, send_by=Deadline.after(0))) == "late"
    assert len(post.emails) == 1
    assert (only_email().sent_at is not None, only_email().error) == (True, "")


def test_unsent_claim_of_a_suspended_worker_is_due_immediately(post: MailServer, nadia: User) -> None:
    writing.approve_payment(nadia)
    first, _lease = claim()
    assert sending._record(first, sending._send(first, send_by=Deadline.after(0))) == "late"
    assert (only_email().attempts, only_email().has_lost_answer) == (0, False)
    let_the_turn_end()
    assert sending.deliver_due() == {"sent": 1}
    assert len(post.emails) == 1


@pytest.mark.parametrize("step", ["EHLO", "RCPT", "DATA"])
def test_email_is_not_sent_if_the_deadline_passes_during_the_conversation(
    step: str, post: MailServer, nadia: User
) -> None:
    """If the worker is suspended at any step before the content, the mail server must not accept the email."""
    writing.approve_payment(nadia)
    first, _lease = claim()
    post.delays[step] = 0.3
    assert sending._record(first, sending._send(first, send_by=Deadline.after(0.15))) == "late"
    assert post.emails == []
    let_the_turn_end()
    post.delays.clear()
    assert sending.deliver_due() == {"sent": 1}


# ------------------------------------------------------------------------------------------------ secrets
def test_reset_link_is_erased_after_sending(
    post: MailServer, nadia: User, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client.post("/account/password/reset/", {"email": nadia.email})
        assert "password/reset/key" in only_email().text
        sending.deliver_due()
    assert "password/reset/key" in text_of(post.emails[0])
    assert "Set new password" in html_of(post.emails[0])
    assert (only_email().kind, only_email().text, only_email().html) == (EmailKind.RESET, "", "")
    assert "reset/key" not in caplog.text
    assert outbox.resend([only_email()]) == 0
    assert post.emails[0]["List-Unsubscribe"] is None


def test_undeliverable_secret_is_erased(post: MailServer, nadia: User, client: Client) -> None:
    post.answers = {"RCPT": "550 no"}
    client.post("/account/password/reset/", {"email": nadia.email})
    sending.deliver_due()
    assert (only_email().given_up_at is not None, only_email().text) == (True, "")


def test_password_change_email_uses_the_owners_language(post: MailServer, client: Client) -> None:
    nadia = factories.customer(email="nadia@example.com", password="a-long-enough-one", language="ar")
    client.force_login(nadia)
    data = {"oldpassword": "a-long-enough-one", "password1": "another-long-one", "password2": "another-long-one"}
    agent = "Mozilla https://evil.example/ <b>x</b>"
    client.post("/account/password/change/", data, headers={"User-Agent": agent})
    email = only_email()
    sending.deliver_due()
    assert (email.kind, email.language, email.user) == (EmailKind.SECURITY, "ar", nadia)
    html = html_of(post.emails[0])
    assert 'dir="rtl"' in html
    assert "evil.example" not in "".join(re.findall(r'href="[^"]*"', html))
    assert "<b>" not in html


def test_unknown_addresses_receive_no_email(client: Client, post: MailServer) -> None:
    """Otherwise anybody could cause emails to a stranger by entering the address in the form."""
    client.post("/account/password/reset/", {"email": "stranger@example.com"})
    assert not Email.objects.exists()


# ------------------------------------------------------------------------------------------------ words
@pytest.mark.parametrize(
    ("language", "amount", "direction"),
    [("en", "$1,234.50", "ltr"), ("ru", "1 234,50", "ltr"), ("tr", "$1.234,50", "ltr"), ("ar", "1,234.50", "rtl")],
)
def test_email_uses_the_readers_language(language: str, amount: str, direction: str, post: MailServer) -> None:
    user = factories.customer("0", language=language)
    writing.approve_payment(user, "1234.50")
    sending.deliver_due()
    assert only_email().language == language
    assert amount in text_of(post.emails[0]).replace("\N{NO-BREAK SPACE}", " ")
    assert f'<html lang="{language}" dir="{direction}">' in html_of(post.emails[0])


def test_times_use_the_readers_time_zone(nadia: User) -> None:
    User.objects.filter(pk=nadia.pk).update(time_zone="Asia/Tokyo")
    nadia.refresh_from_db()
    with time_machine.travel("2026-05-01 20:30:00Z", tick=False):
        writing.approve_payment(nadia)
    assert "May 2, 2026, 5:30 a.m." in only_email().text


EVIL = "Hi\r\nBcc: evil@example.com\r\n\r\nbody"


def test_user_text_cannot_inject_headers(post: MailServer, nadia: User, settings: Any) -> None:
    settings.SHOP_NAME = f"Shop{EVIL}"
    writing.answer_ticket(nadia, subject=EVIL, text=EVIL)
    writing.approve_payment(nadia, label=EVIL)
    ticket, receipt = Email.objects.order_by("pk")
    # As if an older version had kept it so.
    Email.objects.filter(pk=receipt.pk).update(subject=EVIL)
    assert sending.deliver_due() == {"sent": 1, "given_up": 1}
    (arrived,) = post.emails
    assert arrived["Bcc"] is None
    assert "\n" not in ticket.subject
    assert [line for line in post.lines if "evil@" in line and line.startswith("RCPT")] == []
