"""What holds for every gateway: a payment is credited once, and hostile webhooks leave the ledger as it is.

Each gateway runs against its pretend gateway on loopback, through the shop's own form and webhook URL.
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client

from orders.ledger import audit as books
from orders.models import Transfer
from storefront.accounts.models import User
from storefront.currencies.models import Currency
from storefront.payments import crediting, gateways, starting
from storefront.payments.gateway import CustomerField, PaymentDetails, Webhook
from storefront.payments.models import Payment, PaymentMethod
from tests import factories
from tests.storefront.payments import gateways as pretend_gateways
from tests.storefront.payments.gateways.pretend import CUSTOMER, PretendGateway

#: Gateways without webhooks of their own: staff review their payments, or only the demo has them.
WITHOUT_PRETEND = {"transfer", "demo", "upi"}
#: Gateways whose webhooks are no proof: the shop asks the gateway, so a forged one is harmless but not rejected.
ASKS_BACK = {"yookassa", "tzsmm", "iyzico", "mercadopago", "mercadopago_pix", "flutterwave", "phonepe", "midtrans"}
AMOUNT = Decimal(100)


def _pretend_classes() -> dict[str, type[PretendGateway]]:
    for module in pkgutil.iter_modules(pretend_gateways.__path__):
        if module.name.startswith("pretend_"):
            importlib.import_module(f"{pretend_gateways.__name__}.{module.name}")
    found: dict[str, type[PretendGateway]] = {}
    waiting = list(PretendGateway.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if getattr(one, "name", "") in gateways.GATEWAYS:
            found.setdefault(one.name, one)
    return found


PRETEND = _pretend_classes()


def test_every_gateway_has_a_pretend_gateway() -> None:
    assert set(gateways.GATEWAYS) - WITHOUT_PRETEND == set(PRETEND)


@dataclass(slots=True)
class Shop:
    """The shop with one payment method, and the pretend gateway behind it."""

    pretend: PretendGateway
    method: PaymentMethod
    customer: User
    problems: list[str] = field(default_factory=list)

    def start(self, amount: Decimal = AMOUNT) -> Payment:
        started = starting.start(
            self.customer, method=self.method, amount=amount, customer=replace(CUSTOMER, number=self.customer.pk)
        )
        return Payment.objects.select_related("method").get(pk=started.pk)

    def webhook(self, payment: Payment, *, by: PretendGateway | None = None, **changes: Any) -> Webhook:
        return (by or self.pretend).webhook(starting.details(payment), **changes)

    def send(self, webhook: Webhook, *, method: PaymentMethod | None = None, path: str = "") -> int:
        named = method or self.method
        path = path or f"/wallet/add-funds/webhooks/{named.pk}/{named.token}/"
        query = f"?{urlencode(webhook.query)}" if webhook.query else ""
        headers = {key: value for key, value in webhook.headers.items() if key.lower() != "content-type"}
        content_type = webhook.header("Content-Type") or "application/octet-stream"
        sender = Client(raise_request_exception=False)
        return int(
            sender.generic(
                webhook.method, path + query, webhook.body, content_type=content_type, headers=headers
            ).status_code
        )

    def credited(self) -> Decimal:
        """Return what the customer's payments added to the balance, by the ledger."""
        booked = Transfer.objects.filter(kind="payment", wallet__user=self.customer).values_list("amount", flat=True)
        return sum(booked, Decimal(0))

    def expect(self, what: str, case: Callable[[], None], *, credited: set[Decimal]) -> None:
        """Run ``case`` and note if it credited another amount than one of ``credited``."""
        before = self.credited()
        case()
        added = self.credited() - before
        if added not in credited:
            self.problems.append(f"{what}: {added} was credited")


@pytest.fixture(params=sorted(PRETEND))
def shop(request: pytest.FixtureRequest, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    pretend = PRETEND[request.param]()
    settings.PAYMENT_GATEWAY_URLS = {request.param: pretend.url}
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    monkeypatch.setattr(crediting, "OPEN_MAX", 1000)
    cache.clear()
    method = create_method(pretend)
    pretend.registered_url = method.webhook_url
    yield Shop(pretend, method, factories.customer("0"))
    pretend.stop()
    cache.clear()


def create_method(pretend: PretendGateway, **details: Any) -> PaymentMethod:
    """Return a payment method for ``pretend``, with an exchange rate if it takes another currency than the store."""
    if pretend.currency != "USD":
        Currency.objects.get_or_create(code=pretend.currency, defaults={"rate": Decimal(32)})
    currency = "" if pretend.currency == "USD" else pretend.currency
    facts = {"name": pretend.name, "minimum": Decimal(1), "currency": currency} | details
    method = PaymentMethod(gateway=pretend.name, **facts)
    gateway = gateways.GATEWAYS[pretend.name]
    method.set_values(pretend.config, secret_names={one.name for one in gateway.config_fields if one.is_secret})
    method.save()
    return method


ONCE, NEVER, AT_MOST_ONCE = {AMOUNT}, {Decimal(0)}, {Decimal(0), AMOUNT}


def test_a_payment_is_credited_once(shop: Shop) -> None:
    payment = shop.start()
    assert payment.status in ("started", "waiting")
    webhook = shop.webhook(payment)
    shop.expect("paid", lambda: [shop.send(webhook) for _ in range(3)], credited=ONCE)  # type: ignore[func-returns-value, arg-type, return-value]
    assert shop.problems == []
    payment.refresh_from_db()
    assert (payment.status, payment.is_in_review, payment.credited_amount) == ("credited", False, AMOUNT)
    assert list(books.findings()) == []


def test_hostile_webhooks_leave_the_ledger_as_it_is(shop: Shop) -> None:
    proves = shop.pretend.name not in ASKS_BACK
    cases = [*_orders_of_events(shop), *_changed_facts(shop), *_forgeries(shop, proves), *_broken_bodies(shop)]
    assert len(cases) >= 40
    for what, case, credited in cases:
        shop.expect(what, case, credited=credited)
    assert shop.problems == []
    assert list(books.findings()) == []


Case = tuple[str, Callable[[], Any], set[Decimal]]


def _orders_of_events(shop: Shop) -> Iterator[Case]:
    """Yield what honest gateways send, in every order."""

    def sequence(*states: str) -> Callable[[], None]:
        def run() -> None:
            payment = shop.start()
            for state in states:
                status = shop.send(shop.webhook(payment, state=state))
                if status != 200:
                    shop.problems.append(f"{states}: {state} was answered with {status}")

        return run

    sequences = {
        ("pending",): NEVER,
        ("pending", "paid", "paid"): ONCE,
        ("declined",): NEVER,
        ("declined", "paid"): ONCE,
        ("paid", "declined"): ONCE,
        ("paid", "pending", "paid"): ONCE,
        ("paid", "paid", "paid"): ONCE,
    }
    for states, credited in sequences.items():
        if shop.pretend.states.issuperset(states):
            yield ", ".join(states), sequence(*states), credited

    def expired() -> None:
        payment = shop.start()
        crediting.expire(payment)
        shop.send(shop.webhook(payment))

    yield "paid after it expired", expired, ONCE

    def twice() -> None:
        payment = shop.start()
        shop.send(shop.webhook(payment, entry="1"))
        shop.send(shop.webhook(payment, entry="2"))

    yield "two payments of one invoice", twice, ONCE


def _changed_facts(shop: Shop) -> Iterator[Case]:
    """Yield proven webhooks whose facts are not those of the payment."""

    def changed(**changes: Any) -> Callable[[], None]:
        return lambda: shop.send(shop.webhook(shop.start(), **changes)) and None

    payment = shop.start()
    whole = payment.pay_amount
    plain = shop.webhook(payment)
    smallest = Decimal(1)
    amounts: dict[str, Decimal] = {
        "half": whole / 2,
        "a little less": whole - smallest,
        "a little more": whole + smallest,
        "twice as much": whole * 2,
        "next to nothing": smallest,
        "nothing": Decimal(0),
    }
    for what, amount in amounts.items():
        is_carried = shop.webhook(payment, amount=amount).body != plain.body or shop.pretend.name in ASKS_BACK
        if is_carried:
            allowed = NEVER if amount < whole else AT_MOST_ONCE
            yield f"another amount: {what}", changed(amount=amount), allowed
    if shop.webhook(payment, currency="XAF").body != plain.body or shop.pretend.name in ASKS_BACK:
        yield "another currency", changed(currency="XAF"), NEVER
    if shop.webhook(payment, receiver="somebody-else").body != plain.body:
        yield "another receiver", changed(receiver="somebody-else"), NEVER
    if shop.webhook(payment, is_test=True).body != plain.body:
        yield "a test payment on a live method", changed(is_test=True), NEVER

    def unknown() -> None:
        stranger = replace(starting.details(shop.start()), reference="ZZZZ-ZZZZ-ZZZZ", number=2**40, upstream_id="none")
        shop.send(shop.pretend.webhook(stranger))

    yield "an unknown reference", unknown, NEVER

    def replayed_for_another() -> None:
        small, large = shop.start(Decimal(10)), shop.start()
        paid = shop.webhook(small)
        shop.send(paid)
        for old, new in _names(small, large):
            body = paid.body.replace(old.encode(), new.encode())
            query = {key: value.replace(old, new) for key, value in paid.query.items()}
            shop.send(replace(paid, body=body, query=query))

    yield "a small payment replayed for a large one", replayed_for_another, {Decimal(10)}


def _names(one: Payment, other: Payment) -> Iterator[tuple[str, str]]:
    yield one.reference, other.reference
    yield one.reference.replace("-", ""), other.reference.replace("-", "")
    if one.upstream_id and other.upstream_id:
        yield one.upstream_id, other.upstream_id


def _forgeries(shop: Shop, proves: bool) -> Iterator[Case]:
    """Yield webhooks that the gateway did not sign, or signed for somebody else.

    Args:
        proves: Whether a webhook of this gateway is a proof by itself.
    """

    def forged(change: Callable[[Webhook], Webhook], **facts: Any) -> Callable[[], None]:
        return lambda: shop.send(change(shop.webhook(shop.start(), **facts))) and None

    not_proven = NEVER if proves else AT_MOST_ONCE
    yield "signed with another secret", forged(lambda sent: sent, secret="guessed"), not_proven
    yield "signed with an empty secret", forged(lambda sent: sent, secret=""), not_proven

    def unsigned(sent: Webhook) -> Webhook:
        return replace(sent, headers={"Content-Type": sent.header("Content-Type")})

    has_header = len(shop.webhook(shop.start()).headers) > 1
    yield "without its headers", forged(unsigned), not_proven if has_header else AT_MOST_ONCE
    for header in shop.webhook(shop.start()).headers:
        if header.lower() != "content-type":
            empty = {header: ""}
            yield (
                f"with an empty {header}",
                forged(lambda sent, e=empty: replace(sent, headers={**sent.headers, **e})),
                AT_MOST_ONCE,
            )  # type: ignore[misc]

    def as_if_paid() -> None:
        """The webhook says "paid", but the gateway that the shop asks does not."""
        if proves:
            return
        other = type(shop.pretend)()
        try:
            payment = shop.start()
            shop.send(shop.webhook(payment, by=other))
        finally:
            other.stop()

    yield "paid by the webhook alone", as_if_paid, NEVER

    def elsewhere(path: str) -> Callable[[], None]:
        return lambda: shop.send(shop.webhook(shop.start()), path=path) and None

    yield "to a URL with another token", elsewhere(f"/wallet/add-funds/webhooks/{shop.method.pk}/guessed/"), NEVER
    yield "to a URL of no method", elsewhere(f"/wallet/add-funds/webhooks/999999/{shop.method.token}/"), NEVER

    def other_method() -> None:
        another = create_method(shop.pretend, name="another")
        shop.send(shop.webhook(shop.start()), method=another)

    yield "to the URL of another method", other_method, NEVER

    generator = random.Random(42)
    for number in range(16):
        place = generator.random()

        def flipped(sent: Webhook, place: float = place, number: int = number) -> Webhook:
            if not sent.body:
                return replace(sent, query={key: value + str(number) for key, value in sent.query.items()})
            at = int(place * len(sent.body))
            return replace(sent, body=sent.body[:at] + bytes([sent.body[at] ^ (1 + number % 7)]) + sent.body[at + 1 :])

        yield f"with one byte changed at {place:.0%}", forged(flipped), AT_MOST_ONCE


def _broken_bodies(shop: Shop) -> Iterator[Case]:
    """Yield bodies that are not what the gateway sends."""

    def broken(change: Callable[[Webhook], Webhook]) -> Callable[[], None]:
        def run() -> None:
            status = shop.send(change(shop.webhook(shop.start())))
            if status >= 500 and status != 503:
                shop.problems.append(f"a broken body was answered with {status}")

        return run

    bodies: dict[str, bytes] = {
        "empty": b"",
        "null": b"null",
        "a list": b"[]",
        "an empty object": b"{}",
        "not UTF-8": b"\xff\xfe\x00",
        "nested too deeply": b"[" * 30_000,
        "too long": b" " * 70_000,
        "not a number": b'{"amount": NaN}',
    }
    for what, body in bodies.items():
        yield f"a body that is {what}", broken(lambda sent, body=body: replace(sent, body=body, query={})), NEVER  # type: ignore[misc]
    yield "half of the body", broken(lambda sent: replace(sent, body=sent.body[: len(sent.body) // 2])), AT_MOST_ONCE
    yield "a second body behind it", broken(lambda sent: replace(sent, body=sent.body + sent.body)), AT_MOST_ONCE
    yield "with PUT", broken(lambda sent: replace(sent, method="PUT")), NEVER


def test_a_test_of_the_credentials_tells_right_from_wrong(shop: Shop) -> None:
    gateway_class = gateways.GATEWAYS[shop.pretend.name]
    if not gateway_class.can_check:
        return
    assert gateways.of(shop.method).check()
    wrong = {one.name: "wrong" for one in gateway_class.config_fields if one.is_secret}
    with pytest.raises(Exception, match=r".+") as caught:
        gateway_class({**shop.pretend.config, **wrong}).check()
    for secret in shop.pretend.config.values():
        assert len(secret) < 8 or secret not in str(caught.value)


def test_customer_fields_are_known() -> None:
    for gateway in gateways.GATEWAYS.values():
        assert all(isinstance(one, CustomerField) for one in gateway.customer_fields)


def test_details_for_gateways_hold_no_floats(shop: Shop) -> None:
    facts = starting.details(shop.start())
    assert isinstance(facts, PaymentDetails)
    assert isinstance(facts.amount, Decimal)
