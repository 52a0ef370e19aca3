"""Command that audits the ledger: exit code 0 if it is correct, 1 with one line for each discrepancy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from orders.ledger import audit
from orders.management.operator import OperatorCommand
from orders.models import Account, Order, Transfer


class Command(OperatorCommand):
    help = (
        "Check that balances, orders and transfers agree. If they do not, print each discrepancy and exit with code 1."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for discrepancy in audit.findings():
            self.stdout.write(discrepancy)
            found += 1
        if found:
            raise CommandError(
                f"Discrepancies: {found}. Nothing was changed. Keep this list and investigate each entry.", returncode=1
            )
        self.stdout.write(
            f"The ledger is correct. Accounts: {Account.objects.count()}, transfers: {Transfer.objects.count()}, "
            f"orders: {Order.objects.count()}."
        )
