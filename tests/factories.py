"""Functions that create rows for tests, through the functions of the shop."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from orders.buying import checkout
from orders.ledger import transfers
from orders.models import Account, Category, CategoryText, Order, Service, ServiceText
from storefront.accounts.models import User

_numbers = count(1)
#: An example value for every input of every service type.
INPUTS = {
    "link": "https://example.com/p/1",
    "quantity": "100",
    "comments": "first\nsecond\nthird",
    "usernames": "one\ntwo\nthree",
    "hashtags": "one\ntwo",
    "hashtag": "one",
    "username": "nadia",
    "media": "https://example.com/p/2",
    "answer_number": "2",
    "groups": "https://example.com/g1\nhttps://example.com/g2",
    "keywords": "lamps, chairs",
    "min": "10",
    "max": "20",
    "posts": "2",
    "delay": "30",
    "expiry": "11/11/2030",
    "country": "US",
    "device": "1",
    "type_of_traffic": "1",
    "google_keyword": "lamps",
}


def user(email: str = "", **details: Any) -> User:
    """Create a customer without a wallet."""
    return User.objects.create_user(email or f"customer{next(_numbers)}@example.com", **details)


def staff(*permissions: str, **details: Any) -> User:
    """Create a member of staff with ``permissions`` only, by their codenames."""
    made = user(is_staff=True, **details)
    made.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return made


def signed_in(user: User) -> Client:
    """Return a browser in which ``user`` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def wallet(user: User, amount: str = "0") -> Account:
    """Return the customer's wallet, opened if necessary, after adding ``amount``."""
    account = transfers.open_wallet(user)
    if Decimal(amount):
        transfers.credit_payment(account, amount=Decimal(amount), gateway="test", reference=str(next(_numbers)))
        account.refresh_from_db()
    return account


def customer(amount: str = "100", **details: Any) -> User:
    """Create a customer with ``amount`` in the wallet."""
    made = user(**details)
    wallet(made, amount)
    return made


def category(name: str = "", **details: Any) -> Category:
    return Category.objects.create(name=name or f"Category {next(_numbers)}", **details)


def service(service_type: str = "default", rate: str = "0.90", **details: Any) -> Service:
    """Create a service on sale, from 1 to 10,000 pieces, in a new category unless one is given."""
    within = details.pop("category", None) or category()
    limits = {"min_quantity": 1, "max_quantity": 10_000}
    name = details.pop("name", f"Service {next(_numbers)}")
    return Service.objects.create(
        category=within, name=name, service_type=service_type, rate=Decimal(rate), **{**limits, **details}
    )


def order(buyer: User | None = None, of: Service | None = None, *, status: str = "queued", **inputs: Any) -> Order:
    """Create a paid order, by default 100 pieces for 0.09. ``status`` is set without the events that lead to it."""
    sold = of or service()
    placed = checkout.place_order(buyer or customer(), service=sold, inputs={**INPUTS, **inputs})
    if status != "queued":
        Order.objects.filter(pk=placed.pk).update(status=status)
        placed.refresh_from_db()
    return placed


def translate(sold: Service, language: str = "ru", *, category: str = "", **texts: str) -> Service:
    """Add the texts of the service ``sold`` in ``language``, and the name of its category if given."""
    ServiceText.objects.create(service=sold, language=language, **texts)
    if category:
        CategoryText.objects.create(category=sold.category, language=language, name=category)
    return sold
