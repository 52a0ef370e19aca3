"""`--dialect auto`: every panel is recognized by read-only requests, with a reason for each other dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from django.core.management import call_command

from orders.models import Order
from orders.models import Service as Service
from providers.models import Provider
from providers.panels.dialects import DIALECTS
from providers.panels.simulators import Panel
from providers.panels.simulators.orders import PanelService
from providers.panels.simulators.reading import FAMILY_ERRORS, Received, Refusal
from providers.panels.simulators.v2 import V2
from providers.placing import submission
from providers.pricelists import importer
from providers.tracking import status_sync
from providers.transport import detection
from tests.providers.conftest import ALL_DIALECTS, buy, customer

READS = {"balance", "services", "status", "refill_status"}


@ALL_DIALECTS
def test_every_panel_is_detected_by_read_only_requests(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect)
    found = detection.detect(panel.url, panel.key)
    assert found.dialect is DIALECTS[dialect], found.lines
    assert found.currency == panel.currency
    assert {request.verb for request in panel.requests} <= READS | {""}
    assert len(panel.orders) == 0


@ALL_DIALECTS
def test_a_sentence_for_each_dialect_says_why_it_does_not_fit(dialect: str, start_panel: Callable[..., Panel]) -> None:
    panel = start_panel(dialect, key="s3cr3t-and-l0ng-key")
    lines = dict(line.split(": ", 1) for line in detection.detect(panel.url, panel.key).lines)
    assert set(lines) == set(DIALECTS)
    assert lines.pop(dialect).startswith("answers, ")
    assert all(line.startswith("not this one, ") and len(line) > 25 for line in lines.values()), lines
    assert panel.key not in str(lines)


def test_tmsmm_is_detected_even_if_it_answers_in_json(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("tmsmm", malformed_multi=False)
    assert detection.detect(panel.url, panel.key).dialect is DIALECTS["tmsmm"]


def test_a_standard_panel_that_sells_what_a_special_one_cannot_order_stays_standard(
    start_panel: Callable[..., Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = start_panel("v2")
    rows = panel.service_row
    monkeypatch.setattr(panel, "service_row", lambda service: {k: v for k, v in rows(service).items() if k != "cancel"})
    assert detection.detect(panel.url, panel.key).dialect is DIALECTS["v2"]


def test_a_wrong_key_fits_no_dialect_and_says_so(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    found = detection.detect(panel.url, "wrong")
    assert found.dialect is None
    assert any("API key" in line for line in found.lines)


# ------------------------------------------------------------------------------------------------ request formats


class JsonOnly(V2):
    """The standard API, for requests in JSON only; others get 404."""

    encodings = {"POST": "json"}
    catalog = (
        PanelService(1, "Followers", "Default", "C", Decimal(1), 10, 1000),
        PanelService(2, "Comments", "Custom Comments", "C", Decimal(1), 10, 1000, refill=True),
    )


class PlainJsonOnly(JsonOnly):
    """Its price list looks like that of TopListBot: one type, no refill, no cancel."""

    catalog = (PanelService(1, "Followers", "Default", "C", Decimal(1), 10, 1000),)

    def service_row(self, service: PanelService) -> dict[str, object]:
        return super().service_row(service) | {"rate": float(service.rate)}


class JsonOneByOne(JsonOnly):
    """Answers whatever is not JSON with 400, and does not know lists of orders."""

    errors = {**FAMILY_ERRORS, "request": (400, "Missing action"), "order": (404, "Order not found")}

    def status(self, params: dict[str, str]) -> object:
        if "orders" in params:
            raise Refusal("order")
        return super().status(params)


class GetOnly(V2):
    encodings = {"GET": "query"}


class TokenOnly(V2):
    """Looks for its key in the Authorization header only."""

    def key_of(self, request: Received) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ")


class JsonTokenOnly(TokenOnly, JsonOnly):
    pass


@pytest.fixture(
    params=[JsonOnly, JsonOneByOne, PlainJsonOnly, GetOnly, TokenOnly, JsonTokenOnly], ids=lambda kind: kind.__name__
)
def odd_panel(request: pytest.FixtureRequest) -> Iterator[Panel]:
    with request.param(balance=100_000).start() as panel:
        yield panel


MANNERS = {
    "JsonOnly": ("json", ""),
    "JsonOneByOne": ("json", ""),
    "PlainJsonOnly": ("json", ""),
    "GetOnly": ("query", ""),
    "TokenOnly": ("", "both"),
    "JsonTokenOnly": ("json", "both"),
}


@pytest.mark.django_db
def test_a_standard_panel_is_found_in_whatever_format_it_takes_requests_and_keeps_every_verb(odd_panel: Panel) -> None:
    call_command("provider", "add", "north", "--url", odd_panel.url, "--key", odd_panel.key)
    provider = Provider.objects.get()
    assert (provider.dialect_name, provider.encoding, provider.auth) == ("v2", *MANNERS[type(odd_panel).__name__])
    assert (provider.dialect.status_one, "refill" in provider.dialect.verbs) == ("order", True)
    odd_panel.requests.clear()
    odd_panel.violations.clear()

    assert importer.import_offers(provider).unsellable == ()
    importer.publish(provider)
    user, service = customer(), Service.objects.order_by("pk")[0]
    buy(user, service)
    submission.submit_due(provider)
    (first,) = odd_panel.orders
    status_sync.sync_statuses(provider, is_now=True)
    assert odd_panel.received("status")[-1].params["order"] == first
    for part in ("b", "c"):
        buy(user, service, link=f"https://x.example.com/{part}")
    submission.submit_due(provider)
    for number in odd_panel.orders:
        odd_panel.report(number, "Completed", remains=0)
    status_sync.sync_statuses(provider, is_now=True)
    assert Order.objects.filter(status="completed").count() == 3
    assert odd_panel.violations == []


def test_the_operator_may_say_the_format(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    assert detection.detect(panel.url, panel.key, encoding="json").dialect is None
    found = detection.detect(panel.url, panel.key, encoding="form")
    assert found.dialect is DIALECTS["v2"]


def test_a_question_is_asked_once_for_all_dialects(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    detection.detect(panel.url, panel.key)
    asked = [(request.method, request.body, request.query_string, str(request.headers)) for request in panel.requests]
    assert len(asked) == len(set(asked))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("balance", "currency", "is_noted"),
    [
        ({"balance": "100.50", "currency": "EUR"}, "EUR", False),
        ({"balance": "12.50 EUR"}, "EUR", False),
        ({"balance": "100", "currency": "₹"}, "USD", True),
        ({"balance": "100", "currency": "Toman"}, "USD", True),
        ({"balance": "100"}, "USD", True),
    ],
)
def test_a_currency_is_a_code_or_said_to_be_assumed(
    start_panel: Callable[..., Panel],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    balance: dict[str, str],
    currency: str,
    is_noted: bool,
) -> None:
    panel = start_panel("v2")
    monkeypatch.setitem(panel._answers, "balance", lambda params: balance)  # type: ignore[misc]
    call_command("provider", "add", "north", "--url", panel.url, "--key", panel.key)
    assert Provider.objects.get().currency == currency
    assert ("USD is assumed" in capsys.readouterr().err) == is_noted


@pytest.mark.django_db
def test_a_balance_in_another_currency_is_reported(
    start_panel: Callable[..., Panel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    panel = start_panel("v2")
    call_command("provider", "add", "north", "--url", panel.url, "--key", panel.key, "--currency", "USD")
    monkeypatch.setitem(panel._answers, "balance", lambda params: {"balance": "12.50 EUR"})  # type: ignore[misc]
    call_command("provider", "test", "north")
    output = capsys.readouterr()
    assert "north: balance 12.50 EUR" in output.out
    assert "bills in EUR but is set to USD" in output.err
