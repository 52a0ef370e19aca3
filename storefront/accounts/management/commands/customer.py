"""Management command that adds customers, credits payments and creates API keys."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from orders.errors import OrdersError
from orders.ledger import transfers
from orders.management.operator import OperatorCommand
from orders.management.secret_input import read_file
from orders.rules import amounts
from storefront.accounts import api_keys, ip_addresses, new_customers
from storefront.accounts.models import KEYS_MAX, TooManyKeys, User


class Command(OperatorCommand):
    help = "Add customers, credit payments and create API keys."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add|credit|key")
        add = actions.add_parser("add", help="add a customer")
        add.add_argument("email")
        add.add_argument(
            "--password",
            help="set this password; without it, the customer sets one with a reset link. Everybody on this machine "
            "can read it in the process list: prefer --password-file",
        )
        add.add_argument(
            "--password-file", metavar="FILE", help="read the password from this file; - for standard input"
        )
        credit = actions.add_parser("credit", help="add a payment to the balance, once per reference")
        credit.add_argument("email")
        credit.add_argument("amount", help="amount in the store currency, for example 25.00")
        credit.add_argument(
            "--reference", required=True, help="your reference for the payment; a used one is not credited again"
        )
        key = actions.add_parser("key", help="create an API key and print it, and nothing else")
        key.add_argument("email")
        key.add_argument("--name", default="command line", help="the program that uses the key")
        key.add_argument(
            "--only", choices=("read", "order"), help="limit the key to one permission; by default it has both"
        )
        key.add_argument("--no-get", action="store_true", help="refuse orders by GET")
        key.add_argument(
            "--sandbox", action="store_true", help="create a sandbox key: orders are not delivered or charged"
        )
        key.add_argument(
            "--address", action="append", default=[], help="allowed IP address or network; can be repeated"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(**options)

    def _add(self, *, email: str, password: str | None, password_file: str | None = None, **_: Any) -> None:
        if password_file and not password:
            password = read_file(password_file)
        try:
            user = new_customers.add(email, password=password)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None
        except new_customers.EmailTaken:
            raise CommandError(f"{email} is already a customer.") from None
        self.stdout.write(f"Customer {user.email} added.")

    def _credit(self, *, email: str, amount: str, reference: str, **_: Any) -> None:
        wallet = transfers.open_wallet(_user(email))
        try:
            transfer = transfers.credit_payment(
                wallet, amount=amounts.parse(amount), gateway="manual", reference=reference
            )
        except OrdersError as problem:
            raise CommandError(f"Nothing was credited: {problem}.") from None
        wallet.refresh_from_db()
        self.stdout.write(
            f"{email}: {amounts.plain(transfer.amount)} {wallet.currency} under {transfer.reference}; "
            f"the balance is {amounts.plain(wallet.balance or amounts.QUANTUM * 0)} {wallet.currency}."
        )

    def _key(self, *, email: str, name: str, only: str | None, address: list[str], **options: Any) -> None:
        try:
            _row, text = api_keys.create(
                _user(email),
                name=name[:100],
                has_read_scope=only != "order",
                has_order_scope=only != "read",
                has_get_writes=not options["no_get"],
                is_sandbox=options["sandbox"],
                addresses=ip_addresses.to_text(ip_addresses.parse("\n".join(address))),
            )
        except ValueError as problem:
            raise CommandError(f"The API key was not created: {problem}.") from None
        except TooManyKeys:
            raise CommandError(f"{email} has reached the limit of {KEYS_MAX} API keys. Revoke one first.") from None
        self.stdout.write(text)


def _user(email: str) -> User:
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise CommandError(f"There is no customer {email}. To add one: manage.py customer add {email}")
    return user
