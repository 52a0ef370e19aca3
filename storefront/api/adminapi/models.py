"""The model of staff keys, with which the operator's own programs use the Admin API."""

from __future__ import annotations

import secrets
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from storefront.accounts.models import digest


class Group(StrEnum):
    """A group of endpoints; a key may read it, or read and change it."""

    ORDERS = "orders"
    USERS = "users"
    PAYMENTS = "payments"
    TICKETS = "tickets"


class StaffKeyQuerySet(models.QuerySet["StaffKey"]):
    def active(self) -> StaffKeyQuerySet:
        """Return the keys that work: not revoked, and of staff who could create them today."""
        return self.filter(revoked_at=None, user__is_active=True, user__is_staff=True, user__is_superuser=True)


class StaffKey(models.Model):
    """A key to the Admin API. Only its hash is stored.

    It acts in the name of ``user``: the history of what it changes names this person.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="staff_keys", verbose_name=_("created by")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("The program that uses the key."))
    prefix = models.CharField(_("begins with"), max_length=8, editable=False)
    digest = models.CharField(_("hash"), max_length=64, unique=True, editable=False)
    has_orders_read = models.BooleanField(_("read orders"), default=True)
    has_orders_write = models.BooleanField(
        _("change orders"),
        default=False,
        help_text=_("Cancel and refund orders, change their status and deliver those that are delivered by hand."),
    )
    has_users_read = models.BooleanField(
        _("read users"), default=True, help_text=_("Email addresses, balances and custom rates.")
    )
    has_users_write = models.BooleanField(_("add users"), default=False, help_text=_("Creates customers."))
    has_payments_read = models.BooleanField(_("read payments"), default=False)
    has_payments_write = models.BooleanField(
        _("add payments"), default=False, help_text=_("Adds money to the balance of any customer.")
    )
    has_tickets_read = models.BooleanField(_("read tickets"), default=False)
    has_tickets_write = models.BooleanField(_("write tickets"), default=False)
    has_get_writes = models.BooleanField(
        _("add payments by GET"),
        default=False,
        help_text=_("Some older programs need this. The key and the amount may then appear in proxy logs."),
    )
    addresses = models.TextField(
        _("allowed addresses"),
        blank=True,
        help_text=_("IP addresses or networks, one per line. Leave empty to allow every address."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    objects = StaffKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("staff key")
        verbose_name_plural = _("staff keys")

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"

    def set_text(self, text: str) -> None:
        self.prefix, self.digest = text[:8], digest(text)

    def may(self, group: Group, *, is_write: bool) -> bool:
        """Return whether the key may read ``group``, or change it."""
        return bool(getattr(self, f"has_{group.value}_{'write' if is_write else 'read'}"))


def new_text() -> str:
    """Return 256 random bits as 64 characters."""
    return secrets.token_hex(32)
