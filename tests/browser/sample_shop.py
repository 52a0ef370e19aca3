"""A shop with something to show on every page, and a new customer who has nothing yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from orders.buying import checkout
from orders.ledger import transfers
from orders.lifecycle import customer_requests, fulfillment
from orders.models import Account, CustomerRate, DeliveryStats, Order, PriceChange, PriceLevel, Service
from orders.rules.state_machine import Progress, Status
from storefront.accounts.models import ApiKey, User
from storefront.currencies.models import Currency, RateRecord, RateSource
from storefront.payments.models import PaymentMethod
from storefront.promotions import affiliates
from storefront.promotions.models import ONLY, Commission, Coupon, PaymentBonus, PromotionSettings
from storefront.shop.models import Favorite, PlannedOrder
from storefront.support import tickets
from storefront.support.models import Announcement, CannedReply, InfoPage, TicketCategory
from storefront.webhooks import endpoints, outbox
from storefront.webhooks.models import Delivery, Endpoint
from tests import factories
from tests.storefront.payments import payments

PASSWORD = "a-long-enough-one"

#: Each category with its services: name, price, minimum and maximum quantity, what the service supports (r: refill,
#: c: cancel, d: drip-feed), and the measured times in seconds.
CATEGORIES: tuple[tuple[str, tuple[tuple[Any, ...], ...]], ...] = (
    (
        "Photo network · Followers",
        (
            ("Followers, real accounts, slow start", "1.85", 100, 50_000, "rc", (540, 2_400, 5_400, 21_600, 86_400)),
            ("Followers, 30 days refill", "0.92", 10, 1_000_000, "rcd", (300, 1_500, 900, 9_000, 43_200)),
            ("Followers for an old account with a name that is much longer than its column", "0.41",
             50, 200_000, "", None),
        ),
    ),
    (
        "Photo network · Likes",
        (
            ("Likes, instant", "0.18", 10, 300_000, "c", (20, 90, 120, 300, 1_800)),
            ("Likes from one country, chosen by you", "2.40", 20, 20_000, "r", (600, 3_600, 7_200, 14_400, 172_800)),
        ),
    ),
    ("Video · Views", (
        ("Views, high retention, drip-feed", "0.0125", 1_000, 10_000_000, "d", (60, 400, 3_600, 18_000, 90_000)),
        ("Views for live streams, 60 minutes", "9.75", 50, 5_000, "", (30, 60, 3_600, 3_700, 4_000)),
    )),
    ("Musik · Plays", (("Plays from playlists", "0.35", 500, 2_000_000, "r", None),)),
    ("Website · Visits", (("Visits with a referrer", "0.61", 1_000, 500_000, "", None),)),
)  # fmt: skip
TERMS = (
    "# What we sell\nThe page of each service says what is delivered.\n\n"
    "# Refunds\n- Orders that fail.\n- The part that was not delivered.\n\nSee https://shop.example/more for more."
)


@dataclass
class SampleShop:
    nadia: User
    newcomer: User
    staff: User
    services: list[Service]
    orders: dict[str, Order]
    #: Ids and references for the addresses of pages, by name.
    ids: dict[str, Any] = field(default_factory=dict)


def create_sample_shop(settings: Any) -> SampleShop:
    """Create the shop. ``settings`` is the fixture, for the demo gateway."""
    settings.DEMO_GATEWAY, settings.DEMO_GATEWAY_SECRET = True, payments.SECRET
    nadia = factories.customer("250", email="nadia@example.com", password=PASSWORD, name="Nadia Rahman")
    newcomer = factories.customer("0", email="new.customer.with.a.long.address@example.com", password=PASSWORD)
    staff = User.objects.create_superuser("operator@example.com", PASSWORD)
    services = _services(nadia)
    made = SampleShop(nadia, newcomer, staff, services, _orders(nadia, services))
    _request_refill_and_cancellation(made)
    _support(made)
    _payments(made)
    _api_key_and_webhook(made)
    _currencies(made)
    return made


def _currencies(made: SampleShop) -> None:
    """Create a failing source and a currency in each state."""
    now = timezone.now()
    source = RateSource.objects.create(
        name="European Central Bank", format="ecb", url="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
        base="EUR", path="", fetched_at=now - timedelta(hours=30), failing_since=now - timedelta(hours=24),
        problem="status", detail="HTTP 503 <html> <title>Service Unavailable</title>",
    )  # fmt: skip
    rows = (
        ("EUR", "0.92", now - timedelta(hours=30), None),
        ("JPY", "151.23", now - timedelta(hours=30), Decimal("15.12")),
        ("TRY", "41.67", now - timedelta(hours=60), None),
        ("INR", None, None, Decimal("83.1")),
    )
    for code, rate, at, pending in rows:
        row = Currency.objects.create(
            code=code, rate=None if rate is None else Decimal(rate), source=source, margin=Decimal("2.5"), rate_at=at,
            confirmed_at=at, pending_rate=pending, pending_at=now - timedelta(hours=3) if pending else None,
        )  # fmt: skip
        made.ids[f"currency_{code}"] = row.pk
    Currency.objects.create(code="GBP", rate=Decimal("0.79"), rate_at=now - timedelta(days=40))
    RateRecord.objects.create(currency="EUR", rate=Decimal("0.92"), margin=Decimal("2.5"), origin="fetched", by=source)
    made.ids["rate_source"] = source.pk


def _services(nadia: User) -> list[Service]:
    made = []
    for position, (category_name, rows) in enumerate(CATEGORIES):
        category = factories.category(category_name, position=position)
        for name, rate, minimum, maximum, supports, times in rows:
            service = factories.service(
                name=name, rate=rate, category=category, min_quantity=minimum, max_quantity=maximum,
                has_refill="r" in supports, has_cancel="c" in supports, has_dripfeed="d" in supports,
                description="Starts on public profiles only.\nDo not change the name while it runs.",
                link_example="https://photos.example.com/nadia", link_pattern=r"https://.+",
            )  # fmt: skip
            made.append(service)
            if times:
                names = ("start_median", "start_p90", "finish_p10", "finish_median", "finish_p90")
                figures = dict(zip(names, times, strict=True))
                DeliveryStats.objects.create(
                    service=service, sample=1240, completed=1100, partial=90, canceled=50, **figures
                )
    made += [factories.service("custom_comments", "4.50", name="Comments in your words", category=made[3].category)]
    made += [factories.service("poll", "1.20", name="Votes in a poll", category=made[3].category)]
    for days, (old, new) in enumerate((("1.60", "1.70"), ("1.70", "1.95"), ("1.95", "1.85"))):
        change = PriceChange.objects.create(service=made[0], old_rate=Decimal(old), new_rate=Decimal(new))
        PriceChange.objects.filter(pk=change.pk).update(created_at=timezone.now() - timedelta(days=30 - 9 * days))
    level = PriceLevel.objects.create(name="Regular", discount=Decimal(5), from_spend=Decimal(100))
    PriceLevel.objects.create(name="Reseller", discount=Decimal(12), from_spend=Decimal(1000))
    transfers.set_price_level(Account.objects.get(user=nadia), level=level, is_pinned=False)
    CustomerRate.objects.create(user=nadia, service=made[1], rate=Decimal("0.80"))
    Favorite.objects.create(user=nadia, service=made[1])
    return made


def _orders(nadia: User, services: list[Service]) -> dict[str, Order]:
    def place(service: Service, quantity: int, number: int, **inputs: str) -> Order:
        inputs = {"link": f"https://photos.example.com/p/{number}", "quantity": str(quantity), **inputs}
        return checkout.place_order(nadia, service=service, inputs=inputs)

    def submit(order: Order, **progress: Any) -> Order:
        fulfillment.mark_submitting([order.pk])
        fulfillment.accept(order.pk)
        if progress:
            fulfillment.apply_progress(order.pk, progress=Progress(**progress))
        return order

    made = {
        "queued": place(services[4], 500, 1),
        "pending": submit(place(services[0], 1000, 2)),
        "in_progress": submit(place(services[1], 2000, 3), status=Status.IN_PROGRESS, start_count=812, remains=740),
        "completed": submit(place(services[1], 5000, 4), status=Status.COMPLETED, start_count=90, remains=0),
        "partial": submit(place(services[3], 900, 5), status=Status.PARTIAL, start_count=15, remains=333),
        "canceled": submit(place(services[0], 150, 6), status=Status.CANCELED, remains=150),
        "in_doubt": place(services[5], 4000, 7),
        "failed": place(services[2], 100, 8),
        "drip-feed": place(services[5], 1000, 9, runs="5", interval="60"),
        "scheduled": place(services[3], 300, 10),
        "comments": place(
            factories.Service.objects.get(service_type="custom_comments"), 3, 11, comments="Nice\nلطيف\nЗдорово"
        ),
    }
    fulfillment.mark_submitting([made["in_doubt"].pk])
    fulfillment.mark_in_doubt(made["in_doubt"].pk)
    fulfillment.mark_submitting([made["failed"].pk])
    fulfillment.fail(made["failed"].pk)
    long_link = "https://photos.example.com/" + "a-very-long-name/" * 12
    made["long"] = place(services[2], 60, 12, link=long_link)
    return made


def _request_refill_and_cancellation(made: SampleShop) -> None:
    customer_requests.request_refill(made.orders["completed"], actor=made.nadia)
    customer_requests.request_cancellation(made.orders["pending"], actor=made.nadia)


def _support(made: SampleShop) -> None:
    category = TicketCategory.objects.create(name="Orders")
    TicketCategory.objects.create(name="Payments", position=1)
    CannedReply.objects.create(title="We are looking", text="Hello {name}, we are looking into order {order}.")
    answered = tickets.open_ticket(
        made.nadia, subject="Order has not moved since yesterday", category=category,
        text="It says in progress.\n\nNothing moves since yesterday: https://photos.example.com/p/3",
        orders=[made.orders["in_progress"].pk],
    )  # fmt: skip
    tickets.answer(answered, author=made.staff, text="Thank you. The delivery goes on within two hours.")
    made.ids["ticket"] = answered.pk
    open_one = tickets.open_ticket(made.nadia, subject="An invoice for my accountant, please", text="For October.")
    made.ids["open_ticket"] = open_one.pk
    Announcement.objects.create(title="Photo network: followers are slower today", text="We are on it.", is_pinned=True)
    Announcement.objects.create(title="New: visits with a referrer", text="From 1,000 visits on.")
    InfoPage.objects.create(slug="terms", title="Terms", text=TERMS, is_published=True)


def _payments(made: SampleShop) -> None:
    PaymentBonus.objects.create(from_amount=Decimal(100), percent=Decimal(3))
    PaymentBonus.objects.create(from_amount=Decimal(500), percent=Decimal(5), fixed=Decimal(10), budget=Decimal(2000))
    PromotionSettings.objects.create(
        pk=ONLY, is_affiliates_on=True, welcome_amount=Decimal(1), welcome_budget=Decimal(500)
    )
    Coupon.objects.create(code="SPRING-26", percent=Decimal(10), maximum=Decimal(50), max_uses=100)
    Coupon.objects.create(code="WELCOME", type="fixed", amount=Decimal(5), is_first_payment_only=True)
    Coupon.objects.create(code="GIFT-2026", type="voucher", amount=Decimal(20), max_uses=1)
    affiliates.clear_cache()
    affiliates.join(made.nadia)
    friend = factories.customer("0", email="friend@example.com")
    affiliates.refer(friend, code=made.nadia.affiliate.code)
    for number, amount in enumerate(("400", "80")):
        payments.deliver(payments.webhook_of(payments.demo(friend, amount), id=f"friend-{number}"))
    Commission.objects.filter(amount=20).update(status="available")
    credited = payments.demo(made.nadia, "120")
    payments.deliver(payments.webhook_of(credited))
    made.ids["credited_payment"] = credited.reference
    made.ids["demo_payment"] = payments.demo(made.nadia, "50").reference
    method = PaymentMethod(
        gateway="nowpayments", name="Cryptocurrency", icon="coin", minimum=Decimal(10), currency="EUR"
    )
    method.set_values({"api_key": "key", "ipn_secret": "secret"}, secret_names={"api_key", "ipn_secret"})
    method.save()
    made.ids["payment_method"] = method.pk
    upi = PaymentMethod.objects.create(
        gateway="upi",
        name="UPI",
        icon="phone",
        minimum=Decimal(1),
        config={"upi_id": "shop@bank", "payee": "Vitrine"},
        fee_percent=Decimal("1.5"),
    )
    made.ids["upi_payment"] = payments.start(made.nadia, upi, "25").reference
    service = made.services[0]
    planned = PlannedOrder.objects.create(user=made.nadia, service=service, charge=Decimal(400))
    made.ids["planned_order"] = str(planned.key)
    made.ids["manual_payment"] = payments.manual(made.nadia, "25", payments.bank(hint="1 to 2 business days")).reference


def _api_key_and_webhook(made: SampleShop) -> None:
    key, _text = ApiKey.objects.issue(made.nadia, name="Shop in Lisbon")
    endpoint, _secret = endpoints.add(made.nadia, url="https://shop.example/vitrine/callbacks", has_orders=True)
    outbox.send_test(endpoint)
    made.ids |= {"key": key.pk, "endpoint": Endpoint.objects.get().pk, "delivery": Delivery.objects.latest("pk").pk}
