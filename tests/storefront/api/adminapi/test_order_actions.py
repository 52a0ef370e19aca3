"""What programs may change about orders: by the rules of the back office, with every change in the history."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from orders.ledger import audit
from orders.lifecycle import customer_requests, fulfillment
from orders.models import Cancellation, Order, OrderEvent
from tests import factories
from tests.storefront.api.adminapi.program import Program, place_by_hand

pytestmark = pytest.mark.django_db


def history(order: Order) -> list[str]:
    """Return what the history of the order tells, without who did it."""
    lines = LogEntry.objects.filter(object_id=str(order.pk), content_type__model="order").order_by("pk")
    return [line.change_message.partition(", ")[2].partition(", ")[2] for line in lines]


def assert_refused(response: Any, text: str) -> None:
    """Assert that the answer to a call on several orders says why one was not changed."""
    answer = response.json()
    assert (response.status_code, answer["error_code"], answer["data"]) == (200, 409, [])
    assert text in answer["error_message"]


@pytest.fixture(autouse=True)
def _the_books_are_right(db: None) -> Any:
    yield
    assert list(audit.findings()) == []


def test_an_order_is_canceled_and_refunded(program: Program) -> None:
    order = place_by_hand(factories.order())
    assert program.post("orders/cancel", {"ids": str(order.pk), "cancel_reason": "asked in chat"}) is None
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("canceled", order.charge)
    assert history(order) == [
        "orders/cancel: status “in_progress” → “canceled”, remains none → “100”, refunded “0.00” → “0.09”"
    ]
    assert OrderEvent.objects.filter(order=order, actor=program.user, data__why="asked in chat").exists()
    assert_refused(program.send("orders/cancel", {"ids": str(order.pk)}), f"Order {order.pk}: ")
    assert len(history(order)) == 1


def test_one_refused_order_does_not_stop_the_others(program: Program) -> None:
    first, ended, last = (
        place_by_hand(factories.order(), "1"),
        factories.order(status="completed"),
        place_by_hand(factories.order(), "2"),
    )
    response = program.send("orders/cancel", {"ids": [first.pk, ended.pk, 999, last.pk]})
    assert_refused(response, f"Order {ended.pk}: ")
    assert_refused(response, "Order 999: Order not found.")
    statuses = Order.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["canceled", "completed", "canceled"]


@pytest.mark.parametrize("status", ["submitting", "in_doubt", "completed"])
def test_an_order_that_a_call_may_have_placed_or_that_has_ended_is_not_canceled(program: Program, status: str) -> None:
    order = factories.order(status=status)
    assert_refused(program.send("orders/cancel", {"ids": str(order.pk)}), "status of the order is now")
    order.refresh_from_db()
    assert order.status == status


def test_the_undelivered_part_is_refunded(program: Program) -> None:
    order = place_by_hand(factories.order())
    assert program.post(f"orders/{order.pk}/set-partial", {"remains": 50}) is None
    order.refresh_from_db()
    assert (order.status, order.remains, order.refunded) == ("partial", 50, Decimal("0.045"))
    assert history(order) == [
        "orders/set-partial: status “in_progress” → “partial”, remains none → “50”, refunded “0.00” → “0.045”"
    ]
    for remains in (20, 101):
        response = program.send(f"orders/{order.pk}/set-partial", {"remains": remains})
        assert response.status_code == response.json()["error_code"] == 409
    assert program.send("orders/999/set-partial", {"remains": 1}).status_code == 404


@pytest.mark.parametrize("status", ["completed", "in_progress", "processing", "partial"])
def test_the_progress_of_a_providers_order_is_not_set_here(program: Program, status: str) -> None:
    order = place_by_hand(factories.order())
    assert_refused(
        program.send("orders/change-status", {"ids": str(order.pk), "status": status}), "A provider delivers"
    )
    order.refresh_from_db()
    assert order.status == "in_progress"
    assert history(order) == []


def test_the_progress_of_an_order_that_waits_for_a_provider_is_not_set(program: Program) -> None:
    order = factories.order()
    assert_refused(
        program.send("orders/change-status", {"ids": str(order.pk), "status": "completed"}), "A provider delivers"
    )


def test_a_cancellation_is_requested_from_the_provider(program: Program) -> None:
    order = place_by_hand(factories.order(of=factories.service(has_cancel=True)))
    assert program.post("orders/request-cancel", {"ids": str(order.pk)}) is None
    assert Cancellation.objects.get(order=order).actor == program.user
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("in_progress", 0)
    assert history(order) == ["orders/request-cancel: cancellation none → “waiting”"]
    assert_refused(program.send("orders/request-cancel", {"ids": str(order.pk)}), "A cancellation is open already")
    other = place_by_hand(factories.order(), "2")
    assert_refused(program.send("orders/request-cancel", {"ids": str(other.pk)}), "sold without cancellation")


def test_a_queued_order_is_sent_again_at_once(program: Program) -> None:
    order = factories.order()
    Order.objects.filter(pk=order.pk).update(due_at="2030-01-01T00:00:00Z")
    assert program.post("orders/resend", {"ids": str(order.pk)}) is None
    order.refresh_from_db()
    assert order.due_at is None
    assert history(order) == ["orders/resend: due_at “2030-01-01 00:00:00” → none"]


def test_a_failed_order_was_refunded_and_is_not_sent_again(program: Program) -> None:
    order = fulfillment.fail(factories.order().pk)
    assert_refused(program.send("orders/resend", {"ids": str(order.pk)}), "It failed and was refunded")
    assert_refused(program.send("orders/cancel", {"ids": str(order.pk)}), "now “Failed”")


@pytest.mark.parametrize("status", ["in_doubt", "completed", "in_progress"])
def test_an_order_that_may_be_at_a_provider_is_never_sent_again(program: Program, status: str) -> None:
    order = factories.order(status=status)
    assert program.send("orders/resend", {"ids": str(order.pk)}).json()["error_code"] == 409
    order.refresh_from_db()
    assert order.status == status


def test_the_link_of_a_queued_order_is_changed(program: Program) -> None:
    order = factories.order()
    assert program.post(f"orders/{order.pk}/edit-link", {"link": "https://example.com/new"}) is None
    order.refresh_from_db()
    assert order.link == "https://example.com/new"
    assert history(order) == ["orders/edit-link: link “https://example.com/p/1” → “https://example.com/new”"]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "done, thank you", "x" * 2049, ""])
def test_a_link_that_cannot_be_ordered_is_refused(program: Program, link: str) -> None:
    order = factories.order()
    assert program.send(f"orders/{order.pk}/edit-link", {"link": link}).json()["error_code"] in (400, 409)
    order.refresh_from_db()
    assert order.link == "https://example.com/p/1"


def test_the_link_that_a_provider_has_is_not_changed(program: Program) -> None:
    order = place_by_hand(factories.order())
    assert program.send(f"orders/{order.pk}/edit-link", {"link": "https://example.com/new"}).status_code == 409


def test_another_orders_link_is_not_taken(program: Program) -> None:
    sold = factories.service(is_one_per_link=True)
    factories.order(of=sold, link="https://example.com/taken")
    order = factories.order(of=sold)
    response = program.send(f"orders/{order.pk}/edit-link", {"link": "https://example.com/taken"})
    assert response.status_code == 409


def test_nobody_decides_about_their_own_order(program: Program) -> None:
    factories.wallet(program.user, "10")
    order = factories.order(program.user)
    assert_refused(program.send("orders/cancel", {"ids": str(order.pk)}), "A colleague has to decide")


@pytest.mark.parametrize(
    "given",
    [{}, {"ids": ""}, {"ids": "x"}, {"ids": None}, {"ids": {}}, {"ids": [[1]]}, {"order_ids": [1]}, {"ids": "-1"}],
)
def test_numbers_that_cannot_be_read_are_refused(program: Program, given: dict[str, Any]) -> None:
    for endpoint in ("cancel", "request-cancel", "resend"):
        assert program.send(f"orders/{endpoint}", given).status_code == 400


# ------------------------------------------------------------------------------------------------ delivery by hand


@pytest.fixture
def by_hand(db: Any) -> Any:
    return factories.service(name="Reviews", is_manual=True, has_cancel=True, has_refill=True)


def test_waiting_orders_are_handed_out_once(program: Program, by_hand: Any) -> None:
    other = factories.service(is_manual=True)
    first, second, third = factories.order(of=by_hand), factories.order(of=other), factories.order(of=by_hand)
    factories.order()
    data = program.post("orders/pull", {"service_ids": f"{by_hand.pk},999", "limit": 1})
    assert [(row["id"], row["status"], row["mode"]) for row in data["list"]] == [(first.pk, "processing", "Manual")]
    assert [row["id"] for row in program.post("orders/pull", {"service_ids": str(by_hand.pk)})["list"]] == [third.pk]
    assert [row["id"] for row in program.post("orders/pull")["list"]] == [second.pk]
    assert program.post("orders/pull") == {"count": 0, "list": []}
    assert history(first) == ["orders/pull: status “queued” → “processing”"]


def test_a_change_that_only_the_timeline_shows_is_in_the_history(program: Program) -> None:
    order = factories.order()
    for _ in range(2):
        program.post("orders/resend", {"ids": str(order.pk)})
        program.post(f"orders/{order.pk}/edit-link", {"link": order.link})
    assert (
        history(order)
        == ["orders/resend: event none → “try_again”", "orders/edit-link: event none → “change_link”"] * 2
    )


def test_an_order_delivered_by_hand_runs_through(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/pull")
    program.post(
        "orders/update", {"orders": [{"id": order.pk, "status": "in progress", "start_count": 40, "remains": 60}]}
    )
    order.refresh_from_db()
    assert (order.status, order.start_count, order.remains) == ("in_progress", 40, 60)
    program.post("orders/update", {"orders": [{"id": order.pk, "remains": 10}]})
    program.post("orders/change-status", {"ids": str(order.pk), "status": "completed"})
    order.refresh_from_db()
    assert (order.status, order.remains, order.refunded) == ("completed", 0, 0)
    assert history(order)[1:] == [
        "orders/update: status “processing” → “in_progress”, start_count none → “40”, remains none → “60”",
        "orders/update: remains “60” → “10”",
        "orders/change-status: status “in_progress” → “completed”, remains “10” → “0”",
    ]


def test_a_part_is_refunded_by_the_last_report(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/update", {"orders": [{"id": order.pk, "status": "partial", "remains": 50}]})
    order.refresh_from_db()
    assert (order.status, order.refunded) == ("partial", Decimal("0.045"))


def test_a_partial_order_needs_to_know_what_is_missing(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    assert program.send("orders/change-status", {"ids": str(order.pk), "status": "partial"}).json()["error_code"] == 409


def test_canceled_stays_canceled(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/change-status", {"ids": str(order.pk), "status": "canceled"})
    for status in ("completed", "in_progress", "partial", "canceled"):
        assert_refused(program.send("orders/change-status", {"ids": str(order.pk), "status": status}), "now “Canceled”")
    order.refresh_from_db()
    assert (order.status, order.refunded, order.odd_at) == ("canceled", order.charge, None)


def test_completed_does_not_go_back(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/change-status", {"ids": str(order.pk), "status": "completed"})
    program.post("orders/change-status", {"ids": str(order.pk), "status": "completed"})
    for status in ("in_progress", "canceled"):
        assert (
            program.send("orders/change-status", {"ids": str(order.pk), "status": status}).json()["error_code"] == 409
        )


def test_no_provider_gets_an_order_that_is_delivered_by_hand(program: Program, by_hand: Any) -> None:
    order = place_by_hand(factories.order(of=by_hand))
    assert_refused(
        program.send("orders/change-status", {"ids": str(order.pk), "status": "completed"}), "A provider delivers"
    )


def test_cancellations_are_handed_out_and_rejected(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/pull")
    asked = customer_requests.request_cancellation(Order.objects.get(pk=order.pk))
    assert [row["id"] for row in program.post("cancel/pull", {"limit": 100})["list"]] == [order.pk]
    assert program.post("cancel/pull") == {"count": 0, "list": []}
    program.post("cancel/reject", {"ids": str(order.pk), "reason": "half delivered"})
    asked.refresh_from_db()
    assert (asked.status, asked.reason) == ("rejected", "half delivered")
    assert history(order)[1:] == [
        "cancel/pull: cancellation “waiting” → “sent”",
        "cancel/reject: cancellation “sent” → none",
    ]
    assert_refused(program.send("cancel/reject", {"ids": str(order.pk)}), "There is no open cancellation")


def test_a_pulled_cancellation_ends_with_its_order(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/pull")
    asked = customer_requests.request_cancellation(Order.objects.get(pk=order.pk))
    program.post("cancel/pull")
    program.post("orders/cancel", {"ids": str(order.pk)})
    asked.refresh_from_db()
    assert asked.status == "completed"


def test_refills_are_handed_out_and_carried_out(program: Program, by_hand: Any) -> None:
    order = factories.order(of=by_hand)
    program.post("orders/change-status", {"ids": str(order.pk), "status": "completed"})
    asked = customer_requests.request_refill(Order.objects.get(pk=order.pk))
    (row,) = program.post("refill/pull", {"service_ids": str(by_hand.pk)})["list"]
    assert (row["id"], row["order_id"], row["link"]) == (asked.pk, order.pk, order.link)
    assert program.post("refill/pull") == {"count": 0, "list": []}
    # The same status again is no change, so it is not in the history.
    program.post("refill/change-status", {"ids": str(asked.pk), "status": "in_progress"})
    program.post("refill/change-status", {"ids": str(asked.pk), "status": "completed"})
    asked.refresh_from_db()
    assert asked.status == "completed"
    assert history(order)[1:] == [
        "refill/pull: refill “waiting” → “in_progress”", "refill/change-status: refill “in_progress” → “completed”"
    ]  # fmt: skip
    assert_refused(program.send("refill/change-status", {"ids": f"{asked.pk},99", "status": "rejected"}), "Refill 99: ")
