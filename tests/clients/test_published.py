"""Four published Python clients, unmodified, make all their calls, and their results match the database.

How each reports an error: smmpy raises Exception, babismm SMMAPIError, safesmm SafeSMMError, pr2up returns the
answer as it is. The first two lose the text with any HTTP status but 200. pr2up's host is fixed; its users change it by
the attribute ``base_url``, which holds the address up to the action's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pr2up_py
import pytest
import safesmm
import smm
import smmpy

from orders.models import Cancellation, Order, Refill
from orders.rules.service_types import SERVICE_TYPES
from tests.clients.stage import NO_ORDER, NO_REFILL, Stage, is_price_list, plain, refill_of, status_of, statuses_of
from tests.factories import INPUTS

pytestmark = pytest.mark.django_db(transaction=True)


def power2up(url: str, key: str) -> pr2up_py.Power2Up:
    client = pr2up_py.Power2Up(key)
    client.base_url = f"{url}?action="
    return client


@dataclass(frozen=True)
class Published:
    """A client by the names of its calls; "" where it has none."""

    connect: Callable[[str, str], Any]
    raises: type[Exception] | None
    services: str = "get_services"
    balance: str = "get_balance"
    add: str = "add_order"
    status: str = "get_status"
    statuses: str = "get_multi_status"
    refill: str = "create_refill"
    refills: str = "create_multi_refill"
    refill_status: str = "get_refill_status"
    refill_statuses: str = "get_multi_refill_status"
    cancel: str = "cancel_orders"


SMMPY = Published(smmpy.smm, Exception)
BABISMM = Published(smm.SMM, smm.SMMAPIError)
SAFESMM = Published(
    lambda url, key: safesmm.SafeSMM(key, api_url=url),
    safesmm.SafeSMMError,
    services="services", balance="balance", status="status", statuses="multi_status", refill="refill", refills="",
    refill_status="", refill_statuses="", cancel="cancel",
)  # fmt: skip
PR2UP = Published(
    power2up, None, add="create_order", status="check_status", statuses="", refills="", refill_status="",
    refill_statuses="", cancel="cancel_order",
)  # fmt: skip
ALL = {"smmpy": SMMPY, "babismm": BABISMM, "safesmm": SAFESMM, "pr2up": PR2UP}


def clients_with(*calls: str) -> Any:
    """Return the clients that have all of these calls."""
    names = [name for name, published in ALL.items() if all(getattr(published, call) for call in calls)]
    return pytest.mark.parametrize("name", names)


def caller(stage: Stage, name: str, key: str = "") -> Callable[..., Any]:
    """Make one of the client's calls."""
    published = ALL[name]
    client = published.connect(stage.url, key or stage.key)
    return lambda call, *arguments, **more: getattr(client, getattr(published, call))(*arguments, **more)


def refusal(name: str, act: Callable[[], Any]) -> str:
    """Return the error text that the client gives to its user."""
    kind = ALL[name].raises
    if kind is None:
        answer = act()
        assert list(answer) == ["error"]
        return str(answer["error"])
    with pytest.raises(kind) as raised:
        act()
    assert type(raised.value) is kind  # and none of the network's
    return str(raised.value)


# ------------------------------------------------------------------------------------------------ reading
@clients_with("services")
def test_services(stage: Stage, name: str) -> None:
    assert is_price_list(caller(stage, name)("services"))


@clients_with("balance")
def test_balance(stage: Stage, name: str) -> None:
    assert caller(stage, name)("balance") == {"balance": plain(stage.reseller.balance), "currency": "USD"}


@clients_with("status")
def test_the_status_of_each_order(stage: Stage, name: str) -> None:
    call = caller(stage, name)
    for order in stage.orders.values():
        assert call("status", order.pk) == status_of(order)


@clients_with("statuses")
def test_the_statuses_of_many_orders(stage: Stage, name: str) -> None:
    asked = [*stage.orders.values()]
    found = caller(stage, name)("statuses", [*(order.pk for order in asked), stage.theirs.pk, 999_999])
    expected = {**statuses_of(asked), str(stage.theirs.pk): NO_ORDER, "999999": NO_ORDER}
    assert list(found.items()) == list(expected.items())
    assert caller(stage, name)("statuses", [asked[0].pk]) == statuses_of(asked[:1])


# ------------------------------------------------------------------------------------------------ buying
def purchases_of(name: str) -> list[tuple[str, dict[str, Any]]]:
    """What each client can buy: smmpy and pr2up only what their parameters allow, the other two whatever there is."""
    plain_order = {"link": "https://example.com/p/1", "quantity": 100}
    comments = {"link": "https://example.com/p/2", "quantity": 2, "comments": "first\nsecond\r\nthird"}
    basic = [("default", plain_order), ("package", plain_order)]
    if name == "pr2up":
        return basic
    basic += [("default", {**plain_order, "runs": 5, "interval": 30})]
    basic += [("custom_comments", comments), ("custom_comments_package", comments)]
    if name == "smmpy":
        return basic
    for code, service_type in SERVICE_TYPES.items():
        wanted = [spec.name for spec in service_type.inputs]
        given = {word: INPUTS[word] for word in wanted if word in INPUTS}
        link = {"link": INPUTS["link"]} if service_type.has_link else {}
        quantity = {"quantity": 100} if service_type.count == "given" else {}
        basic.append((code, {**link, **quantity, **given}))
    return basic


@pytest.mark.parametrize("name", ALL)
def test_every_order_a_client_can_place(stage: Stage, name: str) -> None:
    for number, (code, inputs) in enumerate(purchases_of(name)):
        call, before = caller(stage, name), stage.reseller.balance
        sold, sent = stage.services[code], dict(inputs)
        if sent.get("link"):
            sent["link"] += f"/{number}"
        positional = [sold.pk, sent.pop("link", ""), *([sent.pop("quantity")] if "quantity" in sent else [])]
        order = stage.bought(call("add", *positional, **sent), after=before)
        assert (order.service, order.link) == (sold, positional[1])
        assert order.runs == inputs.get("runs", 1)
        if code == "default":
            assert order.quantity == 100 * order.runs
        if "comments" in inputs:
            assert order.fields["comments"] == ["first", "second", "third"]
        for field in SERVICE_TYPES[code].inputs:
            assert field.name in order.fields or not field.is_required
        # The clients that buy also look, in the same breath.
        if ALL[name].status:
            assert call("status", order.pk) == status_of(order)


def test_pr2up_cuts_a_link_at_its_own_ampersand(stage: Stage) -> None:
    """It pastes the link into the address as it is: what follows the & is a parameter of its own, which we ignore."""
    before = stage.reseller.balance
    answer = caller(stage, "pr2up")("add", stage.services["default"].pk, "https://example.com/p?a=1&b=2", 100)
    assert stage.bought(answer, after=before).link == "https://example.com/p?a=1"


# ------------------------------------------------------------------------------------------------ after the purchase
@clients_with("refill")
def test_a_refill(stage: Stage, name: str) -> None:
    order = stage.orders["completed"]
    assert caller(stage, name)("refill", order.pk) == {"refill": str(refill_of(order))}


@clients_with("refills")
def test_many_refills(stage: Stage, name: str) -> None:
    first, second, other = (stage.orders[key] for key in ("completed", "second", "in_progress"))
    assert caller(stage, name)("refills", [first.pk, other.pk, second.pk, stage.theirs.pk]) == [
        {"order": first.pk, "refill": refill_of(first)},
        {"order": other.pk, "refill": {"error": "The order is not completed"}},
        {"order": second.pk, "refill": refill_of(second)},
        {"order": stage.theirs.pk, "refill": NO_ORDER},
    ]
    assert set(Refill.objects.values_list("order_id", flat=True)) == {first.pk, second.pk}


@clients_with("refill_status", "refill_statuses")
def test_the_statuses_of_refills(stage: Stage, name: str) -> None:
    call = caller(stage, name)
    numbers = [int(call("refill", stage.orders[key].pk)["refill"]) for key in ("completed", "second", "third")]
    for number, status in zip(numbers, ("waiting", "in_progress", "completed"), strict=True):
        Refill.objects.filter(pk=number).update(status=status)
    words = ["Pending", "In progress", "Completed"]
    assert [call("refill_status", number) for number in numbers] == [{"status": word} for word in words]
    rows = [{"refill": number, "status": word} for number, word in zip(numbers, words, strict=True)]
    assert call("refill_statuses", [*numbers, 999_999]) == [*rows, {"refill": 999_999, "status": NO_REFILL}]


@clients_with("cancel")
def test_cancel(stage: Stage, name: str) -> None:
    running, done = stage.orders["in_progress"], stage.orders["completed"]
    refused = {"order": done.pk, "cancel": {"error": "Order already completed and cannot be canceled"}}
    call = caller(stage, name)
    if name == "pr2up":
        assert [call("cancel", running.pk), call("cancel", done.pk)] == [
            [{"order": running.pk, "cancel": 1}],
            [refused],
        ]
    else:
        assert call("cancel", [running.pk, done.pk]) == [{"order": running.pk, "cancel": 1}, refused]
    assert Cancellation.objects.get().order == running


# ------------------------------------------------------------------------------------------------ errors
@pytest.mark.parametrize("name", ALL)
def test_every_error_text_reaches_the_clients_user(stage: Stage, name: str) -> None:
    call, money = caller(stage, name), stage.reseller.balance
    unknown, sold, small = caller(stage, name, key="wrong"), stage.services["default"].pk, stage.services["plain"].pk
    link, mine = "https://example.com/e", stage.orders["in_progress"].pk
    told = {
        "Invalid API key": lambda: unknown("balance"),
        "Incorrect service ID": lambda: call("add", 999_999, link, 100),
        "Quantity less than minimal 10": lambda: call("add", small, link, 9),
        "Quantity more than maximum 10000": lambda: call("add", small, link, 10_001),
        "Bad link": lambda: call("add", sold, "", 100),
        "Incorrect order ID": lambda: call("status", stage.theirs.pk),
        "The order is not completed": lambda: call("refill", mine),
        "Refill is disabled for this service": lambda: call("refill", stage.orders["plain"].pk),
    }
    if ALL[name].refill_status:
        told["Refill not found"] = lambda: call("refill_status", 999_999)
    assert {text: refusal(name, act) for text, act in told.items()} == {text: text for text in told}
    poor = caller(stage, name, key=stage.stranger.key)
    stage.services["default"].max_quantity = 10**7
    stage.services["default"].save()
    assert refusal(name, lambda: poor("add", sold, link, 10**6)) == "Not enough funds on balance"
    assert (Order.objects.filter(source="api").count(), stage.reseller.balance) == (0, money)
