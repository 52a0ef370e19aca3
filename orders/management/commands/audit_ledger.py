"""Command that audits the ledger: exit code 0 if it is correct, 1 with one line for each discrepancy."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from orders.ledger import audit
from orders.management.operator import OperatorCommand
from orders.models import Account, Order, Transfer


class Command(OperatorCommand):
    help = "Proves that wallets, orders and transfers agree; exit code 1 and a list when they do not."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for sentence in audit.findings():
            self.stdout.write(sentence)
            found += 1
        if found:
            raise CommandError(f"Findings: {found}. No money was moved; keep this list, look into each.", returncode=1)
        self.stdout.write(
            f"The books are in order: {Account.objects.count()} accounts, "
            f"{Transfer.objects.count()} transfers, {Order.objects.count()} orders."
        )
