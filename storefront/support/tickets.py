"""Write tickets: open, reply, answer, close and merge them within the customer's limits. Nothing else writes them.

A message and the ticket's new state are stored under the lock of the ticket's row. Files are stored before the
transaction and removed again if it fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.models import Order
from storefront.support import notifications
from storefront.support.errors import (
    NotMergeable,
    NotTheirOrder,
    RequestAlreadyMade,
    TextRefused,
    TooFast,
    TooManyOpen,
    TooMuch,
)
from storefront.support.models import Attachment, Message, Ticket, TicketCategory, TicketOrder
from storefront.support.models.ticket import TicketKind, TicketStatus
from storefront.web import private_files

SUBJECT_MAX = 150
TEXT_MAX = 5000
MAX_FILES = 5
MAX_ORDERS = 20
#: Maximum number of messages of one customer in this time, over all tickets.
MAX_MESSAGES = 10
WITHIN = timedelta(minutes=10)
#: Maximum bytes of a customer's files per day; otherwise anybody could fill the disk.
MAX_DAILY_BYTES = 50 * 1024 * 1024
DAY = timedelta(days=1)
#: Statuses in rising order of urgency. A merged ticket keeps the more urgent one of the two.
URGENCY = (TicketStatus.CLOSED, TicketStatus.ANSWERED, TicketStatus.WAITING, TicketStatus.OPEN)


def open_ticket(
    user: Any,
    *,
    subject: str,
    text: str,
    category: TicketCategory | None = None,
    orders: Iterable[int] = (),
    uploads: Sequence[private_files.UploadedFile] = (),
    kind: TicketKind = TicketKind.QUESTION,
    wanted_for: Order | None = None,
) -> Ticket:
    """Open a ticket with its first message.

    Args:
        orders: Numbers of the customer's own orders.
        wanted_for: The order that a request is about.

    Raises:
        TextRefused, NotTheirOrder, TooFast, TooMuch, TooManyOpen.
        RequestAlreadyMade: A request of this kind is open for ``wanted_for``.
    """
    subject, text = _clean_text(" ".join(subject.split()), SUBJECT_MAX), _clean_text(text, TEXT_MAX)
    numbers = _own_orders(user, {*orders, *([wanted_for.pk] if wanted_for else [])})
    with _stored(uploads) as kept, transaction.atomic():
        _lock_customer(user)
        _refuse_twice(wanted_for, kind)
        _within_limits(user, kept, is_one_more=True)
        ticket = Ticket.objects.create(
            user=user,
            subject=subject,
            category=category,
            kind=kind,
            wanted_for=wanted_for,
            waiting_since=timezone.now(),
        )
        TicketOrder.objects.bulk_create(TicketOrder(ticket=ticket, order_id=number) for number in numbers)
        message = _write(ticket, kept, author=user, text=text)
        return _update(ticket, last_message=message.pk)


def open_by_staff(user: Any, *, subject: str, text: str, author: Any) -> Ticket:
    """Open a ticket for a customer with a message of staff. It waits for the customer, whose limits do not apply.

    Raises:
        TextRefused: The subject or the text is empty or too long.
    """
    subject, text = _clean_text(" ".join(subject.split()), SUBJECT_MAX), _clean_text(text, TEXT_MAX)
    with transaction.atomic():
        ticket = Ticket.objects.create(
            user=user, subject=subject, status=TicketStatus.WAITING, assignee=author, is_unread_by_staff=False
        )
        message = _write(ticket, [], author=author, text=text, is_staff=True)
        _update(ticket, last_message=message.pk, changed_at=message.created_at, is_unread_by_customer=True)
        notifications.answered(message)
        return ticket


def reply(ticket: Ticket, *, text: str, uploads: Sequence[private_files.UploadedFile] = ()) -> Message:
    """Add a message of the customer. The ticket then waits for staff, even if it was closed.

    Raises:
        TextRefused, TooFast, TooMuch.
        TooManyOpen: The ticket was closed, and the customer has too many open tickets.
    """
    text = _clean_text(text, TEXT_MAX)
    with _stored(uploads) as kept, transaction.atomic():
        _lock_customer(ticket.user)
        row = _locked(ticket)
        _within_limits(row.user, kept, is_one_more=row.is_closed)
        message = _write(row, kept, author=row.user, text=text)
        _set_status(
            row, TicketStatus.OPEN, last_message=message.pk, changed_at=message.created_at, is_unread_by_staff=True
        )
        return message


def answer(
    ticket: Ticket,
    *,
    author: Any,
    text: str,
    status: TicketStatus = TicketStatus.ANSWERED,
    uploads: Sequence[private_files.UploadedFile] = (),
) -> Message:
    """Add an answer of staff and set the status. An unassigned ticket is assigned to the author.

    Raises:
        TextRefused: The text is empty or too long.
    """
    text = _clean_text(text, TEXT_MAX)
    with _stored(uploads) as kept, transaction.atomic():
        row = _locked(ticket)
        message = _write(row, kept, author=author, text=text, is_staff=True)
        _set_status(
            row,
            status,
            last_message=message.pk,
            changed_at=message.created_at,
            is_unread_by_customer=True,
            is_unread_by_staff=False,
            assignee=row.assignee or author,
        )
        notifications.answered(message)
        return message


def note(ticket: Ticket, *, author: Any, text: str, uploads: Sequence[private_files.UploadedFile] = ()) -> Message:
    """Add an internal note. The customer never sees it, and nothing else changes.

    Raises:
        TextRefused: The text is empty or too long.
    """
    text = _clean_text(text, TEXT_MAX)
    with _stored(uploads) as kept, transaction.atomic():
        return _write(_locked(ticket), kept, author=author, text=text, is_staff=True, is_internal=True)


def set_status(ticket: Ticket, *, status: TicketStatus) -> Ticket:
    """Set the status without a message."""
    with transaction.atomic():
        return _set_status(_locked(ticket), status)


def close(ticket: Ticket) -> Ticket:
    """Close a ticket for its customer. A closed ticket stays as it is."""
    with transaction.atomic():
        row = _locked(ticket)
        return row if row.is_closed else _set_status(row, TicketStatus.CLOSED, is_unread_by_customer=False)


def assign(ticket: Ticket, *, assignee: Any | None) -> Ticket:
    with transaction.atomic():
        return _update(_locked(ticket), assignee=assignee)


def merge(ticket: Ticket, *, into: Ticket, actor: Any) -> Ticket:
    """Merge ``ticket`` into ``into``, a ticket of the same customer, with the messages in the order of writing.

    ``ticket`` is kept and redirects to ``into``.

    Raises:
        NotMergeable: They are the same ticket, belong to two customers, or one was merged before.
    """
    with transaction.atomic():
        rows = Ticket.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=(ticket.pk, into.pk))
        found = {row.pk: row for row in rows.order_by("pk")}
        if len(found) != 2:
            raise NotMergeable(_("A ticket cannot be merged with itself."))
        source, kept = found[ticket.pk], found[into.pk]
        if source.user_id != kept.user_id:
            raise NotMergeable(_("The tickets belong to different customers."))
        if source.merged_into_id or kept.merged_into_id:
            raise NotMergeable(_("One of the tickets has already been merged."))
        return _merge(source, kept, actor)


def read_by_customer(ticket: Ticket) -> None:
    """Mark the ticket as read by the customer up to the newest message that ``ticket`` holds.

    A newer message stays unread.
    """
    if ticket.is_unread_by_customer:
        as_seen = Ticket.objects.filter(pk=ticket.pk, last_message=ticket.last_message)
        as_seen.update(is_unread_by_customer=False)


def read_by_staff(ticket: Ticket) -> None:
    if ticket.is_unread_by_staff:
        as_seen = Ticket.objects.filter(pk=ticket.pk, last_message=ticket.last_message)
        as_seen.update(is_unread_by_staff=False)


# ------------------------------------------------------------------------------------------------ rules


def _clean_text(text: str, limit: int) -> str:
    plain = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not plain or len(plain) > limit:
        raise TextRefused(limit)
    return plain


def _own_orders(user: Any, numbers: set[int]) -> list[int]:
    """Return ``numbers`` sorted, after checking that all of them are the customer's own.

    Raises:
        NotTheirOrder: One of them is not; the error names the lowest.
    """
    own = set(Order.objects.of(user).filter(pk__in=numbers).values_list("pk", flat=True)) if numbers else set()
    for number in sorted(numbers - own):
        raise NotTheirOrder(str(number))
    return sorted(own)


def _refuse_twice(wanted_for: Order | None, kind: TicketKind) -> None:
    if wanted_for is None:
        return
    open_request = Ticket.objects.filter(wanted_for=wanted_for, kind=kind, closed_at=None).first()
    if open_request:
        raise RequestAlreadyMade(open_request)


def _within_limits(user: Any, kept: Sequence[private_files.StoredFile], *, is_one_more: bool) -> None:
    if kept:
        recent_files = Attachment.objects.filter(message__author=user, message__created_at__gt=timezone.now() - DAY)
        used_bytes = recent_files.order_by().aggregate(sum=Sum("size"))["sum"] or 0
        if used_bytes + sum(one.size for one in kept) > MAX_DAILY_BYTES:
            raise TooMuch(f"{used_bytes} bytes of files within a day")
    since = timezone.now() - WITHIN
    sent = Message.objects.filter(author=user, is_staff=False, created_at__gt=since)
    if sent.order_by()[:MAX_MESSAGES].count() >= MAX_MESSAGES:
        raise TooFast(f"{MAX_MESSAGES} messages since {since}")
    limit = settings.SUPPORT_OPEN_TICKETS
    if is_one_more and Ticket.objects.filter(user=user, closed_at=None).order_by()[:limit].count() >= limit:
        raise TooManyOpen(limit)


# ------------------------------------------------------------------------------------------------ helpers


@contextmanager
def _stored(uploads: Sequence[private_files.UploadedFile]) -> Iterator[list[private_files.StoredFile]]:
    kept: list[private_files.StoredFile] = []
    try:
        for upload in uploads:
            kept.append(private_files.store(upload, folder="tickets"))
        yield kept
    except BaseException:
        private_files.delete(kept)
        raise


def _lock_customer(user: Any) -> None:
    """Lock the customer, so that messages are counted one after the other. Always lock it before a ticket."""
    get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)


def _locked(ticket: Ticket) -> Ticket:
    """Return the ticket under its lock. A merged ticket is replaced by the one it was merged into."""
    target = Ticket.objects.values_list("merged_into", flat=True).get(pk=ticket.pk) or ticket.pk
    row = Ticket.objects.select_for_update(no_key=True, of=("self",)).get(pk=target)
    return _locked(row) if row.merged_into_id else row


def _write(
    ticket: Ticket,
    kept: Sequence[private_files.StoredFile],
    *,
    author: Any,
    text: str,
    is_staff: bool = False,
    is_internal: bool = False,
) -> Message:
    message = Message.objects.create(
        ticket=ticket, author=author, text=text, is_staff=is_staff, is_internal=is_internal
    )
    Attachment.objects.bulk_create(
        Attachment(message=message, key=one.key, name=one.name, content_type=one.content_type, size=one.size)
        for one in kept
    )
    return message


def _set_status(row: Ticket, status: TicketStatus, **columns: Any) -> Ticket:
    """Set the status and the columns that depend on it."""
    now, is_closed = timezone.now(), status == TicketStatus.CLOSED
    columns["waiting_since"] = (row.waiting_since or now) if status == TicketStatus.OPEN else None
    columns["closed_at"] = (row.closed_at or now) if is_closed else None
    if row.is_closed and not is_closed and row.wanted_for_id:
        # The same request may have been made again in the meantime. That ticket then holds the request, and this one
        # becomes a question.
        others = Ticket.objects.filter(wanted_for=row.wanted_for_id, kind=row.kind, closed_at=None)
        if others.exists():
            columns |= {"wanted_for": None, "kind": TicketKind.QUESTION}
    return _update(row, status=status, **columns)


def _update(row: Ticket, **columns: Any) -> Ticket:
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))
    return row


def _merge(source: Ticket, kept: Ticket, actor: Any) -> Ticket:
    """Merge two locked tickets. The merged one first gives up the columns that must be unique."""
    status = max(TicketStatus(source.status), TicketStatus(kept.status), key=URGENCY.index)
    newest = max((one.last_message for one in (source, kept) if one.last_message), default=None)
    since = min((one.waiting_since for one in (source, kept) if one.waiting_since), default=None)
    request = {"kind": source.kind, "wanted_for": source.wanted_for} if not kept.wanted_for_id else {}
    unread_by_customer = source.is_unread_by_customer or kept.is_unread_by_customer
    unread_by_staff = source.is_unread_by_staff or kept.is_unread_by_staff
    changed_at = max(source.changed_at, kept.changed_at)
    Message.objects.filter(ticket=source).update(ticket=kept)
    Ticket.objects.filter(merged_into=source).update(merged_into=kept)
    known = TicketOrder.objects.filter(ticket=kept).values("order")
    TicketOrder.objects.filter(ticket=source).exclude(order__in=known).update(ticket=kept)
    _set_status(
        source,
        TicketStatus.CLOSED,
        merged_into=kept,
        last_message=None,
        is_unread_by_customer=False,
        is_unread_by_staff=False,
        wanted_for=None,
    )
    kept.waiting_since = since
    _set_status(
        kept,
        status,
        last_message=newest,
        changed_at=changed_at,
        is_unread_by_customer=unread_by_customer,
        is_unread_by_staff=unread_by_staff,
        assignee=kept.assignee or source.assignee,
        **request,
    )
    _write(
        kept,
        (),
        author=actor,
        text=_("Ticket %s was merged into this one.") % source.pk,
        is_staff=True,
        is_internal=True,
    )
    return kept
