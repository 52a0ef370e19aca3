"""A wallet's statement: figures, entries, and the same as CSV. Reads only; ``orders.ledger.transfers`` alone writes."""

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
    """What was spent and paid back in the last 30 days."""

    spent: Decimal
    orders: int
    paid_back: Decimal

    @property
    def percent(self) -> Decimal | None:
        return round(100 * self.paid_back / self.spent, 1) if self.spent else None


def figures(wallet: Account) -> WalletFigures:
    sums = Transfer.objects.filter(wallet=wallet, created_at__gte=timezone.now() - timedelta(days=DAYS)).aggregate(
        spent=Sum("amount", filter=Q(kind=TransferKind.CHARGE)),
        orders=Count("pk", filter=Q(kind=TransferKind.CHARGE)),
        paid_back=Sum("amount", filter=Q(kind=TransferKind.REFUND)),
    )
    return WalletFigures(sums["spent"] or Decimal(0), sums["orders"], sums["paid_back"] or Decimal(0))


def entries(wallet: Account, kind: str = "") -> QuerySet[Transfer]:
    """The wallet's entries, newest first; of one kind, if it is one."""
    found = with_services(Transfer.objects.of(wallet), "order__service")
    return found.filter(kind=kind) if kind in TransferKind.values else found


def change(transfer: Transfer) -> Decimal:
    """What an entry did to its wallet: above zero where money came in."""
    return transfer.amount if transfer.target_id == transfer.wallet_id else -transfer.amount


def as_csv(wallet: Account, kind: str = "") -> Iterator[str]:
    """The statement line by line. Numbers stay numbers."""
    head = (
        _("Transaction ID"),
        _("Date"),
        _("Type"),
        _("Order ID"),
        _("Service"),
        _("Amount"),
        _("Balance after"),
        _("Currency"),
    )
    return csv_export.lines(head, _rows(entries(wallet, kind), wallet.currency))


def _rows(transfers: QuerySet[Transfer], currency: str) -> Iterator[list[Any]]:
    for transfer in transfers.iterator(chunk_size=1000):
        order = transfer.order
        yield [
            transfer.pk,
            transfer.created_at.isoformat(timespec="seconds"),
            csv_cells.escape_formula(transfer.get_kind_display()),
            order.pk if order else "",
            csv_cells.escape_formula(order.service.shown_name) if order else "",
            amounts.plain(change(transfer)),
            amounts.plain(transfer.wallet_after or Decimal(0)),
            currency,
        ]
