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
MAX_LISTED, MAX_EMAILS = 50, 500


def record(events: Sequence[ShopEvent]) -> None:
    """Store the events that need an email: one statement for any number of them, and none if there are none."""
    now = timezone.now()
    rows = [row for event in events for row in _rows(event, now)]
    if not rows:
        return
    bulk.insert(PendingNotification, ["user", "kind", "order_id", "balance", "below", "noted_at"], rows)
    if any(event.topic is Topic.LOW_BALANCE for event in events):
        transaction.on_commit(outbox.wake, robust=True)


def _rows(event: ShopEvent, now: datetime) -> list[tuple[Any, ...]]:
    if event.user_id is None:
        return []
    if event.topic is Topic.ORDER and event.data.get("status") in PROBLEMS:
        return [(event.user_id, EmailKind.ORDERS.value, event.order_id, None, None, now)]
    if event.topic is Topic.LOW_BALANCE:
        balance, below = (amounts.parse(event.data[name]) for name in ("balance", "below"))
        return [(event.user_id, EmailKind.BALANCE.value, None, balance, below, now)]
    return []


def gather() -> int:
    """Write the emails of the notifications that are due and return how many were written."""
    due = (
        PendingNotification.objects.filter(_due(timezone.now()))
        .order_by("user_id", "kind")
        .values_list("user_id", "kind")
    )
    return sum(_write(user_id, EmailKind(kind)) for user_id, kind in due.distinct()[:MAX_EMAILS])


def _due(now: datetime) -> Q:
    return Q(kind=EmailKind.BALANCE) | Q(kind=EmailKind.ORDERS, noted_at__lte=now - WINDOW)


@transaction.atomic
def _write(user_id: int, kind: EmailKind) -> bool:
    """Write one email about all notifications of ``kind``.

    Of two workers at once, the second waits for the lock and then finds no notifications.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    own = PendingNotification.objects.filter(user=user, kind=kind)
    if not own.filter(_due(timezone.now())).exists():
        return False
    notifications = list(own.order_by("pk"))
    PendingNotification.objects.filter(user=user, kind=kind, pk__lte=notifications[-1].pk).delete()
    compose = _low_balance if kind is EmailKind.BALANCE else _order_problems
    return outbox.write(user, kind=kind, content=lambda: compose(notifications)) is not None


def _low_balance(notifications: Sequence[PendingNotification]) -> EmailContent:
    last = notifications[-1]
    balance, below = formats.money(last.balance or Decimal(0)), formats.money(last.below or Decimal(0))
    return EmailContent(
        subject=_("Your balance is low: %(balance)s") % {"balance": balance},
        paragraphs=[
            _("Your balance fell to %(balance)s, below your threshold of %(below)s. Add funds to keep ordering.")
            % {"below": below, "balance": balance}
        ],
        button=(_("Add funds"), f"{settings.SHOP_URL}{reverse('payments:new')}"),
    )


def _order_problems(notifications: Sequence[PendingNotification]) -> EmailContent:
    numbers = {notification.order_id for notification in notifications if notification.order_id is not None}
    count = len(numbers)
    orders = Order.objects.filter(pk__in=numbers).with_service().order_by("pk")[:MAX_LISTED]
    more = count - MAX_LISTED
    omitted = ngettext("%(count)s more order is not listed here.", "%(count)s more orders are not listed here.", more)
    values = {"count": formats.number(count)}
    return EmailContent(
        subject=ngettext("%(count)s order was not fully delivered", "%(count)s orders were not fully delivered", count)
        % values,
        paragraphs=[
            ngettext(
                "%(count)s order could not be fully delivered. We refunded the undelivered part to your balance.",
                "%(count)s orders could not be fully delivered. We refunded the undelivered part to your balance.",
                count,
            )
            % values
        ],
        lines=[_line(order) for order in orders],
        after=[omitted % {"count": formats.number(more)}] if more > 0 else [],
        button=(_("View orders"), f"{settings.SHOP_URL}{reverse('shop:orders')}"),
    )


def _line(order: Order) -> EmailLine:
    values = {"number": order.pk, "service": order.service.shown_name}
    status = Status(order.status)
    # Customers do not see the internal reason why no provider accepted an order.
    label = _("Canceled") if status is Status.FAILED else status.label
    refunded = _("%(amount)s refunded") % {"amount": formats.money(order.refunded)}
    return EmailLine(
        title=_("Order %(number)s: %(service)s") % values,
        detail=f"{label} · {refunded}",
        url=f"{settings.SHOP_URL}{reverse('shop:order', args=[order.pk])}",
    )
