"""What is answered: the shapes, types and words that programs compare to the letter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orders.models import Order, Refill, Service
from orders.rules.state_machine import Status
from tests.factories import category, order, service
from tests.storefront.api.reseller import Reseller
from tests.storefront.api.reseller import reseller as new_reseller

Call = Callable[..., Any]
NO_ORDER = {"error": "Incorrect order ID"}
PLAIN = re.compile(r"\d+\.\d{2,8}")
#: The word for every state an order can be in.
SAID = {
    "queued": "Pending", "submitting": "Pending", "pending": "Pending", "in_doubt": "Processing",
    "processing": "Processing", "in_progress": "In progress", "completed": "Completed", "partial": "Partial",
    "canceled": "Canceled", "failed": "Canceled",
}  # fmt: skip


def create_order(own: Reseller, status: str, **details: Any) -> int:
    made = order(own.user, Service.objects.first() or service(has_refill=True, has_cancel=True), status=status)
    Order.objects.filter(pk=made.pk).update(**details)
    return made.pk


# ------------------------------------------------------------------------------------------------ orders
@pytest.mark.parametrize("status", [status.value for status in Status])
def test_every_state_has_its_exact_word(call: Call, reseller: Reseller, status: str) -> None:
    own = create_order(reseller, status)
    assert call(action="status", order=own)["status"] == SAID[status]
    assert call(action="status", orders=own)[str(own)]["status"] == SAID[status]


@pytest.mark.parametrize(
    ("status", "remains", "told"),
    [
        ("queued", None, "100"), ("in_progress", None, "100"), ("in_progress", 40, "40"), ("in_progress", 101, "100"),
        ("partial", 10**12, "100"), ("partial", 0, "0"), ("completed", 7, "0"), ("completed", None, "0"),
        ("canceled", 0, "100"), ("canceled", None, "100"), ("failed", 3, "100"),
    ],
)  # fmt: skip
def test_remains_lies_within_the_quantity(
    call: Call, reseller: Reseller, status: str, remains: int | None, told: str
) -> None:
    own = create_order(reseller, status, remains=remains)
    assert call(action="status", order=own)["remains"] == told


def test_a_status_has_five_texts_and_nothing_is_missing(call: Call, reseller: Reseller) -> None:
    for status in SAID:
        row = call(action="status", order=create_order(reseller, status))
        assert list(row) == ["charge", "start_count", "status", "remains", "currency"]
        assert PLAIN.fullmatch(row["charge"])
        assert row["start_count"].isdigit()
        assert row["remains"].isdigit()
        assert row["currency"] == "USD"


def test_an_order_is_a_positive_number_and_is_seen_at_once(call: Call, reseller: Reseller) -> None:
    answer = call(action="add", service=service().pk, link="x", quantity=100)
    assert list(answer) == ["order"]
    assert type(answer["order"]) is int
    assert answer["order"] > 0
    assert call(action="status", order=answer["order"])["status"] == "Pending"
    assert list(call(action="status", orders=answer["order"])) == [str(answer["order"])]


def test_a_thousand_ids_are_answered_in_the_order_they_were_asked(
    call: Call, reseller: Reseller, stranger: Reseller
) -> None:
    sold = service()
    people = [stranger if number % 10 == 0 else reseller for number in range(900)]
    rows = Order.objects.bulk_create(
        Order(user=who.user, service=sold, quantity=100, rate=sold.rate, charge=Decimal("0.09")) for who in people
    )
    asked = [str(row.pk) for row in reversed(rows)] + [str(10**9 + number) for number in range(100)]
    answer = call(action="status", orders=",".join(asked))
    assert list(answer) == asked
    foreign = {str(row.pk) for row in rows if row.user_id == stranger.user.pk}
    assert {word for word, row in answer.items() if row == NO_ORDER} == foreign | set(asked[900:])


def test_ids_are_never_cut_in_silence(call: Call) -> None:
    asked = ",".join(map(str, range(1, 1002)))
    for action, name in (
        ("status", "orders"),
        ("refill", "orders"),
        ("cancel", "orders"),
        ("refill_status", "refills"),
    ):
        assert call(action=action, **{name: asked}) == {"error": "Incorrect request: more than 1000 ids"}


def test_an_id_is_answered_once_and_as_it_was_asked(call: Call, reseller: Reseller) -> None:
    own = create_order(reseller, "queued")
    answer = call(action="status", orders=f"{own},0{own},{own},x")
    assert list(answer) == [str(own), f"0{own}", "x"]


@pytest.mark.parametrize("action", ["status", "refill", "cancel"])
def test_a_foreign_id_is_told_like_one_that_never_was(
    call: Call, reseller: Reseller, stranger: Reseller, action: str
) -> None:
    create_order(reseller, "completed")
    theirs = create_order(stranger, "completed")
    Refill.objects.create(order_id=theirs)
    for name in ("order", "orders"):
        for spelled in ("{}", "{0},{0}", "0{}", "{}.0"):
            said = [json.dumps(call(action=action, **{name: spelled.format(word)})) for word in (theirs, 987654)]
            assert said[0].replace(str(theirs), "…") == said[1].replace("987654", "…")
            assert "Incorrect order ID" in said[0]


def test_a_foreign_refill_is_told_like_one_that_never_was(call: Call, reseller: Reseller, stranger: Reseller) -> None:
    theirs = Refill.objects.create(order_id=create_order(stranger, "completed")).pk
    for name in ("refill", "refills", "order"):
        said = [json.dumps(call(action="refill_status", **{name: word})) for word in (theirs, 987654)]
        assert said[0].replace(str(theirs), "…") == said[1].replace("987654", "…")
        assert "Refill not found" in said[0]


# ------------------------------------------------------------------------------------------------ after the purchase
def test_numbers_are_numbers_and_a_single_refill_is_a_text(call: Call, reseller: Reseller) -> None:
    first, second, running = (create_order(reseller, status) for status in ("completed", "completed", "in_progress"))
    single = call(action="refill", order=first)
    (many,) = call(action="refill", orders=second)
    assert [type(single["refill"]), type(many["order"]), type(many["refill"])] == [str, int, int]
    assert single["refill"].isdigit()
    (asked,) = call(action="refill_status", refills=many["refill"])
    assert asked == {"refill": many["refill"], "status": "Pending"}
    assert call(action="refill_status", refill=single["refill"]) == {"status": "Pending"}
    assert call(action="cancel", orders=running) == [{"order": running, "cancel": 1}]
    assert call(action="cancel", order=first)[0]["cancel"].keys() == {"error"}


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("waiting", "Pending"), ("sent", "Pending"), ("in_progress", "In progress"), ("completed", "Completed"),
        ("rejected", "Rejected"),
    ],
)  # fmt: skip
def test_every_state_of_a_refill_has_its_exact_word(call: Call, reseller: Reseller, status: str, word: str) -> None:
    made = Refill.objects.create(order_id=create_order(reseller, "completed"), status=status)
    assert call(action="refill_status", refill=made.pk) == {"status": word}


# ------------------------------------------------------------------------------------------------ the price list
def test_a_service_has_numbers_texts_and_booleans_where_clients_expect_them(call: Call, reseller: Reseller) -> None:
    service(has_refill=True)
    service("package", is_flat=True, has_cancel=True, has_dripfeed=True)
    for row in call(action="services"):
        kinds = {name: type(row[name]) for name in ("service", "rate", "min", "max", "refill", "cancel", "dripfeed")}
        assert kinds == {
            "service": int, "rate": str, "min": str, "max": str, "refill": bool, "cancel": bool, "dripfeed": bool,
        }  # fmt: skip
        assert row["min"].isdigit()
        assert row["max"].isdigit()


@pytest.mark.parametrize(
    ("rate", "told"),
    [("0.00000001", "0.00000001"), ("0.0000001", "0.0000001"), ("1000000", "1000000.00"), ("12.5", "12.50"),
     ("90000000000", "90000000000.00"), ("0", "0.00"), ("1E+3", "1000.00")],
)  # fmt: skip
def test_a_rate_has_no_exponent(call: Call, reseller: Reseller, rate: str, told: str) -> None:
    service(rate=rate)
    assert [row["rate"] for row in call(action="services")] == [told]


def test_names_hold_nothing_that_breaks_who_pastes_them(call: Call, reseller: Reseller) -> None:
    odd = ' "Best"\r\nlamp\'s \\ \x1b\x07\u2028\u2029 👍🏽\t' + "ж" * 200
    service(name=odd, category=category('a"b\n\\c'))
    (row,) = call(action="services")
    for text in (row["name"], row["category"]):
        assert not re.search(r"[\"'\\\x00-\x1f\x7f-\x9f\u2028\u2029]", text)
        assert text == text.strip()
    assert "👍🏽" in row["name"]


def test_types_have_the_spelling_of_the_example_page(call: Call, reseller: Reseller) -> None:
    words = {
        "default": "Default", "package": "Package", "seo": "SEO", "custom_comments": "Custom Comments",
        "custom_comments_package": "Custom Comments Package", "mentions": "Mentions",
        "mentions_with_hashtags": "Mentions with Hashtags", "mentions_custom_list": "Mentions Custom List",
        "mentions_hashtag": "Mentions Hashtag", "mentions_user_followers": "Mentions User Followers",
        "mentions_media_likers": "Mentions Media Likers", "comment_likes": "Comment Likes",
        "comment_replies": "Comment Replies", "poll": "Poll", "invites_from_groups": "Invites from Groups",
        "subscriptions": "Subscriptions", "web_traffic": "Web Traffic",
    }  # fmt: skip
    for code in words:
        service(code, is_flat="package" in code)
    assert [row["type"] for row in call(action="services")] == list(words.values())


def test_the_price_list_is_whole_and_new_at_once(call: Call, reseller: Reseller) -> None:
    sold = [service() for _ in range(3)]
    assert [row["service"] for row in call(action="services")] == [one.pk for one in sold]
    Service.objects.filter(pk=sold[0].pk).update(name="Renamed", rate=Decimal("7"))
    Service.objects.filter(pk=sold[1].pk).update(is_active=False)
    rows = call(action="services")
    assert [(row["service"], row["rate"]) for row in rows] == [(sold[0].pk, "7.00"), (sold[2].pk, "0.90")]
    assert rows[0]["name"] == "Renamed"


# ------------------------------------------------------------------------------------------------ money and errors
@pytest.mark.parametrize(
    ("amount", "told"),
    [("0", "0.00"), ("1000000", "1000000.00"), ("0.000001", "0.000001"), ("1234.5", "1234.50"), ("0.84292", "0.84292")],
)
def test_a_balance_is_a_plain_decimal(call: Call, db: None, amount: str, told: str) -> None:
    assert call(key=new_reseller(amount).key, action="balance") == {"balance": told, "currency": "USD"}


def test_no_success_has_the_word_error_in_it(call: Call, reseller: Reseller) -> None:
    sold = service(has_refill=True, has_cancel=True)
    done, running = create_order(reseller, "completed"), create_order(reseller, "in_progress")
    successes = [
        call(action="services"),
        call(action="balance"),
        call(action="add", service=sold.pk, link="x", quantity=100),
        call(action="status", order=done),
        call(action="status", orders=f"{done},{running}"),
        call(action="refill", order=done),
        call(action="refill_status", refill=Refill.objects.create(order_id=running).pk),
        call(action="cancel", orders=running),
    ]
    assert [answer for answer in successes if "error" in json.dumps(answer)] == []


def test_an_error_has_one_key_and_http_200(call: Call, reseller: Reseller) -> None:
    small = service(min_quantity=50, max_quantity=60, rate="100000000")
    told = {
        "Invalid API key": {"key": "x", "action": "balance"},
        "Incorrect request": {"action": "nothing"},
        "Incorrect service ID": {"action": "add", "service": 0, "link": "x", "quantity": 50},
        "Incorrect order ID": {"action": "status", "order": 10**9},
        "Refill not found": {"action": "refill_status", "refill": 10**9},
        "Not enough funds on balance": {"action": "add", "service": small.pk, "link": "x", "quantity": 50},
        "Quantity less than minimal 50": {"action": "add", "service": small.pk, "link": "x", "quantity": 49},
        "Quantity more than maximum 60": {"action": "add", "service": small.pk, "link": "x", "quantity": 61},
        "Bad link": {"action": "add", "service": small.pk, "link": "", "quantity": 50},
        "Refill is disabled for this service": {"action": "refill", "order": order(reseller.user, service()).pk},
        "The order is not completed": {"action": "refill", "order": create_new_order(reseller)},
    }
    assert {text: call(**fields) for text, fields in told.items()} == {text: {"error": text} for text in told}


def create_new_order(own: Reseller) -> int:
    return order(own.user, service(has_refill=True), status="in_progress").pk
