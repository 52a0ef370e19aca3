"""Store pending notifications in the transaction of a change, and turn them into emails later.

Orders that end with a problem wait 15 minutes for others of the same customer, so that a thousand of them make one
email.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.db import bulk
from orders.events import ShopEvent, Topic
from orders.models import Order
from orders.models.order import Status
from orders.rules import amounts
from storefront.accounts.models import User
from storefront.mail import outbox
from storefront.mail.layout import EmailContent, EmailLine
from storefront.mail.models import EmailKind, PendingNotification
from storefront.web import formats

#: Final statuses of an order of which the customer is notified.
PROBLEMS = frozenset({Status.PARTIAL.value, Status.CANCELED.value, Status.FAILED.value})
#: Time from the first such order to the email about all of them.
WINDOW = timedelta(minutes=15)
#: Maximum number of orders listed in an email, and of emails written by one pass.
LISTED, MOST = 50, 500


def record(events: Sequence[ShopEvent]) -> None:
    """Store the events that need an email: one statement for any number of them, and none if there are none."""
    now = timezone.now()
    rows = [row for one in events for row in _noted(one, now)]
    if not rows:
        return
    bulk.insert(PendingNotification, ["user", "kind", "order_id", "balance", "below", "noted_at"], rows)
    if any(one.topic is Topic.LOW_BALANCE for one in events):
        transaction.on_commit(outbox.wake, robust=True)


def _noted(one: ShopEvent, now: datetime) -> list[tuple[Any, ...]]:
    if one.user_id is None:
        return []
    if one.topic is Topic.ORDER and one.data.get("status") in PROBLEMS:
        return [(one.user_id, EmailKind.ORDERS.value, one.order_id, None, None, now)]
    if one.topic is Topic.LOW_BALANCE:
        balance, below = (amounts.parse(one.data[name]) for name in ("balance", "below"))
        return [(one.user_id, EmailKind.BALANCE.value, None, balance, below, now)]
    return []


def gather() -> int:
    """Write the emails of the notifications that are due and return how many were written."""
    due = (
        PendingNotification.objects.filter(_ripe(timezone.now()))
        .order_by("user_id", "kind")
        .values_list("user_id", "kind")
    )
    return sum(_write(user_id, EmailKind(kind)) for user_id, kind in due.distinct()[:MOST])


def _ripe(now: datetime) -> Q:
    return Q(kind=EmailKind.BALANCE) | Q(kind=EmailKind.ORDERS, noted_at__lte=now - WINDOW)


@transaction.atomic
def _write(user_id: int, kind: EmailKind) -> bool:
    """Write one email about all notifications of ``kind``.

    Of two workers at once, the second waits for the lock and then finds no notifications.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    own = PendingNotification.objects.filter(user=user, kind=kind)
    if not own.filter(_ripe(timezone.now())).exists():
        return False
    notes = list(own.order_by("pk"))
    PendingNotification.objects.filter(user=user, kind=kind, pk__lte=notes[-1].pk).delete()
    make = _low if kind is EmailKind.BALANCE else _problems
    return outbox.write(user, kind=kind, content=lambda: make(notes)) is not None


def _low(notes: Sequence[PendingNotification]) -> EmailContent:
    last = notes[-1]
    balance, below = formats.money(last.balance or Decimal(0)), formats.money(last.below or Decimal(0))
    return EmailContent(
        subject=_("Your balance is low: %(balance)s") % {"balance": balance},
        paragraphs=[
            _("Your balance fell to %(balance)s, below your threshold of %(below)s. Add funds to keep ordering.")
            % {"below": below, "balance": balance}
        ],
        button=(_("Add funds"), f"{settings.SHOP_URL}{reverse('payments:new')}"),
    )


def _problems(notes: Sequence[PendingNotification]) -> EmailContent:
    numbers = {note.order_id for note in notes if note.order_id is not None}
    count = len(numbers)
    orders = Order.objects.filter(pk__in=numbers).with_service().order_by("pk")[:LISTED]
    more = count - LISTED
    told = ngettext("%(count)s more order is not listed here.", "%(count)s more orders are not listed here.", more) % {
        "count": formats.number(more)
    }
    words = {"count": formats.number(count)}
    return EmailContent(
        subject=ngettext("%(count)s order was not fully delivered", "%(count)s orders were not fully delivered", count)
        % words,
        paragraphs=[
            ngettext(
                "%(count)s order could not be fully delivered. We refunded the undelivered part to your balance.",
                "%(count)s orders could not be fully delivered. We refunded the undelivered part to your balance.",
                count,
            )
            % words
        ],
        lines=[_line(order) for order in orders],
        after=[told] if more > 0 else [],
        button=(_("View orders"), f"{settings.SHOP_URL}{reverse('shop:orders')}"),
    )


def _line(order: Order) -> EmailLine:
    words = {"number": order.pk, "service": order.service.shown_name}
    status = Status(order.status)
    # Customers do not see the internal reason why no provider accepted an order.
    label = _("Canceled") if status is Status.FAILED else status.label
    back = _("%(amount)s refunded") % {"amount": formats.money(order.refunded)}
    return EmailLine(
        title=_("Order %(number)s: %(service)s") % words,
        detail=f"{label} · {back}",
        url=f"{settings.SHOP_URL}{reverse('shop:order', args=[order.pk])}",
    )
