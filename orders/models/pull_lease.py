"""The model of a lease: how long an order that is delivered by hand belongs to the program that pulled it."""

from __future__ import annotations

from django.db import models

from orders.models.order import Order


class PullLease(models.Model):
    """An order that a program pulled and has not reported about. After ``until`` it is handed out again."""

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="pull_lease")
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "pull lease"
        verbose_name_plural = "pull leases"

    def __str__(self) -> str:
        return f"order {self.order_id} until {self.until}"
