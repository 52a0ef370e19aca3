"""Import of price lists, and protection of the catalog against bad answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Category, PriceChange, Service
from providers import notes
from providers.errors import BadList, CurrencyChanged, NothingToDecide, ProviderError
from providers.http.messages import Answer
from providers.models import Markup, Offer, OfferChange, Provider, Route
from providers.notes import Note
from providers.panels.dialect import PriceListRow
from providers.panels.dialects import DIALECTS
from providers.panels.services import read_services
from providers.panels.simulators import Panel
from providers.panels.simulators.orders import PanelService as Sold
from providers.pricelists import availability, diff, importer, onboarding
from providers.transport import circuit_breaker
from tests import factories
from tests.providers.conftest import provider_at

pytestmark = pytest.mark.django_db
WRITES = ("INSERT", "UPDATE", "DELETE")


def rows(count: int, **changes: Any) -> list[PriceListRow]:
    details: dict[str, Any] = {
        "name": "Followers",
        "category": "Photo",
        "type_name": "Default",
        "service_type": "default",
        "rate": Decimal("0.9"),
        "is_flat": False,
        "min_quantity": 10,
        "max_quantity": 1000,
        "has_refill": False,
        "has_cancel": False,
        "has_dripfeed": False,
        **changes,
    }
    return [PriceListRow(upstream_id=str(number), **details) for number in range(1, count + 1)]


def with_last(listed: list[PriceListRow], **changes: Any) -> list[PriceListRow]:
    """``listed`` with other details in its last row."""
    return [*listed[:-1], replace(listed[-1], **changes)]


def history(**filters: Any) -> list[tuple[str, str, str]]:
    return list(OfferChange.objects.filter(**filters).order_by("pk").values_list("what", "old", "new"))


def panel_services(count: int = 5, **changes: Any) -> list[Sold]:
    """Return what a pretend panel sells: numbers from 1, a rate of 2."""
    details = {"name": "Followers", "type": "Default", "category": "Photo", "rate": Decimal(2), "min": 10, "max": 1000}
    return [Sold(id=number, **{**details, **changes}) for number in range(1, count + 1)]


def prices(panel: Panel, *services: Sold) -> None:
    """From now on ``panel`` sells exactly this."""
    panel.services = {str(service.id): service for service in services}


@pytest.fixture
def provider() -> Provider:
    details = {"url": "http://127.0.0.1:9009/api/v2", "dialect_name": "v2", "currency": "RUB"}
    return onboarding.save_provider("north", key="k", exchange_rate=Decimal("0.0125"), **details)


# ------------------------------------------------------------------------------------------------ what is written
def test_a_second_import_of_the_same_list_writes_nothing_but_when_it_was_read(provider: Provider) -> None:
    assert importer.store(provider, rows(50)).added == 50
    with CaptureQueriesContext(connection) as queries:
        again = importer.store(provider, rows(50))
    assert (again.added, again.changed, again.unchanged, again.missing) == (0, 0, 50, 0)
    written = [query["sql"] for query in queries if query["sql"].startswith(WRITES)]
    assert len(written) == 1
    assert written[0].startswith('UPDATE "providers_provider" SET "imported_at"')
    assert history() == []


@pytest.mark.parametrize("how", ["first", "unchanged", "a tenth changed"])
def test_a_long_list_takes_as_many_statements_as_a_short_one(how: str) -> None:
    counts = []
    for size in (100, 2000):
        details = {"url": "http://127.0.0.1:9009/api/v2", "dialect_name": "v2", "currency": "USD"}
        provider = onboarding.save_provider(f"of-{size}", key="k", **details)
        if how != "first":
            importer.store(provider, rows(size))
            importer.publish(provider, markup_percent=Decimal(30))
        listed = rows(size)
        if how == "a tenth changed":
            listed = [*rows(size // 10, rate=Decimal(1), max_quantity=900), *listed[size // 10 :]]
        with CaptureQueriesContext(connection) as queries:
            importer.store(provider, listed)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 25


def test_only_what_changed_is_written(provider: Provider) -> None:
    importer.store(provider, rows(50))
    done = importer.store(provider, with_last(rows(50), rate=Decimal(1)))
    assert (done.changed, done.unchanged) == (1, 49)
    assert Offer.objects.get(upstream_id="50").rate == Decimal(1)
    assert history() == [("rate", "0.90", "1.00")]


def test_everything_that_changes_about_an_offer_is_a_line_of_history(provider: Provider) -> None:
    importer.store(provider, rows(9))
    assert history() == [], "the first list is no news"
    changes = {"name": "Followers fast", "has_refill": True, "max_quantity": 500, "description": "d" * 900}
    importer.store(provider, with_last(rows(10), rate=Decimal(1)))
    assert history() == [("new", "", "1.00")]
    importer.store(provider, with_last(rows(10), rate=Decimal("1.1"), **changes))
    lines = history()[1:]
    assert lines[:2] == [("rate", "1.00", "1.10"), ("limits", "10 – 1000", "10 – 500")]
    assert lines[2][:2] == ("details", "name: Followers; refill: no; description: ")
    assert lines[2][2].startswith("name: Followers fast; refill: yes; description: ddd")
    assert len(lines[2][2]) == 255


def test_services_follow_the_limits_they_were_made_with_and_keep_those_set_by_hand(provider: Provider) -> None:
    importer.store(provider, rows(2))
    importer.publish(provider)
    second = Service.objects.order_by("-pk")[0]
    Service.objects.filter(pk=second.pk).update(max_quantity=700)
    importer.store(provider, rows(2, min_quantity=20, max_quantity=500, has_refill=True))
    found = Service.objects.order_by("pk").values_list("min_quantity", "max_quantity", "has_refill")
    assert list(found) == [(20, 500, True), (10, 700, True)]


# ------------------------------------------------------------------------------------------------ guards
@pytest.mark.parametrize("count", [0, 1, 39])
def test_an_empty_or_short_list_changes_nothing(provider: Provider, count: int) -> None:
    importer.store(provider, rows(50))
    with pytest.raises(BadList, match=Note.LIST_SHORT if count else Note.LIST_EMPTY):
        importer.store(provider, rows(count))
    assert Offer.objects.filter(is_available=True, missed_imports=0).count() == 50


def test_a_list_whose_rows_lost_their_prices_is_as_short_as_one_without_them(provider: Provider) -> None:
    importer.store(provider, rows(50))
    with pytest.raises(BadList, match=r'"list_short_of_sellable", "count": 0, "before": 50'):
        importer.store(provider, rows(50, rate=Decimal(0), problem=notes.encode(Note.UNREADABLE_RATE)))
    assert not Offer.objects.exclude(problem="").exists()


def test_an_operator_can_believe_a_list_that_shrank_but_never_an_empty_one(provider: Provider) -> None:
    importer.store(provider, rows(50))
    assert importer.store(provider, rows(5), is_short_fine=True).missing == 45
    with pytest.raises(BadList):
        importer.store(provider, [], is_short_fine=True)


@pytest.mark.parametrize("kind", ["html", "empty", "list", "http_500", "truncated", "reset_after"])
def test_a_broken_list_changes_nothing_and_alerts_once(
    kind: str, start_panel: Callable[..., Panel], caplog: pytest.LogCaptureFixture
) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    before = list(Offer.objects.values())
    panel.fault("services", kind, times=2)
    for _ in range(2):
        with pytest.raises(ProviderError):
            importer.import_offers(provider)
    assert list(Offer.objects.values()) == before
    provider.refresh_from_db()
    assert provider.price_list_error
    warnings = [record for record in caplog.records if "was not imported" in record.message]
    assert [(record.name, record.levelno) for record in warnings] == [("vitrine.providers", logging.WARNING)]
    importer.import_offers(provider)
    provider.refresh_from_db()
    assert provider.price_list_error == "", "a good list ends the alert"


def test_an_error_in_the_place_of_the_list_is_kept_in_the_panels_words(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    provider = provider_at(panel, "v2")
    panel.fault("services", "text", body='{"error":"API is Disable for this user\\u0000"}')
    with pytest.raises(ProviderError):
        importer.import_offers(provider)
    provider.refresh_from_db()
    assert provider.price_list_error == "API is Disable for this user"


# ------------------------------------------------------------------------------------------------ gone and back
def test_an_offer_goes_off_sale_when_it_is_missing_twice_and_its_service_with_it(provider: Provider) -> None:
    importer.store(provider, rows(50))
    importer.publish(provider)
    offer = Offer.objects.get(upstream_id="50")
    service = Service.objects.get(routes__offer=offer)
    importer.store(provider, rows(49))
    offer.refresh_from_db()
    assert offer.is_available
    done = importer.store(provider, rows(49))
    offer.refresh_from_db()
    service.refresh_from_db()
    assert (offer.is_available, service.is_active, done.gone, done.withdrawn) == (False, False, 1, 1)
    assert history() == [("gone", "0.90", "")]
    assert not PriceChange.objects.exists()
    assert importer.store(provider, rows(49)).missing == 0, "from then on it is no news"


def test_a_service_with_another_usable_route_stays_on_sale(provider: Provider) -> None:
    importer.store(provider, rows(50))
    importer.publish(provider)
    service = Service.objects.get(routes__offer__upstream_id="50")
    Route.objects.create(service=service, offer=Offer.objects.get(upstream_id="1"), priority=5)
    for _ in range(2):
        importer.store(provider, rows(49))
    service.refresh_from_db()
    assert service.is_active


def test_what_comes_back_needs_a_person(provider: Provider) -> None:
    importer.store(provider, rows(50))
    importer.publish(provider)
    offer = Offer.objects.get(upstream_id="50")
    for _ in range(2):
        importer.store(provider, rows(49))
    done = importer.store(provider, with_last(rows(50), rate=Decimal(3)))
    offer.refresh_from_db()
    assert (offer.is_pending_approval, offer.is_available, offer.rate, done.held) == (True, False, Decimal(3), 1)
    assert history()[-1] == ("back", "", "3.00")
    assert importer.store(provider, with_last(rows(50), rate=Decimal(3))).changed == 0
    availability.approve(offer)
    service = Service.objects.get(routes__offer=offer)
    assert (offer.is_pending_approval, offer.is_available, service.is_active) == (False, True, True)
    assert service.rate == Decimal(3) * Decimal("0.0125") * Decimal("1.3"), (
        "the price follows the cost it came back with"
    )


def test_a_service_taken_off_sale_by_hand_does_not_come_back_with_an_offer(provider: Provider) -> None:
    importer.store(provider, rows(50))
    importer.publish(provider)
    Service.objects.filter(routes__offer__upstream_id="50").update(is_active=False)
    for listed in (rows(49), rows(49), rows(50)):
        importer.store(provider, listed)
    availability.approve(Offer.objects.get(upstream_id="50"))
    assert not Service.objects.get(routes__offer__upstream_id="50").is_active


def test_an_offer_that_cannot_be_sold_for_a_while_takes_its_service_along_and_brings_it_back(
    provider: Provider,
) -> None:
    importer.store(provider, rows(9))
    importer.publish(provider)
    service = Service.objects.get(routes__offer__upstream_id="9")
    odd = {"rate": Decimal(0), "problem": notes.encode(Note.ZERO_RATE)}
    done = importer.store(provider, with_last(rows(9), **odd))
    assert (done.withdrawn, done.unsellable[0].problem) == (1, notes.encode(Note.ZERO_RATE))
    assert Offer.objects.get(upstream_id="9").rate == Decimal("0.9"), (
        "the last good cost stays, to compare the next with"
    )
    assert importer.store(provider, rows(9)).restored == 1
    service.refresh_from_db()
    assert service.is_active


# ------------------------------------------------------------------------------------------------ jumps
@pytest.mark.parametrize(
    ("rate", "is_pending_approval"), [("1.12", False), ("1.13", True), ("0.68", False), ("0.67", True)]
)
def test_a_cost_that_jumps_up_or_down_waits_for_approval_and_a_small_step_does_not(
    provider: Provider, rate: str, is_pending_approval: bool
) -> None:
    importer.store(provider, rows(9))
    done = importer.store(provider, with_last(rows(9), rate=Decimal(rate)))
    offer = Offer.objects.get(upstream_id="9")
    held = (True, Decimal("0.9"), Decimal(rate)) if is_pending_approval else (False, Decimal(rate), None)
    assert (offer.is_pending_approval, offer.rate, offer.pending_rate) == held
    assert (offer.is_available, done.held) == (True, int(is_pending_approval))
    assert history() == [("rate", "0.90", rate)]
    assert importer.store(provider, with_last(rows(9), rate=Decimal(rate))).changed == 0


def test_a_jump_that_goes_back_by_itself_waits_for_nobody(provider: Provider) -> None:
    importer.store(provider, rows(9))
    importer.store(provider, with_last(rows(9), rate=Decimal(9)))
    importer.store(provider, with_last(rows(9), rate=Decimal("0.91")))
    offer = Offer.objects.get(upstream_id="9")
    assert (offer.is_pending_approval, offer.pending_rate, offer.rate) == (False, None, Decimal("0.91"))
    assert history() == [("rate", "0.90", "9.00"), ("rate", "9.00", "0.91")]


def test_the_provider_says_how_much_is_a_jump(provider: Provider) -> None:
    Provider.objects.update(price_jump=900)
    importer.store(provider, rows(9))
    assert importer.store(provider, with_last(rows(9), rate=Decimal(9))).held == 0


def test_an_approved_cost_is_in_force_and_the_price_follows(provider: Provider) -> None:
    importer.store(provider, rows(9))
    importer.publish(provider)
    importer.store(provider, with_last(rows(9), rate=Decimal(2)))
    offer = Offer.objects.get(upstream_id="9")
    assert not PriceChange.objects.exists(), "what waits changes no price"
    availability.approve(offer, actor="olga")
    assert (offer.rate, offer.pending_rate, offer.is_pending_approval) == (Decimal(2), None, False)
    change = PriceChange.objects.get()
    assert (change.service.rate, change.new_rate) == (Decimal("0.0325"), Decimal("0.0325"))
    with pytest.raises(NothingToDecide):
        availability.approve(offer)


def test_a_rejected_offer_is_off_sale_until_it_is_approved(provider: Provider) -> None:
    importer.store(provider, rows(9))
    importer.publish(provider)
    dearer = with_last(rows(9), rate=Decimal(2))
    importer.store(provider, dearer)
    offer = availability.reject(Offer.objects.get(upstream_id="9"))
    assert (offer.is_available, offer.is_pending_approval, offer.rate) == (False, False, Decimal(2))
    assert not Service.objects.get(routes__offer=offer).is_active
    assert importer.store(provider, dearer).changed == 0, "nobody is asked again"
    offer = availability.approve(offer)
    assert offer.is_available
    assert Service.objects.get(routes__offer=offer).is_active
    with pytest.raises(NothingToDecide):
        availability.reject(offer)


# ------------------------------------------------------------------------------------------------ another service
@pytest.mark.parametrize(
    ("change", "is_pending_approval"),
    [
        ({"service_type": "poll", "type_name": "Poll"}, True),
        ({"name": "Telegram members", "category": "Telegram"}, True),
        ({"name": "Telegram members"}, False),
        ({"category": "Telegram"}, False),
        ({"name": "Followers [Max: 20K] ⚡", "category": "Photo ⭐ new"}, False),
    ],
)
def test_a_number_that_is_another_service_now_waits_for_approval(
    provider: Provider, change: dict[str, Any], is_pending_approval: bool
) -> None:
    importer.store(provider, rows(9))
    importer.publish(provider)
    importer.store(provider, with_last(rows(9), **change))
    offer = Offer.objects.get(upstream_id="9")
    assert (offer.is_pending_approval, offer.is_available) == (is_pending_approval, not is_pending_approval)
    assert Service.objects.get(routes__offer=offer).is_active is not is_pending_approval
    assert importer.store(provider, with_last(rows(9), **change)).changed == 0


def test_approving_another_type_does_not_sell_it_through_the_old_service(provider: Provider) -> None:
    importer.store(provider, rows(9))
    importer.publish(provider)
    importer.store(provider, with_last(rows(9), service_type="poll", type_name="Poll"))
    offer = availability.approve(Offer.objects.get(upstream_id="9"))
    route = Route.objects.get(offer=offer)
    assert (offer.is_available, offer.service_type, route.is_active, route.service.is_active) == (
        True,
        "poll",
        False,
        False,
    )


# ------------------------------------------------------------------------------------------------ currency
def test_another_currency_stops_the_provider_and_changes_nothing(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2", services=panel_services())
    provider = provider_at(panel, "v2")
    before = list(Offer.objects.values())
    panel.currency = "EUR"
    prices(panel, *panel_services(rate=Decimal(1)))
    for _ in range(2):
        with pytest.raises(CurrencyChanged, match=r'"currency_changed", "billed": "EUR", "configured": "USD"'):
            importer.import_offers(provider)
    assert list(Offer.objects.values()) == before
    provider.refresh_from_db()
    assert provider.is_paused
    assert Note.CURRENCY_CHANGED in provider.pause_reason
    Provider.objects.filter(pk=provider.pk).update(currency="EUR")
    provider.refresh_from_db()
    importer.import_offers(provider)
    provider.refresh_from_db()
    assert provider.is_paused, "only a person lets orders go there again"
    circuit_breaker.resume(provider)


def test_a_list_in_another_currency_stops_the_provider_and_one_row_in_it_is_not_sold(provider: Provider) -> None:
    with pytest.raises(CurrencyChanged):
        importer.store(provider, rows(3, currency="USD"))
    listed = with_last(rows(3, currency="RUB"), currency="USD")
    (odd,) = importer.store(provider, listed).unsellable
    assert odd.problem == notes.encode(Note.OTHER_CURRENCY, billed="USD", configured="RUB")
    assert importer.store(provider, rows(3, currency="₽")).unsellable == (), "a sign is no code"


# ------------------------------------------------------------------------------------------------ odd rows
GOOD = {"service": 1, "name": "Likes", "type": "Default", "category": "Photo", "rate": "0.9", "min": 10, "max": 100}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "a\nb " * 200 + "👇"}, ""),
        ({"name": "Likes\0 👍", "desc": "a\0b\ud800"}, ""),
        ({"service": "101429via-ngoai-scan-chua-change"}, ""),
        ({"rate": "0.90000000000000000001", "min": "10", "max": 1e2}, ""),
        ({"rate": 17.840000000000003, "refill": "1", "cancel": 0, "dripfeed": "true", "subscription": None}, ""),
        ({"name": "*-*-*"}, notes.encode(Note.SEPARATOR)),
        ({"name": "👇👇"}, notes.encode(Note.SEPARATOR)),
        ({"name": None}, notes.encode(Note.NO_NAME)),
        ({"service": None}, notes.encode(Note.NO_NUMBER)),
        ({"service": {"id": 1}}, notes.encode(Note.NO_NUMBER)),
        ({"type": "fb_viplike"}, notes.encode(Note.UNKNOWN_TYPE, type="fb_viplike")),
        ({"type": ["Default"]}, ""),
        ({"rate": float("nan")}, notes.encode(Note.UNREADABLE_RATE)),
        ({"rate": "NaN"}, notes.encode(Note.UNREADABLE_RATE)),
        ({"rate": 10**60}, notes.encode(Note.UNREADABLE_RATE)),
        ({"rate": "-1"}, notes.encode(Note.ZERO_RATE)),
        ({"rate": 1e12}, notes.encode(Note.NOT_FOR_SALE)),
        ({"rate": "99999999"}, notes.encode(Note.NOT_FOR_SALE)),
        ({"rate": 800_000_000}, notes.encode(Note.NOT_FOR_SALE)),
        ({"rate": 799_999_999}, ""),
        ({"min": 100, "max": 10}, notes.encode(Note.LIMITS_REVERSED)),
        ({"min": None}, ""),
        ({"max": "unlimited"}, ""),
        ({"min": "few"}, notes.encode(Note.UNREADABLE_LIMITS)),
        ({"max": "many"}, notes.encode(Note.UNREADABLE_LIMITS)),
    ],
)
def test_an_unusual_row_is_stored_or_left_out_with_its_reason(
    provider: Provider, change: dict[str, Any], problem: str
) -> None:
    text = json.dumps([{**GOOD, **change}, {**GOOD, "service": 2}])
    listed = read_services(Answer(status=200, text=text), DIALECTS["v2"])
    done = importer.store(provider, listed)
    assert [row.problem for row in done.unsellable] == ([problem] if problem else [])
    assert Offer.objects.filter(upstream_id="2", problem="").exists()
    assert all(len(offer.name) <= 255 and "\0" not in offer.name + offer.description for offer in Offer.objects.all())


def test_of_a_number_that_stands_twice_the_first_row_counts(provider: Provider) -> None:
    text = json.dumps([GOOD, {**GOOD, "rate": "5"}, {**GOOD, "service": "1"}, "x", None, []])
    done = importer.store(provider, read_services(Answer(status=200, text=text), DIALECTS["v2"]))
    assert Offer.objects.get().rate == Decimal("0.9")
    assert [row.problem for row in done.unsellable] == [
        notes.encode(Note.DUPLICATE_NUMBER),
        notes.encode(Note.DUPLICATE_NUMBER),
        notes.encode(Note.NO_NUMBER),
        notes.encode(Note.NO_NUMBER),
        notes.encode(Note.NO_NUMBER),
    ]


@pytest.mark.parametrize("form", ["[{}]", '{{"services":[{}]}}', '{{"status":"success","data":[{}]}}', "twice"])
def test_a_list_is_found_in_every_wrapping(form: str, start_panel: Callable[..., Panel]) -> None:
    row = json.dumps(GOOD)
    body = json.dumps(f"[{row}]") if form == "twice" else form.format(row)
    panel = start_panel("v2")
    provider = onboarding.save_provider("wrapped", url=panel.url, key=panel.key, dialect_name="v2", currency="USD")
    panel.fault("services", "text", body=body)
    assert importer.import_offers(provider).added == 1


# ------------------------------------------------------------------------------------------------ publishing
def test_publishing_sells_at_cost_in_our_currency_plus_the_markup(provider: Provider) -> None:
    importer.store(provider, rows(3, rate=Decimal(1890)))
    assert importer.publish(provider, markup_percent=Decimal(30)) == 3
    service = Service.objects.all()[0]
    assert service.rate == Decimal(1890) * Decimal("0.0125") * Decimal("1.3")
    assert (Category.objects.count(), Route.objects.count()) == (1, 3)


def test_publishing_again_adds_only_what_is_new(provider: Provider) -> None:
    importer.store(provider, rows(3))
    importer.publish(provider, markup_percent=Decimal(30))
    importer.store(provider, rows(5))
    assert importer.publish(provider, markup_percent=Decimal(30)) == 2
    assert Service.objects.count() == 5


def test_rows_that_cannot_be_sold_are_kept_with_the_reason_and_not_published(provider: Provider) -> None:
    done = importer.store(provider, rows(2, problem=notes.encode(Note.UNKNOWN_TYPE, type="x"), service_type=""))
    assert len(done.unsellable) == 2
    assert importer.publish(provider, markup_percent=Decimal(30)) == 0
    assert Offer.objects.filter(problem=notes.encode(Note.UNKNOWN_TYPE, type="x")).count() == 2


def test_what_waits_for_a_person_is_not_published(provider: Provider) -> None:
    importer.store(provider, rows(9))
    importer.store(provider, with_last(rows(9), rate=Decimal(9)))
    assert importer.publish(provider) == 8


# ------------------------------------------------------------------------------------------------ the command
def test_the_command_imports_approves_and_reprices(
    start_panel: Callable[..., Panel], capsys: pytest.CaptureFixture[str]
) -> None:
    panel = start_panel("v2", services=panel_services())
    call_command("provider", "add", "north", url=panel.url, key=panel.key, dialect="v2")
    call_command("provider", "import", "north", "--markup", "50", "--publish")
    said = capsys.readouterr().out
    assert "north: 5 services published" in said
    assert "north: the markup is 50%" in said
    assert {service.rate for service in Service.objects.all()} == {Decimal(3)}
    prices(panel, *panel_services(3), *(replace(service, rate=Decimal(4)) for service in panel_services(5)[3:]))
    call_command("provider", "import", "north")
    assert (
        "2 provider services to approve. To list them, run manage.py provider approve north" in capsys.readouterr().out
    )
    call_command("provider", "approve", "north")
    assert "4 Followers: the cost changed from 2.00 to 4.00" in capsys.readouterr().out
    call_command("provider", "approve", "north", "4")
    assert "north: 1 provider service approved" in capsys.readouterr().out
    call_command("provider", "reject", "north", "--all")
    assert "north: 1 provider service rejected" in capsys.readouterr().out
    assert sorted(Service.objects.filter(is_active=True).values_list("rate", flat=True)) == [3, 3, 3, 6]
    Markup.objects.update(percent=Decimal(100))
    call_command("provider", "reprice", "north")
    assert "north: 4 prices changed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no services with the numbers 77"):
        call_command("provider", "approve", "north", "77")


def test_the_command_shows_some_odd_rows_and_counts_the_rest(
    start_panel: Callable[..., Panel], capsys: pytest.CaptureFixture[str]
) -> None:
    panel = start_panel("v2", services=panel_services(60, min=9, max=8))
    call_command("provider", "add", "north", url=panel.url, key=panel.key, dialect="v2")
    call_command("provider", "import", "north")
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "not sellable: 1 Followers: Its maximum quantity is below its minimum quantity."
    assert said[-2:] == [
        "not sellable: 40 more. All by reason:",
        "  60 x Its maximum quantity is below its minimum quantity.",
    ]


def test_a_provider_is_added_in_the_currency_its_panel_names(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2", services=panel_services(), currency="TRY")
    call_command("provider", "add", "north", url=panel.url, key=panel.key, dialect="v2", exchange_rate="0.024")
    assert Provider.objects.get().currency == "TRY"


# ------------------------------------------------------------------------------------------------ the pure part
def test_merging_a_row_twice_is_merging_it_once(provider: Provider) -> None:
    importer.store(provider, rows(1))
    (known,) = importer.known_offers(provider).values()
    changes: list[dict[str, Any]] = [
        {},
        {"rate": Decimal(5)},
        {"service_type": "poll"},
        {"problem": "x", "rate": Decimal(0)},
    ]
    for change in changes:
        (row,) = rows(1, **change)
        once = diff.merge(known, row, jump=25)
        assert diff.merge(once, row, jump=25) == once


def test_manual_services_are_left_alone_by_every_import(provider: Provider) -> None:
    service = factories.service(rate="7")
    for listed in (rows(9), rows(8), rows(8), with_last(rows(9), rate=Decimal(1))):
        importer.store(provider, listed)
    service.refresh_from_db()
    assert (service.rate, service.is_active) == (Decimal(7), True)
