"""The exact texts and rows of responses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from orders.errors import InvalidField, OrderInvalid
from orders.rules import amounts, service_types
from orders.rules.state_machine import Status
from storefront.api.panel import responses
from storefront.web import panel_vocabulary

EXAMPLE = {"charge": "0.27819", "start_count": "3572", "status": "Partial", "remains": "157", "currency": "USD"}


def row(status: Status, *, remains: int | None = None, start: int | None = None, refunded: str = "0") -> dict[str, str]:
    paid = amounts.to_units(Decimal("1.5") - Decimal(refunded), amounts.AMOUNT_PLACES)
    return panel_vocabulary.order_row((1, status.value, 200, paid, start, remains))


def test_a_status_has_the_format_of_the_panel_example() -> None:
    shown = panel_vocabulary.order_row((1, "partial", 1000, 278_190, 3572, 157))
    assert list(shown.items()) == list(EXAMPLE.items())


@pytest.mark.parametrize("status", Status)
def test_every_status_has_one_of_the_six_words(status: Status) -> None:
    words = {"Pending", "Processing", "In progress", "Completed", "Partial", "Canceled"}
    shown = row(status)
    assert shown["status"] in words
    assert all(isinstance(value, str) and value for value in shown.values())


@pytest.mark.parametrize(
    ("status", "remains", "shown"),
    [
        (Status.QUEUED, None, "200"), (Status.IN_PROGRESS, None, "200"), (Status.IN_PROGRESS, 50, "50"),
        (Status.IN_PROGRESS, 201, "200"), (Status.PARTIAL, -5, "0"), (Status.COMPLETED, 10, "0"),
        (Status.COMPLETED, None, "0"), (Status.CANCELED, 0, "200"), (Status.FAILED, None, "200"),
    ],
)  # fmt: skip
def test_remains_is_within_the_quantity_and_fits_the_status(status: Status, remains: int | None, shown: str) -> None:
    assert row(status, remains=remains)["remains"] == shown


def test_the_charge_is_net_of_refunds() -> None:
    assert row(Status.PARTIAL, remains=100, refunded="0.75")["charge"] == "0.75"
    assert row(Status.CANCELED, refunded="1.5")["charge"] == "0.00"


def test_an_unknown_start_count_is_zero() -> None:
    assert row(Status.PENDING)["start_count"] == "0"
    assert row(Status.PENDING, start=12)["start_count"] == "12"


def service_line(**details: Any) -> dict[str, Any]:
    details = {"category__name": details.pop("category", ""), **details}
    known = dict.fromkeys(responses.SERVICE_COLUMNS, "")
    known |= {"pk": 1, "service_type": "default", "rate": Decimal("0.9"), "is_flat": False, "has_refill": True}
    line, *rate = responses.service_row(tuple((known | details).values()))
    return line | {"rate": panel_vocabulary.wire_rate(*rate)}


@pytest.mark.parametrize(
    ("rate", "shown"), [("0.9", "0.90"), ("0.0000001", "0.0000001"), ("1E+3", "1000.00"), ("12.34567890", "12.3456789")]
)
def test_a_rate_is_a_plain_decimal(rate: str, shown: str) -> None:
    assert service_line(rate=Decimal(rate))["rate"] == shown


def test_the_rate_yields_our_charge_as_clients_compute_it() -> None:
    """Clients multiply the rate by quantity / 1,000 for every type except packages."""
    assert service_line(service_type="package", is_flat=True)["rate"] == "0.90"
    assert service_line(service_type="default", is_flat=True)["rate"] == "900.00"
    assert service_line(service_type="package", is_flat=False)["rate"] == "0.0009"


def test_names_have_no_characters_that_break_clients() -> None:
    shown = service_line(name=' "Best"\r\nlamp\'s \\ \x00\x1b\u2028 👍🏽 ', category='a"b\n')
    assert shown["name"] == "”Best” lamp’s / 👍🏽"
    assert shown["category"] == "a”b"


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (InvalidField("quantity", "too_small", limit=10), "Quantity less than minimal 10"),
        (InvalidField("comments", "too_small", limit=10), "Quantity less than minimal 10"),
        (InvalidField("usernames", "too_large", limit=20), "Quantity more than maximum 20"),
        (InvalidField("max", "too_large", limit=20), "Quantity more than maximum 20"),
        (InvalidField("quantity", "too_large"), "Quantity more than maximum"),
        (InvalidField("quantity", "missing"), "Quantity field is required"),
        (InvalidField("quantity", "not_a_number"), "Quantity is not a number"),
        (InvalidField("link", "missing"), "Bad link"),
        (InvalidField("link", "too_long", limit=2048), "Bad link"),
        (InvalidField("link", "bad_link", limit="https://x.example/p"), "Bad link"),
        (InvalidField("comments", "missing"), "Comments field is required"),
        (InvalidField("comments", "too_long", limit=100), "Comments is longer than 100"),
        (InvalidField("answer_number", "missing"), "Answer number field is required"),
        (
            InvalidField("posts", "unlimited"),
            "Posts field is required: subscriptions without a limit are not available",
        ),
        (InvalidField("posts", "missing"), "Posts field is required: subscriptions without a limit are not available"),
        (InvalidField("posts", "too_large", limit=9), "Posts more than maximum 9"),
        (InvalidField("delay", "invalid_choice", limit="0, 5"), "Incorrect delay, use: 0, 5"),
        (InvalidField("comments", "unsupported"), "Incorrect comments"),
        (InvalidField("runs", "unsupported"), "This service does not support drip-feed"),
        (InvalidField("runs", "too_large", limit=4), "Drip-feed runs more than maximum 4"),
        (InvalidField("interval", "missing"), "Drip-feed interval field is required"),
        (InvalidField("interval", "not_a_number"), "Drip-feed interval is not a number"),
        (InvalidField("start_at", "unsupported"), "Start at is not possible here: orders start at once"),
        (InvalidField("start_at", "too_large", limit=30), "Start at is more than 30 days ahead"),
        (InvalidField("start_at", "invalid_choice", limit="2030-01-01"), "Incorrect start at, use: 2030-01-01"),
    ],
)
def test_every_invalid_field_has_an_error_text(problem: InvalidField, sentence: str) -> None:
    assert responses.field_error(problem) == sentence


@pytest.mark.parametrize(
    "service_type", service_types.SERVICE_TYPES.values(), ids=lambda service_type: service_type.code
)
@pytest.mark.parametrize("value", ["", "x", "-1", "0", "1", "999999999999999", "x" * 3000])
def test_no_error_text_contains_none(service_type: service_types.ServiceType, value: str) -> None:
    inputs = dict.fromkeys(["link", "quantity", *(spec.name for spec in service_type.inputs)], value)
    try:
        service_types.read(service_type, inputs, minimum=10, maximum=20)
    except OrderInvalid as refused:
        sentences = " ".join(map(responses.field_error, refused.problems))
    else:
        sentences = ""
    assert "None" not in sentences
