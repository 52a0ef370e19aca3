"""Send due emails, one after the other: claim, talk to the mail server, record.

A claim is committed before a byte is sent, and the outcome is stored afterwards. If the outcome is unknown, because the
server's answer was lost or the worker died, the email is sent once more with the same Message-ID, and never a third
time. A worker that was stopped sends nothing that others may have taken over in the meantime (see
``providers.worker``).
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

from providers.worker import leases, turns
from providers.worker import outbox as worker_outbox
from providers.worker.backoff import Steps
from providers.worker.clock import Deadline, DeadlinePassed
from providers.worker.leases import Lease
from storefront.mail import email_preferences
from storefront.mail.models import FLAGS, Email, EmailKind
from storefront.web.plain_text import one_line

log = logging.getLogger(__name__)

#: Delays in seconds between the attempts; after the last one the email is given up.
RETRY_DELAYS = Steps((60, 300, 1_800, 7_200, 21_600, 43_200, 86_400))
#: Seconds during which one pass claims emails.
CLAIM_SECONDS = 30.0
#: Number of steps in the conversation with the mail server, each of at most EMAIL_TIMEOUT seconds: those for the
#: content and its answer, which may take their whole time, and those before it, which rarely do.
STEPS_OF_CONTENT, STEPS_BEFORE = 2, 3
#: Name of the turn. Only one pass sends at a time.
TURN = "mail"
#: Seconds between two checks of a pass that is waiting.
POLL_INTERVAL = 0.25


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The outcome of sending one email.

    Attributes:
        error: Why the email was not sent; "" if it was.
        is_final: Whether another attempt would be pointless.
        is_lost: Whether the email may have been sent although there was an error.
        is_down: Whether the mail server is unavailable.
        is_late: Whether nothing was sent because this process was stopped.
    """

    error: str = ""
    is_final: bool = False
    is_lost: bool = False
    is_down: bool = False
    is_late: bool = False


def deliver_due(*, budget: float = CLAIM_SECONDS, linger: float = 0.0) -> Counter[str]:
    """Send the emails that are due.

    One pass sends at a time; a second one returns at once. If the server is down the pass ends, because the remaining
    emails would only wait for the server as well.

    Args:
        budget: Seconds during which the pass claims emails.
        linger: Seconds without work for which the pass keeps looking.

    Returns:
        The number of emails by outcome: sent, failed, given_up or late.
    """
    counts: Counter[str] = Counter()
    turn = turns.take(TURN, seconds=_longest_call() + _grace())
    if turn is None:
        return counts
    claims_end = time.monotonic() + budget
    last_work = time.monotonic()
    try:
        while time.monotonic() < claims_end and turn.hold():
            claimed = _claim(turn) if is_any_due() else None
            if claimed is None:
                if time.monotonic() >= last_work + linger:
                    break
                time.sleep(POLL_INTERVAL)
                continue
            email, lease = claimed
            outcome = _send(email, send_by=lease.send_by)
            counts[_record(email, outcome)] += 1
            last_work = time.monotonic()
            if outcome.is_down:
                break
    finally:
        turn.end()
    return counts


def is_any_due() -> bool:
    return Email.objects.due(leases.database_now()).exists()


def _longest_call() -> float:
    """Return the maximum number of seconds from the first byte of an email to the server's answer."""
    return float(STEPS_OF_CONTENT * settings.EMAIL_TIMEOUT)


def _grace() -> float:
    """Return the seconds from the claim to the first byte, which cover connecting, signing in and the addresses."""
    return float(max(settings.LEASE_GRACE, STEPS_BEFORE * settings.EMAIL_TIMEOUT))


# ------------------------------------------------------------------------------------------------ claim


def _claim(turn: turns.HeldTurn) -> tuple[Email, Lease] | None:
    """Lease the email that has been due longest; return None if none is due or the turn was lost."""
    skips = connection.features.has_select_for_update_skip_locked
    while True:
        lease = Lease.begin(longest_call=_longest_call(), grace=_grace())
        with transaction.atomic():
            if not turn.keep():
                return None
            rows = Email.objects.due(lease.begun_at).order_by("due_at", "pk")
            email = rows.select_for_update(skip_locked=skips).first()
            if email is None:
                return None
            if email.lease_until is not None and email.has_lost_answer:
                _store_outcome(email, SendOutcome("no outcome is known, twice", is_final=True), lease.begun_at)
                continue
            # The lease of an earlier worker ended without an outcome: the email may have arrived.
            email.has_lost_answer = email.has_lost_answer or email.lease_until is not None
            email.lease_until = email.due_at = lease.until
            email.attempts += 1
            email.save(update_fields=["has_lost_answer", "lease_until", "due_at", "attempts"])
            return email, lease


# ------------------------------------------------------------------------------------------------ SMTP


def _send(email: Email, *, send_by: Deadline) -> SendOutcome:
    backend = get_connection(send_by=send_by)  # other backends than ours ignore it
    try:
        backend.open()
    except OSError as problem:  # smtplib's errors are OSErrors
        return SendOutcome(_error_text(problem, email), is_down=True)
    try:
        send_by.check()
        backend.send_messages([_message(email)])
    except DeadlinePassed:
        return SendOutcome("this worker was stopped before it sent anything", is_late=True)
    except SMTPRecipientsRefused as problem:
        code, reply = next(iter(problem.recipients.values()))
        return SendOutcome(_smtp_error(code, reply, email), is_final=500 <= code < 600)
    except SMTPResponseException as problem:
        is_final = isinstance(problem, SMTPDataError) and 500 <= problem.smtp_code < 600
        return SendOutcome(_smtp_error(problem.smtp_code, problem.smtp_error, email), is_final=is_final)
    except (SMTPNotSupportedError, ValueError) as problem:
        return SendOutcome(type(problem).__name__, is_final=True)
    except OSError as problem:
        return SendOutcome(_error_text(problem, email), is_lost=True, is_down=True)
    finally:
        # The outcome is known by now, and an error while closing the connection does not change it.
        with suppress(OSError):
            backend.close()
    return SendOutcome()


def _message(email: Email) -> EmailMultiAlternatives:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {"Message-ID": f"<{email.key}@{domain}>", "Auto-Submitted": "auto-generated"}
    if email.kind in FLAGS and email.user_id is not None:
        headers["List-Unsubscribe"] = f"<{email_preferences.unsubscribe_url(email.user_id, EmailKind(email.kind))}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(email.subject, email.text, to=[email.address], headers=headers)
    message.attach_alternative(email.html, "text/html")
    return message


def _smtp_error(code: int, reply: bytes | str, email: Email) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return _clean(f"{code} {text}", email)


def _error_text(problem: OSError, email: Email) -> str:
    if isinstance(problem, SMTPResponseException):
        # The server's text is left out: when signing in fails, servers repeat the credentials in it.
        return f"{type(problem).__name__} {problem.smtp_code}"
    return _clean(f"{type(problem).__name__}: {problem}", email)


def _clean(text: str, email: Email) -> str:
    """Return the text on one line and without the recipient's address, which servers repeat."""
    return re.sub(re.escape(email.address), "…", one_line(text), flags=re.IGNORECASE)[:300]


# ------------------------------------------------------------------------------------------------ record


def _record(email: Email, outcome: SendOutcome) -> str:
    """Store the outcome and return its name.

    Returns:
        "sent", "failed" or "given_up"; "late" if the lease had ended and another worker has the email.
    """
    if outcome.is_late:
        worker_outbox.release(email)
        return "late"
    if outcome.error:
        log.warning("Email %d was not sent at attempt %d.", email.pk, email.attempts)
    if outcome.is_lost and email.has_lost_answer:
        outcome = SendOutcome(outcome.error, is_final=True, is_lost=True)
    return _store_outcome(email, outcome, leases.database_now())


def _store_outcome(email: Email, outcome: SendOutcome, now: datetime) -> str:
    due_at = _retry_at(email, now) if outcome.error and not outcome.is_final else None
    columns: dict[str, object] = {
        "due_at": due_at,
        "lease_until": None,
        "has_lost_answer": email.has_lost_answer or outcome.is_lost,
        "error": outcome.error,
        "sent_at": None if outcome.error else now,
        "given_up_at": now if outcome.error and due_at is None else None,
    }
    if due_at is None and email.is_secret:
        columns |= {"text": "", "html": ""}
    if not Email.objects.filter(pk=email.pk, lease_until=email.lease_until).update(**columns):
        return "late"
    return "failed" if due_at else "given_up" if outcome.error else "sent"


def _retry_at(email: Email, now: datetime) -> datetime | None:
    """Return when to try again, or None to give up."""
    wait = RETRY_DELAYS.delay(email.attempts)
    return None if wait is None else now + wait
