"""Models of the shop: customers' favorites, and orders that wait for a payment."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import MoneyField
from orders.models import Order, Service


class Favorite(models.Model):
    """A service that a customer marked with a star. Written by ``storefront.shop.favorites``."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False, verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, models.CASCADE, related_name="+", verbose_name=_("service"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("favorite")
        verbose_name_plural = _("favorites")
        constraints = [models.UniqueConstraint(name="favorite_once", fields=["user", "service"])]

    def __str__(self) -> str:
        return f"{self.user_id} {self.service_id}"


class PlanStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting for payment")
    READY = "ready", _("Being placed")
    PLACED = "placed", _("Placed")
    FAILED = "failed", _("Not placed")


class PlanProblem(models.TextChoices):
    """Why a planned order was not placed; the labels are for the customer."""

    PRICE = "price", _("The price went up after you planned the order.")
    NOT_SOLD = "not_sold", _("The service is not available at the moment.")
    FUNDS = "funds", _("Your balance does not cover the order.")
    HELD = "held", _("Your balance is on hold.")
    LINK_IN_USE = "link_in_use", _("Another order for the same link is open.")
    INVALID = "invalid", _("The service no longer accepts what you entered.")
    EXPIRED = "expired", _("The payment arrived too long after you planned the order.")


class PlannedOrder(models.Model):
    """An order that is placed when a payment arrives. Only ``storefront.shop.planned_orders`` writes it.

    ``charge`` is the highest price that the customer agreed to. ``payment_reference`` names the payment that the order
    waits for, the last one that was started for it; it is a text, because the shop does not know payments.
    """

    key = models.UUIDField(_("key"), unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("customer"))
    service = models.ForeignKey(Service, models.CASCADE, related_name="+", db_index=False, verbose_name=_("service"))
    inputs = models.JSONField(_("inputs"), default=dict)
    charge = MoneyField(_("charge"))
    payment_reference = models.CharField(_("payment reference"), max_length=40, blank=True)
    status = models.CharField(_("status"), max_length=8, choices=PlanStatus.choices, default=PlanStatus.WAITING)
    problem = models.CharField(_("problem"), max_length=12, choices=PlanProblem.choices, blank=True)
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("order")
    )
    created_at = models.DateTimeField(_("planned at"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("planned order")
        verbose_name_plural = _("planned orders")
        constraints = [
            models.UniqueConstraint(
                name="planned_order_once_per_payment",
                fields=["payment_reference"],
                condition=~Q(payment_reference=""),
            ),
            models.CheckConstraint(
                name="planned_order_placed_with_order",
                condition=Q(status=PlanStatus.PLACED, order__isnull=False)
                | (~Q(status=PlanStatus.PLACED) & Q(order__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="planned_order_ready", fields=["id"], condition=Q(status=PlanStatus.READY)),
            models.Index(name="planned_order_by_age", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return str(self.key)
