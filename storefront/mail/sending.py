"""Sending what is due, one letter after the other: claim, talk to the mail server, record.

A claim is committed before a byte is sent, and the outcome after. Where nobody knows the outcome - the server's answer
was lost, or the worker died - the letter is sent once more and never a third time. It keeps its Message-ID. A worker
that was stopped sends nothing that others may have taken over meanwhile (see ``providers.worker``).
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from smtplib import (
    SMTPDataError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection, transaction
from django.db.models import F

from providers.worker import leases, turns
from providers.worker.backoff import Steps
from providers.worker.clock import Deadline, DeadlinePassed
from providers.worker.leases import Lease
from storefront.mail import email_preferences
from storefront.mail.models import FLAGS, Email, EmailKind

log = logging.getLogger(__name__)

#: Waits between the attempts; after the last one the letter is given up.
BACK_OFF = Steps((60, 300, 1_800, 7_200, 21_600, 43_200, 86_400))
#: Seconds in which one pass claims.
BUDGET = 30.0
#: Steps of a talk with the mail server, of EMAIL_TIMEOUT seconds each at most: the content and the answer to it, which
#: may take their whole time; and those before it, which rarely do.
STEPS_OF_CONTENT, STEPS_BEFORE = 2, 3
#: One pass sends at a time.
TURN = "mail"
#: Seconds between two looks of a pass that waits.
LOOK_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """Why a letter was not sent, "" if it was. ``is_lost``: it may have been; ``is_down``: so is the server.

    ``is_late``: nothing was sent because this process was stopped.
    """

    error: str = ""
    is_final: bool = False
    is_lost: bool = False
    is_down: bool = False
    is_late: bool = False


def deliver_due(*, budget: float = BUDGET, linger: float = 0.0) -> Counter[str]:
    """Sends what is due and returns how many were sent, failed, given_up.

    One pass sends at a time: a second one returns at once. ``linger`` is for how many seconds without work a pass goes
    on looking. A server that is down ends the pass: the letters after this one would only wait for it as well.
    """
    counts: Counter[str] = Counter()
    turn = turns.take(TURN, seconds=_longest_call() + _grace())
    if turn is None:
        return counts
    claims_end = time.monotonic() + budget
    worked = time.monotonic()
    try:
        while time.monotonic() < claims_end and turn.hold():
            claimed = _claim(turn) if is_any_due() else None
            if claimed is None:
                if time.monotonic() >= worked + linger:
                    break
                time.sleep(LOOK_EVERY)
                continue
            letter, lease = claimed
            outcome = _exchange(letter, send_by=lease.send_by)
            counts[_record(letter, outcome)] += 1
            worked = time.monotonic()
            if outcome.is_down:
                break
    finally:
        turn.end()
    return counts


def is_any_due() -> bool:
    return Email.objects.due(leases.database_now()).exists()


def _longest_call() -> float:
    """Seconds from the first byte of a letter to the server's answer."""
    return float(STEPS_OF_CONTENT * settings.EMAIL_TIMEOUT)


def _grace() -> float:
    """Seconds from the claim to the first byte of a letter: for the connection, the log-in and the addresses."""
    return float(max(settings.LEASE_GRACE, STEPS_BEFORE * settings.EMAIL_TIMEOUT))


# ------------------------------------------------------------------------------------------------ claim


def _claim(turn: turns.HeldTurn) -> tuple[Email, Lease] | None:
    """The letter that is due longest, leased; None where nothing is due or the turn was lost."""
    skips = connection.features.has_select_for_update_skip_locked
    while True:
        lease = Lease.begin(longest_call=_longest_call(), grace=_grace())
        with transaction.atomic():
            if not turn.keep():
                return None
            rows = Email.objects.due(lease.begun_at).order_by("due_at", "pk")
            letter = rows.select_for_update(skip_locked=skips).first()
            if letter is None:
                return None
            if letter.lease_until is not None and letter.has_lost_answer:
                _settle(letter, SendOutcome("no outcome is known, twice", is_final=True), lease.begun_at)
                continue
            # Whoever had it before never said what became of it.
            letter.has_lost_answer = letter.has_lost_answer or letter.lease_until is not None
            letter.lease_until = letter.due_at = lease.until
            letter.attempts += 1
            letter.save(update_fields=["has_lost_answer", "lease_until", "due_at", "attempts"])
            return letter, lease


# ------------------------------------------------------------------------------------------------ talk


def _exchange(letter: Email, *, send_by: Deadline) -> SendOutcome:
    backend = get_connection(send_by=send_by)  # other backends than ours ignore it
    try:
        backend.open()
    except OSError as problem:  # smtplib's errors are OSErrors
        return SendOutcome(_words(problem, letter), is_down=True)
    try:
        send_by.check()
        backend.send_messages([_message(letter)])
    except DeadlinePassed:
        return SendOutcome("this worker was stopped before it sent anything", is_late=True)
    except SMTPRecipientsRefused as problem:
        code, said = next(iter(problem.recipients.values()))
        return SendOutcome(_said(code, said, letter), is_final=500 <= code < 600)
    except SMTPResponseException as problem:
        is_final = isinstance(problem, SMTPDataError) and 500 <= problem.smtp_code < 600
        return SendOutcome(_said(problem.smtp_code, problem.smtp_error, letter), is_final=is_final)
    except (SMTPNotSupportedError, ValueError) as problem:
        return SendOutcome(type(problem).__name__, is_final=True)
    except OSError as problem:
        return SendOutcome(_words(problem, letter), is_lost=True, is_down=True)
    finally:
        # The letter is out or it is not: a good-bye that fails changes nothing.
        with suppress(OSError):
            backend.close()
    return SendOutcome()


def _message(letter: Email) -> EmailMultiAlternatives:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {"Message-ID": f"<{letter.key}@{domain}>", "Auto-Submitted": "auto-generated"}
    if letter.kind in FLAGS and letter.user_id is not None:
        headers["List-Unsubscribe"] = f"<{email_preferences.link(letter.user_id, EmailKind(letter.kind))}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(letter.subject, letter.text, to=[letter.address], headers=headers)
    message.attach_alternative(letter.html, "text/html")
    return message


def _said(code: int, said: bytes | str, letter: Email) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return _clean(f"{code} {text}", letter)


def _words(problem: OSError, letter: Email) -> str:
    if isinstance(problem, SMTPResponseException):
        # At the log-in: servers repeat there what they were told.
        return f"{type(problem).__name__} {problem.smtp_code}"
    return _clean(f"{type(problem).__name__}: {problem}", letter)


def _clean(text: str, letter: Email) -> str:
    """On one line, and without the address: servers repeat it."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return re.sub(re.escape(letter.address), "…", plain, flags=re.IGNORECASE)[:300]


# ------------------------------------------------------------------------------------------------ record


def _record(letter: Email, outcome: SendOutcome) -> str:
    """Stores the outcome and returns its name; "late" if the lease was over and the letter is another's by now."""
    if outcome.is_late:
        return _give_back(letter)
    if outcome.error:
        log.warning("Letter %d was not sent at attempt %d.", letter.pk, letter.attempts)
    if outcome.is_lost and letter.has_lost_answer:
        outcome = SendOutcome(outcome.error, is_final=True, is_lost=True)
    return _settle(letter, outcome, leases.database_now())


def _give_back(letter: Email) -> str:
    """Nothing was sent: due at once, unless another worker has taken it."""
    mine = Email.objects.filter(pk=letter.pk, lease_until=letter.lease_until)
    mine.update(due_at=leases.database_now(), lease_until=None, attempts=F("attempts") - 1)
    return "late"


def _settle(letter: Email, outcome: SendOutcome, now: datetime) -> str:
    due_at = _next(letter, now) if outcome.error and not outcome.is_final else None
    columns: dict[str, object] = {
        "due_at": due_at,
        "lease_until": None,
        "has_lost_answer": letter.has_lost_answer or outcome.is_lost,
        "error": outcome.error,
        "sent_at": None if outcome.error else now,
        "given_up_at": now if outcome.error and due_at is None else None,
    }
    if due_at is None and letter.is_secret:
        columns |= {"text": "", "html": ""}
    if not Email.objects.filter(pk=letter.pk, lease_until=letter.lease_until).update(**columns):
        return "late"
    return "failed" if due_at else "given_up" if outcome.error else "sent"


def _next(letter: Email, now: datetime) -> datetime | None:
    """When to try again; None: never."""
    wait = BACK_OFF.delay(letter.attempts)
    return None if wait is None else now + wait
