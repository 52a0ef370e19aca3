"""Two customers with marks in everything they own, and two staff keys: what each request to the three APIs may do.

No answer for one customer holds a mark of the other, or what only staff see. A key that may only read changes no row. A
key that may do everything leaves a line in the history with each change.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from orders.db.encrypted_field import Secret
from orders.events import ShopEvent, Topic
from orders.models import Cancellation, Order, OrderEvent, Refill, Service
from orders.rules.service_types import SERVICE_TYPES
from storefront.accounts.models import ApiKey, User
from storefront.api.adminapi.models import StaffKey
from storefront.payments.models import Payment, PaymentStatus
from storefront.support import tickets
from storefront.webhooks import outbox
from storefront.webhooks.models import Endpoint
from tests import factories
from tests.storefront.api.adminapi.program import READ, Program, place_by_hand

#: What staff and their programs write and no customer may read.
FOR_STAFF = "qxstaffonly"
#: Tables that every call may change: the time at which a key was used, sessions, and answers kept for a day.
_NOT_COMPARED = frozenset({"adminapi.StaffKey", "accounts.ApiKey", "sessions.Session"})
_WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)


@dataclass
class Customer:
    """A customer with ``mark`` in name, links, usernames, tickets and webhooks; ``ids`` are those of the first rows."""

    mark: str
    ids: dict[str, int]
    user: User
    #: A key for the shop and one for the sandbox, as "live" and "sandbox".
    keys: dict[str, str]
    client: Client = field(default_factory=Client)

    @classmethod
    def create(cls, mark: str, first_id: int, sold: Service) -> Customer:
        """Create the customer with a row of every kind. Their ids begin at ``first_id``, far from those of new rows."""
        user = factories.customer("1000000", email=f"{mark}@example.com", name=f"{mark} kerr")
        keys = {
            name: ApiKey.objects.issue(user, name=f"{mark} {name}", is_sandbox=name == "sandbox")[1]
            for name in ("live", "sandbox")
        }
        ApiKey.objects.filter(user=user).update(last_used_at=timezone.now())
        ids = {
            name: first_id + place * 1_000_000
            for place, name in enumerate(("order", "open", "refill", "cancellation", "payment", "endpoint"))
        }
        link = f"https://{mark}.example/post"
        for name, status in (("order", "completed"), ("open", "in_progress")):
            Order.objects.create(
                pk=ids[name], user=user, service=sold, status=status, quantity=100, rate=sold.rate, charge=Decimal(0),
                link=link, fields={"username": mark}, ended_at=timezone.now() if status == "completed" else None,
            )  # fmt: skip
            OrderEvent.objects.create(order_id=ids[name], kind="accepted")
        Refill.objects.create(pk=ids["refill"], order_id=ids["order"], actor=user, reason=FOR_STAFF)
        Cancellation.objects.create(pk=ids["cancellation"], order_id=ids["open"], actor=user, reason=FOR_STAFF)
        Payment.objects.create(
            pk=ids["payment"], user=user, gateway="manual", label="Bank", amount=Decimal(1), currency="USD",
            pay_amount=Decimal(1), pay_currency="USD",
            reference=f"{mark}-1", remark=FOR_STAFF, status=PaymentStatus.WAITING,
        )  # fmt: skip
        Endpoint.objects.create(
            pk=ids["endpoint"],
            user=user,
            url=f"https://{mark}.example/hook",
            has_orders=True,
            secret=Secret.hide(f"{mark}-secret"),
        )
        outbox.record([ShopEvent(topic=Topic.ORDER, order_id=ids["order"])])
        tickets.open_ticket(user, subject=f"Late {mark}", text=f"Where is it? {mark}")
        return cls(mark, ids, user, keys)


class Scene:
    """The shop with its customers ("anna" and "boris" by their marks) and the programs of its operator."""

    def __init__(self) -> None:
        flags = {"has_refill": True, "has_cancel": True, "has_dripfeed": True}
        self.services = {
            code: factories.service(code, is_flat=kind.is_flat, **flags) for code, kind in SERVICE_TYPES.items()
        }
        by_hand = factories.service(is_manual=True, has_refill=True, has_cancel=True)
        self.sold = [*(service.pk for service in self.services.values()), by_hand.pk]
        default = self.services["default"]
        self.customers = (
            Customer.create("qxanna", 7_301_000_001, default),
            Customer.create("qxboris", 8_402_000_001, default),
        )
        for customer in self.customers:
            for number in range(8):
                factories.order(customer.user, by_hand, link=f"https://{customer.mark}.example/{number}")
                place_by_hand(
                    factories.order(customer.user, default, link=f"https://{customer.mark}.example/p{number}"),
                    f"{customer.mark}{number}",
                )
        self.reader = Program(**READ, has_get_writes=True)
        self.writer = Program()
        self.sent: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()
        self.changes = 0
        self._lines = LogEntry.objects.count()
        self._rows = fingerprint()

    # -------------------------------------------------------------------------------------------- customers
    def judge_customer(self, part: str, customer: Customer, status: int, text: str, *, asked: str = "") -> None:
        """Check the answer to a request of ``customer``; ``asked`` is the request, whose ids an answer may repeat."""
        self.count(part, status, text)
        (other,) = (one for one in self.customers if one is not customer)
        assert other.mark not in text, text
        assert FOR_STAFF not in text, text
        for number in other.ids.values():
            assert str(number) in asked or not re.search(rf"\b{number}\b", text), text

    def count(self, part: str, status: int, text: str) -> None:
        """Count the request, and check that the answer is JSON and no server error."""
        self.sent[part] += 1
        self.answers[status] += 1
        assert status < 500, text
        if text:
            json.loads(text)

    # -------------------------------------------------------------------------------------------- staff
    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Check that what runs inside the block changes no row of any table."""
        before = everything()
        yield
        after = everything()
        assert [name for name, rows in after.items() if rows != before[name]] == []

    def judge_writer(self, send: Any) -> Any:
        """Send a request with the key that may do everything. If it changed a row, its history has a new line."""
        written: set[str] = set()

        def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if match := _WRITE.match(sql):
                written.add(match[1])
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch):
            response = send()
        if written - {StaffKey._meta.db_table}:
            rows, lines = fingerprint(), LogEntry.objects.count()
            has_changed = rows != self._rows
            assert (lines > self._lines) == has_changed, (sorted(written), getattr(response, "request", response))
            for line in LogEntry.objects.order_by("-pk")[: lines - self._lines]:
                assert line.user == self.writer.user
                assert line.change_message.startswith(f"Admin API, key {self.writer.key.prefix}, ")
            self.changes += has_changed
            self._rows, self._lines = rows, lines
        return response

    def look_again(self) -> None:
        """Note the present state, after requests of customers changed it."""
        self._rows, self._lines = fingerprint(), LogEntry.objects.count()

    # -------------------------------------------------------------------------------------------- the whole
    def prove(self) -> None:
        call_command("audit_ledger", stdout=StringIO())

    def prove_filters(self) -> None:
        """Check that lists of the Admin API for one customer hold nothing of the other."""
        for customer, other in (self.customers, self.customers[::-1]):
            for route, name in (("orders", "user"), ("payments", "user"), ("tickets", "user"), ("users", "username")):
                text = json.dumps(self.reader.get(route, **{name: customer.user.email}, limit=1000))
                assert customer.mark in text
                assert other.mark not in text


def send(client: Client, method: str, path: str, body: Any = b"", **options: Any) -> HttpResponse:
    response: HttpResponse = client.generic(method, path, body, **options)
    return response


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, without the times at which keys were used."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.label not in _NOT_COMPARED
    }


def fingerprint() -> dict[str, int]:
    """Return a hash of each table that programs of the operator may change."""
    models = ("orders.Order", "orders.OrderEvent", "orders.Refill", "orders.Cancellation", "orders.Account",
              "orders.Transfer", "orders.PullLease", "payments.Payment", "support.Ticket", "support.Message",
              "accounts.User")  # fmt: skip
    return {label: _hash(apps.get_model(label)) for label in models}


def _hash(model: Any) -> int:
    names = [one.attname for one in model._meta.concrete_fields if one.get_internal_type() != "JSONField"]
    return hash(tuple(model._default_manager.order_by("pk").values_list(*names)))
