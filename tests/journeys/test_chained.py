"""Two shops in a chain: shop B resells the services of shop A, and A buys from a panel simulator.

A runs in separate processes with its own database; B is the shop under test. Both are controlled by commands and their
APIs, and the charges of A must equal the costs of B to the last millionth.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from orders.ledger import audit
from orders.models import Order
from orders.rules import amounts, charges
from orders.rules.service_types import SERVICE_TYPES
from providers.models import Offer, Placement, Provider
from providers.panels.simulators.orders import PanelService as Sold
from providers.panels.simulators.orders import SimulatedOrder
from providers.panels.simulators.v2 import V2
from providers.reconciling import id_windows
from providers.transport import circuit_breaker
from tests.providers.conftest import INPUTS
from tests.second_shop import LossyLine, SecondShop, ask, second_shop

pytestmark = pytest.mark.django_db(transaction=True)

RESELLER, STRANGER, BUYER = "reseller@example.com", "stranger@example.com", "buyer@example.com"
#: Who asks, and under which numbers: what differs between the two requests for one order.
ENVELOPE = ("key", "action", "service", "request_id")


class Dripping(V2):
    """A panel whose price list says which services have drip-feed."""

    def service_row(self, service: Sold) -> dict[str, object]:
        return super().service_row(service) | {"dripfeed": service.type in ("Default", "Web Traffic")}


class Buyer:
    """A customer who buys through a shop's API."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def ask(self, action: str, **params: Any) -> Any:
        return ask(self.url, self.key, action, **params)

    def buy(self, service: dict[str, Any], number: int, **inputs: Any) -> str:
        """Place a minimum order of ``service`` for the link ``number``; return its id."""
        link, username = f"https://x.example.com/p/{number}", f"name{number}"
        quantity = max(int(service["min"]), min(100, int(service["max"])))
        asked = {**INPUTS, "link": link, "username": username, "quantity": quantity, **inputs}
        answer = self.ask("add", service=service["service"], **asked)
        assert set(answer) == {"order"}, (service, answer)
        return str(answer["order"])

    def services(self) -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in self.ask("services")}

    def status(self, numbers: list[str]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.ask("status", orders=",".join(numbers))
        return found

    @property
    def balance(self) -> Decimal:
        return Decimal(self.ask("balance")["balance"])


class Chain:
    """Both shops and the panel. ``there`` is our account at A, ``here`` a customer of B."""

    def __init__(self, panel: V2, shop: SecondShop, key: str, stranger: str) -> None:
        self.panel, self.shop = panel, shop
        self.there, self.stranger = Buyer(shop.url, key), Buyer(shop.url, stranger)
        self.here = Buyer("", "")
        self.before = Decimal(0)

    def open(self, address: str, *options: str, url: str = "", key: str = "") -> None:
        """Set up shop B: A as its panel, and a customer with a balance."""
        run("provider", "add", "a", "--url", url or self.shop.url, "--key", key or self.there.key, *options)
        run("provider", "import", "a", "--markup", "25", "--publish")
        run("customer", "add", BUYER)
        run("customer", "credit", BUYER, "5000", "--reference", "first")
        self.here = Buyer(f"{address}/api/v2", run("customer", "key", BUYER))
        self.before = self.there.balance

    def at_panel(self, number: int) -> SimulatedOrder:
        """Return what the panel has of the order for the link ``number``: one, and no more."""
        signs = (f"https://x.example.com/p/{number}", f"name{number}")
        found = [one for one in self.panel.orders.values() if signs[0] == one.params.get("link", "")]
        found = found or [one for one in self.panel.orders.values() if signs[1] == one.params.get("username")]
        assert len(found) == 1, (number, found)
        return found[0]

    def check(self) -> None:
        """Check that the charges of A less its refunds are what B booked, and that both ledgers add up."""
        placements = Placement.objects.exclude(upstream_id="")
        rows = self.there.status([row.upstream_id for row in placements])
        for row in placements:
            assert row.charged == Decimal(rows[row.upstream_id]["charge"]), row.order.service.service_type
        assert sum((row.charged for row in placements), Decimal(0)) == self.before - self.there.balance
        assert list(audit.findings()) == []
        assert "The ledger is correct" in self.shop.run("audit_ledger")
        assert self.panel.violations == []


def run(*arguments: str) -> str:
    """Return what ``manage.py arguments`` prints at B."""
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def due(step: str) -> Any:
    return json.loads(run("run_due", step, "--now").splitlines()[-1])[step]


@pytest.fixture(scope="module")
def shops(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with Dripping(balance=100_000).start() as panel, second_shop(tmp_path_factory.mktemp("a")) as shop:
        printed = shop.run_all(
            f"provider add panel --url {panel.url} --key {panel.key} --dialect v2",
            "provider import panel --markup 30 --publish",
            *(f"customer add {email}" for email in (RESELLER, STRANGER)),
            f"customer credit {RESELLER} 5000 --reference first",
            f"customer credit {STRANGER} 1 --reference other",
            *(f"customer key {email}" for email in (RESELLER, STRANGER)),
        )
        yield Chain(panel, shop, *printed[-2:])


@pytest.fixture
def chain(shops: Chain, live_server: Any) -> Chain:
    shops.open(live_server.url, "--dialect", "auto", "--request-ids")
    return shops


def test_shop_b_imports_the_services_of_a_and_follows_its_prices(chain: Chain) -> None:
    def compare() -> None:
        theirs, ours = chain.there.services(), chain.here.services()
        assert set(ours) == set(theirs)
        for name, row in theirs.items():
            assert {**ours[name], "service": 0, "rate": ""} == {**row, "service": 0, "rate": ""}
            rate = Offer.objects.get(upstream_id=str(row["service"])).rate
            assert rate == Decimal(row["rate"])
            sold = amounts.round_up(amounts.multiply(rate, Decimal("1.25")), amounts.RATE_QUANTUM)
            assert Decimal(ours[name]["rate"]) == sold, name

    assert Provider.objects.get().dialect_name == "v2"
    compare()
    assert {row["type"] for row in chain.here.services().values()} == {
        service_type.wire for service_type in SERVICE_TYPES.values()
    }
    assert any(row["dripfeed"] for row in chain.here.services().values())

    chain.shop.run("provider", "import", "panel", "--markup", "100")
    assert "provider services to approve" in run("provider", "import", "a")
    run("provider", "approve", "a", "--all")
    compare()
    chain.shop.run("provider", "import", "panel", "--markup", "30")


def test_every_type_is_passed_on_and_its_status_and_refund_come_back(chain: Chain) -> None:
    sold = list(chain.here.services().values())
    orders = {number: chain.here.buy(service, number) for number, service in enumerate(sold, 100)}
    for number, service in enumerate((one for one in sold if one["dripfeed"]), 200):
        orders[number] = chain.here.buy(service, number, runs=2, interval=10)

    assert due("submit") == {"accepted": len(orders)}
    assert chain.shop.due("submit") == {"accepted": len(orders)}

    asked = {row.order_id: row for row in Placement.objects.all()}
    for number, order in orders.items():
        placement = asked[int(order)]
        request = json.loads(placement.calls.get(verb="add").request)
        assert without(request) == without(chain.at_panel(number).params)
    rows = chain.there.status([row.upstream_id for row in asked.values()])
    assert {row.upstream_id: row.cost for row in asked.values()} == {
        upstream_id: Decimal(row["charge"]) for upstream_id, row in rows.items()
    }

    statuses = chain.panel.statuses
    for number in orders:
        there = chain.at_panel(number)
        chain.panel.report(there.id, statuses.running, remains=there.quantity - there.quantity // 4, start_count=number)
    follow(chain, orders, {"In progress"})
    for number in orders:
        there, word = chain.at_panel(number), (statuses.completed, statuses.partial, statuses.canceled)[number % 3]
        left = {statuses.completed: 0, statuses.partial: there.quantity // 3, statuses.canceled: there.quantity}[word]
        chain.panel.report(there.id, word, remains=left)
    follow(chain, orders, {"Completed", "Partial", "Canceled"})
    for number, text in orders.items():
        order, left = Order.objects.get(pk=text), chain.at_panel(number).remains
        assert order.refunded == charges.refund(order.charge, quantity=order.quantity, remains=left)
    chain.check()


def without(request: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in request.items() if name not in ENVELOPE}


def follow(chain: Chain, orders: dict[int, str], words: set[str]) -> None:
    """Both look at their orders: B then says of each what A says, but for the price."""
    chain.shop.due("sync")
    due("sync")
    ours = chain.here.status(list(orders.values()))
    numbers = dict(Placement.objects.values_list("order_id", "upstream_id"))
    theirs = chain.there.status(list(numbers.values()))
    for text, row in ours.items():
        assert {**row, "charge": ""} == {**theirs[numbers[int(text)]], "charge": ""}
    assert {row["status"] for row in ours.values()} == words


@pytest.mark.prove
def test_refill_and_cancel_are_passed_on_and_only_the_status_refunds(chain: Chain) -> None:
    service = chain.here.services()["Photo followers, worldwide"]
    done, stopped, late = (chain.here.buy(service, number) for number in (300, 301, 302))
    due("submit")
    chain.shop.due("submit")
    statuses, quantity = chain.panel.statuses, chain.at_panel(300).quantity
    for number, word, left in ((300, statuses.completed, 0), (301, statuses.running, 60), (302, statuses.running, 10)):
        chain.panel.report(chain.at_panel(number).id, word, remains=left)
    chain.shop.due("sync")
    due("sync")

    refill = chain.here.ask("refill", order=done)["refill"]
    taken = chain.here.ask("cancel", orders=f"{stopped},{late}")
    assert {row["cancel"] for row in taken} == {1}
    assert due("sync")["cancel_accepted"] == 2
    assert chain.shop.due("sync")["cancel_accepted"] == 2
    assert [chain.at_panel(number).is_cancel_requested for number in (300, 301, 302)] == [False, True, True]
    assert [one.order for one in chain.panel.refills.values()] == [chain.at_panel(300).id]
    due("sync")
    assert set(Order.objects.values_list("refunded", flat=True)) == {0}
    assert chain.here.ask("refill_status", refill=refill) == {"status": "Pending"}

    chain.panel.report(chain.at_panel(301).id, statuses.partial, remains=60)
    chain.panel.report(chain.at_panel(302).id, statuses.completed)
    chain.panel.report_refill(*chain.panel.refills, "Completed")
    chain.shop.due("sync")
    due("sync")
    paid_back = {str(order.pk): (order.status, order.refunded) for order in Order.objects.all()}
    charge = Order.objects.get(pk=stopped).charge
    assert paid_back == {
        done: ("completed", 0),
        stopped: ("partial", charges.refund(charge, quantity=quantity, remains=60)),
        late: ("completed", 0),
    }
    assert chain.here.ask("refill_status", refill=refill) == {"status": "Completed"}
    chain.check()


def test_without_balance_at_a_the_order_waits_until_a_payment(chain: Chain) -> None:
    run("provider", "add", "a", "--url", chain.shop.url, "--key", chain.stranger.key)
    before = chain.stranger.balance
    service = chain.here.services()["Photo followers, worldwide"]
    order = chain.here.buy(service, 400, quantity=5000)

    assert due("submit") == {"refused": 1}
    provider = Provider.objects.get()
    assert not provider.is_paused, "cheaper orders go on"
    assert provider.funds_limit is not None
    assert chain.here.status([order])[order]["status"] == "Pending"
    assert (Order.objects.get().status, Order.objects.get().refunded) == ("queued", 0)
    assert json.loads(run("run_due", "submit").splitlines()[-1]) == {"submit": {}}, "it is not sent again yet"

    chain.shop.run("customer", "credit", STRANGER, "50", "--reference", "second")
    assert due("submit") == {"accepted": 1}
    assert before + 50 - chain.stranger.balance == Placement.objects.get(state="accepted").cost
    assert list(audit.findings()) == []


def test_an_order_whose_answer_was_lost_is_found_and_placed_once(
    shops: Chain, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_windows, "SKEW", timedelta(0))
    line = LossyLine(shops.shop.port)
    try:
        shops.open(live_server.url, "--dialect", "auto", "--request-ids", url=line.url)
        Provider.objects.update(settle_seconds=0, is_search_allowed=True, parallel=4)
        service = shops.here.services()["Photo followers, worldwide"]
        for start in (500, 530):
            for number in range(start, start + 30):
                shops.here.buy(service, number, quantity=number)
            assert due("submit") == {"accepted": 30}
            shops.stranger.buy(shops.there.services()["Photo followers, worldwide"], start + 90, quantity=50)
        known = shops.before - shops.there.balance
        lost = shops.here.buy(service, 560, quantity=560)
        line.losses = 1
        assert due("submit") == {"in_doubt": 1}
        bought = shops.before - shops.there.balance - known
        assert bought > 0, "A took it"
        assert due("submit") == {"in_doubt": 0}

        assert due("search") == {"placed": 1}

        found = Placement.objects.get(order=lost)
        assert (found.state, found.cost) == ("accepted", bought)
        assert shops.there.status([found.upstream_id])[found.upstream_id]["status"] == "Pending"
        assert due("submit") == {"in_doubt": 0}
        assert shops.before - shops.there.balance == known + bought
        assert list(audit.findings()) == []
    finally:
        line.stop()


@pytest.mark.prove
@pytest.mark.usefixtures("quick_calls")
def test_a_web_server_killed_while_it_sells_sells_nothing_twice_and_loses_nothing(
    shops: Chain, live_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(id_windows, "SKEW", timedelta(0))
    shops.open(live_server.url, "--dialect", "auto", "--request-ids")
    Provider.objects.update(settle_seconds=2, is_search_allowed=True, parallel=4)
    service = shops.here.services()["Photo followers, worldwide"]
    for number in range(700, 760):
        shops.here.buy(service, number, quantity=number)
    assert due("submit") == {"accepted": 60}
    for number in range(760, 880):
        shops.here.buy(service, number, quantity=number)

    for _ in range(3):
        killer = threading.Timer(0.15, shops.shop.kill)
        killer.start()
        run("run_due", "submit")  # until the pause that follows three lost answers
        killer.join()
        shops.shop.open()
        time.sleep(3)  # what waited at its socket is carried out now: late, as at any panel
        circuit_breaker.resume(Provider.objects.get())
    doubts = Placement.objects.exclude(in_doubt_at=None).count()
    end = time.monotonic() + 60
    while Order.objects.exclude(status="pending").exists() and time.monotonic() < end:
        due("submit")
        due("search")
        time.sleep(0.3)

    assert doubts, "it was killed in vain"
    assert set(Order.objects.values_list("status", flat=True)) == {"pending"}
    bought = Placement.objects.exclude(upstream_id="")
    assert len(bought) == 180
    assert sum(row.cost for row in bought) == shops.before - shops.there.balance
    assert list(audit.findings()) == []
    assert "The ledger is correct" in shops.shop.run("audit_ledger")


@pytest.mark.parametrize(
    ("option", "statuses"),
    [("--request-ids", ["pending", "pending"]), ("--no-request-ids", ["in_doubt", "pending"])],
)
def test_two_customers_with_identical_orders_get_one_each_or_one_waits_for_an_operator(
    shops: Chain, live_server: Any, option: str, statuses: list[str]
) -> None:
    shops.open(live_server.url, "--dialect", "auto", option)
    service = shops.here.services()["Photo followers, worldwide"]
    number = 600 if option == "--request-ids" else 601
    run("customer", "add", "other@example.com")
    run("customer", "credit", "other@example.com", "50", "--reference", "other")
    other = Buyer(shops.here.url, run("customer", "key", "other@example.com"))
    shops.here.buy(service, number)
    other.buy(service, number)
    due("submit")

    assert sorted(Order.objects.values_list("status", flat=True)) == statuses
    bought = Placement.objects.exclude(upstream_id="")
    assert len(bought) == statuses.count("pending")
    assert sum(row.cost for row in bought) == shops.before - shops.there.balance
    assert set(Order.objects.values_list("refunded", flat=True)) == {0}
    assert list(audit.findings()) == []
