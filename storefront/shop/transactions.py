"""Read-only queries of a customer's transactions; only ``orders.ledger.transfers`` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.db import csv_cells
from orders.models import Account, Transfer
from orders.models.catalog import with_services
from orders.models.ledger import TransferKind
from orders.rules import amounts
from storefront.web import csv_export

PAGE_SIZE = 50
DAYS = 30


@dataclass(frozen=True, slots=True)
class WalletFigures:
    """Amounts spent and refunded in the last 30 days, in store currency."""

    spent: Decimal
    orders: int
    refunded: Decimal

    @property
    def percent(self) -> Decimal | None:
        return round(100 * self.refunded / self.spent, 1) if self.spent else None


def wallet_figures(wallet: Account) -> WalletFigures:
    """Return the figures of the last ``DAYS`` days."""
    sums = Transfer.objects.filter(wallet=wallet, created_at__gte=timezone.now() - timedelta(days=DAYS)).aggregate(
        spent=Sum("amount", filter=Q(kind=TransferKind.CHARGE)),
        orders=Count("pk", filter=Q(kind=TransferKind.CHARGE)),
        refunded=Sum("amount", filter=Q(kind=TransferKind.REFUND)),
    )
    return WalletFigures(sums["spent"] or Decimal(0), sums["orders"], sums["refunded"] or Decimal(0))


def wallet_transfers(wallet: Account, kind: str = "") -> QuerySet[Transfer]:
    """Return the transfers of the wallet, newest first; an unknown kind is ignored."""
    transfers = with_services(Transfer.objects.of(wallet), "order__service")
    return transfers.filter(kind=kind) if kind in TransferKind.values else transfers


def bonus_label(transfer: Transfer) -> str:
    """Return what a bonus was given for, by its reference; "" for transfers of other kinds."""
    source = transfer.reference.split(":")[1] if transfer.kind == TransferKind.BONUS else ""
    labels = {
        "payment": _("Payment bonus"),
        "coupon": _("Coupon"),
        "voucher": _("Voucher"),
        "welcome": _("Welcome credit"),
        "affiliate": _("Affiliate earnings"),
    }
    return labels.get(source, "")


def balance_change(transfer: Transfer) -> Decimal:
    """Return the change of the wallet by a transfer: positive for money received."""
    return transfer.amount if transfer.target_id == transfer.wallet_id else -transfer.amount


def as_csv(wallet: Account, kind: str = "") -> Iterator[str]:
    """Yield the transactions as CSV lines, with numbers in plain notation."""
    header = (
        _("Transaction ID"),
        _("Date"),
        _("Type"),
        _("Order ID"),
        _("Service"),
        _("Amount"),
        _("Balance after"),
        _("Currency"),
    )
    return csv_export.lines(header, _rows(wallet_transfers(wallet, kind), wallet.currency))


def _rows(transfers: QuerySet[Transfer], currency: str) -> Iterator[list[Any]]:
    for transfer in transfers.iterator(chunk_size=1000):
        order = transfer.order
        yield [
            transfer.pk,
            transfer.created_at.isoformat(timespec="seconds"),
            csv_cells.escape_formula(transfer.get_kind_display()),
            order.pk if order else "",
            csv_cells.escape_formula(order.service.shown_name) if order else "",
            amounts.plain(balance_change(transfer)),
            amounts.plain(transfer.wallet_after or Decimal(0)),
            currency,
        ]
