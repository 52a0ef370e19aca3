"""What the demo shows: a shop with five providers, a customer with money, an operator, and orders on their way.

A second run keeps everything and only tells the providers where their panels are now.
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
from providers.models import Provider
from providers.pricelists import importer, onboarding
from storefront.currencies.models import Currency
from storefront.demo import content, order_history, translations
from storefront.payments.models import ManualMethod
from storefront.support.models import CannedReply, InfoPage, TicketCategory

#: The reference of the play money; no other shop books under it.
CREDIT_REFERENCE = "demo-play-money"
CUSTOMER, ADMIN, PASSWORD = "demo@example.com", "admin@example.com", "vitrine-demo"
#: What the panels bill in, and what that is worth in the store currency.
CURRENCIES = {"tmsmm": ("RUB", "0.0125"), "smpanelim": ("TRY", "0.0240")}
#: What customers may see amounts in: how many of it are one dollar.
SHOWN = {"EUR": "0.92", "RUB": "80", "TRY": "41.67"}
MARKUP = Decimal(30)
FIRST_ORDERS = 14
#: A way to pay by hand; the account is nobody's.
BANK = {
    "name": "Bank transfer",
    "hint": "One to two working days",
    "instructions": "Send {amount} to the account below and write {reference} as the purpose of the payment.\n\n"
    "Then take a picture of the confirmation and send it to us on this page.",
    "details": "Vitrine Demo Ltd\nIBAN XX00 0000 0000 0000 0000 00\nExample Bank",
    "minimum": Decimal(5),
    "maximum": Decimal(5000),
}
#: Something to type for every input that a service type may have.
EXAMPLES = {
    "link": "https://photos.example.com/nadia",
    "comments": "\n".join(f"Comment number {number}" for number in range(1, 13)),
    "usernames": "\n".join(f"reader{number}" for number in range(1, 61)),
    "hashtags": "travel\nfood",
    "hashtag": "travel",
    "username": "nadia",
    "media": "https://photos.example.com/p/8kd2",
    "answer_number": "2",
    "groups": "readers\nwriters",
    "keywords": "handmade lamps",
    "min": "100",
    "max": "200",
    "posts": "2",
    "delay": "30",
    "country": "US",
    "device": "1",
    "type_of_traffic": "3",
}


def logins() -> dict[str, str]:
    """Who may log in where, for the table that the demo prints."""
    return {
        "shop": f"{CUSTOMER} / {PASSWORD}",
        "admin": f"{ADMIN} / {PASSWORD}",
        "api": f"a key: VAR_DIR={settings.VAR_DIR} {sys.executable} manage.py customer key {CUSTOMER}",
    }


def is_demo_database() -> bool:
    """Whether the demo has put play money and sign-ins that everybody knows into this database."""
    return Transfer.objects.filter(reference=f"payment:manual:{CREDIT_REFERENCE}").exists()


def is_somebody_elses() -> bool:
    """Whether this database belongs to a shop that is not the demo."""
    others = get_user_model().objects.exclude(email__in=(ADMIN, CUSTOMER))
    return others.exists() and not is_demo_database()


def seed(panels: dict[str, tuple[str, str]], *, stdout: Any) -> None:
    """Brings the database to what the demo needs. ``panels``: dialect -> (address, key) of a panel that answers."""
    people = get_user_model().objects
    if not people.filter(email=ADMIN).exists():
        people.create_superuser(email=ADMIN, password=PASSWORD)
    if not people.filter(email=CUSTOMER).exists():
        call_command("customer", "add", CUSTOMER, password=PASSWORD, stdout=StringIO())
    call_command("customer", "credit", CUSTOMER, "500", reference=CREDIT_REFERENCE, stdout=StringIO())
    for dialect, (url, key) in panels.items():
        _provider(dialect, url, key)
    _currencies()
    ManualMethod.objects.get_or_create(name=BANK["name"], defaults=BANK)
    if not Order.objects.exists():
        _first_orders(people.get(email=CUSTOMER))
    translations.put()
    _support()
    stdout.write(f"The demo has {Service.objects.count()} services and {Order.objects.count()} orders.")


def _provider(dialect: str, url: str, key: str) -> None:
    currency, rate = CURRENCIES.get(dialect, ("USD", "1"))
    provider = onboarding.save_provider(
        f"demo-{dialect}", url=url, key=key, dialect=dialect, currency=currency, exchange_rate=Decimal(rate)
    )
    Provider.objects.filter(pk=provider.pk).update(paused_until=None, pause_reason="", failures=0)
    importer.import_offers(provider)
    importer.publish(provider, markup_percent=MARKUP)
    # No price list tells which links a service takes; an operator writes it, as here.
    photos = Service.objects.filter(category__name=content.LINKED, kind="default", link_pattern="")
    photos.update(link_pattern=content.LINK_PATTERN, link_example=EXAMPLES["link"])
    onboarding.test(provider)


def _currencies() -> None:
    """Whoever changed or removed them keeps that."""
    if settings.STORE_CURRENCY == "USD" and not Currency.objects.exists():
        Currency.objects.bulk_create(Currency(code=code, rate=Decimal(rate)) for code, rate in SHOWN.items())


def _support() -> None:
    """Pages and what tickets can be about. Whoever changed or removed them keeps that."""
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
    """One of each of the cheaper services, so that every kind of order can be watched."""
    services = sorted(Service.objects.on_sale(), key=_price_of_least)
    for service in services[:FIRST_ORDERS]:
        link = service.link_example or EXAMPLES["link"]
        quantity = min(max(service.min_quantity, 250), service.max_quantity)
        inputs = EXAMPLES | {"link": link, "quantity": str(quantity)}
        checkout.place_order(customer, service=service, inputs=inputs, request_id=f"demo-{service.pk}")
    order_history.make([service for service in services if not service.is_flat], EXAMPLES)


def _price_of_least(service: Service) -> Decimal:
    return service.rate * (1 if service.is_flat else service.min_quantity) / (1 if service.is_flat else 1000)
