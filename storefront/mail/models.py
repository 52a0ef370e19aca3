"""The models of email: the outbox, pending notifications, and which kinds of email customers and the shop want."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField
from providers.worker.outbox import OutboxQuerySet, OutboxRow

#: Primary key of the only row of Switches.
ONLY = 1


class EmailKind(models.TextChoices):
    CONFIRMATION = "confirmation", _("Email confirmation")
    RESET = "reset", _("Password reset")
    SECURITY = "security", _("Account security")
    RECEIPT = "receipt", _("Payment receipts")
    ORDERS = "orders", _("Order problems")
    TICKET = "ticket", _("Support replies")
    BALANCE = "balance", _("Low balance")
    STAFF = "staff", _("Staff notices")


#: Kinds that are always sent. Their text is secret: no page shows it, and it is erased once it was sent.
SECURITY = frozenset({EmailKind.CONFIRMATION, EmailKind.RESET, EmailKind.SECURITY})
#: The column that says whether emails of a kind are wanted. A kind without a column cannot be switched off.
FLAGS = {
    EmailKind.RECEIPT: "has_receipts",
    EmailKind.ORDERS: "has_orders",
    EmailKind.TICKET: "has_tickets",
    EmailKind.BALANCE: "has_balance",
}


class EmailState(models.TextChoices):
    """The state of an email, as shown to staff."""

    WAITING = "waiting", _("Pending")
    RETRYING = "retrying", _("Retrying")
    SENT = "sent", _("Sent")
    GIVEN_UP = "given_up", _("Not sent")

    @property
    def mark(self) -> str:
        """Return the style sheet's class for the state: that of the most similar order status."""
        return {"sent": "completed", "given_up": "canceled", "retrying": "partial"}.get(self.value, "pending")


class Email(OutboxRow):
    """One email, ready to be sent."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="emails",
        verbose_name=_("customer"),
    )
    address = models.EmailField(_("email address"))
    kind = models.CharField(_("type"), max_length=12, choices=EmailKind.choices)
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    language = models.CharField(_("language"), max_length=10)
    #: Part of the Message-ID. Most mail programs show an email that arrives twice with the same Message-ID only once.
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    has_lost_answer = models.BooleanField(_("may have arrived already"), default=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.CharField(_("last error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, db_index=True)

    objects = OutboxQuerySet["Email"].as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("email")
        verbose_name_plural = _("emails")
        indexes = [
            # These indexes grow with the emails that are still to be sent, not with the history.
            models.Index(name="email_due", fields=["due_at", "id"], condition=models.Q(due_at__isnull=False)),
            models.Index(name="email_in_flight", fields=["lease_until"], condition=models.Q(lease_until__isnull=False)),
            models.Index(name="email_given_up", fields=["-id"], condition=models.Q(given_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_secret(self) -> bool:
        return self.kind in SECURITY

    @property
    def state(self) -> EmailState:
        if self.sent_at is not None:
            return EmailState.SENT
        if self.given_up_at is not None:
            return EmailState.GIVEN_UP
        return EmailState.RETRYING if self.error else EmailState.WAITING


class PendingNotification(models.Model):
    """A reason to email a customer, stored in the transaction of the change; ``notifications`` writes the email."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=EmailKind.choices)
    order_id = models.BigIntegerField(null=True)
    balance = MoneyField(null=True)
    below = MoneyField(null=True)
    noted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(name="note_of_user", fields=["user", "kind", "id"]),
            models.Index(name="note_waiting", fields=["kind", "noted_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class WantedEmails(models.Model):
    """The kinds of email that can be switched off. Emails about account security are always sent."""

    has_receipts = models.BooleanField(
        _("Payment receipts"), default=True, help_text=_("A payment was added to your balance.")
    )
    has_orders = models.BooleanField(
        _("Order problems"),
        default=True,
        help_text=_("Orders were canceled or only partially delivered. One email covers up to 15 minutes."),
    )
    has_tickets = models.BooleanField(
        _("Support replies"), default=True, help_text=_("We replied to one of your tickets.")
    )
    has_balance = models.BooleanField(
        _("Low balance"), default=True, help_text=_("Your balance fell below your threshold.")
    )

    class Meta:
        abstract = True


class Preferences(WantedEmails):
    """The kinds of email that one customer wants. A customer without a row wants all of them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_preferences")

    class Meta:
        verbose_name = _("email preferences")
        verbose_name_plural = _("email preferences")

    def __str__(self) -> str:
        return str(self.user_id)


class Switches(WantedEmails):
    """The kinds of email that the shop sends, in one row. Without the row the shop sends all of them."""

    class Meta:
        verbose_name = _("email types")
        verbose_name_plural = _("email types")
        constraints = [models.CheckConstraint(name="mail_switches_are_one", condition=models.Q(pk=ONLY))]

    def __str__(self) -> str:
        return str(_("Emails the shop sends"))
