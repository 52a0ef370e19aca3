"""Models of the ledger: Account and Transfer.

Only ``orders.ledger.transfers`` writes them; database triggers reject changes to a Transfer.
"""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.db.money_fields import MoneyField
from orders.models.level import PriceLevel
from orders.models.order import Order


class AccountKind(models.TextChoices):
    WALLET = "wallet", _("Customer balance")
    SALES = "sales", _("Sales")
    CLEARING = "clearing", _("Clearing")
    ADJUSTMENTS = "adjustments", _("Adjustments")
    BONUSES = "bonuses", _("Bonuses")
    DEBTS = "debts", _("Debts of customers")


class Account(models.Model):
    """A customer's wallet or a house account.

    Only wallets store a balance. Those of house accounts are summed when needed, because every purchase would have to
    update and lock the same row.
    """

    kind = models.CharField(_("type"), max_length=12, choices=AccountKind.choices)
    code = models.CharField(
        _("code"), max_length=64, unique=True, null=True, blank=True
    )  # only house accounts have one
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="wallet",
        verbose_name=_("customer"),
    )
    currency = models.CharField(_("currency"), max_length=3)
    balance = MoneyField(_("balance"), null=True, blank=True)
    spent = MoneyField(_("spent"), default=Decimal(0), help_text=_("Total of all charges minus refunds."))
    level = models.ForeignKey(
        PriceLevel, models.SET_NULL, null=True, blank=True, related_name="wallets", verbose_name=_("price level")
    )
    is_level_pinned = models.BooleanField(
        _("pinned price level"),
        default=False,
        help_text=_("The price level doesn't change when the customer spends more."),
    )
    warn_below = MoneyField(
        _("low balance alert"),
        null=True,
        blank=True,
        help_text=_("The customer is notified when the balance falls below this amount."),
    )
    is_held = models.BooleanField(
        _("on hold"),
        default=False,
        help_text=_("The customer cannot buy anything until staff release the balance."),
    )
    debt = MoneyField(
        _("debt"),
        default=Decimal(0),
        help_text=_("What a reversed payment left uncovered. The next payments settle it first."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("ledger account")
        verbose_name_plural = _("ledger accounts")
        constraints = [
            models.CheckConstraint(
                name="account_wallet_or_house",
                condition=models.Q(kind="wallet", user__isnull=False, balance__isnull=False, code__isnull=True)
                | (~models.Q(kind="wallet") & models.Q(user__isnull=True, balance__isnull=True, code__isnull=False)),
            ),
            models.CheckConstraint(name="account_balance_not_negative", condition=models.Q(balance__gte=0)),
            models.CheckConstraint(name="account_debt_not_negative", condition=models.Q(debt__gte=0)),
        ]

    def __str__(self) -> str:
        if not self.code:
            return str(_("Customer %s") % self.user_id)
        gateway = self.code.partition(":")[2]
        return f"{self.get_kind_display()}: {gateway}" if gateway else self.get_kind_display()


class TransferKind(models.TextChoices):
    CHARGE = "charge", _("Order")
    REFUND = "refund", _("Refund")
    PAYMENT = "payment", _("Payment")
    ADJUSTMENT = "adjustment", _("Adjustment")
    BONUS = "bonus", _("Bonus")
    REVERSAL = "reversal", _("Payment reversed")
    DEBT = "debt", _("Debt")


class TransferQuerySet(models.QuerySet["Transfer"]):
    def of(self, wallet: Account) -> TransferQuerySet:
        """Return the transfers of a wallet, newest first."""
        return self.filter(wallet=wallet).order_by("-id")


class Transfer(models.Model):
    """One immutable movement of a positive amount from one account to another.

    ``reference`` is unique, so that a repeated operation books nothing twice. ``wallet`` is the customer's side, if
    there is one, and ``wallet_after`` its balance after this transfer. The ids of a wallet's transfers have the same
    order as its balances.
    """

    kind = models.CharField(_("type"), max_length=12, choices=TransferKind.choices)
    reference = models.CharField(_("reference"), max_length=200, unique=True)
    source = models.ForeignKey(
        Account, models.PROTECT, related_name="outgoing", verbose_name=pgettext_lazy("an account", "from")
    )
    target = models.ForeignKey(
        Account, models.PROTECT, related_name="incoming", verbose_name=pgettext_lazy("an account", "to")
    )
    amount = MoneyField(_("amount"))
    wallet = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="transfers",
        db_index=False,
        verbose_name=_("customer account"),
    )
    wallet_after = MoneyField(_("balance after"), null=True, blank=True)
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, blank=True, related_name="transfers", verbose_name=_("order")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    note = models.CharField(_("note"), max_length=255, blank=True)
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        constraints = [
            models.CheckConstraint(name="transfer_amount_positive", condition=models.Q(amount__gt=0)),
            models.CheckConstraint(
                name="transfer_wallet_with_balance",
                condition=models.Q(wallet__isnull=True, wallet_after__isnull=True)
                | models.Q(wallet__isnull=False, wallet_after__isnull=False),
            ),
            models.CheckConstraint(name="transfer_between_two", condition=~models.Q(source=models.F("target"))),
        ]
        indexes = [
            models.Index(name="transfer_statement", fields=["wallet", "-id"]),
            models.Index(name="transfer_statement_by_kind", fields=["wallet", "kind", "-id"]),
            models.Index(name="transfer_of_period", fields=["wallet", "created_at"]),
            # Payments, adjustments and bonuses: few rows among the many that belong to an order.
            models.Index(name="transfer_without_order", fields=["kind", "-id"], condition=models.Q(order__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.reference
