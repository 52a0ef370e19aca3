"""A shop of any size, written in bulk, in which the queries and times of pages are measured.

``LargeShop.open().grow(...)`` adds rows of every kind. Order ids and times rise together, and the balances after each
transfer are right, so that ``manage.py audit_ledger`` finds no error.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.utils import timezone

from orders.db.encrypted_field import Secret
from orders.ledger import transfers
from orders.models import (
    Account,
    Cancellation,
    Category,
    CustomerRate,
    DeliveryStats,
    Order,
    OrderEvent,
    PriceChange,
    PriceLevel,
    Refill,
    Run,
    Service,
    Transfer,
)
from orders.models.ledger import AccountKind, TransferKind
from orders.rules import charges
from providers.models import Markup, Offer, OfferChange, PanelCall, Placement, Provider, Route, UpstreamRequest
from storefront.accounts.models import ApiKey, User
from storefront.api.sandbox.models import SandboxOrder
from storefront.mail.models import Email
from storefront.payments.models import Payment, PaymentMethod, Proof
from storefront.promotions.models import Affiliate, Bonus, BonusSource, Commission, Coupon, PaymentBonus, Referral
from storefront.shop.models import Favorite
from storefront.support.models import (
    Announcement,
    Attachment,
    CannedReply,
    InfoPage,
    Message,
    PageText,
    Ticket,
    TicketCategory,
    TicketOrder,
)
from storefront.webhooks.models import Attempt, Delivery, Endpoint, WebhookEvent

#: Statuses of the first orders, so that a small shop has one of each.
FIRST_STATUSES = (
    "completed", "in_progress", "queued", "in_doubt", "pending", "processing", "submitting", "partial", "canceled",
    "failed", *["completed"] * 8, "partial", "in_progress",
)  # fmt: skip
ENDED = {"completed", "partial", "canceled", "failed"}
STATES = {"in_doubt": "in_doubt", "submitting": "submitting", "failed": "refused"}
SERVICE_TYPES = ("default", "default", "package", "default", "default", "custom_comments", "default", "poll", "default")
BATCH = 2000
YEARS = timedelta(days=730)


def status_of(number: int) -> str:
    """Return the status of the order with this number: 5% are open, among old orders as well as new ones."""
    if number < len(FIRST_STATUSES):
        return FIRST_STATUSES[number]
    if number % 1000 < 5:
        return ("in_doubt", "submitting", "queued", "queued", "queued")[number % 1000]
    statuses = {10: "in_progress", 11: "in_progress", 12: "pending", 13: "processing", 34: "failed"}
    statuses |= {20: "partial", 21: "partial", 22: "partial", 30: "canceled", 31: "canceled"}
    return statuses.get(number % 100, "completed")


@contextmanager
def keep_given_times(*written: type[models.Model]) -> Iterator[None]:
    """Keep the creation times that rows are given; the models would replace them by the current time."""
    columns = [column for model in written for column in model._meta.fields if getattr(column, "auto_now_add", False)]
    for column in columns:
        column.auto_now_add = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for column in columns:
            column.auto_now_add = True  # type: ignore[attr-defined]


def bulk(rows: Iterable[Any]) -> list[Any]:
    made = list(rows)
    return type(made[0])._default_manager.bulk_create(made, batch_size=BATCH) if made else []


def bulk_update(model: Any, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Set ``columns`` of many rows, in a tenth of the time of Django's bulk_update.

    Args:
        rows: The values of each row, followed by its id.
    """
    fields = [model._meta.get_field(column) for column in columns]
    names = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {model._meta.db_table} SET {names} WHERE id = %s",
            [(*(one.get_db_prep_save(value, connection) for one, value in zip(fields, row, strict=False)), row[-1])
             for row in rows],
        )  # fmt: skip


@dataclass
class LargeShop:
    """The shop and its rows so far. The customer has ten of every eleven orders, others have the rest."""

    customer: User
    operator: User
    categories: list[Category] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    others: list[User] = field(default_factory=list)
    wallets: dict[int, Account] = field(default_factory=dict)
    orders: int = 0
    until: datetime = field(default_factory=lambda: timezone.now() - YEARS)
    _transfers: list[Transfer] = field(default_factory=list)

    # -------------------------------------------------------------------------------------------- rows that do not grow
    @classmethod
    def open(cls) -> LargeShop:
        """Create a shop without services, with customers, providers and texts."""
        operator = User.objects.create_superuser("operator@example.com", "secret")
        shop = cls(User.objects.create_user("nadia@example.com", name="Nadia"), operator)
        shop._open_wallets([shop.customer])
        EmailAddress.objects.create(user=shop.customer, email=shop.customer.email, primary=True, verified=True)
        levels = bulk(PriceLevel(name=f"Level {n}", discount=n * 2, from_spend=Decimal(10**n)) for n in range(1, 5))
        Account.objects.filter(user=shop.customer).update(level=levels[0])
        for name in ("north", "south", "east"):
            Provider.objects.create(
                name=name,
                url=f"https://{name}.example.com/api",
                dialect_name="v2",
                key=Secret.hide("k" * 32),
                balance=Decimal(50),
                balance_seen_at=timezone.now(),
            )
        Markup.objects.create(percent=Decimal(30))
        bulk(
            PaymentMethod(gateway="transfer", name=name, minimum=Decimal(1), config={"instructions": "Pay {amount}"})
            for name in ("Bank", "Card")
        )
        affiliate = Affiliate.objects.create(user=shop.customer, code="nadiacode")
        Referral.objects.create(user=User.objects.create_user("referred@example.com"), affiliate=affiliate)
        bulk(Coupon(code=code, percent=10, type=kind) for code, kind in (("SPRING", "percent"), ("GIFT", "voucher")))
        PaymentBonus.objects.create(from_amount=Decimal(100), percent=Decimal(3))
        bulk(TicketCategory(name=name) for name in ("Payments", "Orders"))
        bulk(CannedReply(title=f"Reply {n}", text="Hello {name}") for n in range(3))
        for page in bulk(
            InfoPage(slug=f"page-{n}", title=f"Page {n}", text="Words", is_published=True) for n in range(3)
        ):
            bulk([PageText(page=page, language="tr", title="Sayfa", text="Metin")])
        bulk(Group(name=name) for name in ("Desk", "Catalog"))
        bulk(Endpoint(user=shop.customer, url=f"https://{n}.example.com/hook", secret=Secret.hide("s" * 32))
             for n in range(3))  # fmt: skip
        return shop

    def _open_wallets(self, people: Sequence[User]) -> None:
        """Open wallets with a balance for ``people``."""
        made = bulk(Account(kind=AccountKind.WALLET, user=one, currency="USD", balance=0) for one in people)
        house = Account.objects.get(code=transfers.ADJUSTMENTS)
        for wallet in made:
            self.wallets[wallet.user_id] = wallet
            self._add_transfer(wallet, "adjustment", f"adjust:{wallet.pk}", Decimal(100_000), house, self.until)
        self._write_transfers()

    # -------------------------------------------------------------------------------------------- rows that grow
    @transaction.atomic
    def grow(self, *, services: int, orders: int, until: datetime | None = None) -> None:
        """Grow to this number of services and orders, the last of them placed at ``until``."""
        until = until or timezone.now()
        with keep_given_times(
            Order, OrderEvent, Transfer, Placement, Payment, Refill, Cancellation, PriceChange, Ticket, Message
        ):
            new = services - len(self.services)
            self._add_services(new, until)
            self._add_customers((orders - self.orders) // 40 + 2)
            placed = self._add_orders(orders - self.orders, until)
            for part in range(0, len(placed), BATCH * 5):
                self._add_placements(placed[part : part + BATCH * 5])
            self._add_requests([order for order in placed if order.user_id == self.customer.pk])
            self._add_tickets([order for order in placed if order.user_id == self.customer.pk][::25], until)
            self._add_webhook_events(placed[::4])
            self._add_payments(len(placed) // 50 + 8, until)
        self._add_other_rows(len(placed), until)
        self.until = until

    def _add_services(self, count: int, until: datetime) -> None:
        wanted = min(60, max(6, (len(self.services) + count) // 10))
        first = len(self.categories)
        self.categories += bulk(Category(name=f"Category {n:02}", position=n) for n in range(first, wanted))
        at = range(len(self.services), len(self.services) + count)
        made = bulk(_service(n, self.categories[n % len(self.categories)]) for n in at)
        providers = list(Provider.objects.order_by("pk"))
        offers = bulk(_offer(n, service, providers[n % 3]) for n, service in zip(at, made, strict=True))
        bulk(Route(service=service, offer=offer) for n, service, offer in zip(at, made, offers, strict=True) if n != 6)
        if first == 0:
            bulk(Route(service=made[0], offer=offer, priority=n) for n, offer in enumerate(offers[1:3], 1))
        bulk(OfferChange(offer=offer, what="rate", old="1", new="2") for offer in offers[::2])
        bulk(_delivery_stats(n, service) for n, service in zip(at, made, strict=True))
        bulk(PriceChange(service=service, old_rate=service.rate, new_rate=service.rate + 1,
                         created_at=until - timedelta(hours=(n * 7 + turn * 5000) % 17_000))
             for turn in (1, 0) for n, service in zip(at, made, strict=True))  # fmt: skip
        bulk(CustomerRate(user=self.customer, service=service, rate=service.rate / 2) for service in made[::5])
        bulk(Favorite(user=self.customer, service=service) for service in made[::10])
        bulk(Markup(service=service, percent=Decimal(20)) for service in made[::20])
        self.services += made
        self.offers += offers

    def _add_customers(self, count: int) -> None:
        first = len(self.others)
        made = bulk(User(email=f"c{n}@example.com", name=f"Customer {n}", password="!")
                    for n in range(first, first + count))  # fmt: skip
        self._open_wallets(made)
        self.others += made

    def _add_orders(self, count: int, until: datetime) -> list[Order]:
        """Add orders with their charges and refunds, in the order of time."""
        step = (until - self.until) / (count + 1)
        orders = bulk(self._order(n, self.until + step * (n - self.orders + 1))
                      for n in range(self.orders, self.orders + count))  # fmt: skip
        sales = Account.objects.get(code=transfers.SALES)
        for order in orders:
            wallet = self.wallets[order.user_id]
            self._add_transfer(wallet, "charge", f"charge:{order.pk}", -order.charge, sales, order.created_at, order)
            if order.refunded:
                back = f"refund:{order.pk}:{order.refunded}"
                self._add_transfer(wallet, "refund", back, order.refunded, sales, order.created_at, order)
        self._write_transfers()
        bulk(Run(order=order, number=number, quantity=20, due_at=order.created_at)
             for order in orders if order.runs > 1 for number in range(1, 6))  # fmt: skip
        self.orders += count
        return orders

    def _order(self, n: int, at: datetime) -> Order:
        user = self.others[n // 11 % len(self.others)] if n % 11 == 10 else self.customer
        service = self.services[n * 7 % len(self.services)]
        status, charge = status_of(n), charges.charge(service.rate, 100, is_flat=False)
        share = {"partial": 40, "canceled": 100, "failed": 100}.get(status, 0)
        return Order(
            user=user,
            service=service,
            status=status,
            link=f"https://photos.example.com/p/{n}",
            quantity=100,
            rate=service.rate,
            charge=charge,
            refunded=charges.refund(charge, quantity=100, remains=share),
            remains={"partial": 40}.get(status, 0 if status in ENDED else 70),
            source="api" if n % 3 else "page",
            start_count=n if status not in ("queued", "submitting", "in_doubt") else None,
            created_at=at,
            started_at=None if status == "queued" else at,
            ended_at=at + timedelta(hours=1) if status in ENDED else None,
            runs=5 if n % 500 == 1 else 1,
            interval=30 if n % 500 == 1 else 0,
        )

    def _add_transfer(self, wallet: Account, kind: str, reference: str, amount: Decimal, house: Account, at: datetime,
              order: Order | None = None) -> None:  # fmt: skip
        """Add a transfer to the wallet, or from it if ``amount`` is negative."""
        assert wallet.balance is not None
        if not amount:
            return
        wallet.balance += amount
        if order is not None:
            wallet.spent -= amount
        source, target = (house, wallet) if amount > 0 else (wallet, house)
        self._transfers.append(
            Transfer(kind=TransferKind(kind), reference=reference, source=source, target=target, amount=abs(amount),
                     wallet=wallet, wallet_after=wallet.balance, order=order, created_at=at)
        )  # fmt: skip

    def _write_transfers(self) -> None:
        moved = {transfer.wallet_id: transfer.wallet for transfer in self._transfers if transfer.wallet}
        with keep_given_times(Transfer):
            bulk(self._transfers)
        self._transfers = []
        bulk_update(Account, ("balance", "spent"), [(w.balance, w.spent, w.pk) for w in moved.values()])

    def _add_placements(self, orders: Sequence[Order]) -> None:
        """Add submissions, calls and events of ``orders``."""
        offer_of = {service.pk: offer for service, offer in zip(self.services, self.offers, strict=True)}
        placements = bulk(_placement(order, offer_of[order.service_id]) for order in orders if order.status != "queued")
        bulk(PanelCall(provider_id=row.provider_id, placement=row, verb="add", outcome="accepted",
                       request="action=add", status=200, answer='{"order": 1}', elapsed_ms=120)
             for row in placements[::2])  # fmt: skip
        bulk(
            OrderEvent(order=order, kind=kind, data=data, created_at=at)
            for order in orders
            for kind, data, at in _events(order)
            if at
        )

    def _add_requests(self, orders: Sequence[Order]) -> None:
        done = [order for order in orders if order.status in ("completed", "partial")]
        states = ("completed", "waiting", "rejected", "in_progress", "completed", "completed", "completed", "completed")
        for model, rows in ((Refill, done[1::12]), (Cancellation, done[2::30])):
            made = bulk(_request(model, order, states[n % 8 if n < 8 or n % 64 < 8 else 0], n) for n, order in
                        enumerate(rows or done[:1]))  # fmt: skip
            tried = dict(Placement.objects.filter(order__in=[row.order_id for row in made[:500]])
                         .values_list("order_id", "pk"))  # fmt: skip
            name = model._meta.model_name
            bulk(
                UpstreamRequest(
                    placement_id=tried[row.order_id], state="closed", lease_until=row.created_at, **{str(name): row}
                )
                for row in made[:500]
            )

    def _add_tickets(self, orders: Sequence[Order], until: datetime) -> None:
        category = TicketCategory.objects.order_by("pk")[0]
        rows = bulk(_ticket(n, self.customer, category, order.created_at) for n, order in enumerate(orders))
        bulk(TicketOrder(ticket=ticket, order=order) for ticket, order in zip(rows, orders, strict=True))
        first = Ticket.objects.order_by("pk")[0]
        messages = bulk(
            Message(ticket=ticket, author=self.operator if turn == 1 else self.customer, is_staff=turn == 1,
                    text="How long does it take?", created_at=ticket.created_at)
            for ticket in (*rows, *[first] * min(100, len(rows))) for turn in range(3)
        )  # fmt: skip
        bulk(Attachment(message=one, key=f"t/{one.pk}", name="a.txt", content_type="text/plain", size=5)
             for one in messages[::6])  # fmt: skip
        newest: dict[int, int] = defaultdict(int)
        for one in messages:
            newest[one.ticket_id] = max(newest[one.ticket_id], one.pk)
        bulk_update(Ticket, ("last_message",), [(message, ticket) for ticket, message in newest.items()])

    def _add_webhook_events(self, orders: Sequence[Order]) -> None:
        endpoint = Endpoint.objects.order_by("pk")[0]
        started = [order for order in orders if order.started_at]
        events = bulk(WebhookEvent(id=uuid.uuid4(), topic="order.changed", body='{"order": 1}',
                                   created_at=order.created_at)
                      for order in started)  # fmt: skip
        made = bulk(_delivery(n, endpoint, event) for n, event in enumerate(events))
        bulk(Attempt(delivery=row, at=row.created_at, status=200, elapsed_ms=40, answer="ok") for row in made)

    def _add_payments(self, count: int, until: datetime) -> None:
        first = Payment.objects.count()
        made = bulk(_payment(n, self.customer, until - timedelta(minutes=count - n + first)) for n in
                    range(first, first + count))  # fmt: skip
        bulk(Proof(payment=row, key=f"p/{row.pk}", kind="png", size=100) for row in made[1:3])
        clearing, bonuses = transfers.clearing_account("manual"), Account.objects.get(code=transfers.BONUSES)
        step, referral = PaymentBonus.objects.get(), Referral.objects.get()
        given: list[Bonus] = []
        commissions: list[Commission] = []
        for row in made:
            if row.status == "credited":
                named = f"payment:manual:{row.reference}"
                self._add_transfer(
                    self.wallets[row.user_id], "payment", named, row.credited_amount, clearing, row.created_at
                )
                given.append(_bonus(row, step))
                commissions.append(_commission(row, referral))
                self._add_transfer(
                    self.wallets[row.user_id], "bonus", f"bonus:payment:{row.pk}", Decimal(1), bonuses, row.created_at
                )
        bulk(given)
        bulk(commissions)
        self._write_transfers()

    def _add_other_rows(self, orders: int, until: datetime) -> None:
        """Add API keys, sandbox orders, emails, announcements, sessions and log entries of the back office."""
        revoked = max(2, orders // 500)
        first = ApiKey.objects.count()
        bulk(ApiKey(user=self.customer, name=f"Key {n}", prefix=f"{n:08}", is_sandbox=n == 0,
                           digest=hashlib.sha256(str(n).encode()).hexdigest(), revoked_at=until if n > 4 else None)
                    for n in range(first, first + revoked + 6))  # fmt: skip
        sandbox = ApiKey.objects.filter(is_sandbox=True)[0]
        bulk(_sandbox_order(n, sandbox, self.services[n % len(self.services)], until) for n in range(orders // 20 + 2))
        bulk(_email(n, self.customer, until) for n in range(orders // 10 + 4))
        bulk(Announcement(title=f"News {n}", text="Words", is_pinned=n == 0, starts_at=until - timedelta(days=n))
             for n in range(orders // 400 + 3))  # fmt: skip
        bulk(UserSession(user=self.customer, session_key=f"{first}-{n}", ip="203.0.113.7", user_agent="Firefox")
             for n in range(min(60, orders // 10 + 1)))  # fmt: skip
        kind = ContentType.objects.get_for_model(Service)
        bulk(
            LogEntry(
                user=self.operator,
                content_type=kind,
                object_id=str(self.services[n].pk),
                object_repr="x",
                action_flag=CHANGE,
                change_message="Put on sale.",
            )
            for n in range(min(50, len(self.services)))
        )


# ------------------------------------------------------------------------------------------------ single rows
def _service(n: int, category: Category) -> Service:
    service_type = SERVICE_TYPES[n % len(SERVICE_TYPES)]
    return Service(
        category=category, name=f"Followers, worldwide, refill {n} days, up to {n * 10} a day",
        service_type=service_type,
        description="Starts within an hour. Public profiles only.", rate=Decimal(n % 700 + 100) / 100,
        is_flat=service_type in ("package",), min_quantity=1 if service_type == "package" else 10,
        max_quantity=1 if service_type == "package" else 100_000, has_refill=bool(n % 2), has_cancel=n % 3 == 0,
        has_dripfeed=n % 4 == 0, position=n % 50, is_active=n % 50 != 49,
    )  # fmt: skip


def _offer(n: int, service: Service, provider: Provider) -> Offer:
    """Return a provider service; of every thousand, some are unavailable, unsellable, too expensive or unapproved."""
    odd = n % 1000
    return Offer(
        provider=provider, upstream_id=str(1000 + n), name=service.name, category=service.category.name,
        service_type=service.service_type, rate=service.rate * (3 if odd == 7 else 1) / 2, is_flat=service.is_flat,
        min_quantity=10, max_quantity=100_000, is_pending_approval=odd == 3,
        pending_rate=Decimal(9) if odd == 3 else None,
        is_available=odd != 4, problem="no such type" if odd == 5 else "",
    )  # fmt: skip


def _delivery_stats(n: int, service: Service) -> DeliveryStats:
    return DeliveryStats(
        service=service,
        sample=20,
        start_median=60 + n % 900,
        start_p90=1000,
        finish_p10=300,
        finish_median=600 + n * 13 % 9000,
        finish_p90=20_000,
        completed=18,
        partial=1,
        canceled=1,
    )


def _placement(order: Order, offer: Offer) -> Placement:
    state = STATES.get(order.status, "closed" if order.ended_at else "accepted")
    is_known = state in ("closed", "accepted")
    return Placement(
        order=order, provider_id=offer.provider_id, offer=offer, state=state, quantity=100,
        upstream_id=str(10_000_000 + order.pk) if is_known else "", cost=order.charge / 2, currency="USD",
        exchange_rate=Decimal(1), lease_until=order.created_at, created_at=order.created_at, ended_at=order.ended_at,
        sync_at=None if order.ended_at or not is_known else timezone.now() + timedelta(hours=1),
        evidence={"said": "try later"} if state == "in_doubt" else {},
    )  # fmt: skip


def _events(order: Order) -> Iterator[tuple[str, dict[str, Any], datetime | None]]:
    if order.status in ("in_doubt", "queued", "submitting"):
        yield ("in_doubt" if order.status == "in_doubt" else "note"), {"why": "no answer"}, order.created_at
        return
    yield "accepted", {"provider": 1, "upstream_id": "1"}, order.started_at
    yield "status", {"status": order.status, "remains": order.remains}, order.ended_at
    if order.pk % 400 == 11:
        yield "oddity", {"oddity": "unknown_status", "panel_status": "lost"}, order.created_at


def _request(model: Any, order: Order, status: str, n: int) -> Any:
    at = order.created_at + timedelta(days=1)
    is_open = status in ("waiting", "in_progress")
    return model(order=order, status=status, needs_operator=status == "waiting", created_at=at,
                 ended_at=None if is_open else at + timedelta(hours=3))  # fmt: skip


def _ticket(n: int, user: User, category: TicketCategory, at: datetime) -> Ticket:
    status = ("open", "answered", "waiting", "closed")[n % 4 if n < 8 else 3 if n % 40 else 0]
    return Ticket(user=user, category=category, subject=f"Where is order {n}?", status=status, created_at=at,
                  changed_at=at, waiting_since=at if status == "open" else None,
                  closed_at=at if status == "closed" else None)  # fmt: skip


def _delivery(n: int, endpoint: Endpoint, event: WebhookEvent) -> Delivery:
    is_failed, is_open = n % 50 == 1, n % 50 == 2
    return Delivery(
        endpoint=endpoint,
        event=event,
        attempts=1,
        created_at=event.created_at,
        due_at=timezone.now() + timedelta(hours=1) if is_open else None,
        last_error="reset" if is_open or is_failed else "",
        delivered_at=None if is_open or is_failed else event.created_at,
        given_up_at=event.created_at if is_failed else None,
    )


def _commission(payment: Payment, referral: Referral) -> Commission:
    return Commission(
        affiliate_id=referral.affiliate_id, referral=referral, payment_number=payment.pk,
        payment_reference=payment.reference, paid=payment.credited_amount, percent=Decimal(5), amount=Decimal(1),
        matures_at=payment.created_at,
    )  # fmt: skip


def _bonus(payment: Payment, step: PaymentBonus) -> Bonus:
    return Bonus(
        user=payment.user, source=BonusSource.PAYMENT, reference=f"payment:{payment.pk}", amount=Decimal(1),
        payment_number=payment.pk, payment_reference=payment.reference, paid=payment.credited_amount,
        payment_bonus=step,
    )  # fmt: skip


def _payment(n: int, user: User, at: datetime) -> Payment:
    status = ("credited", "started", "waiting", "refused", "expired")[n % 5 if n < 5 or n % 100 < 5 else 0]
    is_credited, is_open = status == "credited", status in ("started", "waiting")
    return Payment(
        user=user, gateway="manual", label="Bank", amount=Decimal(500), currency="USD", status=status,
        pay_amount=Decimal(500), pay_currency="USD", credited_amount=Decimal(500 if is_credited else 0),
        is_in_review=status == "waiting", reference=f"BENCH{n:06}", paid_amount=Decimal(500) if is_credited else None,
        paid_currency="USD" if is_credited else "", created_at=at, credited_at=at if is_credited else None,
        ended_at=None if is_open else at,
    )  # fmt: skip


def _sandbox_order(n: int, key: ApiKey, service: Service, at: datetime) -> SandboxOrder:
    return SandboxOrder(key=key, service=service, link="https://photos.example.com/1", quantity=100,
                        charge=Decimal("0.1"), fingerprint=n, created_at=at, started_at=at, delivered_at=at, ends_at=at,
                        final_status="completed", final_remains=0)  # fmt: skip


def _email(n: int, user: User, at: datetime) -> Email:
    is_open, is_lost = n % 100 == 1, n % 100 == 2
    return Email(user=user, address=user.email, kind="receipt", subject="Your money has arrived", text="Words",
                  html="<p>Words</p>", language="en", created_at=at, sent_at=None if is_open or is_lost else at,
                  due_at=at if is_open else None, given_up_at=at if is_lost else None)  # fmt: skip
