"""Fill the demo's database: a shop with five providers, a customer with a balance, an operator and open orders.

A second run keeps everything and only updates the addresses of the providers' panels.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from orders.buying import checkout
from orders.models import Order, Service, Transfer
from orders.rules.service_types import INPUTS
from providers.models import Provider
from providers.pricelists import importer, onboarding
from storefront.currencies import updates
from storefront.currencies.models import Currency
from storefront.demo import content, order_history, translations
from storefront.payments.models import PaymentMethod
from storefront.support.models import CannedReply, InfoPage, TicketCategory

#: The reference of the play money. No other shop uses it.
CREDIT_REFERENCE = "demo-play-money"
CUSTOMER, ADMIN, PASSWORD = "demo@example.com", "admin@example.com", "vitrine-demo"
#: The panels' currencies, and what one unit is worth in the store currency.
CURRENCIES = {"tmsmm": ("RUB", "0.0125"), "smpanelim": ("TRY", "0.0240")}
#: The display currencies, and how many units make one dollar.
DISPLAY_CURRENCIES = {"EUR": "0.92", "RUB": "80", "TRY": "41.67"}
MARKUP = Decimal(30)
FIRST_ORDERS = 14
#: A manual payment method; the account belongs to nobody.
BANK_INSTRUCTIONS = (
    "Send {amount} to the account below with {reference} as the payment reference.\n\n"
    "Then upload a screenshot of the confirmation on this page."
)
BANK_DETAILS = "Account holder: Vitrine Demo Ltd\nIBAN: XX00 0000 0000 0000 0000 00\nBank: Example Bank"
#: Inputs that a plain order, which starts at once and is delivered in one go, does not have.
_OPTIONAL = frozenset({"runs", "interval", "start_at"})
#: A value for every other input; of those that are counted, enough entries for the smallest order.
EXAMPLES = {name: spec.example for name, spec in INPUTS.items() if name not in _OPTIONAL} | {
    "comments": "\n".join(f"Comment number {number}" for number in range(1, 13)),
    "usernames": "\n".join(f"reader{number}" for number in range(1, 61)),
    "posts": "2",
}


def sign_in_details() -> dict[str, str]:
    """Return the sign-in details for the table that the demo prints."""
    return {
        "shop": f"{CUSTOMER} / {PASSWORD}",
        "admin": f"{ADMIN} / {PASSWORD}",
        "api": f"create a key: VAR_DIR={settings.VAR_DIR} {sys.executable} manage.py customer key {CUSTOMER}",
    }


def is_demo_database() -> bool:
    """Return whether the demo has put play money and public passwords into this database."""
    return Transfer.objects.filter(reference=f"payment:manual:{CREDIT_REFERENCE}").exists()


def is_other_shop() -> bool:
    """Return whether this database belongs to a shop that is not the demo."""
    others = get_user_model().objects.exclude(email__in=(ADMIN, CUSTOMER))
    return others.exists() and not is_demo_database()


def seed(panels: dict[str, tuple[str, str]], *, stdout: Any) -> None:
    """Bring the database to the state that the demo needs.

    Args:
        panels: The address and key of each running panel, by dialect.
    """
    people = get_user_model().objects
    if not people.filter(email=ADMIN).exists():
        people.create_superuser(email=ADMIN, password=PASSWORD)
    if not people.filter(email=CUSTOMER).exists():
        call_command("customer", "add", CUSTOMER, password=PASSWORD, stdout=StringIO())
    call_command("customer", "credit", CUSTOMER, "500", reference=CREDIT_REFERENCE, stdout=StringIO())
    for dialect, (url, key) in panels.items():
        _provider(dialect, url, key)
    _currencies()
    _payment_methods()
    if not Order.objects.exists():
        _first_orders(people.get(email=CUSTOMER))
    translations.create()
    _support()
    stdout.write(f"The demo has {Service.objects.count()} services and {Order.objects.count()} orders.")


def _provider(dialect: str, url: str, key: str) -> None:
    currency, rate = CURRENCIES.get(dialect, ("USD", "1"))
    provider = onboarding.save_provider(
        f"demo-{dialect}", url=url, key=key, dialect_name=dialect, currency=currency, exchange_rate=Decimal(rate)
    )
    Provider.objects.filter(pk=provider.pk).update(paused_until=None, pause_reason="", failures=0)
    importer.import_offers(provider)
    importer.publish(provider, markup_percent=MARKUP)
    # Price lists do not say which links a service accepts; an operator enters the pattern, as this does.
    photos = Service.objects.filter(category__name=content.LINK_CATEGORY, service_type="default", link_pattern="")
    photos.update(link_pattern=content.LINK_PATTERN, link_example=EXAMPLES["link"])
    onboarding.test_connection(provider)


def _payment_methods() -> None:
    """Create a simulated payment page, and a bank transfer to an account that belongs to nobody."""
    if not PaymentMethod.objects.filter(gateway="demo").exists():
        PaymentMethod.objects.create(
            gateway="demo",
            name="Demo payment",
            hint="Instant, no real money is charged",
            minimum=Decimal(1),
            maximum=Decimal(10_000),
        )
    if not PaymentMethod.objects.filter(gateway="transfer").exists():
        PaymentMethod.objects.create(
            gateway="transfer",
            name="Bank transfer",
            hint="1 to 2 business days",
            config={"instructions": BANK_INSTRUCTIONS, "details": BANK_DETAILS},
            minimum=Decimal(5),
            maximum=Decimal(5000),
            position=1,
        )


def _currencies() -> None:
    """Create the display currencies, unless there are any: changes by an operator are kept."""
    if settings.STORE_CURRENCY == "USD" and not Currency.objects.exists():
        for code, rate in DISPLAY_CURRENCIES.items():
            currency = Currency.objects.create(code=code, rate=Decimal(rate))
            updates.record_entry(currency, changed=("rate",), by="")


def _support() -> None:
    """Create the initial pages, ticket categories and canned replies.

    If any exist, none are created, so that an operator's changes and deletions are kept.
    """
    if not TicketCategory.objects.exists():
        TicketCategory.objects.bulk_create(
            TicketCategory(name=name, position=place) for place, name in enumerate(content.CATEGORIES)
        )
        CannedReply.objects.bulk_create(
            CannedReply(title=title, text=text, position=place) for place, (title, text) in enumerate(content.REPLIES)
        )
    if not InfoPage.objects.exists():
        InfoPage.objects.bulk_create(
            InfoPage(slug=slug, title=title, text=text, position=place, is_published=True)
            for place, (slug, title, text) in enumerate(content.PAGES)
        )


def _first_orders(customer: Any) -> None:
    """Place one order of each of the cheaper services, so that orders of many service types can be watched."""
    services = sorted(Service.objects.on_sale(), key=_price_of_minimum)
    for service in services[:FIRST_ORDERS]:
        link = service.link_example or EXAMPLES["link"]
        quantity = min(max(service.min_quantity, 250), service.max_quantity)
        inputs = EXAMPLES | {"link": link, "quantity": str(quantity)}
        checkout.place_order(customer, service=service, inputs=inputs, request_id=f"demo-{service.pk}")
    order_history.create([service for service in services if not service.is_flat], EXAMPLES)


def _price_of_minimum(service: Service) -> Decimal:
    return service.rate * (1 if service.is_flat else service.min_quantity) / (1 if service.is_flat else 1000)
