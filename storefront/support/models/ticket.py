"""The models of tickets, their messages, orders and attachments. ``support.tickets`` is their only writer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class TicketCategory(models.Model):
    """A subject area of questions."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Customers can choose it for new tickets."))

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("ticket category")
        verbose_name_plural = _("ticket categories")

    def __str__(self) -> str:
        return self.name


class TicketKind(models.TextChoices):
    """A question, or a request that an operator handles for one order."""

    QUESTION = "question", _("Question")
    REFILL = "refill", _("Refill")
    CANCEL = "cancel", _("Cancel")
    SPEED_UP = "speed_up", _("Speed up")


class TicketStatus(models.TextChoices):
    OPEN = "open", _("Open")  # staff has to answer
    ANSWERED = "answered", _("Answered")
    WAITING = "waiting", _("Waiting for customer")
    CLOSED = "closed", _("Closed")


class TicketQuerySet(models.QuerySet["Ticket"]):
    def of(self, user: Any) -> TicketQuerySet:
        """Return a customer's tickets. Those merged into another one are left out, because they only redirect to it."""
        return self.filter(user=user, merged_into=None)

    def waiting(self) -> TicketQuerySet:
        """Return the tickets that wait for an answer of staff, longest first.

        The condition is that of the partial index ``ticket_queue``, which grows with the waiting tickets, not with the
        history.
        """
        return self.filter(waiting_since__isnull=False).order_by("waiting_since", "id")


class Ticket(models.Model):
    """One conversation.

    ``last_message`` is the id of its newest message that the customer sees; lists are sorted by it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="tickets", verbose_name=_("customer")
    )
    category = models.ForeignKey(
        TicketCategory, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("category")
    )
    kind = models.CharField(_("type"), max_length=12, choices=TicketKind.choices, default=TicketKind.QUESTION)
    subject = models.CharField(_("subject"), max_length=150)
    status = models.CharField(_("status"), max_length=12, choices=TicketStatus.choices, default=TicketStatus.OPEN)
    #: The order that a request is about.
    wanted_for = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="requests", verbose_name=_("requested order")
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("assignee")
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=_("merged into")
    )
    last_message = models.BigIntegerField(_("newest message"), null=True, editable=False)
    is_unread_by_customer = models.BooleanField(_("unread by the customer"), default=False)
    is_unread_by_staff = models.BooleanField(_("unread by staff"), default=True)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    created_at = models.DateTimeField(_("opened at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("last message at"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = (
            models.CheckConstraint(
                name="ticket_open_waits",
                condition=models.Q(status="open", waiting_since__isnull=False)
                | (~models.Q(status="open") & models.Q(waiting_since__isnull=True)),
            ),
            models.CheckConstraint(
                name="ticket_closed_at_its_end",
                condition=models.Q(status="closed", closed_at__isnull=False)
                | (~models.Q(status="closed") & models.Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="ticket_merged_is_closed",
                condition=models.Q(merged_into__isnull=True) | models.Q(status="closed"),
            ),
            models.UniqueConstraint(
                name="ticket_one_open_request",
                fields=("wanted_for", "kind"),
                condition=models.Q(closed_at__isnull=True, wanted_for__isnull=False),
            ),
            # Message ids are unique over all tickets, so no two tickets have the same newest message.
            models.UniqueConstraint(name="ticket_newest_message_once", fields=("last_message",)),
        )
        indexes = (
            models.Index(name="ticket_of_user", fields=("user", "-last_message")),
            models.Index(name="ticket_of_user_by_status", fields=("user", "status", "-last_message")),
            models.Index(
                name="ticket_queue",
                fields=("waiting_since", "id"),
                condition=models.Q(waiting_since__isnull=False),
            ),
            models.Index(name="ticket_not_closed", fields=("id",), condition=models.Q(closed_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.subject}"

    @property
    def is_closed(self) -> bool:
        return self.status == TicketStatus.CLOSED


class TicketOrder(models.Model):
    """An order that a ticket is about."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="attached", verbose_name=_("ticket"))
    order = models.ForeignKey(Order, models.PROTECT, related_name="tickets", verbose_name=_("order"))

    class Meta:
        ordering = ("id",)
        verbose_name = _("ticket order")
        verbose_name_plural = _("ticket orders")
        constraints = (models.UniqueConstraint(name="ticket_order_once", fields=("ticket", "order")),)

    def __str__(self) -> str:
        return f"{self.order_id} in {self.ticket_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    def public(self) -> MessageQuerySet:
        """Return the messages that the customer may see. No page of the shop may show any other."""
        return self.filter(is_internal=False)


class Message(models.Model):
    """A message of the customer or of staff, or an internal note."""

    ticket = models.ForeignKey(
        Ticket, models.CASCADE, related_name="messages", db_index=False, verbose_name=_("ticket")
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("author"))
    is_staff = models.BooleanField(_("from staff"), default=False)
    is_internal = models.BooleanField(_("internal note"), default=False)
    text = models.TextField(_("text"))
    created_at = models.DateTimeField(_("sent at"), auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.CheckConstraint(
                name="message_note_by_staff", condition=models.Q(is_internal=False) | models.Q(is_staff=True)
            ),
        )
        indexes = (
            models.Index(name="message_of_ticket", fields=("ticket", "-id")),
            models.Index(name="message_rate", fields=("author", "-created_at")),
        )

    def __str__(self) -> str:
        return f"{self.pk} in {self.ticket_id}"


class Attachment(models.Model):
    """A file of a message. ``key`` is its name in the private storage of ``private_files``."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments", verbose_name=_("message"))
    key = models.CharField(_("storage name"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=150)
    content_type = models.CharField(_("type"), max_length=50)
    size = models.PositiveIntegerField(_("size in bytes"))

    class Meta:
        ordering = ("id",)
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")


class CannedReply(models.Model):
    """A text that staff sends often."""

    title = models.CharField(_("title"), max_length=100)
    text = models.TextField(
        _("text"),
        max_length=5000,
        help_text=_(
            "{name} is replaced with the customer's name, {order} with the number of the ticket's first order."
        ),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("position", "title")
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")

    def __str__(self) -> str:
        return self.title
